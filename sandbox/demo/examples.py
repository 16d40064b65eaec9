"""The real requests that the demo asks for, and the tenants that they name."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from actors.tenants_file import read_tenants_file
from middleware.timing import SECOND_MS
from projector.message_request import parse_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from projector.configuration import TenantConfiguration
    from projector.message_request import MessageRequest

_DIRECTORY = Path(__file__).parents[2] / "examples"


def example_tenants() -> dict[str, TenantConfiguration]:
    return read_tenants_file(_DIRECTORY / "tenants.yaml")


def example_requests() -> list[MessageRequest]:
    lines = (_DIRECTORY / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    now_ms = int(time.time() * SECOND_MS)
    return [parse_request(line, now_ms=now_ms) for line in lines]


def teams_of(tenants: Mapping[str, TenantConfiguration]) -> Iterable[str]:
    return {
        workspace.team_id
        for configuration in tenants.values()
        for workspace in configuration.workspaces.values()
    }
