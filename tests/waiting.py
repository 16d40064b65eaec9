"""Tests wait for what they expect, with a limit and a name; none of them sleeps."""

from __future__ import annotations

from sandbox.waiting import wait_in_loop_until, wait_until

__all__ = ["wait_in_loop_until", "wait_until"]
