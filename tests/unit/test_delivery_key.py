from __future__ import annotations

import pytest

from middleware.delivery_key import DeliveryKey
from middleware.errors import PayloadRefused
from middleware.keys import Delivery

KEY = DeliveryKey(tenant="tenant", id="id", thread="thread")


def send(id: str, tenant: str = "acme", thread: str | None = None) -> None:  # noqa: A002 - as a user may
    """Never called: only its arguments matter."""


def test_arguments_name_the_delivery_and_its_thread() -> None:
    # Given
    arguments = {"tenant": "globex", "thread": "17.1"}

    # When
    read = KEY.read(send, ("a:b",), arguments)

    # Then
    assert read == (Delivery("globex", "a:b"), "17.1")


def test_a_default_names_the_delivery_as_well_as_an_argument() -> None:
    # Given
    arguments = ("r1",)

    # When
    read = KEY.read(send, arguments, {})

    # Then
    assert read == (Delivery("acme", "r1"), None)


@pytest.mark.parametrize("tenant", ["a:b", ":", ""])
def test_a_tenant_that_could_name_anothers_delivery_is_refused(tenant: str) -> None:
    # Given
    arguments = {"id": "c", "tenant": tenant}

    # When
    with pytest.raises(PayloadRefused) as refusal:
        KEY.read(send, (), arguments)

    # Then
    assert "tenant" in str(refusal.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"id": 7},
        {"id": ""},
        {"id": "r1", "text": "hello"},
        {"id": "\ud800"},
        {"id": "r1", "tenant": "\udfff"},
    ],
)
def test_what_is_no_reference_to_a_delivery_is_refused(arguments: dict[str, object]) -> None:
    # Given
    positional = ()

    # When
    with pytest.raises(PayloadRefused) as refusal:
        KEY.read(send, positional, arguments)

    # Then
    assert "hello" not in str(refusal.value)
