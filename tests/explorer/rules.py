"""Each of the ledger's nine rules, part by part: how it is taken away, and what then happens."""

from __future__ import annotations

from tests.explorer.state import Left
from tests.explorer.turn import Care
from tests.explorer.without import Rule, edit_of

# As often as it likes.
_ANY = -1
_NEVER_POSTED = "rejected, but posted"
_THROWN_AWAY = "a receipt in hand was thrown away"

RULES = (
    Rule(
        number=1,
        part="a",
        taken_away="intend asks neither who holds the lease nor whether it is over",
        left=Left(),
        edit=edit_of(
            "intend",
            "if record.state ~= 'claimed' or not is_holder(token) or not lease_is_live() "
            "then return {'lost'} end",
        ),
        breach=_NEVER_POSTED,
    ),
    Rule(
        number=1,
        part="b",
        taken_away="the worker posts before it has intended to",
        left=Left(),
        care=Care(intent=False),
        breach="posted twice",
    ),
    Rule(
        number=1,
        part="c",
        taken_away="intend takes a lease that is over, from its holder",
        left=Left(),
        edit=edit_of("intend", " or not lease_is_live() then", " then"),
        breach=None,
        kept_by="whoever else claims it changes the token",
    ),
    Rule(
        number=2,
        taken_away="claim does not ask first whether the record has ended",
        left=Left(),
        edit=edit_of(
            "claim",
            "if TERMINAL[record.state] then return {'settled', record.state} end",
            # Its answer needs what a record that has ended does not keep.
            "record.returns = record.returns or '0'",
        ),
        breach="rejected was final, but became claimed",
    ),
    Rule(
        number=3,
        part="a",
        taken_away="absent takes a read that began too early",
        left=Left(),
        edit=edit_of(
            "absent", "if read_begun < number('reconcile_at') then return {'too_early'} end"
        ),
        breach=_NEVER_POSTED,
    ),
    Rule(
        number=3,
        part="b",
        taken_away="absent is taken from anyone",
        left=Left(),
        edit=edit_of(
            "absent",
            "if record.state ~= 'uncertain' or not is_holder(token) or not lease_is_live() then",
            "if record.state ~= 'uncertain' then",
        ),
        breach="told that it holds the claim, but does not",
    ),
    Rule(
        number=4,
        part="a",
        taken_away="the worker writes to the socket after post_by",
        left=Left(),
        care=Care(post_by=False),
        breach=_NEVER_POSTED,
    ),
    Rule(
        number=4,
        part="b",
        taken_away="the worker counts post_by from when it hears the answer",
        left=Left(),
        care=Care(post_by_from_question=False),
        breach=_NEVER_POSTED,
    ),
    Rule(
        number=5,
        part="a",
        taken_away="a look is made where today's configuration says",
        left=Left(moves=1),
        edit=edit_of("claim", "record.target or ''", "''"),
        # As if the channel were the same as ever.
        care=Care(changed_channel=False),
        breach=_NEVER_POSTED,
    ),
    Rule(
        number=5,
        part="b",
        taken_away="absence counts where a lost target could be another one",
        left=Left(moves=1, rollbacks=1),
        care=Care(changed_channel=False),
        breach=_NEVER_POSTED,
    ),
    Rule(
        number=5,
        part="c",
        taken_away="a second POST goes where today's configuration says",
        left=Left(moves=1),
        edit=edit_of("intend", "target = record.target or ARGV[5]", "target = ARGV[5]"),
        breach="may post again, but elsewhere",
    ),
    Rule(
        number=5,
        part="d",
        taken_away="what waits forgets where its first POST went",
        left=Left(moves=1),
        edit=edit_of(
            "record", "target = record.absences and record.target or false", "target = false"
        ),
        breach="may post again, but elsewhere",
    ),
    Rule(
        number=6,
        part="a",
        taken_away="the sweeper ends what is uncertain at its expiry",
        left=Left(),
        edit=edit_of(
            "sweep",
            "if record.state ~= 'uncertain' and past_expiry() then",
            "if past_expiry() then",
        ),
        breach="expired, but posted",
    ),
    Rule(
        number=6,
        part="b",
        taken_away="a cancel ends what may be posted",
        left=Left(cancels=_ANY),
        edit=edit_of(
            "cancel",
            "if record.state == 'sending' or record.state == 'uncertain' then",
            "if false then",
        ),
        breach="cancelled, but posted",
    ),
    Rule(
        number=6,
        part="c",
        taken_away="a cancel is forgotten once the POST is proven absent",
        left=Left(cancels=_ANY),
        edit=edit_of("absent", "if record.cancel_asked then", "if false then"),
        breach="may post, though it was cancelled",
    ),
    Rule(
        number=6,
        part="d",
        taken_away="a cancel of what may be posted is answered with ok",
        left=Left(cancels=_ANY),
        edit=edit_of("cancel", "return {'asked'}", "return {'ok'}"),
        breach="told that it is cancelled, but it goes on",
    ),
    Rule(
        number=7,
        part="a",
        taken_away="a receipt is taken from the holder of the lease only",
        left=Left(),
        edit=edit_of(
            "settle_sent",
            "finish('sent', {receipt = receipt, error",
            "if not is_holder(token) then return {'late'} end\n"
            "finish('sent', {receipt = receipt, error",
        ),
        breach=_THROWN_AWAY,
    ),
    Rule(
        number=7,
        part="b",
        taken_away="a receipt is not taken over unproven",
        left=Left(),
        edit=edit_of("settle_sent", " and record.state ~= 'unproven'"),
        breach=_THROWN_AWAY,
    ),
    Rule(
        number=7,
        part="c",
        taken_away="a second receipt takes the place of the first",
        left=Left(pauses=_ANY),
        edit=edit_of(
            "settle_sent",
            "if record.receipt ~= receipt then return alert('duplicate_post', receipt) end",
            "if record.receipt ~= receipt then change({receipt = receipt}) end",
        ),
        breach=_THROWN_AWAY,
    ),
    Rule(
        number=7,
        part="d",
        taken_away="of the receipts that a look found one is taken",
        left=Left(pauses=_ANY),
        edit=edit_of(
            "settle_sent", "for place = 7, 5 + tonumber(ARGV[5]) do settle(ARGV[place]) end"
        ),
        breach=_THROWN_AWAY,
    ),
    Rule(
        number=7,
        part="e",
        taken_away="nobody is told of a post that should not be",
        left=Left(pauses=_ANY),
        edit=edit_of("settle_sent", "tell(answer, ", "tostring("),
        breach="a post that should not be, without an alert",
    ),
    Rule(
        number=7,
        part="f",
        taken_away="a post that was told too late is redriven as never posted",
        left=Left(pauses=_ANY, redrives=1),
        edit=edit_of(
            "redrive",
            "record.state == 'unproven' or record.stray_receipts",
            "record.state == 'unproven'",
        ),
        breach="redriven as never posted, but may be posted",
    ),
    Rule(
        number=7,
        part="g",
        taken_away="tokens are counted, in a store that goes back",
        left=Left(rollbacks=1),
        care=Care(random_tokens=False),
        breach=_NEVER_POSTED,
    ),
    Rule(
        number=8,
        part="a",
        taken_away="a record of an older epoch is believed",
        left=Left(rollbacks=1),
        edit=edit_of("record", "record.epoch ~= epoch[1]", "false"),
        breach=_NEVER_POSTED,
    ),
    Rule(
        number=8,
        part="b",
        taken_away="a server that may have lost writes begins no epoch",
        left=Left(rollbacks=1),
        edit=edit_of(
            "enter_epoch",
            "if number > 0 and not has_followed and (is_same_run or was_durable) then",
            "if number > 0 then",
        ),
        breach=_NEVER_POSTED,
    ),
    Rule(
        number=8,
        part="c",
        taken_away="a look begins as soon as the epoch does",
        left=Left(rollbacks=1),
        edit=edit_of("enter_epoch", "now_ms() + quiet_ms", "now_ms()"),
        breach=_NEVER_POSTED,
    ),
    Rule(
        number=9,
        part="a",
        taken_away="what is claimed is not due, so that no sweeper finds it",
        left=Left(),
        edit=edit_of(
            "claim",
            "due_at(math.min(now + lease_ms, number('expires_at')))",
            "due_at(false)",
        ),
        breach="it never ends, for it kills whoever works on it",
    ),
    Rule(
        number=9,
        part="b",
        taken_away="waiting has no limit",
        left=Left(),
        edit=edit_of("record", "return now >= number('expires_at')", "return false"),
        breach="it never ends, for it must always wait",
    ),
    Rule(
        number=9,
        part="c",
        taken_away="looking has no limit",
        left=Left(),
        edit=edit_of("look_later", "if now >= limit and number('looks') > 0 then", "if false then"),
        breach="it never ends, for nobody can look",
    ),
    Rule(
        number=9,
        part="d",
        taken_away="looks that nobody lives to tell of have no limit",
        left=Left(),
        edit=edit_of("claim", "if unheard >= tonumber(ARGV[7]) then", "if false then"),
        breach="it never ends, for it kills whoever works on it",
    ),
    Rule(
        number=9,
        part="e",
        taken_away="looking ends before any look was completed",
        left=Left(),
        edit=edit_of("look_later", " and number('looks') > 0"),
        breach="unproven, but no look was completed",
    ),
)
