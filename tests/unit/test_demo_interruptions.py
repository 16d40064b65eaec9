from __future__ import annotations

import signal

import pytest

from sandbox.demo.interruptions import Interrupted, Interruptions


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts(number: signal.Signals) -> None:
    # When
    with pytest.raises(Interrupted) as interrupted, Interruptions():
        signal.raise_signal(number)

    # Then
    assert interrupted.value.number == number


def test_while_deferred_it_waits_until_the_end() -> None:
    # Given
    done = []

    def start_something(interruptions: Interruptions) -> None:
        with interruptions.deferred():
            signal.raise_signal(signal.SIGTERM)
            done.append("registered")

    # When
    with Interruptions() as interruptions, pytest.raises(Interrupted):
        start_something(interruptions)

    # Then
    assert done == ["registered"]


def test_once_ignored_nothing_interrupts() -> None:
    # Given
    previous = signal.getsignal(signal.SIGTERM)

    # When
    with Interruptions() as interruptions:
        interruptions.ignore()
        signal.raise_signal(signal.SIGTERM)

    # Then
    assert signal.getsignal(signal.SIGTERM) == previous
