"""The ways in which a call can end badly, and which calls they strike.

Where `stored` can be said it is the point of the fault: whether Slack had accepted the call before
things went wrong. A refused connection is not here, since no server can answer with it: `refusing`.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Iterator

Millis = Annotated[int, Field(ge=0, le=600_000)]
Status = Annotated[int, Field(ge=200, le=599)]


class Aim(BaseModel):
    """The next `times` calls (None: all, until cleared) that match, each with `probability`; the
    first `skip` of them pass.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str = "chat.postMessage"
    team: str | None = None
    channel: str | None = None
    times: int | None = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)
    probability: float = Field(default=1.0, gt=0.0, le=1.0)
    seed: int | None = None

    @property
    def accepts(self) -> bool:
        """Whether the call does its work although it is struck."""
        return False


class _UnknownFate(Aim):
    stored: bool = False

    @property
    def accepts(self) -> bool:
        return self.stored


class _Accepted(Aim):
    @property
    def accepts(self) -> bool:
        return True


class Reset(_UnknownFate):
    """The connection is reset without an answer."""

    name: Literal["reset"] = "reset"


class Close(_UnknownFate):
    """The connection is closed without an answer."""

    name: Literal["close"] = "close"


class Silence(_UnknownFate):
    """The connection stays open and nothing is ever answered."""

    name: Literal["silence"] = "silence"


class HalfClose(_UnknownFate):
    """Half of the answer's body, then the connection is closed."""

    name: Literal["half_close"] = "half_close"


class HalfReset(_UnknownFate):
    """Half of the answer's body, then the connection is reset."""

    name: Literal["half_reset"] = "half_reset"


class Html(_UnknownFate):
    """A page of HTML where JSON should be."""

    name: Literal["html"] = "html"
    status: Status = 200


class Empty(_UnknownFate):
    """No body at all."""

    name: Literal["empty"] = "empty"
    status: Status = 200


class JsonList(_UnknownFate):
    """Status 200 and JSON, but a list."""

    name: Literal["json_list"] = "json_list"


class BadUtf8(_UnknownFate):
    """Status 200, JSON by its type, and bytes that are no text."""

    name: Literal["bad_utf8"] = "bad_utf8"


class GzipType(_UnknownFate):
    """The answer itself, plain, said to be application/gzip."""

    name: Literal["gzip_type"] = "gzip_type"


class ServerError(_UnknownFate):
    """A 5xx with a JSON body and a code; for HTML see `html`."""

    name: Literal["server_error"] = "server_error"
    status: int = Field(default=503, ge=500, le=599)
    code: str = "service_unavailable"


class ErrorCode(_UnknownFate):
    """Status 200, `ok` false and this code, whatever Slack itself would have said."""

    name: Literal["error_code"] = "error_code"
    code: str = "internal_error"


class Redirect(_UnknownFate):
    """To an address that answers `ok` true to a GET and posts on a POST, without further faults."""

    name: Literal["redirect"] = "redirect"
    status: Literal[301, 302, 303, 307, 308] = 302


class RateLimited(Aim):
    """Status 429; `retry_after` is the header as it is sent, None leaves it out."""

    name: Literal["rate_limited"] = "rate_limited"
    retry_after: int | str | None = 1


class Slow(_Accepted):
    """Stored at once, answered after `delay_ms`."""

    name: Literal["slow"] = "slow"
    delay_ms: Millis


class Held(_Accepted):
    """As by a proxy: Slack gets it `delay_ms` late, also when the caller has gone meanwhile."""

    name: Literal["held"] = "held"
    delay_ms: Millis


class Drip(_Accepted):
    """Stored at once; the body comes byte by byte, `delay_ms` in all."""

    name: Literal["drip"] = "drip"
    delay_ms: Millis


# By what becomes of the answer: cut off, made unreadable, replaced by another, or late.
Cut = Reset | Close | Silence | HalfClose | HalfReset
Garbled = Html | Empty | JsonList | BadUtf8 | GzipType
Replaced = ServerError | ErrorCode | Redirect | RateLimited
Late = Slow | Held | Drip
Fault = Cut | Garbled | Replaced | Late
# Reads a fault from the wire; `name` says which it is.
FAULT: TypeAdapter[Fault] = TypeAdapter(Annotated[Fault, Field(discriminator="name")])


class FaultPlan:
    """The faults in force. Of those that match a call the one added first strikes."""

    def __init__(self) -> None:
        self._active: dict[int, _Active] = {}
        self._last = 0
        self.hits: Counter[str] = Counter()

    def __iter__(self) -> Iterator[tuple[int, Fault, int]]:
        """With what is left of `times` and `skip`, and how often it has struck."""
        for number, active in self._active.items():
            left = {"times": active.left, "skip": active.to_skip}
            yield number, active.fault.model_copy(update=left), active.struck

    def add(self, fault: Fault) -> int:
        self._last += 1
        self._active[self._last] = _Active(fault)
        return self._last

    def clear(self) -> None:
        """What has struck stays counted."""
        self._active.clear()

    def strike(self, *, method: str, team: str | None, channel: str | None) -> Fault | None:
        """The fault that this call meets, used up by one."""
        for number, active in self._active.items():
            if active.strikes(method=method, team=team, channel=channel):
                if active.left == 0:
                    del self._active[number]
                self.hits[active.fault.name] += 1
                return active.fault
        return None


class _Active:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left = fault.times
        self.to_skip = fault.skip
        self.struck = 0
        # Of its own, so that a seed means the same whatever else strikes.
        self._dice = random.Random(fault.seed)  # noqa: S311 - no secret comes from it

    def strikes(self, *, method: str, team: str | None, channel: str | None) -> bool:
        fault = self.fault
        matches = (
            fault.method == method
            and fault.team in {None, team}
            and fault.channel in {None, channel}
        )
        if not matches or self._dice.random() >= fault.probability:
            return False
        if self.to_skip:
            self.to_skip -= 1
            return False
        if self.left is not None:
            self.left -= 1
        self.struck += 1
        return True
