"""Lines of JSON are read one by one, so that a file may be of any size and a line may not."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.commands.stop_signals import raise_swallowed
from projector.errors import FieldProblem
from projector.requests import RefusedInput, request_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from middleware.ledger import Ledger
    from projector.requests import RequestAnswer

# Room for 64 KB of variables with every character escaped, and for generous white space.
LINE_MAX_BYTES = 1024 * 1024

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOO_LONG = RefusedInput(
    (FieldProblem(None, f"the line is longer than {LINE_MAX_BYTES} bytes, nothing of it was read"),)
)


@dataclass(frozen=True, slots=True)
class Line:
    """`number` counts from 1, blank lines too; `content` is None when the line is too long."""

    number: int
    content: bytes | None


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """Those that are not blank."""
    number = 0
    while piece := _read(stream):
        number += 1
        if number == 1:
            piece = piece.removeprefix(_BYTE_ORDER_MARK)
        if len(piece) > LINE_MAX_BYTES and not piece.endswith(b"\n"):
            _skip_rest(stream)
            yield Line(number, None)
        elif piece.strip():
            yield Line(number, piece)


def answered(lines: Iterable[Line], ledger: Ledger) -> Iterator[tuple[int, RequestAnswer]]:
    """The number of each line with the answer it got, in order. Raises RequestsInterrupted."""
    # `request_many` takes lines ahead of its answers; these are still without one.
    unanswered: deque[Line] = deque()

    def contents() -> Iterator[bytes]:
        for line in lines:
            unanswered.append(line)
            if line.content is not None:
                yield line.content

    for answer in request_many(contents(), ledger=ledger):
        yield from _too_long(unanswered)
        yield unanswered.popleft().number, answer
    yield from _too_long(unanswered)


def _too_long(unanswered: deque[Line]) -> Iterator[tuple[int, RequestAnswer]]:
    while unanswered and unanswered[0].content is None:
        yield unanswered.popleft().number, _TOO_LONG


def _read(stream: BinaryIO) -> bytes:
    raise_swallowed()
    return stream.readline(LINE_MAX_BYTES + 1)


def _skip_rest(stream: BinaryIO) -> None:
    while piece := stream.readline(LINE_MAX_BYTES):
        if piece.endswith(b"\n"):
            return
