"""Each of the ledger's nine rules, how it is taken away, and the failures that show it missing.

What an edit replaces must be there exactly once, else GuardHasMoved: no rule is kept by mistake.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import TYPE_CHECKING

from middleware.script import Script
from tests.explorer.search import Model, search
from tests.explorer.state import Left
from tests.explorer.turn import Care
from tests.mutants.declared import Edit

if TYPE_CHECKING:
    from tests.explorer.search import Result

_FOLDER = "middleware/scripts"
_PRELUDE = f"{_FOLDER}/record.lua"
# These do not touch a record.
_WITHOUT_PRELUDE = {"record", "due", "enter_epoch"}
# More than any of them takes, by far.
_MOST_STATES = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`edit` takes it, or a part of it, away; None where only the worker's own `care` does."""

    number: int
    part: str = ""
    taken_away: str
    left: Left
    edit: Edit | None
    care: Care = field(default_factory=Care)

    @property
    def name(self) -> str:
        return f"{self.number}{self.part}"


def _edit(name: str, old: str, new: str = "") -> Edit:
    return Edit(file=f"{_FOLDER}/{name}.lua", old=old, new=new)


RULES = (
    Rule(
        number=1,
        taken_away="intend asks neither who holds the lease nor whether it is over",
        left=Left(),
        edit=_edit(
            "intend",
            "if record.state ~= 'claimed' or not is_holder(token) or not lease_is_live() "
            "then return {'lost'} end",
        ),
    ),
    Rule(
        number=2,
        taken_away="claim does not ask first whether the record has ended",
        left=Left(),
        edit=_edit(
            "claim",
            "if TERMINAL[record.state] then return {'settled', record.state} end",
            # Its answer needs what a record that has ended does not keep.
            "record.returns = record.returns or '0'",
        ),
    ),
    Rule(
        number=3,
        taken_away="absent takes a read that began too early",
        left=Left(),
        edit=_edit(
            "absent", "if read_begun < number('reconcile_at') then return {'too_early'} end"
        ),
    ),
    Rule(
        number=4,
        taken_away="the worker writes to the socket after post_by",
        left=Left(),
        edit=None,
        care=Care(post_by=False),
    ),
    Rule(
        number=5,
        part="a",
        taken_away="a look is made where today's configuration says",
        left=Left(moves=1),
        edit=_edit("claim", "record.target or ''", "''"),
        # As if the channel were the same as ever.
        care=Care(changed_channel=False),
    ),
    Rule(
        number=5,
        part="b",
        taken_away="absence counts where a lost target could be another one",
        left=Left(moves=1, rollbacks=1),
        edit=None,
        care=Care(changed_channel=False),
    ),
    Rule(
        number=6,
        taken_away="the sweeper ends what is uncertain at its expiry",
        left=Left(),
        edit=_edit(
            "sweep",
            "if record.state ~= 'uncertain' and past_expiry() then",
            "if past_expiry() then",
        ),
    ),
    Rule(
        number=7,
        part="a",
        taken_away="a receipt is taken from the holder of the lease only",
        left=Left(),
        edit=_edit(
            "settle_sent",
            "finish('sent', {receipt = receipt, error",
            "if not is_holder(token) then return {'late'} end\n"
            "finish('sent', {receipt = receipt, error",
        ),
    ),
    Rule(
        number=7,
        part="b",
        taken_away="a receipt is not taken over unproven",
        left=Left(),
        edit=_edit("settle_sent", " and record.state ~= 'unproven'"),
    ),
    Rule(
        number=8,
        taken_away="a record of an older epoch is believed",
        left=Left(rollbacks=1),
        edit=_edit("record", "record.epoch ~= epoch[1]", "false"),
    ),
    Rule(
        number=9,
        part="a",
        taken_away="what is claimed is not due, so that no sweeper finds it",
        left=Left(),
        edit=_edit(
            "claim",
            "due_at(math.min(now + lease_ms, number('expires_at')))",
            "due_at(false)",
        ),
    ),
    Rule(
        number=9,
        part="b",
        taken_away="waiting has no limit",
        left=Left(),
        edit=_edit("record", "return now >= number('expires_at')", "return false"),
    ),
    Rule(
        number=9,
        part="c",
        taken_away="looking has no limit",
        left=Left(),
        edit=_edit("look_later", "if now >= limit and number('looks') > 0 then", "if false then"),
    ),
)


def search_without(rule: Rule) -> Result:
    """Up to the first breach. Raise GuardHasMoved."""
    return search(_model_without(rule), rule.left, most_states=_MOST_STATES)


def _model_without(rule: Rule) -> Model:
    changed = () if rule.edit is None else _changed(rule.edit)
    return Model(changed={script.name: script for script in changed}, care=rule.care)


def _changed(edit: Edit) -> list[Script]:
    name = edit.file.removeprefix(f"{_FOLDER}/").removesuffix(".lua")
    names = [name]
    if edit.file == _PRELUDE:
        paths = (files("middleware") / "scripts").iterdir()
        names = sorted({path.name.removesuffix(".lua") for path in paths} - _WITHOUT_PRELUDE)
    scripts = [Script.load("middleware", name, prelude="record") for name in names]
    return [replace(script, source=edit.applied_to(script.source)) for script in scripts]
