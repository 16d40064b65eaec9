"""What several commands take, with the same name, meaning and help in each."""

import re
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar, get_args

import typer

from actors.commands.durations import duration_ms
from actors.commands.found_posts import FoundPost, found_post

T = TypeVar("T")

State = Literal[
    "waiting", "claimed", "sending", "uncertain",
    "sent", "rejected", "expired", "cancelled", "unproven",
]  # fmt: skip
Redrivable = Literal["rejected", "expired", "cancelled", "unproven"]

# Kept with the request and told to everyone: a sentence, no story.
_SENTENCE_CHARS = 200
_CHANNEL = re.compile(r"[A-Z0-9]{2,64}", re.ASCII)


def _read_by(read: Callable[[str], T]) -> Callable[[str], T]:
    """For typer, which would replace the words of a ValueError."""

    def reader(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise typer.BadParameter(f"{text!a} {error}.") from None

    return reader


def sentence(text: str) -> str:
    """Raises ValueError whose text goes on from the value."""
    if not text.strip():
        raise ValueError("is empty")
    if len(text) > _SENTENCE_CHARS:
        raise ValueError(f"has {len(text)} characters, at most {_SENTENCE_CHARS} are allowed")
    if not text.isprintable():
        raise ValueError("holds a line break or a control character")
    return text


def channel_id(text: str) -> str:
    """As `sentence`."""
    if not _CHANNEL.fullmatch(text):
        raise ValueError("is not a channel's id, such as C0123ABCD")
    return text


Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant that asked.")]
RequestId = Annotated[str, typer.Argument(metavar="ID", help="Its message_request_id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

OfTenant = Annotated[
    str | None, typer.Option("--tenant", metavar="TENANT", help="Of this tenant only.")
]
OfState = Annotated[
    State | None,
    typer.Option("--status", metavar="STATE", help=f"One of {', '.join(get_args(State))}."),
]
OfError = Annotated[
    str | None, typer.Option("--error", metavar="CODE", help="Ended with this error.")
]
OlderThan = Annotated[
    int | None,
    typer.Option(
        "--older-than",
        metavar="DURATION",
        parser=_read_by(duration_ms),
        help="It ended, or, still open, was requested so long ago: 30s, 10m, 2h, 3d.",
    ),
]
NewerThan = Annotated[
    int | None,
    typer.Option(
        "--newer-than",
        metavar="DURATION",
        parser=_read_by(duration_ms),
        help="The same, and less long ago.",
    ),
]
Why = Annotated[
    str | None,
    typer.Option(
        "--why",
        metavar="TEXT",
        parser=_read_by(sentence),
        help="A short sentence, kept on record, so without message text.",
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="NAME",
        parser=_read_by(sentence),
        help="Who wants it.  [default: you, at this host]",
    ),
]
SlackPost = Annotated[
    FoundPost | None,
    typer.Option(
        "--mark-sent",
        metavar="TS",
        parser=_read_by(found_post),
        help="Post nothing: it is in Slack, as its link or its timestamp says.",
    ),
]
ChannelId = Annotated[
    str | None,
    typer.Option(
        "--channel",
        metavar="ID",
        parser=_read_by(channel_id),
        help="With --mark-sent TS, where the record names no channel.",
    ),
]
