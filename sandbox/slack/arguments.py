"""What a caller sent, in JSON or as a form, read and refused as Slack does.

Slack takes arguments in the query, in a form or in a JSON object, a token in all of these but the
JSON object, and warns of a charset that is missing or too much.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.slack.errors import SlackError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
_TRUE = {"1", "true"}


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call by name; JSON values stay what they were, others are text."""

    values: Mapping[str, Any]
    token: str | None = None
    warnings: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """Empty when it is missing; raises `invalid_arguments` for what is not text."""
        match self.values.get(name):
            case None:
                return ""
            case str() as text:
                return text
            case bool() | int() | float() as scalar:
                return json.dumps(scalar)
            case _:
                raise SlackError(
                    "invalid_arguments", f"must provide a string [json-pointer:/{name}]"
                )

    def required(self, name: str) -> str:
        """Raises `invalid_arguments` when it is missing."""
        text = self.text(name)
        if not text:
            raise SlackError("invalid_arguments", f"missing required field: {name}")
        return text

    def flag(self, name: str, *, default: bool = False) -> bool:
        text = self.text(name)
        return text in _TRUE if text else default

    def parsed(self, name: str, *, otherwise: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """A JSON value, also when it came as text; raises `otherwise` if that is not JSON."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise SlackError(otherwise) from None


async def read_arguments(request: web.Request) -> Arguments:
    """Raises what Slack answers to a body that it cannot read."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else None
    if request.method == "GET" or not request.can_read_body:
        return _from_form(dict(request.query), token=token)
    if "Content-Type" not in request.headers:
        raise SlackError("missing_post_type")
    if request.content_type in _FORMS:
        form = dict(await request.post())
        superfluous = request.charset is not None and request.content_type != "multipart/form-data"
        return _from_form(
            {**request.query, **form},
            token=token,
            warnings=("superfluous_charset",) if superfluous else (),
        )
    if request.content_type != "application/json":
        raise SlackError("invalid_post_type")
    try:
        values = json.loads(await request.read())
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(values, dict):
        raise SlackError("json_not_object")
    warnings = () if request.charset else ("missing_charset",)
    return Arguments(values, token or request.query.get("token"), warnings)


def _from_form(
    values: Mapping[str, Any], *, token: str | None, warnings: tuple[str, ...] = ()
) -> Arguments:
    unnamed = {name: value for name, value in values.items() if name != "token"}
    return Arguments(unnamed, token or values.get("token"), warnings)
