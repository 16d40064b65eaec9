"""A command says what it has to say itself; only what keeps running writes a log."""

from __future__ import annotations

import logging

_SILENCE = logging.NullHandler()
_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def log_nothing() -> None:
    """Python would print warnings that nobody handles; what they warn of, `doctor` tells."""
    logging.getLogger().addHandler(_SILENCE)


def log_to_stderr(*, verbose: bool = False) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO, format=_FORMAT, force=True
    )
