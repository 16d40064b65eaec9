"""Which part of a process makes an effect: each works in an order of its own."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.system.crashing.effects import Role


class Part(StrEnum):
    START_UP = "start-up"  # asks the servers whether they will do
    SERVICE = "service"
    PROJECTOR = "projector"
    CONSUMER = "consumer"
    SWEEPER = "sweeper"
    PRESENCE = "presence"
    ACTOR = "actor"
    RECONCILER = "reconciler"


_START_UP = frozenset({"hsetnx", "hget", "info", "config", "dramatiq.maxstack"})
_SWEEPER = frozenset({"due", "sweep", "dispatch", "queue.enqueue", "not_dispatched"})
_PRESENCE = frozenset({"note_worker", "forget_worker"})
_RECONCILER = frozenset({"absent", "look_later", "give_up", "auth.test"})


def part_of(role: Role, name: str) -> Part:
    """By what the threads of a worker do, which is all that is seen of them."""
    if name in _START_UP:
        return Part.START_UP
    if role != "worker":
        return Part(role)
    if name in _SWEEPER:
        return Part.SWEEPER
    if name in _PRESENCE:
        return Part.PRESENCE
    if name.startswith("queue."):
        return Part.CONSUMER
    if name in _RECONCILER or name.startswith("conversations."):
        return Part.RECONCILER
    return Part.ACTOR
