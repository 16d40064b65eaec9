"""Which channels a tenant has configured, for who looks after it; a delivery reads its own only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from middleware.store import failing_closed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from middleware.ledger import Ledger

_FIELD = "channel:"


@dataclass(frozen=True, slots=True)
class ConfiguredChannel:
    code: str
    channel_id: str
    team_id: str


def configured_channels(ledger: Ledger, tenant: str) -> list[ConfiguredChannel]:
    """By code. Raises LedgerUnavailable."""
    with failing_closed():
        scanned = ledger.store.client.hscan_iter(ledger.keys.config(tenant), match=f"{_FIELD}*")
        fields = dict(cast("Iterator[tuple[str, str]]", scanned))
    return [_parse(field, fields[field]) for field in sorted(fields)]


def _parse(field: str, text: str) -> ConfiguredChannel:
    channel = json.loads(text)
    return ConfiguredChannel(field.removeprefix(_FIELD), channel["id"], channel["team_id"])
