"""`PatientStop`: a worker that is told to stop finishes what it posts, however often it is told."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from dramatiq.middleware import Middleware

if TYPE_CHECKING:
    from types import FrameType

    from dramatiq import Broker

_STOPPING = (signal.SIGTERM, signal.SIGHUP)


class PatientStop(Middleware):
    """Only the first signal reaches Dramatiq's own handler; SIGKILL ends a worker at once.

    Many are told twice: systemd signals all processes of a unit, and Dramatiq's main process then
    signals its workers again. By the second Dramatiq (2.2) leaves the worker's main thread, while
    its event loop keeps the process, working on, until it is killed in the middle of a POST.
    """

    def after_process_boot(self, broker: Broker) -> None:
        is_told = False
        handlers = {number: signal.getsignal(number) for number in _STOPPING}

        def stop_once(number: int, frame: FrameType | None) -> None:
            nonlocal is_told
            handler = handlers[signal.Signals(number)]
            if callable(handler) and not is_told:
                is_told = True
                handler(number, frame)

        for number, handler in handlers.items():
            if callable(handler):
                signal.signal(number, stop_once)
