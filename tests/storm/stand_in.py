"""The stand-in for Slack as a process of its own, told over its own doors how to lie."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, cast

from sandbox.servers import HOST, free_port
from sandbox.slack.faults import FAULT
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.slack.faults import Fault

_START_S = 30.0
# Thousands of messages are told in one answer.
_ANSWER_S = 30.0


class StandIn:
    def __init__(self) -> None:
        self.port = free_port()
        self._root = f"http://{HOST}:{self.port}"
        # Past a proxy, if the environment names one: it is on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @property
    def url(self) -> str:
        """For POSTONCE_SLACK_URL."""
        return f"{self._root}/api/"

    def arguments(self, *, slow_ms: int, history_lag_ms: int) -> tuple[str, ...]:
        """By which `python` starts it."""
        slowness = ("--slow-ms", str(slow_ms), "--history-lag-ms", str(history_lag_ms))
        return ("-m", "sandbox", "--port", str(self.port), *slowness)

    def wait(self) -> None:
        wait_until(self._answers, description="the stand-in answers", timeout_s=_START_S)

    def lie(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self._ask("POST", "sandbox/faults", fault.model_dump())

    def tell_the_truth(self) -> None:
        self._ask("DELETE", "sandbox/faults")

    def change(self, **conditions: object) -> None:
        self._ask("POST", "sandbox/conditions", conditions)

    def totals(self) -> Mapping[str, int]:
        """`received`, `stored`, `duplicates` and `faults` so far."""
        return cast("dict[str, int]", self._ask("GET", "sandbox/health"))

    def posts(self) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self._ask("GET", "sandbox/posts")["posts"])

    def calls(self) -> dict[str, int]:
        """How often each method was called."""
        return cast("dict[str, int]", self._ask("GET", "sandbox/posts")["counters"]["by_method"])

    def attempts(self) -> list[dict[str, Any]]:
        """Every POST that arrived, and what became of it."""
        return cast("list[dict[str, Any]]", self._ask("GET", "sandbox/attempts"))

    def struck(self) -> list[tuple[Fault, int]]:
        """How often each lie that it was told was told by it."""
        active = self._ask("GET", "sandbox/faults")["active"]
        return [
            (FAULT.validate_python(_without(each, "id", "struck")), each["struck"])
            for each in active
        ]

    def _answers(self) -> bool:
        try:
            return bool(self.totals())
        except urllib.error.URLError:
            return False

    def begin_thread(self, *, token: str, channel: str) -> str:
        """Post, as anybody may, what can be replied to; its ts."""
        text = {"channel": channel, "text": "Please reply."}
        bearer = {"Authorization": f"Bearer {token}"}
        return str(self._ask("POST", "api/chat.postMessage", text, bearer)["ts"])

    def _ask(
        self, method: str, door: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Any:  # noqa: ANN401 - JSON
        request = urllib.request.Request(  # noqa: S310 - always http, to this machine
            f"{self._root}/{door}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
            method=method,
        )
        with self._opener.open(request, timeout=_ANSWER_S) as answer:
            said = answer.read()
        return json.loads(said) if said else None


def _without(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}
