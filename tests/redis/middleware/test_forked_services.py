"""A service that asks and then forks: what its child asks is answered in the child."""

from __future__ import annotations

import os
import signal
from threading import Thread
from typing import TYPE_CHECKING

from tests.waiting import wait_until

if TYPE_CHECKING:
    from middleware.ledger import Ledger
    from tests.lossy_proxy import LossyProxy


def test_a_child_asks_anew_what_its_parent_was_asking(
    distant_ledger: Ledger, proxy: LossyProxy
) -> None:
    # Given
    proxy.stall()
    asking = Thread(target=distant_ledger.admit)
    asking.start()
    wait_until(lambda: proxy.held, description="the parent asks")

    # When
    child = os.fork()
    if child == 0:
        try:
            distant_ledger.admit()
            os._exit(0)
        finally:
            os._exit(1)
    proxy.flow()
    asking.join()

    # Then
    try:
        _, status = wait_until(
            lambda: (ended := os.waitpid(child, os.WNOHANG)) != (0, 0) and ended,
            description="the child is answered",
            timeout_s=20.0,
        ) or (0, 1)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    assert status == 0
