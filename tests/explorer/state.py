"""One delivery, two workers and a channel at one instant: what each knows, and what happened.

A state is a value: what happens next makes another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.explorer.asking import Question
    from tests.explorer.embedded import Contents

# Where the configuration sends the message when it is accepted.
FIRST_CHANNEL = "C1"
START_MS = 1_700_000_000_000
TERMINAL = frozenset({"sent", "rejected", "expired", "cancelled", "unproven"})
NEVER_POSTED = frozenset({"rejected", "expired", "cancelled"})


class Worker(NamedTuple):
    """What one worker knows; whoever dies knows nothing.

    `stage` says what it may do next; `asked` is the question whose answer it lost; `at_ms` its
    `post_by` (how long it may post, while it is `hearing` that), or the time before which its read
    had not begun; `channel` where it was told to post
    or look; `places` the numbers of the posts whose receipts it has.
    """

    stage: str
    token: str = ""
    marker: str = ""
    at_ms: int = 0
    channel: str = ""
    places: tuple[int, ...] = ()
    asked: Question = ()


IDLE = Worker("idle")


class Post(NamedTuple):
    """In the channel: a read begun at `visible_ms` or later finds it, an earlier one may.

    `marker` names the round it belongs to; `late_ms` is how long after its `post_by` it was made,
    -1 where it was in time.
    """

    channel: str
    marker: str
    visible_ms: int
    late_ms: int


class Left(NamedTuple):
    """How often each may still happen; -1: as often as it likes."""

    crashes: int = 0
    lost_replies: int = 0
    pauses: int = 0
    moves: int = 0
    cancels: int = 0
    redrives: int = 0
    rollbacks: int = 0

    def less(self, name: str) -> Left | None:
        """None where it cannot happen any more."""
        left: int = getattr(self, name)
        if left < 0:
            return self
        return self._replace(**{name: left - 1}) if left else None

    def one_more(self) -> Iterator[Left]:
        """With which all may happen that may with this, and more."""
        for name, left in zip(self._fields, self, strict=True):
            if left >= 0:
                yield self._replace(**{name: left + 1})


class Promised(NamedTuple):
    """What the ledger has answered or was told, and may not go back on unless the store forgets it.

    `target`: where a POST was proven absent, for another one goes there too; `is_cancelled`: a
    cancel was answered; `is_looked_for`: a look was completed, and told nothing. All of one round,
    but `may_be_posted`: a post was told too late, or another one was ordered, in any round.
    """

    target: str = ""
    is_cancelled: bool = False
    is_looked_for: bool = False
    may_be_posted: bool = False


class State(NamedTuple):
    """`channel` is where today's configuration sends the message; `rounds` how often it was begun,
    and `ordered` how often of that a person asked for another post.

    `server` numbers the lives of the store's server; `on_disk` is what it will have after a crash,
    if that is less than what it has answered.
    """

    now_ms: int
    ledger: Contents
    left: Left
    server: int = 1
    on_disk: Contents | None = None
    workers: tuple[Worker, Worker] = (IDLE, IDLE)
    posts: tuple[Post, ...] = ()
    channel: str = FIRST_CHANNEL
    rounds: int = 1
    ordered: int = 0
    promised: Promised = Promised()
