"""Something that messages are posted to: it answers as the test says, and remembers being asked."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from middleware.fates import Absent, LookAnswer, PostAnswer, Posted, Prepared, Ready

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from middleware.post_by import PostBy

TARGET = {"channel": "C1"}


class Answers:
    """What comes next: a value is returned, an exception raised, a function called."""

    def __init__(self, otherwise: Callable[[], Any]) -> None:
        self._coming: deque[Any] = deque()
        self._otherwise = otherwise

    def come(self, *answers: Any) -> None:  # noqa: ANN401 - a wrong answer is a case too
        self._coming.extend(answers)

    def next(self) -> Any:  # noqa: ANN401 - as above
        answer = self._coming.popleft() if self._coming else self._otherwise
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer


class Provider:
    """Unless told otherwise it starts, is ready, takes every post, and says it has none."""

    def __init__(self) -> None:
        self.starts = Answers(lambda: True)
        self.prepares = Answers(lambda: Ready(TARGET, "hello"))
        self.takes = Answers(self._receipt)
        self.looks = Answers(Absent)
        self.started: list[tuple[str, str, str | None]] = []
        self.prepared = 0
        self.posts: list[dict[str, str]] = []
        self.remaining_s: list[float] = []
        self.looked_at: list[dict[str, str]] = []

    def start(self, *arguments: *tuple[str, str, str | None]) -> bool:
        """Whether the actor, called with these arguments, performs at all."""
        self.started.append(arguments)
        performs: bool = self.starts.next()
        return performs

    def prepare(self) -> Prepared:
        self.prepared += 1
        prepared: Prepared = self.prepares.next()
        return prepared

    def post(self, target: Mapping[str, str], payload: object, post_by: PostBy) -> PostAnswer:
        assert payload == "hello"
        assert not post_by.passed()
        self.posts.append(dict(target))
        self.remaining_s.append(post_by.remaining_s())
        answer: PostAnswer = self.takes.next()
        return answer

    def look(self, target: Mapping[str, str], _intent_at_ms: int) -> LookAnswer:
        self.looked_at.append(dict(target))
        answer: LookAnswer = self.looks.next()
        return answer

    def _receipt(self) -> Posted:
        return Posted({**self.posts[-1], "ts": f"170.{len(self.posts):02d}"})
