"""What tests ask for, and what became of it: in the ledger, in the outcomes, and in Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from middleware.keys import Delivery
from projector.explanation import read_explanation
from projector.requests import Accepted, request, request_many
from projector.status import Status, read_statuses
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from middleware.answers import AcceptAnswer
    from middleware.ledger import Ledger
    from projector.explanation import Evidence
    from sandbox.slack import Attempt, Post, SlackSandbox

TENANT = "acme"
OPS, SLOW = "C0OPS", "C0SLOW"

_SETTLED = frozenset({"sent", "rejected", "expired", "cancelled", "unproven"})
# Of a hundred that stand still these say enough.
_TOLD_OF = 3
_Entries = list[tuple[str, dict[str, str]]]


class Deliveries:
    """Requests of one tenant, unless another is named."""

    # Two cores may be busy with more than this.
    patience_s = 30.0

    def __init__(self, ledger: Ledger, slack: SlackSandbox) -> None:
        self.ledger = ledger
        self.slack = slack

    def ask(self, message_request_id: str, **others: object) -> AcceptAnswer:
        return request(ledger=self.ledger, **_fields(message_request_id, **others))

    def ask_many(self, ids: Iterable[str]) -> list[str]:
        """All at once; those that were accepted."""
        asked = list(ids)
        answers = request_many(map(_fields, asked), ledger=self.ledger)
        return [each for each, answer in zip(asked, answers, strict=True) if answer == Accepted()]

    def statuses(self, *ids: str, tenant: str = TENANT) -> dict[str, Status]:
        """Without those that nobody asked for."""
        found = read_statuses(self.ledger, [Delivery(tenant, each) for each in ids])
        return {each.message_request_id: each for each in found if each is not None}

    def wait_until_settled(self, *ids: str, tenant: str = TENANT) -> dict[str, Status]:
        """What became of each of them."""

        def settled() -> dict[str, Status] | None:
            found = self.statuses(*ids, tenant=tenant)
            all_have = len(found) == len(set(ids))
            return found if all_have and all(map(_is_settled, found.values())) else None

        def described() -> str:
            found = self.statuses(*ids, tenant=tenant)
            open_ids = [each for each in ids if each not in found or not _is_settled(found[each])]
            standing = [self.standing(each, tenant=tenant) for each in open_ids[:_TOLD_OF]]
            return f"an outcome; {'; '.join(standing)}"

        found = wait_until(settled, description=described, timeout_s=self.patience_s)
        assert found is not None
        return found

    def standing(self, message_request_id: str, *, tenant: str = TENANT) -> str:
        """Its state, and what the ledger noted on the way there, each once."""
        explanation = read_explanation(self.ledger, tenant, message_request_id)
        if explanation is None or explanation.status is None:
            return f"{message_request_id} has no record"
        noted = dict.fromkeys(each.what for each in explanation.evidence if each.source == "ledger")
        return f"{message_request_id} is {explanation.status.status}, was {', '.join(noted)}"

    def wait_for_attempts(self, count: int, *, channel: str = OPS) -> None:
        """Until so many POSTs for the channel have reached Slack."""
        wait_until(
            lambda: sum(each.channel == channel for each in self.slack.attempts) >= count,
            description=f"{count} POSTs for {channel} reach Slack",
            timeout_s=self.patience_s,
        )

    def attempts_of(self, message_request_id: str) -> list[Attempt]:
        """Every POST made for the request, by the marker of its record."""
        marker = self._marker_of(message_request_id)
        return [each for each in self.slack.attempts if each.marker == marker]

    def posts_of(self, message_request_id: str) -> list[Post]:
        """Every message that Slack holds for the request, by the same."""
        marker = self._marker_of(message_request_id)
        return [each for each in self.slack.posts if each.marker == marker]

    def evidence_of(self, message_request_id: str, *, source: str = "ledger") -> list[Evidence]:
        """What happened to it, in order: by the ledger, or (`event`) as folded."""
        explanation = read_explanation(self.ledger, TENANT, message_request_id)
        assert explanation is not None, f"{message_request_id} has no record"
        return [each for each in explanation.evidence if each.source == source]

    def told(self) -> list[tuple[str, str]]:
        """Every outcome event there is, as id and event."""
        keys = self.ledger.keys
        streams = [keys.outcomes(partition) for partition in range(keys.partitions)]
        entries = [
            entry
            for stream in streams
            for entry in cast("_Entries", self.ledger.store.client.xrange(stream))
        ]
        return [(fields["id"], fields["event"]) for _, fields in entries]

    def _marker_of(self, message_request_id: str) -> str:
        key = self.ledger.keys.delivery(Delivery(TENANT, message_request_id))
        marker = cast("str | None", self.ledger.store.client.hget(key, "marker"))
        assert marker is not None, f"{message_request_id} has no record"
        return marker


def _fields(message_request_id: str, **others: object) -> dict[str, object]:
    return {
        "tenant": TENANT,
        "message_request_id": message_request_id,
        "channel_code": "ops",
        "template_code": "hi",
        "variables": {"name": message_request_id},
        **others,
    }


def _is_settled(status: Status) -> bool:
    return status.status in _SETTLED
