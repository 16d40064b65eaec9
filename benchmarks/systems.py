"""The two systems that are compared: the same job, the same number of worker threads."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.rig import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.rig import Rig

PROCESSES = 2
THREADS = 16


def _workers(module: str) -> tuple[str, ...]:
    return ("dramatiq", module, "--processes", str(PROCESSES), "--threads", str(THREADS))


class Postonce:
    """Projector and workers of this project, with its defaults."""

    name = "postonce"

    def prepare(self) -> None:
        from actors.tenants_file import read_tenants_file  # noqa: PLC0415 - after the environment
        from projector.configure import configure  # noqa: PLC0415
        from projector.connection import get_ledger  # noqa: PLC0415

        configure(get_ledger(), read_tenants_file(PROJECT / "examples" / "tenants.yaml"))

    @contextmanager
    def running(self, rig: Rig) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(rig.running("projector"))
            stack.enter_context(rig.running(*_workers("actors.app")))
            yield

    def ask(self, requests: Iterable[dict[str, Any]]) -> None:
        from projector.requests import request_many  # noqa: PLC0415 - after the environment

        for _ in request_many(requests):
            pass


class Naive:
    """The design it replaces: two SETNX keys and a sync `WebClient`."""

    name = "naive"

    def prepare(self) -> None:
        assert os.environ["POSTONCE_REDIS_URL"]

    @contextmanager
    def running(self, rig: Rig) -> Iterator[None]:
        with rig.running(*_workers("benchmarks.naive_app")):
            yield

    def ask(self, requests: Iterable[dict[str, Any]]) -> None:
        from benchmarks.naive_app import dispatch  # noqa: PLC0415 - after the environment

        for request in requests:
            dispatch(request)
