from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.system.pausing import PROMISED, Figures, judge, paused_in_the_middle

FIGURES = Figures(
    paused="in the middle of its POST",
    paused_s=2.2,
    posts=1,
    claims=("claimed by the paused worker", "looking by another"),
    outcome="sent",
    outcome_s=2.1,
    alerts=(),
    says="sent.late",
)


def test_what_came_of_a_pause_as_promised_holds() -> None:
    # Then
    assert judge(FIGURES, PROMISED[paused_in_the_middle]) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"posts": 2},
        {"posts": 0},
        {"outcome": "unproven"},
        {"alerts": ("duplicate_post",)},
        {"says": "uncertain"},
    ],
)
def test_another_thing_is_told_and_fails(
    change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    # When
    exit_code = judge(replace(FIGURES, **change), PROMISED[paused_in_the_middle])

    # Then
    assert exit_code == 1
    assert "BROKEN" in capsys.readouterr().out
