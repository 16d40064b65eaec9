"""Rule 4 where the ledger's leave to post is long on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.system.guarantees.small_system import LONG_MS, name_of_script

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lossy_proxy import LossyProxy
    from tests.system.guarantees.small_system import SmallSystem


def test_rule_4_what_may_be_posted_is_not_posted_once_the_answer_has_come_too_late(
    make_system: Callable[..., SmallSystem], way: LossyProxy
) -> None:
    # Given: the intent is written, and who asked for it does not hear so before its time is over.
    system = make_system(ledger_way=way.url, post_deadline_ms=300, lease_ms=LONG_MS).start()
    # The server must know the script, or the answer only says that it does not.
    system.ask("r0")
    system.wait_until_settled("r0")
    way.hold_next_reply(to=name_of_script("intend"))
    system.ask("r1")
    system.wait_for_state("r1", "sending")
    system.let_pass(ms=400)

    # When
    way.flow()
    status = system.wait_until_settled("r1")["r1"]

    # Then
    assert "postponed" in system.noted("r1"), "it was posted after its time"
    assert status.status == "sent"
    assert len(system.attempts_of("r1")) == 1
