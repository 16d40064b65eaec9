"""Ids and codes have only characters that are safe in keys, logs, URLs and shells.

No brace, so that no id can move a key to another hash slot; no colon in a tenant, because a key
joins it to an id by one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Strict

from projector.sentences import plain

CODE_MAX_CHARS = 200

_PUNCTUATION = "._@/+=~:-"


def code_flaw(text: str) -> str | None:
    """What keeps `text` from being an id or a code, as a sentence; None when nothing does."""
    return _flaw(text, punctuation=_PUNCTUATION)


def tenant_flaw(text: str) -> str | None:
    """As `code_flaw`, for a tenant, which has no `:`."""
    return _flaw(text, punctuation=_PUNCTUATION.replace(":", ""))


def _flaw(text: str, *, punctuation: str) -> str | None:
    if not text:
        return "is empty"
    if len(text) > CODE_MAX_CHARS:
        return f"is {len(text)} characters long, {CODE_MAX_CHARS} at most are allowed"
    allowed = f"letters (a-z, A-Z), digits and {' '.join(punctuation)}"
    bad = re.search(rf"[^A-Za-z0-9{re.escape(punctuation)}]", text)
    if bad:
        where = f"{_spoken(bad.group())} at position {bad.start() + 1}"
        return f"has {where}; {allowed} are allowed"
    if text[0] in punctuation:
        return f"begins with {_spoken(text[0])}; a letter or a digit must come first"
    return None


def _spoken(character: str) -> str:
    """Readable in a log line, whatever the character would do to a terminal."""
    if character == " ":
        return "a space"
    category = unicodedata.category(character)
    if category == "Cc":
        return f"a control character (U+{ord(character):04X})"
    if category[0] in "CZ":
        return f"an invisible character (U+{ord(character):04X})"
    if character.isascii():
        return f'"{character}"'
    return f'"{character}" (U+{ord(character):04X})'


def _code(text: str) -> str:
    flaw = code_flaw(text)
    if flaw:
        raise plain(flaw)
    return text


def _tenant(text: str) -> str:
    flaw = tenant_flaw(text)
    if flaw:
        raise plain(flaw)
    return text


Code = Annotated[str, Strict(), AfterValidator(_code)]
MessageRequestId = Annotated[str, Strict(), AfterValidator(_code)]
Tenant = Annotated[str, Strict(), AfterValidator(_tenant)]
