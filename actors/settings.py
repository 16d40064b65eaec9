"""Every setting of the application; what concerns only the store is the projector's."""

from __future__ import annotations

from pydantic import Field

from projector.settings import StoreSettings

SLACK_API_URL = "https://slack.com/api/"


class Settings(StoreSettings):
    """Defaults suit one machine with one Redis and one Slack app."""

    broker_url: str | None = Field(
        default=None,
        pattern=r"^(rediss?|redis\+cluster|unix|amqps?)://",
        description="an address that begins with redis://, rediss://, redis+cluster://, unix:// "
        "or amqp://; without one, the same Redis",
    )
    slack_url: str = Field(
        default=SLACK_API_URL,
        pattern=r"^https?://.+/$",
        description="an address that begins with http and ends with a slash",
    )
    installations: str = Field(
        default="env:",
        pattern=r"^(env:|sqlite:///|file:///)",
        description="env:, sqlite:///path or file:///directory",
    )

    @property
    def queue_url(self) -> str:
        return self.broker_url or self.redis_url
