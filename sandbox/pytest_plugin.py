"""The fixture `postonce`: the whole system in one process, for tests of what a service asks for.

Loaded by every pytest run of an environment that has this project, so that it imports nothing of
it before a test uses the fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.postonce import Postonce

__all__ = ["postonce"]


@pytest.fixture
def postonce() -> Iterator[Postonce]:
    """Requests, workers and Slack in memory, with a clock that the test moves.

    `request(...)`, `send_message.send(...)`, `drain()`, then look at `slack.posts`, `status(...)`
    and `outcomes`. A test that does not use it is not affected by it.
    """
    from sandbox.postonce import Postonce  # noqa: PLC0415 - as said above

    with Postonce.in_this_process() as system:
        yield system
