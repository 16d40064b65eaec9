"""Every setting of the application; what concerns only the store is the projector's."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from projector.settings import ESCAPED, StoreSettings, check_redis_url

SLACK_API_URL = "https://slack.com/api/"


class Settings(StoreSettings):
    """Defaults suit one machine with one Redis and one Slack app."""

    broker_url: str | None = Field(
        default=None,
        pattern=r"^(rediss?|redis\+cluster|unix|amqps?)://",
        description="an address that begins with redis://, rediss://, redis+cluster://, unix:// "
        f"or amqp://, {ESCAPED}; without one, the same Redis",
    )
    slack_url: str = Field(
        default=SLACK_API_URL,
        pattern=r"^https?://.+/$",
        description="an address that begins with http, ends with a slash and names no user",
    )
    installations: str = Field(
        default="env:",
        pattern=r"^(env:|sqlite:///|file:///)",
        description="env:, sqlite:///path or file:///directory",
    )

    @field_validator("broker_url")
    @classmethod
    def _queue_can_be_read(cls, url: str | None) -> str | None:
        if url is None:
            return url
        if url.startswith("amqp"):
            _check_port(url)
        else:
            check_redis_url(url)
        return url

    @field_validator("slack_url")
    @classmethod
    def _slack_can_be_asked(cls, url: str) -> str:
        address = urlsplit(url)
        _check_port(url)
        if not address.hostname or address.username is not None:
            raise ValueError
        return url

    @property
    def queue_url(self) -> str:
        return self.broker_url or self.redis_url


def _check_port(url: str) -> None:
    """Raises ValueError."""
    _ = urlsplit(url).port
