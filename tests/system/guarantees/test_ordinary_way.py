"""What every guarantee is worth nothing without; each mutant must leave this as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.system.guarantees.verdicts import assert_sent_once

if TYPE_CHECKING:
    from tests.system.guarantees.small_system import SmallSystem


def test_a_request_is_sent_where_nothing_fails(system: SmallSystem) -> None:
    # Given
    system.start()

    # When
    system.ask("r1")

    # Then
    assert_sent_once(system, "r1")
