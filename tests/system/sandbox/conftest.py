from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from slack_sdk import WebClient

from sandbox.slack import SlackSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "xoxb-T1-secret"


@pytest.fixture
def slack() -> Iterator[SlackSandbox]:
    with SlackSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def bot(slack: SlackSandbox) -> WebClient:
    """Slack's own client; it repeats nothing, as the gateway's does not."""
    return WebClient(token=TOKEN, base_url=slack.url, timeout=10, retry_handlers=[])
