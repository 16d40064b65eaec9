"""A hook that fails lets nothing through: Dramatiq swallows what is not a `MiddlewareError`, and
then enqueues the message, declares the actor or starts the worker unguarded.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from dramatiq.asyncio import get_event_loop_thread, set_event_loop_thread
from dramatiq.middleware import MiddlewareError

from middleware.errors import GuardFailed

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def refusing(hook: Callable[P, R]) -> Callable[P, R]:
    """The hook, raising GuardFailed in place of what nobody foresaw."""

    @functools.wraps(hook)
    def refusing_hook(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return hook(*args, **kwargs)
        except MiddlewareError:
            raise
        except Exception as error:
            # The kind of error only: its text may hold an argument.
            msg = f"{hook.__qualname__} failed: {type(error).__name__}"
            raise GuardFailed(msg) from error

    return refusing_hook


def refusing_boot(hook: Callable[P, R]) -> Callable[P, R]:
    """As `refusing`; and the process ends, so that whoever supervises it notices.

    Dramatiq's AsyncIO has started its thread by then, which would keep the process for ever.
    """
    refusing_hook = refusing(hook)

    @functools.wraps(hook)
    def refusing_boot_hook(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return refusing_hook(*args, **kwargs)
        except MiddlewareError:
            loop_thread = get_event_loop_thread()
            if loop_thread is not None:
                # It carries no types.
                stop: Callable[[], None] = loop_thread.stop
                stop()
                set_event_loop_thread(None)
            raise

    return refusing_boot_hook
