"""Counts calls by method, and what chat.postMessage received and stored, by marker and channel.

A marker stored twice is the duplicate that everything here is about.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.slack.errors import SlackError
from sandbox.slack.posts import Attempt, marker_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.slack.arguments import Arguments
    from sandbox.slack.posts import Post

# Of the attempts themselves; counters go on for ever.
_ATTEMPTS_KEPT = 100_000


class Tally:
    def __init__(self) -> None:
        self._attempts: dict[int, Attempt] = {}
        self._calls: Counter[str] = Counter()
        self._received = 0
        self._stored = 0
        self._received_by_marker: Counter[str] = Counter()
        self._stored_by_marker: Counter[str] = Counter()
        self._stored_by_channel: Counter[str] = Counter()

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """In the order of arrival."""
        return tuple(self._attempts.values())

    def called(self, method: str) -> None:
        self._calls[method] += 1

    def arrived(
        self, arguments: Arguments, *, headers: Mapping[str, str], team: str | None
    ) -> Attempt:
        """Noted before anything is done with it."""
        self._received += 1
        channel = arguments.values.get("channel")
        attempt = Attempt(
            number=self._received,
            team=team,
            channel=channel if isinstance(channel, str) else None,
            marker=_marker(arguments),
            arguments=dict(arguments.values),
            headers={name.lower(): value for name, value in headers.items()},
        )
        self._attempts[attempt.number] = attempt
        if len(self._attempts) > _ATTEMPTS_KEPT:
            del self._attempts[next(iter(self._attempts))]
        if attempt.marker is not None:
            self._received_by_marker[attempt.marker] += 1
        return attempt

    def became(self, attempt: Attempt, **changes: Any) -> None:  # noqa: ANN401 - fields of Attempt
        """An attempt that is not kept any more stays forgotten."""
        if attempt.number in self._attempts:
            self._attempts[attempt.number] = replace(self._attempts[attempt.number], **changes)

    def stored(self, post: Post) -> None:
        self._stored += 1
        self._stored_by_channel[f"{post.team}/{post.channel}"] += 1
        if post.marker is not None:
            self._stored_by_marker[post.marker] += 1

    def totals(self) -> dict[str, int]:
        surplus = self._stored_by_marker.total() - len(self._stored_by_marker)
        return {"received": self._received, "stored": self._stored, "duplicates": surplus}

    def counters(self) -> dict[str, Any]:
        """With the counts of each marker and channel; a deleted message was stored all the same."""
        markers = self._received_by_marker | self._stored_by_marker
        return {
            **self.totals(),
            "by_marker": {
                marker: {
                    "received": self._received_by_marker[marker],
                    "stored": self._stored_by_marker[marker],
                }
                for marker in markers
            },
            "by_channel": dict(self._stored_by_channel),
            "by_method": dict(self._calls),
        }


def _marker(arguments: Arguments) -> str | None:
    try:
        return marker_in(arguments.parsed("metadata", otherwise="invalid_metadata_format"))
    except SlackError:
        return None
