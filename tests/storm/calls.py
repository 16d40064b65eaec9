"""What services do in a storm, as lines that one process writes and another reads."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Does = Literal["request", "nudge", "cancel"]


class Call(BaseModel):
    """At `at_s` after the storm's beginning; the other times count from there too.

    `is_reply`: to the thread that the channel has, whose `thread_ts` is known only later.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_s: float
    does: Does
    tenant: str
    id: str
    channel_code: str
    template_code: str
    is_reply: bool
    thread_ts: str | None = None
    send_at_s: float | None = None
    expires_at_s: float | None = None


class Answer(BaseModel):
    """`answer` is the answer's name, or the error's; None when there was none in the end.

    `tries` counts the questions: a request that was asked again after an outage may have been
    taken the first time, and is answered `Duplicate` then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    does: Does
    tenant: str
    id: str
    answer: str | None
    tries: int


class Heard(BaseModel):
    """An outcome event, as a service that follows them was told of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str
    id: str
    event: str
