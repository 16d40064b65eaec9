"""The requests that a benchmark makes: the shared examples, under new ids."""

from __future__ import annotations

import json
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benchmarks.rig import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXAMPLES = PROJECT / "examples" / "requests.jsonl"


def requests(count: int) -> Iterator[dict[str, Any]]:
    """Real requests, repeated; each has an id of its own, which its text carries after `ref`."""
    examples = [json.loads(line) for line in _EXAMPLES.read_text("utf-8").splitlines()]
    for example in islice(cycle(examples), count):
        reference = str(uuid4())
        variables = example["variables"] | {"ref": reference}
        yield example | {"message_request_id": reference, "variables": variables}
