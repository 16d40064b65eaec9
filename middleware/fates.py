"""What preparing, posting and looking may answer; three fates, never two: did, did not, unknown.

`post` has no value for *unknown*: whatever it raises is unknown, so that no forgotten exception
can be taken for "did not happen".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Ready:
    """A POST is due: `target` says where (it is frozen by the intent), `payload` what."""

    target: Mapping[str, str]
    payload: object


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be posted as it stands; `sentence` tells a person why, without message text."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """Nothing was posted, and waiting may help; without `delay_ms` the ledger backs off."""

    reason: str
    delay_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """The provider said so explicitly; `receipt` is its answer (for Slack: channel, ts)."""

    receipt: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """The POST of unknown fate is there."""

    receipt: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Absent:
    """The whole window was read and the POST is not there."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """Neither proven present nor absent; `final` when no later look can do better."""

    reason: str
    final: bool
    delay_ms: int | None = None


Prepared = Ready | Refused | NotNow
PostAnswer = Posted | NotNow | Refused
LookAnswer = Found | Absent | CannotTell
