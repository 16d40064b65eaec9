"""A tenants file is read as a whole or not at all, and all that is wrong in it is said at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from actors.errors import Problem, TenantsFileRefused, YamlRefused
from actors.located_yaml import LocatedYaml
from actors.templates import check_template
from projector.codes import tenant_flaw
from projector.configuration import Template, TenantConfiguration, unknown_workspace
from projector.sentences import PLAIN, sentence_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# How pydantic ends the path to a problem with a name itself.
_AT_KEY = "[key]"

_Path = tuple[str | int, ...]


def read_tenants_file(source: Path | str) -> dict[str, TenantConfiguration]:
    """`source` is the file's path, or as str its text. Raises `TenantsFileRefused`."""
    try:
        document = LocatedYaml(_text(source))
    except YamlRefused as refused:
        raise TenantsFileRefused(refused.problems) from None
    reading = _Reading(document)
    tenants = reading.tenants()
    if reading.problems:
        in_order = sorted(reading.problems, key=lambda found: (found.line or 0, found.column or 0))
        raise TenantsFileRefused(in_order)
    return tenants


def _text(source: Path | str) -> str:
    if isinstance(source, str):
        return source
    try:
        return source.read_bytes().decode("utf-8-sig")
    except OSError as error:
        sentence = f"the file cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        sentence = f"the file is not UTF-8 at byte {error.start + 1}"
    raise TenantsFileRefused([Problem(None, (), sentence)])


class _Reading:
    """Every tenant is looked at, whatever is wrong with the one before."""

    def __init__(self, document: LocatedYaml) -> None:
        self._document = document
        self._team_of: dict[str, str] = {}
        self.problems = list(document.problems)
        # What YAML itself is wrong about is told once, and not again for what it left behind.
        self._told = {(problem.line, problem.column) for problem in self.problems}
        self._said: set[tuple[int | None, int | None, str]] = set()

    def tenants(self) -> dict[str, TenantConfiguration]:
        top = self._document.value
        if not isinstance(top, dict) or not isinstance(top.get("tenants"), dict):
            self._complain(
                ("tenants",), "is missing; the file must have the tenants' names below it"
            )
            return {}
        for name in top:
            if name != "tenants":
                self._complain((name,), "is not a known name here", of_key=True)
        read = {name: self._tenant(name, raw) for name, raw in top["tenants"].items()}
        return {name: configuration for name, configuration in read.items() if configuration}

    def _tenant(self, name: str, raw: Any) -> TenantConfiguration | None:  # noqa: ANN401  # YAML
        path: _Path = ("tenants", name)
        flaw = tenant_flaw(name)
        if flaw:
            self._complain(path, flaw, of_key=True)
        # These look at the raw values: with a problem elsewhere there is no configuration.
        self._check_workspaces(raw, path)
        self._check_teams(raw, path, tenant=name)
        for code, template in _objects(raw, "templates"):
            self._check_template(template, (*path, "templates", code))
        try:
            return TenantConfiguration.model_validate(raw)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                # Problems of no single field are references between them, which have been checked.
                if details["loc"] or details["type"] != PLAIN:
                    loc = tuple(step for step in details["loc"] if step != _AT_KEY)
                    of_key = _AT_KEY in details["loc"] or details["type"] == "extra_forbidden"
                    self._complain((*path, *loc), sentence_for(details), of_key=of_key)
            return None

    def _check_workspaces(self, raw: object, path: _Path) -> None:
        known = dict(_objects(raw, "workspaces"))
        for code, channel in _objects(raw, "channels"):
            workspace_code = channel.get("workspace")
            if isinstance(workspace_code, str) and workspace_code not in known:
                sentence = unknown_workspace(workspace_code, channel_code=code)
                self._complain((*path, "channels", code, "workspace"), sentence)

    def _check_teams(self, raw: object, path: _Path, *, tenant: str) -> None:
        for code, workspace in _objects(raw, "workspaces"):
            team_id = workspace.get("team_id")
            if isinstance(team_id, str) and self._team_of.setdefault(team_id, tenant) != tenant:
                sentence = (
                    f'belongs to the tenant "{self._team_of[team_id]}", a team has one tenant'
                )
                self._complain((*path, "workspaces", code, "team_id"), sentence)

    def _check_template(self, raw: object, path: _Path) -> None:
        try:
            template = Template.model_validate(raw)
        except ValidationError:
            return  # said with the tenant's other problems
        for problem in check_template(template):
            self._complain((*path, *problem.path), problem.sentence, line=problem.line)

    def _complain(
        self, path: _Path, sentence: str, *, of_key: bool = False, line: int | None = None
    ) -> None:
        """`line` counts inside the text at `path`."""
        place = self._document.place(path, of_key=of_key)
        if place is None:
            self.problems.append(Problem(None, path, sentence))
            return
        if (place.line, place.column) in self._told:
            return
        problem = Problem(place.line, path, sentence, place.column)
        if line is not None and place.literal:
            problem = Problem(place.first_line + line - 1, path, sentence)
        elif line is not None and line > 1:
            # In quotes or folded, the lines of the text are not those of the file.
            told = f"{sentence} (in line {line} of the text)"
            problem = Problem(place.line, path, told, place.column)
        # The same place is reached by several paths where there are aliases.
        said = (problem.line, problem.column, problem.sentence)
        if said not in self._said:
            self._said.add(said)
            self.problems.append(problem)


def _objects(raw: object, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    held = raw.get(name) if isinstance(raw, dict) else None
    for code, inner in held.items() if isinstance(held, dict) else ():
        if isinstance(inner, dict):
            yield code, inner
