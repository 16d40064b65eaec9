"""Tenants, channels and templates come to be as requests name them, so that a test names them once.

What a test configures itself is left as it is.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from actors.errors import TenantsFileRefused
from actors.templates import check_template
from actors.tenants_file import read_tenants_file
from projector.configuration import Template, TenantConfiguration
from projector.configure import configure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from middleware.ledger import Ledger
    from projector.message_request import MessageRequest

_WORKSPACE = "main"
# Slack's ids are capitals and digits, and not much longer than this.
_ID_CHARS = 40


class CodesAsAsked:
    """The configuration of every tenant of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._tenants: dict[str, TenantConfiguration] = {}
        # Names that the templates made here show, by tenant and code.
        self._shown: dict[tuple[str, str], tuple[str, ...]] = {}

    def add(self, asked: MessageRequest) -> None:
        """Configure what the request names and the tenant does not have."""
        tenant = self._tenant(asked.tenant)
        workspace = asked.workspace_code or _WORKSPACE
        sections: dict[str, dict[str, object]] = {}
        if workspace not in tenant.workspaces:
            team = {"team_id": team_id(asked.tenant, workspace)}
            sections["workspaces"] = {workspace: team}
        if asked.channel_code not in tenant.channels:
            channel = {"workspace": workspace, "id": slack_id("C", asked.channel_code)}
            sections["channels"] = {asked.channel_code: channel}
        made = (asked.tenant, asked.template_code)
        shown = self._shown.get(made, ())
        names = tuple(dict.fromkeys((*shown, *asked.variables)))
        if asked.template_code not in tenant.templates or (made in self._shown and names != shown):
            self._shown[made] = names
            template = {"text": text_showing(asked.template_code, names)}
            sections["templates"] = {asked.template_code: template}
        if sections:
            self._store(asked.tenant, enabled=tenant.enabled, sections=sections)

    def change(
        self,
        tenant: str,
        *,
        enabled: bool | None,
        sections: Mapping[str, Mapping[str, object]],
    ) -> None:
        """What is None, or not named, stays."""
        enabled = self._tenant(tenant).enabled if enabled is None else enabled
        self._store(tenant, enabled=enabled, sections=sections)
        for code in sections["templates"]:
            self._shown.pop((tenant, code), None)

    def take_over(self, tenants_file: Path) -> None:
        tenants = read_tenants_file(tenants_file)
        configure(self._ledger, tenants)
        self._tenants.update(tenants)
        for made in [made for made in self._shown if made[0] in tenants]:
            del self._shown[made]

    def _tenant(self, name: str) -> TenantConfiguration:
        known = self._tenants.get(name)
        if known is not None:
            return known
        workspaces = {_WORKSPACE: {"team_id": team_id(name, _WORKSPACE)}}
        return TenantConfiguration.model_validate({"workspaces": workspaces})

    def _store(
        self, name: str, *, enabled: bool, sections: Mapping[str, Mapping[str, object]]
    ) -> None:
        fields = self._tenant(name).model_dump()
        for section, added in sections.items():
            fields[section] |= added
        changed = TenantConfiguration.model_validate({**fields, "enabled": enabled})
        _refuse_flawed(changed.templates)
        configure(self._ledger, {name: changed})
        self._tenants[name] = changed


def slack_id(first: str, code: str) -> str:
    """`COPS` for the channel `ops`; what capitals alone cannot tell apart gets a suffix."""
    letters = "".join(letter for letter in code.upper() if letter.isalnum())[:_ID_CHARS]
    if letters.lower() != code:
        letters += blake2b(code.encode(), digest_size=4).hexdigest().upper()
    return first + letters


def team_id(tenant: str, workspace: str) -> str:
    """A team belongs to one tenant."""
    return slack_id("T", tenant if workspace == _WORKSPACE else f"{tenant}:{workspace}")


def text_showing(code: str, names: Iterable[str]) -> str:
    """The code, then each variable that a template can name, also when a request lacks it."""
    shown = [f'{name}={{{{ {name}|default("") }}}}' for name in names if _can_be_named(name)]
    return " ".join([code, *shown])


def _can_be_named(name: str) -> bool:
    return name.isidentifier() and not check_template(Template(text=f"{{{{ {name} }}}}"))


def _refuse_flawed(templates: Mapping[str, Template]) -> None:
    problems = [problem for template in templates.values() for problem in check_template(template)]
    if problems:
        raise TenantsFileRefused(problems)
