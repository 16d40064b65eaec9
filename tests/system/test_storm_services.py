from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.storm.site import ROOT
from tests.unit.forged_storm import call

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_S = 60.0


def test_a_process_of_services_of_which_one_died_says_so_in_the_end(tmp_path: Path) -> None:
    # Given
    calls, answers = tmp_path / "calls.jsonl", tmp_path / "answers.jsonl"
    refused = call("request").model_copy(update={"id": "no id"})
    calls.write_text(f"{refused.model_dump_json()}\n")

    # When
    ended = subprocess.run(
        [sys.executable, "-m", "tests.storm.services", "0", str(calls), str(answers)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
        timeout=_LONGEST_S,
    )

    # Then
    assert ended.returncode == 1
    assert "RequestRefused" in ended.stderr.splitlines()[-1]
