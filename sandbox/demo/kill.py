"""A real kill in the worst moment: a worker dies while its POSTs are on their way to Slack."""

from __future__ import annotations

import os
import signal
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projector.explanation import read_explanation
from projector.status import read_statuses
from sandbox.demo.errors import NothingWasSending
from sandbox.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from middleware.keys import Delivery
    from middleware.ledger import Ledger

# A worker dies at once, and its parent notices within a second.
_DEATH_S = 15.0


@dataclass(frozen=True, slots=True)
class Kill:
    """`in_flight` are those that the process was sending when it died: nobody knows their fate."""

    pid: int
    in_flight: frozenset[Delivery]


def kill_a_sender(ledger: Ledger, deliveries: Sequence[Delivery], *, within_s: float) -> Kill:
    """SIGKILL the process that is sending most. Raises NothingWasSending."""
    try:
        (pid,) = wait_until(
            lambda: _frozen_sender(ledger, deliveries),
            description="a delivery is sending",
            timeout_s=within_s,
        )
    except TimeoutError as error:
        raise NothingWasSending(str(error)) from error
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not _exists(pid), description=f"process {pid} is gone", timeout_s=_DEATH_S)
    # What a dead process was sending stays so until its lease ends.
    of_the_dead = senders_of(ledger, deliveries).items()
    in_flight = frozenset(delivery for delivery, sender in of_the_dead if sender == pid)
    if not in_flight:
        raise NothingWasSending(f"process {pid} had just finished when it was killed")
    return Kill(pid, in_flight)


def _frozen_sender(ledger: Ledger, deliveries: Sequence[Delivery]) -> Sequence[int]:
    """One pid or none: stopped, so that it cannot finish between the look and the kill."""
    senders = Counter(senders_of(ledger, deliveries).values())
    for pid, _ in senders.most_common(1):
        os.kill(pid, signal.SIGSTOP)
        if pid in senders_of(ledger, deliveries).values():
            return (pid,)
        os.kill(pid, signal.SIGCONT)
    return ()


def senders_of(ledger: Ledger, deliveries: Sequence[Delivery]) -> Mapping[Delivery, int]:
    """The process of each delivery that is `sending`, as the ledger's history names it."""
    statuses = read_statuses(ledger, deliveries)
    sending = [
        delivery
        for delivery, status in zip(deliveries, statuses, strict=True)
        if status is not None and status.status == "sending"
    ]
    found = {delivery: _claimed_by(ledger, delivery) for delivery in sending}
    return {delivery: pid for delivery, pid in found.items() if pid is not None}


def _claimed_by(ledger: Ledger, delivery: Delivery) -> int | None:
    known = read_explanation(ledger, delivery.tenant, delivery.id)
    evidence = () if known is None else known.evidence
    claims = [str(each.details["by"]) for each in evidence if each.what == "claimed"]
    # The worker's name is `host:pid:thread`.
    return int(claims[-1].split(":")[-2]) if claims else None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
