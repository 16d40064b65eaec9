"""A message that Slack would cut, split or refuse is refused here, before an attempt is made of it.

Lengths are those of the text as it is sent, escaped. Sources: Slack's pages on blocks and on
truncating content; that one POST becomes several messages from 4,041 characters on was seen live,
as was the sum of about 13,200 for all blocks.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from actors.errors import spoken_path
from middleware.fates import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TEXT_MAX_CHARS = 4_000
BLOCKS_MAX = 50
BLOCKS_TEXT_MAX_CHARS = 13_200
TEXT_OBJECT_MAX_CHARS = 3_000
# Where Slack allows less than in any other text object: (type of the holder, its key).
_TEXT_OBJECT_MAX_CHARS = {
    ("header", "text"): 150,
    ("section", "fields"): 2_000,
    ("button", "text"): 75,
}
_STRING_MAX_CHARS = {("markdown", "text"): 12_000, ("image", "alt_text"): 2_000}

# Of text and blocks as they are sent, so that a request leaves in one piece, or not at all. The
# longest texts that are allowed are 17,200 characters of at most 4 bytes; the rest is for what is
# not shown of the blocks, such as addresses.
MESSAGE_MAX_BYTES = 100_000

assert TEXT_OBJECT_MAX_CHARS < TEXT_MAX_CHARS < BLOCKS_TEXT_MAX_CHARS
assert 4 * (TEXT_MAX_CHARS + BLOCKS_TEXT_MAX_CHARS) < MESSAGE_MAX_BYTES

# How JSON is written to Slack: a character that is not ASCII takes up to 4 bytes, not up to 12.
json_as_sent = partial(json.dumps, ensure_ascii=False)


def message_refusals(text: str, blocks: Sequence[Mapping[str, object]] | None) -> Iterator[Refused]:
    """All that is wrong, the codes being Slack's own for it; no sentence holds any of the text."""
    if not text.strip() and not blocks:
        yield Refused("no_text", "The text is empty, and there are no blocks.")
    if len(text) > TEXT_MAX_CHARS:
        sentence = f"The text has {len(text)} characters, {TEXT_MAX_CHARS} at most are allowed."
        yield Refused("msg_too_long", sentence)
    if blocks is None:
        return
    if len(blocks) > BLOCKS_MAX:
        sentence = f"There are {len(blocks)} blocks, {BLOCKS_MAX} at most are allowed."
        yield Refused("invalid_blocks", sentence)
    total = 0
    for path, string, most in _strings(blocks):
        total += len(string)
        where = spoken_path(("blocks", *path))
        if not string:
            sentence = f'{where} is empty; where a variable may be, {{{{ x or "-" }}}} helps.'
            yield Refused("invalid_blocks", sentence)
        if len(string) > most:
            sentence = f"{where} has {len(string)} characters, {most} at most are allowed."
            yield Refused("invalid_blocks", sentence)
    if total > BLOCKS_TEXT_MAX_CHARS:
        sentence = (
            f"The blocks have {total} characters, {BLOCKS_TEXT_MAX_CHARS} at most are allowed."
        )
        yield Refused("msg_blocks_too_long", sentence)
    yield from _size_refusals(text, blocks)


def _size_refusals(text: str, blocks: Sequence[Mapping[str, object]]) -> Iterator[Refused]:
    try:
        size = len(json_as_sent([text, blocks]).encode())
    except UnicodeEncodeError:
        yield Refused("invalid_blocks", "The blocks hold half of a character, which is no text.")
        return
    if size > MESSAGE_MAX_BYTES:
        sentence = f"The message has {size} bytes, {MESSAGE_MAX_BYTES} at most are allowed."
        yield Refused("msg_blocks_too_long", sentence)


_Path = tuple[str | int, ...]


def _strings(
    node: object, path: _Path = (), holder: tuple[str, str] = ("", "")
) -> Iterator[tuple[_Path, str, int]]:
    """Every string that is shown, where it is, and how long Slack lets it be."""
    if isinstance(node, list | tuple):
        for at, inner in enumerate(node):
            yield from _strings(inner, (*path, at), holder)
    elif isinstance(node, dict):
        kind = str(node.get("type"))
        if kind in {"mrkdwn", "plain_text"} and isinstance(node.get("text"), str):
            most = _TEXT_OBJECT_MAX_CHARS.get(holder, TEXT_OBJECT_MAX_CHARS)
            yield (*path, "text"), node["text"], most
            return
        for key, inner in node.items():
            limited = _STRING_MAX_CHARS.get((kind, key))
            if limited and isinstance(inner, str):
                yield (*path, key), inner, limited
            else:
                yield from _strings(inner, (*path, key), (kind, key))
