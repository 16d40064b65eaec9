"""A rule, or a part of it, taken away, and the failures that show it missing.

What an edit replaces must be there exactly once, else GuardHasMoved: no rule is kept by mistake.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import TYPE_CHECKING

from middleware.script import Script
from tests.explorer.search import Model, search
from tests.explorer.turn import Care
from tests.mutants.declared import Edit

if TYPE_CHECKING:
    from tests.explorer.search import Result
    from tests.explorer.state import Left

_FOLDER = "middleware/scripts"
_PRELUDE = f"{_FOLDER}/record.lua"
# These do not touch a record.
_WITHOUT_PRELUDE = {"record", "due", "enter_epoch"}
# More than any of them takes, by far.
_MOST_STATES = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`edit` takes it, or a part of it, away; None where only the worker's own `care` does.

    `breach` is what then happens; None where nothing does, for it is `kept_by` something else.
    """

    number: int
    part: str = ""
    taken_away: str
    left: Left
    edit: Edit | None = None
    care: Care = field(default_factory=Care)
    breach: str | None
    kept_by: str = ""

    @property
    def name(self) -> str:
        return f"{self.number}{self.part}"


def edit_of(script: str, old: str, new: str = "") -> Edit:
    return Edit(file=f"{_FOLDER}/{script}.lua", old=old, new=new)


def search_without(rule: Rule) -> Result:
    """Up to the first breach. Raise GuardHasMoved."""
    return search(_model_without(rule), rule.left, most_states=_MOST_STATES)


def _model_without(rule: Rule) -> Model:
    changed = () if rule.edit is None else _changed(rule.edit)
    return Model(changed={script.name: script for script in changed}, care=rule.care)


def _changed(edit: Edit) -> list[Script]:
    """The script, or each one that the record's functions are put in front of."""
    name = edit.file.removeprefix(f"{_FOLDER}/").removesuffix(".lua")
    names = [name]
    if edit.file == _PRELUDE:
        paths = (files("middleware") / "scripts").iterdir()
        names = sorted({path.name.removesuffix(".lua") for path in paths} - _WITHOUT_PRELUDE)
    prelude = None if name in _WITHOUT_PRELUDE - {"record"} else "record"
    scripts = [Script.load("middleware", each, prelude=prelude) for each in names]
    return [replace(script, source=edit.applied_to(script.source)) for script in scripts]
