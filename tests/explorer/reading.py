"""A way through the model as a person reads it: numbered, with the time, questions and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.explorer.state import START_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.explorer.turn import Move


def lines_of(trace: Sequence[Move], breach: str | None) -> Iterator[str]:
    for number, move in enumerate(trace, 1):
        seconds = (move.after.now_ms - START_MS) / 1000
        yield f"{number:4}. {seconds:4.0f} s  {_sentence(move)}"
    if breach is not None:
        yield f"      => {breach}"


def _sentence(move: Move) -> str:
    if move.told is None:
        return move.what
    name, *told = move.question
    asked = f"{name}({', '.join(map(str, told))})"
    reply = "that the server is another one" if move.told.reply is None else move.told.reply
    return f"{move.what}: {asked} -> {reply}"
