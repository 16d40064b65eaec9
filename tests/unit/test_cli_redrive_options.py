from __future__ import annotations

import getpass
import socket
from typing import TYPE_CHECKING, Any

import pytest

from actors.commands.failures import UsageUnclear
from actors.commands.found_posts import FoundPost
from actors.commands.redrive_options import (
    MarkSent,
    Options,
    RedriveMany,
    RedriveOne,
    ShowMany,
    meaning_of,
    whoever,
)
from middleware.keys import Delivery
from middleware.operating import Order
from projector.listing import Filter

if TYPE_CHECKING:
    from actors.commands.redrive_options import Meaning

NOW_MS = 1_800_000_000_000
ONE = {"tenant": "acme", "id": "r1"}
ORDER = Order(by="ada@ops", why="it is back")
POST = FoundPost("1796043073.545059")
LINKED = FoundPost("1796043073.545059", "C1")
ORDERED = {"by": ORDER.by, "why": ORDER.why}


def meaning(**given: Any) -> Meaning:  # noqa: ANN401 - any of the options
    return meaning_of(Options(**given), now_ms=NOW_MS)


def test_one_request_is_redriven_as_it_is_named() -> None:
    # Then
    assert meaning(**ONE, **ORDERED) == RedriveOne(Delivery("acme", "r1"), ORDER, post_again=False)


def test_another_post_is_only_made_where_it_is_ordered() -> None:
    # When
    meant = meaning(**ONE, **ORDERED, post_again=True)

    # Then
    assert meant == RedriveOne(Delivery("acme", "r1"), ORDER, post_again=True)


def test_one_request_is_marked() -> None:
    # When
    meant = meaning(**ONE, **ORDERED, post=POST, channel="C1")

    # Then
    assert meant == MarkSent(Delivery("acme", "r1"), ORDER, POST, "C1")


def test_many_are_only_shown_unless_it_is_meant() -> None:
    # Given
    chosen = {"status": "rejected", "of_tenant": "acme", "error": "is_archived"}
    wanted = Filter(tenant="acme", status="rejected", error="is_archived")

    # Then
    assert meaning(**chosen) == ShowMany(wanted)
    assert meaning(**chosen, **ORDERED) == ShowMany(wanted)
    assert meaning(**chosen, **ORDERED, yes=True) == RedriveMany(wanted, ORDER, post_again=False)


def test_an_age_is_counted_from_now() -> None:
    # When
    meant = meaning(status="expired", older_than_ms=1_000, newer_than_ms=5_000)

    # Then
    assert isinstance(meant, ShowMany)
    assert (meant.wanted.from_ms, meant.wanted.until_ms) == (NOW_MS - 5_000, NOW_MS - 1_000)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "TENANT ID, or --status"),
        ({"tenant": "acme"}, "TENANT ID"),
        (ONE, "--why is missing"),
        (ONE | {"post": POST}, "--why is missing"),
        ({"status": "rejected", "yes": True}, "--why is missing"),
        ({"of_tenant": "acme"}, "--status"),
        ({"yes": True} | ORDERED, "--status"),
        (ONE | ORDERED | {"status": "rejected"}, "not both"),
        (ONE | ORDERED | {"older_than_ms": 0}, "not both"),
        (ONE | ORDERED | {"yes": True}, "not both"),
        (ONE | ORDERED | {"post": POST, "post_again": True}, "not both"),
        (ONE | ORDERED | {"channel": "C1"}, "--mark-sent"),
        (ONE | ORDERED | {"post": LINKED, "channel": "C2"}, "into C1, and --channel says C2"),
        ({"status": "unproven", "post": POST, "post_again": True}, "not both"),
        ({"status": "unproven", "post": POST}, "one request"),
        ({"status": "unproven"}, "--post-again"),
        ({"status": "rejected", "post_again": True}, "--post-again"),
        ({"status": "rejected", "older_than_ms": 5, "newer_than_ms": 5}, "--newer-than"),
    ],
)
def test_what_could_mean_two_things_means_nothing(given: dict[str, Any], said: str) -> None:
    # Then
    with pytest.raises(UsageUnclear, match=said):
        meaning(**given)


def test_whoever_is_at_the_keyboard_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    monkeypatch.setenv("LOGNAME", "ada")
    order = meaning(**ONE, why="it is back")

    # Then
    assert isinstance(order, RedriveOne)
    assert order.order.by == f"ada@{socket.gethostname()}"


def test_a_user_id_without_a_name_is_still_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    def nameless() -> str:
        raise KeyError("uid not found: 4242")

    monkeypatch.setattr(getpass, "getuser", nameless)

    # Then
    assert whoever() == f"unknown@{socket.gethostname()}"
