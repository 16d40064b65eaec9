"""What is proven absent is posted again: where the first POST went, and not for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from middleware.fates import Absent, Found, NotNow, Ready, Refused
from middleware.ledger import DEFAULT_MAX_ATTEMPTS
from tests.redis.middleware.doubting import when_it_may_be_looked_for
from tests.redis.middleware.provider import TARGET

if TYPE_CHECKING:
    from middleware.stub_ledger import ManualClock
    from tests.redis.middleware.application import Application

ELSEWHERE = {"channel": "C2"}


def test_what_is_absent_is_posted_again_where_the_intent_said(doubtful: Application) -> None:
    # Given
    doubtful.provider.looks.come(Absent())
    doubtful.provider.prepares.come(Ready(ELSEWHERE, "hello"))

    # When
    doubtful.sweep_and_work()

    # Then
    assert doubtful.provider.posts == [TARGET, TARGET]
    assert doubtful.told() == ["sent"]
    assert doubtful.record()["attempts"] == "2"


def test_a_second_doubt_is_looked_for_like_the_first(
    doubtful: Application, clock: ManualClock
) -> None:
    # Given
    doubtful.provider.looks.come(Absent(), Found({"ts": "170.02"}))
    doubtful.provider.takes.come(ConnectionResetError())
    doubtful.sweep_and_work()

    # When
    when_it_may_be_looked_for(doubtful, clock)
    doubtful.sweep_and_work()

    # Then
    assert doubtful.told() == ["sent"]
    assert doubtful.provider.looked_at == [TARGET, TARGET]
    assert len(doubtful.provider.posts) == 2


def test_after_an_absence_the_target_stays_even_over_not_now(
    doubtful: Application, clock: ManualClock
) -> None:
    # Given
    doubtful.provider.looks.come(Absent())
    doubtful.provider.takes.come(NotNow("rate_limited", delay_ms=1_000))
    doubtful.sweep_and_work()

    # When
    clock.advance(ms=1_000)
    doubtful.provider.prepares.come(Ready(ELSEWHERE, "hello"))
    doubtful.sweep_and_work()

    # Then
    assert doubtful.provider.posts == [TARGET, TARGET, TARGET]
    assert doubtful.told() == ["sent"]


def test_what_is_absent_may_be_refused_when_it_is_prepared_again(doubtful: Application) -> None:
    # Given
    doubtful.provider.looks.come(Absent())
    doubtful.provider.prepares.come(Refused("is_archived", "The channel is archived."))

    # When
    doubtful.sweep_and_work()

    # Then
    assert doubtful.told() == ["rejected"]
    assert len(doubtful.provider.posts) == 1


def test_what_is_absent_waits_like_any_other_when_preparing_again_fails(
    doubtful: Application, clock: ManualClock
) -> None:
    # Given
    doubtful.provider.looks.come(Absent())
    doubtful.provider.prepares.come(ValueError())
    doubtful.sweep_and_work()
    after_failure = doubtful.state(), doubtful.record()["attempts"]

    # When
    clock.advance(ms=5 * 60_000)
    doubtful.sweep_and_work()

    # Then
    assert after_failure == ("waiting", "2")
    assert doubtful.told() == ["sent"]
    assert doubtful.provider.looked_at == [TARGET]


def test_proven_absences_use_attempts_until_none_is_left(
    app: Application, clock: ManualClock
) -> None:
    # Given
    app.provider.takes.come(*[TimeoutError()] * DEFAULT_MAX_ATTEMPTS)
    app.send_and_work()

    # When
    with app.working():
        for _ in range(DEFAULT_MAX_ATTEMPTS):
            when_it_may_be_looked_for(app, clock)
            app.sweep()
            app.join()

    # Then
    assert len(app.provider.posts) == DEFAULT_MAX_ATTEMPTS
    assert app.record()["error"] == "attempts_exhausted"
    assert app.told() == ["rejected"]
