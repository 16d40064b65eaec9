"""The environment becomes a ledger here and nowhere else: seconds outside, milliseconds inside.

A bad value is refused by a sentence that names the variable and says what it should be, and never
repeats the value: an address may hold a password.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.connection import parse_url

from middleware.connections import node_of_cluster
from middleware.errors import TimingRefused
from middleware.keys import MAX_PARTITIONS, Keys
from middleware.ledger import Ledger
from middleware.store import Store
from middleware.timing import SECOND_MS, Timing
from projector.errors import SettingsRefused

_PREFIX = "POSTONCE_"
# More than anybody waits for before each message.
_MOST_REPLICAS = 9
# Finer than this rounds to nothing.
_SHORTEST_S = 1 / SECOND_MS

# What stands unescaped in a password cuts an address in two.
ESCAPED = "with %2F %23 %3F %40 for / # ? @ in its password"

Seconds = Annotated[
    float,
    Field(
        ge=_SHORTEST_S,
        allow_inf_nan=False,
        description="a number of seconds above 0, such as 30 or 0.5",
    ),
]


class StoreSettings(BaseSettings):
    """Where the ledger is, and its timing contract. Defaults are those of `Timing` and `Keys`."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        pattern=r"^(rediss?|redis\+cluster|unix)://",
        description="an address that begins with redis://, rediss://, redis+cluster:// or unix://"
        f", {ESCAPED}",
    )
    prefix: str = Field(
        default="postonce",
        pattern=r"^[^{}\s]+$",
        description="a word without braces or spaces",
    )
    partitions: int = Field(
        default=8,
        ge=1,
        le=MAX_PARTITIONS,
        description=f"a whole number from 1 to {MAX_PARTITIONS}",
    )
    post_deadline_s: Seconds = 10
    lease_s: Seconds = 30
    settle_delay_s: Seconds = 60
    dispatch_window_s: Seconds = 60
    reconcile_limit_s: Seconds = 3_600
    expires_after_s: Seconds = 86_400
    retention_s: Seconds = 604_800
    wait_replicas: int = Field(
        default=0,
        ge=0,
        le=_MOST_REPLICAS,
        description=f"a whole number from 0 to {_MOST_REPLICAS}",
    )

    @field_validator("redis_url")
    @classmethod
    def _can_be_read(cls, url: str) -> str:
        check_redis_url(url)
        return url

    @classmethod
    def from_environment(cls) -> Self:
        """Raise SettingsRefused naming every variable that is not what it should be."""
        try:
            return cls()
        except ValidationError as error:
            names = {str(details["loc"][0]) for details in error.errors(include_input=False)}
            raise SettingsRefused(sorted(cls._expectation(name) for name in names)) from None

    @classmethod
    def _expectation(cls, name: str) -> str:
        return f"{_PREFIX}{name.upper()} must be {cls.model_fields[name].description}"

    def timing(self) -> Timing:
        """Raises SettingsRefused when the timing contract is broken."""
        try:
            return Timing(
                post_deadline_ms=_ms(self.post_deadline_s),
                lease_ms=_ms(self.lease_s),
                settle_delay_ms=_ms(self.settle_delay_s),
                dispatch_window_ms=_ms(self.dispatch_window_s),
                reconcile_limit_ms=_ms(self.reconcile_limit_s),
                expires_after_ms=_ms(self.expires_after_s),
                retention_ms=_ms(self.retention_s),
            )
        except TimingRefused as error:
            raise SettingsRefused([_in_seconds(error)]) from error

    def ledger(self) -> Ledger:
        """Connects when first used. Raises SettingsRefused when the timing contract is broken."""
        timing = self.timing()
        keys = Keys(prefix=self.prefix, partitions=self.partitions)
        if self.wait_replicas and node_of_cluster(self.redis_url):
            # WAIT speaks of its own connection's writes, which a cluster's client does not choose.
            raise SettingsRefused(
                [f"{_PREFIX}WAIT_REPLICAS must be 0 where {_PREFIX}REDIS_URL is a cluster's"]
            )
        return Ledger(
            store=Store(self.redis_url),
            keys=keys,
            timing=timing,
            wait_replicas=self.wait_replicas,
        )


def check_redis_url(url: str) -> None:
    """Raises ValueError for what the client could not read; its text may hold a password."""
    parse_url(node_of_cluster(url) or url)


def _in_seconds(refused: TimingRefused) -> str:
    variable = f"{_PREFIX}{refused.duration.removesuffix('_ms').upper()}_S"
    bound_s, is_s = refused.bound_ms / SECOND_MS, refused.ms / SECOND_MS
    return f"{variable} must be {refused.must_be} {bound_s:.12g}, not {is_s:.12g}: {refused.why}"


def _ms(seconds: float) -> int:
    return round(seconds * SECOND_MS)
