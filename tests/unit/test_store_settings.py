from __future__ import annotations

import pytest

from middleware.keys import Keys
from middleware.timing import Timing
from projector.connection import get_ledger, set_ledger
from projector.errors import SettingsRefused
from projector.settings import StoreSettings


@pytest.fixture(autouse=True)
def _an_environment_without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in StoreSettings.model_fields:
        monkeypatch.delenv(f"POSTONCE_{name.upper()}", raising=False)


def test_the_defaults_are_those_of_the_timing_contract_and_the_keys() -> None:
    # Given
    settings = StoreSettings.from_environment()

    # When
    ledger = settings.ledger()

    # Then
    assert (ledger.timing, ledger.keys) == (Timing(), Keys())


def test_seconds_of_the_environment_are_milliseconds_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given
    monkeypatch.setenv("POSTONCE_POST_DEADLINE_S", "0.5")
    monkeypatch.setenv("POSTONCE_LEASE_S", "1.25")

    # When
    timing = StoreSettings.from_environment().ledger().timing

    # Then
    assert (timing.post_deadline_ms, timing.lease_ms) == (500, 1_250)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POSTONCE_REDIS_URL", "http://user:hunter2@host"),
        ("POSTONCE_REDIS_URL", "redis://:hun/ter2@host:6379/0"),
        ("POSTONCE_REDIS_URL", "redis://:hunter2@host:99999/0"),
        ("POSTONCE_REDIS_URL", "redis+cluster://:hun#ter2@host:6379/0"),
        ("POSTONCE_REDIS_URL", "redis://host/0?socket_timeout=hunter2"),
        ("POSTONCE_PREFIX", "a {b}"),
        ("POSTONCE_PARTITIONS", "0"),
        ("POSTONCE_PARTITIONS", "many"),
        ("POSTONCE_SETTLE_DELAY_S", "-1"),
        ("POSTONCE_SETTLE_DELAY_S", "inf"),
        ("POSTONCE_RETENTION_S", "0"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    # Given
    monkeypatch.setenv(variable, value)

    # When
    with pytest.raises(SettingsRefused) as refused:
        StoreSettings.from_environment()

    # Then
    (expectation,) = refused.value.expectations
    assert expectation.startswith(f"{variable} must be a")
    assert "hunter2" not in expectation


def test_every_bad_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    monkeypatch.setenv("POSTONCE_PARTITIONS", "0")
    monkeypatch.setenv("POSTONCE_LEASE_S", "soon")

    # When
    with pytest.raises(SettingsRefused) as refused:
        StoreSettings.from_environment()

    # Then
    assert [each.split()[0] for each in refused.value.expectations] == [
        "POSTONCE_LEASE_S",
        "POSTONCE_PARTITIONS",
    ]


@pytest.mark.parametrize(
    ("set_to", "told"),
    [
        ({"LEASE_S": "2"}, "POSTONCE_LEASE_S must be at least 15, not 2: 1.5 times the post"),
        (
            {"LEASE_S": "1.5", "POST_DEADLINE_S": "1.001"},
            "POSTONCE_LEASE_S must be at least 1.502, not 1.5: ",
        ),
        ({"LEASE_S": "601"}, "POSTONCE_LEASE_S must be at most 600, not 601: "),
        (
            {"LEASE_S": "600", "POST_DEADLINE_S": "500"},
            "POSTONCE_POST_DEADLINE_S must be at most 400, not 500: ",
        ),
    ],
)
def test_a_broken_timing_contract_is_refused_by_the_variable_and_in_seconds(
    monkeypatch: pytest.MonkeyPatch, set_to: dict[str, str], told: str
) -> None:
    # Given
    for name, value in set_to.items():
        monkeypatch.setenv(f"POSTONCE_{name}", value)

    # When
    with pytest.raises(SettingsRefused) as refused:
        StoreSettings.from_environment().ledger()

    # Then
    (expectation,) = refused.value.expectations
    assert expectation.startswith(told)
    assert "_ms" not in expectation


def test_the_ledger_is_made_from_the_environment_once_unless_one_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given
    monkeypatch.setenv("POSTONCE_PREFIX", "mine")
    set_ledger(None)

    # When
    made = get_ledger()
    again = get_ledger()
    set_ledger(StoreSettings(prefix="other").ledger())
    other = get_ledger()
    set_ledger(None)

    # Then
    assert made is again
    assert (made.keys.prefix, other.keys.prefix) == ("mine", "other")
