"""Every key name in one place; all keys of a tenant share the hash tag of its partition.

One tag means one Redis Cluster slot, so that a record, its due time, the log and the projection
can move in one script. No other module, and no script, spells a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

# Two digits keep keys of equal length; more partitions than this only make the pollers busier.
MAX_PARTITIONS = 99


@dataclass(frozen=True, slots=True)
class Delivery:
    """Names the work of sending one request."""

    tenant: str
    id: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.id}"


@dataclass(frozen=True, slots=True)
class View:
    """One key of the projection."""

    key: str
    partition: int
    generation: int


@dataclass(frozen=True, slots=True)
class Keys:
    """`partitions` is fixed at first use: another number would look for a tenant elsewhere."""

    prefix: str = "postonce"
    partitions: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.partitions <= MAX_PARTITIONS:
            msg = f"partitions must be 1 to {MAX_PARTITIONS}, not {self.partitions}"
            raise ValueError(msg)
        if not self.prefix or any(character in self.prefix for character in "{} "):
            msg = f"the prefix must be a word without braces or spaces, not {self.prefix!r}"
            raise ValueError(msg)

    def partition_of(self, tenant: str) -> int:
        """Stable over processes, versions and machines."""
        return _number_of(tenant) % self.partitions

    # One of each for the whole installation.

    def settings(self) -> str:
        return f"{self.prefix}:settings"

    def teams(self) -> str:
        return f"{self.prefix}:teams"

    def workers(self) -> str:
        return f"{self.prefix}:workers"

    # One of each for a partition.

    def requests(self, partition: int) -> str:
        return self._tagged(partition, "requests")

    def outcomes(self, partition: int) -> str:
        return self._tagged(partition, "outcomes")

    def tenants(self, partition: int) -> str:
        return self._tagged(partition, "tenants")

    def known(self, partition: int) -> str:
        return self._tagged(partition, "known")

    def counts(self, partition: int) -> str:
        return self._tagged(partition, "counts")

    def projection(self, partition: int) -> str:
        return self._tagged(partition, "projection")

    def lease(self, partition: int) -> str:
        return self._tagged(partition, "lease")

    def epoch(self, partition: int) -> str:
        return self._tagged(partition, "epoch")

    # One of each for a tenant.

    def due(self, tenant: str) -> str:
        return self._of_tenant(tenant, f"due:{tenant}")

    def config(self, tenant: str) -> str:
        return self._of_tenant(tenant, f"config:{tenant}")

    # One of each for a request.

    def delivery(self, delivery: Delivery) -> str:
        return self._of_tenant(delivery.tenant, f"delivery:{delivery.tenant}:{delivery.id}")

    def history(self, delivery: Delivery) -> str:
        return self._of_tenant(delivery.tenant, f"history:{delivery.tenant}:{delivery.id}")

    def request(self, delivery: Delivery) -> str:
        return self._of_tenant(delivery.tenant, f"request:{delivery.tenant}:{delivery.id}")

    # The projection's views, of which each rebuild makes another generation.

    def quarantine(self, partition: int, generation: int) -> str:
        return self._tagged(partition, f"{generation}:quarantine")

    def listed(self, tenant: str, status: str, generation: int) -> str:
        return self._of_tenant(tenant, f"{generation}:listed:{tenant}:{status}")

    def timeline(self, delivery: Delivery, generation: int) -> str:
        name = f"{generation}:timeline:{delivery.tenant}:{delivery.id}"
        return self._of_tenant(delivery.tenant, name)

    def every_view(self) -> str:
        """A pattern of Redis's, of the views of all generations; `view_of` reads what it finds."""
        prefix = re.sub(r"([\\*?\[\]^-])", r"\\\1", self.prefix)
        return f"{prefix}:{{p[0-9][0-9]}}:[0-9]*"

    def view_of(self, key: str) -> View:
        """What `every_view` found: no other key's name goes on with a digit."""
        tag, generation, _ = key.removeprefix(f"{self.prefix}:").split(":", 2)
        return View(key, int(tag[2:4]), int(generation))

    def _of_tenant(self, tenant: str, name: str) -> str:
        return self._tagged(self.partition_of(tenant), name)

    def _tagged(self, partition: int, name: str) -> str:
        return f"{self.prefix}:{{p{partition:02d}}}:{name}"


# Asked for with every key; more tenants than this only cost the hash again.
@lru_cache(maxsize=4_096)
def _number_of(tenant: str) -> int:
    return int.from_bytes(blake2b(tenant.encode(), digest_size=8).digest())
