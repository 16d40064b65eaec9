"""A value shows as what it is: it never becomes a mention, a link of its own, or the end of one.

A rendered string is a list of pieces, the template's own text and values by turns. Only the
template's text may open and close Slack's `<…>`; a value is encoded for the place it stands in,
whatever conditions and loops led there.

Slack decodes exactly `&amp;`, `&lt;` and `&gt;`, in every text object (its page on formatting
speaks of text objects, not of mrkdwn only, and returns a plain_text `&` as `&amp;`), so plain_text
is escaped as well: a value `&lt;` would else be shown as `<`. `*`, `_`, `~` and `:emoji:` stay
live.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Syntax(Enum):
    """How Slack reads the string that a value is put into."""

    MRKDWN = "mrkdwn"
    PLAIN = "plain"
    ADDRESS = "address"


def escape(value: str) -> str:
    """The three characters that Slack decodes, `&` first; others it would show encoded."""
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def assemble(pieces: Sequence[str], syntax: Syntax) -> str:
    """`pieces` are template text, value, template text, …; values are encoded, the rest is kept."""
    place = _Place()
    keep: Callable[[str], str]
    match syntax:
        case Syntax.MRKDWN:
            keep, encode = place.pass_by, place.put
        case Syntax.PLAIN:
            keep, encode = str, escape
        case Syntax.ADDRESS:
            # Not a text object, so Slack decodes nothing in it: `&` must stay as it is.
            keep, encode = str, _address
        case unreachable:
            assert_never(unreachable)
    return "".join(encode(piece) if at % 2 else keep(piece) for at, piece in enumerate(pieces))


class _Place:
    """Where in `<target|label>` the next piece stands; both None outside of it."""

    def __init__(self) -> None:
        self._target: str | None = None
        self._in_label = False

    def pass_by(self, text: str) -> str:
        """Template text moves the place."""
        if "<" in text or self._target is not None or self._in_label:
            for character in text:
                self._step(character)
        return text

    def _step(self, character: str) -> None:
        if character == "<":
            self._target, self._in_label = "", False
        elif character == ">" or (self._target == "" and character.isspace()):
            # Slack takes `< ` for text, so what follows is no target.
            self._target, self._in_label = None, False
        elif self._target is not None and character == "|":
            self._target, self._in_label = None, True
        elif self._target is not None:
            self._target += character

    def put(self, value: str) -> str:
        """A value is encoded for the place and leaves it as it is."""
        if self._in_label:
            return escape(_LINE_BREAKS.sub(" ", value))
        if self._target is None:
            return escape(value)
        target = _address(value)
        if self._target == "!" or (self._target == "" and target[:1] in _MENTIONS):
            # `<!`, `<@` and `<#` notify and refer: what they name is the template's to say.
            target = _percent(target[:1]) + target[1:]
        self._target += target
        return escape(target)


_MENTIONS = ("!", "@", "#")
_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_NOT_IN_ADDRESS = re.compile(r"[\s\x00-\x20\x7f-\xa0<>|\"`\u2028\u2029]")


def _address(value: str) -> str:
    """What would end a link or break a line, percent-encoded; an address has none of it raw."""
    return _NOT_IN_ADDRESS.sub(lambda found: _percent(found.group()), value)


def _percent(text: str) -> str:
    """Every character encoded, letters too, which `quote` leaves alone."""
    return "".join(f"%{byte:02X}" for byte in text.encode())
