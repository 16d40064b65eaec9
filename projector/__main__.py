"""`python -m projector` runs the projector alone, with the broker that the application sets.

The application is named, not imported by this room: it is above.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from typing import TYPE_CHECKING

import dramatiq
from dramatiq.errors import ActorNotFound

from middleware.errors import StoreRefused
from projector.connection import get_ledger
from projector.errors import SettingsRefused
from projector.projector import Projector

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; runs until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m projector",
        description="Fold the event log and dispatch what it requests, until SIGTERM.",
        epilog="example: POSTONCE_REDIS_URL=redis://10.0.0.5:6379/0 python -m projector",
    )
    parser.add_argument(
        "--app",
        default="actors.app",
        metavar="MODULE",
        help="the module that sets the broker and declares the actors (default: %(default)s)",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="also say why something was not dispatched"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        importlib.import_module(options.app)
        Projector(get_ledger(), dramatiq.get_broker()).run()
    except (ImportError, ActorNotFound, SettingsRefused, StoreRefused) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)  # noqa: T201 - a program's own words
        return USAGE_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main())
