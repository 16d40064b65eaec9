"""A POST of unknown fate is looked for where its intent said that it would go.

Where the store lost the intent, today's configuration is the best guess. What is found there is
found; that it is absent proves something only if it could have gone nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from actors.addressing import Addressed, addressed_now
from actors.slack.sought import Place, Sought
from middleware.fates import Absent, CannotTell, LookAnswer, NotNow, Refused
from middleware.timing import SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.slack.gateway import SlackGateway
    from middleware.claim import AsyncClaim

# Of its lease a look may take so much: the rest is for telling the ledger what was seen.
_LOOK_SHARE = 0.8


async def look_for(
    claim: AsyncClaim, gateway: SlackGateway, target: Mapping[str, str], intent_at_ms: int
) -> LookAnswer:
    """The last two are what `perform` gives to a look."""
    doubt = claim.doubt
    assert doubt is not None, "what is in no doubt is not looked for"

    async def look_in(place: Place) -> LookAnswer:
        sought = Sought(
            place=place,
            marker=claim.marker,
            intent_at_ms=intent_at_ms,
            reconcile_at_ms=doubt.reconcile_at_ms,
            now_ms=doubt.now_ms,
        )
        return await gateway.look(sought, within_s=claim.holding.lease_ms * _LOOK_SHARE / SECOND_MS)

    if target:
        return await look_in(Place.of(target))
    match await addressed_now(claim):
        case Addressed() as today:
            answer = await look_in(Place.of(today.target))
            if isinstance(answer, Absent) and today.could_differ(from_ms=intent_at_ms):
                # Where else it may be no later look will know, either.
                return CannotTell("target_lost_and_channel_changed", final=True)
            return answer
        case Refused(code=code):
            return CannotTell(code, final=False)
        case NotNow() as not_now:
            return not_now
        case unreachable:
            assert_never(unreachable)
