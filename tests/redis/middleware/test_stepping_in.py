"""What a person orders while, and after, workers do their work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dramatiq.brokers.stub import StubBroker

from middleware.answers import Asked, Ok
from middleware.fates import CannotTell, Found, NotNow, Refused
from middleware.operating import Order, redrive
from tests.redis.middleware.application import QUEUE, R1
from tests.redis.middleware.doubting import when_it_may_be_looked_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from middleware.fates import PostAnswer
    from middleware.stub_ledger import ManualClock
    from tests.redis.middleware.application import Application

ORDER = Order(by="ada@ops", why="the channel is back")
REFUSED = Refused("is_archived", "The channel is archived.")


def cancel_while_it_is_posted(
    app: Application, answer: PostAnswer | Exception
) -> Callable[[], PostAnswer]:
    def post() -> PostAnswer:
        assert app.state() == "sending"
        assert app.ledger.run(app.ledger.cancel(R1)) == Asked()
        if isinstance(answer, Exception):
            raise answer
        return answer

    return post


def order_again(app: Application, marker: str = "m2", *, post_again: bool = False) -> object:
    return app.ledger.run(redrive(app.ledger, R1, ORDER, marker=marker, post_again=post_again))


def test_a_cancel_asked_during_a_post_holds_once_the_post_is_proven_absent(
    app: Application, clock: ManualClock
) -> None:
    # Given
    app.provider.takes.come(cancel_while_it_is_posted(app, TimeoutError()))
    app.send_and_work()
    before_looking = app.state()
    when_it_may_be_looked_for(app, clock)

    # When
    app.sweep_and_work()

    # Then
    assert before_looking == "uncertain"
    assert app.told() == ["cancelled"]
    assert (len(app.provider.posts), len(app.provider.looked_at)) == (1, 1)


def test_a_cancel_asked_during_a_post_that_arrived_comes_too_late(
    app: Application, clock: ManualClock
) -> None:
    # Given
    app.provider.takes.come(cancel_while_it_is_posted(app, TimeoutError()))
    app.provider.looks.come(Found({"ts": "170.01"}))
    app.send_and_work()
    when_it_may_be_looked_for(app, clock)

    # When
    app.sweep_and_work()

    # Then
    assert app.told() == ["sent"]


def test_a_cancel_asked_during_a_post_holds_where_nothing_was_posted(app: Application) -> None:
    # Given
    app.provider.takes.come(cancel_while_it_is_posted(app, NotNow("rate_limited")))

    # When
    app.send_and_work()

    # Then
    assert app.told() == ["cancelled"]


def test_what_was_rejected_is_redriven_and_posted_once(app: Application) -> None:
    # Given
    assert isinstance(app.broker, StubBroker)
    app.provider.prepares.come(REFUSED)
    message = app.actor.message(R1.tenant, R1.id)
    app.broker.enqueue(message)
    with app.working():
        app.join()
    answers = [order_again(app) for _ in range(2)]

    # When
    with app.working():
        app.sweep()
        # The queue repeats what it was given for the round before.
        app.broker.queues[QUEUE].put(message.encode())
        app.join()

    # Then
    assert answers == [Ok(), Ok()]
    assert app.told() == ["rejected", "redriven", "sent"]
    assert len(app.provider.posts) == 1


@pytest.mark.parametrize("post_again", [False, True])
def test_what_is_unproven_is_posted_again_only_by_order(
    app: Application, clock: ManualClock, *, post_again: bool
) -> None:
    # Given
    app.provider.takes.come(TimeoutError())
    app.provider.looks.come(CannotTell("missing_scope", final=True))
    app.send_and_work()
    when_it_may_be_looked_for(app, clock)
    app.sweep_and_work()
    order_again(app, post_again=post_again)

    # When
    app.sweep_and_work()

    # Then
    told = ["unproven", "redriven", "sent"] if post_again else ["unproven"]
    assert app.told() == told
    assert len(app.provider.posts) == 1 + post_again
