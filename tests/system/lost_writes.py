"""`python -m tests.system.lost_writes`: what is lost and doubled when the store loses writes.

Each kind of loss strikes while messages are sent, with rule 8 of the design and without it.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.system.losing_writes import Kind, Rules, power_loss, promotion, restart, split_brain
from tests.system.loss_figures import Figures, observe

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Trial:
    """`is_promised`: that nothing is lost and nothing doubled; the others show what it takes."""

    what: str
    kind: Kind
    rules: Rules = field(default_factory=Rules)
    is_promised: bool = True
    backlog: bool = True


_WIDTH = 150
_BROKEN = "BROKEN"
_UNRULED = Rules(epochs=False)
_WAITING = Rules(wait_replicas=1)
_TRIALS = (
    Trial("restart, always", restart),
    Trial("power loss, everysec", power_loss),
    Trial("power loss, everysec", power_loss, backlog=False),
    Trial("power loss, everysec", power_loss, _UNRULED, is_promised=False),
    Trial("replica promoted", promotion),
    Trial("replica promoted", promotion, _WAITING),
    Trial("replica promoted", promotion, _UNRULED, is_promised=False),
    Trial("split brain", split_brain, is_promised=False),
    Trial("split brain", split_brain, _WAITING),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing was lost or doubled where that is promised, else 1."""
    options = _options(arguments)
    # As wide wherever it is printed.
    console = Console(width=_WIDTH)
    names = [each.name.replace("_", " ") for each in fields(Figures)]
    table = Table("the store", "rule 8", "WAIT", "backlog", *names, "")
    # What the store's own warnings say is what this is about.
    logging.disable(logging.CRITICAL)
    kept = True
    for trial in _TRIALS:
        console.print(f"{trial.what}: {trial.kind.__doc__}")
        figures = _figures(trial, attempts=options.attempts)
        pairs = zip(names, astuple(figures), strict=True)
        console.print("  " + ", ".join(f"{name} {value}" for name, value in pairs))
        verdict = _verdict(trial, figures)
        kept = kept and verdict != _BROKEN
        rules = ("on" if trial.rules.epochs else "off", str(trial.rules.wait_replicas))
        backlog = "yes" if trial.backlog else "no"
        table.add_row(trial.what, *rules, backlog, *map(str, astuple(figures)), verdict)
    console.print(table)
    return 0 if kept else 1


def _figures(trial: Trial, *, attempts: int) -> Figures:
    with (
        tempfile.TemporaryDirectory(prefix="postonce-") as directory,
        trial.kind(Path(directory), trial.rules) as scene,
    ):
        return observe(scene, attempts=attempts, backlog=trial.backlog)


def _verdict(trial: Trial, figures: Figures) -> str:
    if not trial.is_promised:
        return "not promised"
    return _BROKEN if figures.open or figures.lost or figures.doubled else "holds"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.lost_writes",
        description="Let the store lose writes while messages are sent, in every way we know. "
        "It takes about four minutes.",
        epilog="example: python -m tests.system.lost_writes --attempts 60",
    )
    parser.add_argument("--attempts", type=int, default=60, help="POSTs made before each loss")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
