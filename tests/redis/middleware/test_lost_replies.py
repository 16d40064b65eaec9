"""The store did what it was asked and nobody heard: asked again, it does nothing twice.

Two lost replies are more than the store's client repeats by itself: the caller knows nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from middleware.fates import Absent, CannotTell, NotNow, Posted, Refused
from tests.redis.middleware.application import R1, Application
from tests.redis.middleware.doubting import post_into_doubt, when_it_may_be_looked_for
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from middleware.ledger import Ledger
    from middleware.stub_ledger import ManualClock
    from tests.lossy_proxy import LossyProxy
    from tests.redis.middleware.application import Kind

TOO_MANY = 2


@pytest.fixture
def app(distant_ledger: Ledger) -> Application:
    # Which kind of actor asks is of no consequence: fact 8 is proven for both.
    return Application(distant_ledger)


def test_a_claim_that_nobody_heard_of_is_given_back_with_its_attempt(
    app: Application, clock: ManualClock, lose_reply_to: Callable[..., None]
) -> None:
    # Given
    lose_reply_to("claim", times=TOO_MANY)
    app.send_and_work()
    unheard = app.state(), app.record()["attempts"], len(app.provider.started), app.queued()

    # When
    clock.advance(ms=1_000)
    app.sweep_and_work()

    # Then
    assert unheard == ("waiting", "0", 0, 0)
    assert app.state() == "sent"
    assert app.record()["attempts"] == "1"


def test_a_claim_to_look_that_nobody_heard_of_is_no_look_that_nobody_outlived(
    app: Application, clock: ManualClock, lose_reply_to: Callable[..., None]
) -> None:
    # Given
    post_into_doubt(app)
    when_it_may_be_looked_for(app, clock)

    # When
    lose_reply_to("claim", times=TOO_MANY)
    app.sweep_and_work()

    # Then
    assert app.state() == "uncertain"
    assert app.noted()[-2:] == ["looking", "look told nothing"]
    assert not app.record().keys() & {"token", "unheard_looks", "looks"}


def test_an_intent_that_nobody_heard_of_is_taken_back_unposted(
    app: Application, clock: ManualClock, lose_reply_to: Callable[..., None]
) -> None:
    # Given
    lose_reply_to("intend", times=TOO_MANY)
    app.send_and_work()
    unheard = app.state(), app.record()["attempts"], len(app.provider.posts)

    # When
    clock.advance(ms=1_000)
    app.sweep_and_work()

    # Then
    assert unheard == ("waiting", "0", 0)
    assert app.told() == ["sent"]
    assert len(app.provider.posts) == 1


@pytest.mark.parametrize(
    ("name", "answer", "state", "times"),
    [
        ("settle_sent", Posted({"ts": "170.01"}), "sent", TOO_MANY),
        ("settle_rejected", Refused("is_archived", "The channel is archived."), "rejected", 1),
        ("postpone", NotNow("rate_limited", delay_ms=60_000), "waiting", 1),
        ("postpone", NotNow("rate_limited", delay_ms=60_000), "waiting", TOO_MANY),
    ],
)
def test_what_post_answered_is_recorded_once_however_often_its_reply_is_lost(
    app: Application,
    proxy: LossyProxy,
    lose_reply_to: Callable[..., None],
    name: str,
    answer: object,
    state: str,
    times: int,
) -> None:
    # Given
    app.provider.takes.come(answer)
    lose_reply_to(name, times=times)

    # When
    app.send_and_work()

    # Then
    assert proxy.lost_replies == times
    assert app.state() == state
    assert app.told() == ([] if state == "waiting" else [state])
    assert len(app.provider.posts) == 1


def test_a_doubt_that_nobody_heard_of_stands(
    app: Application, lose_reply_to: Callable[..., None]
) -> None:
    # Given
    app.provider.takes.come(TimeoutError())
    lose_reply_to("doubt", times=TOO_MANY)

    # When
    app.send_and_work()

    # Then
    assert app.state() == "uncertain"
    assert app.noted().count("uncertain") == 1


@pytest.mark.parametrize("times", [1, TOO_MANY])
def test_an_absence_that_nobody_heard_of_lets_post_once(
    app: Application, clock: ManualClock, lose_reply_to: Callable[..., None], times: int
) -> None:
    # Given
    post_into_doubt(app)
    when_it_may_be_looked_for(app, clock)
    app.provider.looks.come(Absent())
    lose_reply_to("absent", times=times)

    # When
    app.sweep_and_work()

    # Then
    assert app.told() == ["sent"]
    assert app.record()["attempts"] == "2"
    assert len(app.provider.posts) == 2
    assert app.noted().count("absent") == 1


@pytest.mark.parametrize(
    ("name", "is_final", "state"),
    [("look_later", False, "uncertain"), ("give_up", True, "unproven")],
)
def test_a_look_that_cannot_tell_is_recorded_once(
    app: Application,
    clock: ManualClock,
    lose_reply_to: Callable[..., None],
    name: str,
    is_final: bool,  # noqa: FBT001 - one row of the table
    state: str,
) -> None:
    # Given
    post_into_doubt(app)
    when_it_may_be_looked_for(app, clock)
    app.provider.looks.come(CannotTell("no_scope", final=is_final))
    lose_reply_to(name)

    # When
    app.sweep_and_work()

    # Then
    assert app.state() == state
    assert app.record().get("looks", "0") == ("0" if is_final else "1")
    assert app.told() == (["unproven"] if is_final else [])


def test_a_receipt_in_hand_is_kept_until_the_store_is_back(
    distant_ledger: Ledger, kind: Kind, proxy: LossyProxy, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    app = Application(distant_ledger, kind)

    def posted_as_the_store_goes_away() -> Posted:
        proxy.down()
        return Posted({"ts": "170.01"})

    app.provider.takes.come(posted_as_the_store_goes_away)

    # When
    with app.working():
        app.send()
        wait_until(
            lambda: caplog.text.count("delivery.sent.unrecorded") == 2,
            description="it was not recorded when asked again either",
        )
        proxy.up()
        app.join()

    # Then
    assert app.told() == ["sent"]
    assert app.view.snapshot(R1).record["receipt"] == '{"ts":"170.01"}'
