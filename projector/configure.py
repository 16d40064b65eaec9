"""Configuration is applied tenant by tenant, each wholly or not; a team belongs to one tenant.

Teams are settled for all tenants before any is applied. What is the same makes no new version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from middleware.script import Call, Reply, Script
from projector.configuration import TenantConfiguration, configuration_fields
from projector.errors import ConfigurationRefused
from projector.json_text import compact_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from middleware.ledger import Ledger

_CONFIGURE = Script.load("projector", "configure")
_REGISTER_TEAMS = Script.load("projector", "register_teams")


@dataclass(frozen=True, slots=True)
class Configured:
    """The tenant's configuration is new, as this version."""

    tenant: str
    version: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The tenant had this configuration already."""

    tenant: str
    version: int


ConfigureAnswer = Configured | Unchanged


def configure(
    ledger: Ledger, configurations: Mapping[str, TenantConfiguration]
) -> list[ConfigureAnswer]:
    """One answer a tenant, in order; tenants that are not named stay as they are.

    Raises ConfigurationRefused, before anything is applied, when a team is another tenant's; and
    LedgerUnavailable, some tenants applied or none: configuring again is safe.
    """
    ledger.run(_register_teams(ledger, configurations))
    return [
        ledger.run(_configure(ledger, tenant, configuration))
        for tenant, configuration in configurations.items()
    ]


def _configure(
    ledger: Ledger, tenant: str, configuration: TenantConfiguration
) -> Call[ConfigureAnswer]:
    fields = configuration_fields(configuration)
    pairs = [word for pair in fields.items() for word in pair]
    partition = ledger.keys.partition_of(tenant)
    keys = (ledger.keys.config(tenant), ledger.keys.requests(partition))

    def decode(reply: Reply) -> ConfigureAnswer:
        match reply:
            case ["configured", version]:
                return Configured(tenant, int(version))
            case ["unchanged", version]:
                return Unchanged(tenant, int(version))
        raise AssertionError(f"configure.lua does not answer {reply!r}")

    return Call(_CONFIGURE, keys, (tenant, len(fields), *pairs), decode)


def _register_teams(
    ledger: Ledger, configurations: Mapping[str, TenantConfiguration]
) -> Call[None]:
    wanted = {
        tenant: sorted({workspace.team_id for workspace in configuration.workspaces.values()})
        for tenant, configuration in configurations.items()
    }

    def decode(reply: Reply) -> None:
        match reply:
            case ["ok"]:
                return
            case ["taken", *taken]:
                raise ConfigurationRefused(dict(zip(taken[::2], taken[1::2], strict=True)))
        raise AssertionError(f"register_teams.lua does not answer {reply!r}")

    return Call(_REGISTER_TEAMS, (ledger.keys.teams(),), (compact_json(wanted),), decode)
