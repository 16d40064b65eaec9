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
    """Nothing was posted, or looked at; waiting may help, and `delay_ms` None lets the ledger say
    how long.
    """

    reason: str
    delay_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """The provider said so explicitly; `receipt` is its answer (for Slack: channel, ts)."""

    receipt: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """The POST of unknown fate is there; `duplicates` are the later posts of the same delivery."""

    receipt: Mapping[str, str]
    duplicates: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Absent:
    """The whole window was read and the POST is not there.

    `read_begun_ms` is a time of the ledger's server before which that read had not begun; without
    it, it had not begun before the claim that looks.
    """

    read_begun_ms: int | None = None


@dataclass(frozen=True, slots=True)
class CannotTell:
    """Looked, and neither proven present nor absent; `final` when no later look can do better.

    A look that could not be made at all is `NotNow`.
    """

    reason: str
    final: bool
    delay_ms: int | None = None


Prepared = Ready | Refused | NotNow
PostAnswer = Posted | NotNow | Refused
LookAnswer = Found | Absent | CannotTell | NotNow
