"""A delivery whose POST ended in an error that tells nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from middleware.stub_ledger import ManualClock
    from tests.redis.middleware.application import Application


def post_into_doubt(app: Application) -> None:
    app.provider.takes.come(TimeoutError())
    app.send_and_work()


def when_it_may_be_looked_for(app: Application, clock: ManualClock) -> None:
    """So much later that the POST is visible, or never will be."""
    clock.advance(ms=app.ledger.timing.post_deadline_ms + app.ledger.timing.settle_delay_ms)
