"""`postonce configure`: a tenants file is applied only when nothing at all is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from actors.commands.exit_codes import ExitCode
from actors.commands.opening import opened_ledger
from actors.commands.screen import complain, say
from actors.errors import TenantsFileRefused, spoken_path
from actors.tenants_file import read_tenants_file
from projector.configure import ConfigureAnswer, Configured, Unchanged, configure

if TYPE_CHECKING:
    from pathlib import Path

    from actors.errors import Problem


def configure_from(file: Path) -> ExitCode:
    try:
        tenants = read_tenants_file(file)
    except TenantsFileRefused as refused:
        for problem in refused.problems:
            complain(_located(file, problem))
        count = len(refused.problems)
        complain(f"{count} {'problem' if count == 1 else 'problems'}; nothing was applied")
        return ExitCode.REFUSED
    with opened_ledger() as ledger:
        for answer in configure(ledger, tenants):
            say(_spoken(answer))
    return ExitCode.DONE


def _located(file: Path, problem: Problem) -> str:
    """`tenants.yaml:3: tenants.acme.channels.ops.id: is missing`."""
    place = str(file) if problem.line is None else f"{file}:{problem.line}"
    return ": ".join(part for part in (place, spoken_path(problem.path), problem.sentence) if part)


def _spoken(answer: ConfigureAnswer) -> str:
    match answer:
        case Configured(tenant=tenant, version=1):
            return f"{tenant}: created, version 1"
        case Configured(tenant=tenant, version=version):
            return f"{tenant}: changed, version {version}"
        case Unchanged(tenant=tenant, version=version):
            return f"{tenant}: unchanged, version {version}"
        case unreachable:
            assert_never(unreachable)
