"""What the user declared is told from what was put around it, so that each actor is wrapped once.

Only Dramatiq's wrapper and the guard's are seen through: a decorator of the user's own stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dramatiq.asyncio import async_to_sync

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq import Actor

_MARK = "__send_lock__"


@dataclass(frozen=True, slots=True)
class _Mark:
    """Names its wrapper too, because `functools.wraps` copies attributes to the next one."""

    wrapper: Callable[..., Any]
    actor: Actor[Any, Any]
    function: Callable[..., Any]


def original_function(actor: Actor[Any, Any]) -> Callable[..., Any]:
    """What the user declared, with all its decorators."""
    mark = _mark_of(actor)
    if mark is not None:
        return mark.function
    declared: Any = actor.fn
    if getattr(declared, "__code__", None) is _DRAMATIQS_CODE:
        declared = declared.__wrapped__
    function: Callable[..., Any] = declared
    return function


def is_wrapped(actor: Actor[Any, Any]) -> bool:
    """False also for the wrapper of another actor: it would ask that one's ledger."""
    mark = _mark_of(actor)
    return mark is not None and mark.actor is actor


def put_around(actor: Actor[Any, Any], wrapper: Callable[..., Any]) -> None:
    """Let the actor run `wrapper`, which runs what the user declared."""
    setattr(wrapper, _MARK, _Mark(wrapper, actor, original_function(actor)))
    actor.fn = wrapper


def _mark_of(actor: Actor[Any, Any]) -> _Mark | None:
    mark: _Mark | None = getattr(actor.fn, _MARK, None)
    return mark if mark is not None and mark.wrapper is actor.fn else None


async def _any_coroutine() -> None:
    """Dramatiq puts one function around each coroutine that it is given."""


_DRAMATIQS_CODE = async_to_sync(_any_coroutine).__code__
