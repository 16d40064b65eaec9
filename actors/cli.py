"""`postonce`: what an operator types; each command says in its exit code too what it found.

A command's own module is imported when the command is run, so that `--help` answers at once.
"""

# ruff: noqa: PLC0415 - as said above

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from actors.commands.carrying_out import carry_out
from actors.commands.exit_codes import ExitCode
from actors.commands.logs import log_nothing
from actors.commands.stop_signals import end_by_signals
from actors.operating_cli import cancel, redrive
from actors.options import (
    AsJson,
    NewerThan,
    OfError,
    OfState,
    OfTenant,
    OlderThan,
    RequestId,
    Tenant,
)

# `\b` keeps the lines of a paragraph as they are.
_EXIT_CODES = """\b
Exit codes:
  0  done
  1  some were refused, or a check failed
  2  usage: the command line, a file or the environment is not as it should be
  3  no such request, or no such tenant
  4  the store or the queue cannot be reached; running it again is safe,
     except for redrive --post-again
  5  carried out, but stdout could not be written, so it could not be shown
  130 and 143  stopped by Ctrl-C and by SIGTERM
  141  stopped as the reader of its output had gone, as head does

The environment says where the store is, and all else: POSTONCE_REDIS_URL and others.
"""


def _examples(*lines: str) -> str:
    return "\n  ".join(("\b\nExample:" if len(lines) == 1 else "\b\nExamples:", *lines))


_FIRST_STEPS = _examples(
    "postonce stats",
    "postonce list --status unproven",
    "postonce explain acme r1",
    "postonce redrive --help",
)

app = typer.Typer(
    help="Slack messages, asked for by services, posted once.",
    epilog=f"{_FIRST_STEPS}\n\n{_EXIT_CODES}",
    add_completion=False,
    # Its tracebacks show local variables, which may hold a token or a message's text.
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _tell_version(asked: bool) -> None:  # noqa: FBT001 - typer's signature
    if asked:
        typer.echo(f"postonce {version('postonce')}")
        raise typer.Exit


@app.callback()
def postonce(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Print the version."),
    ] = False,
) -> None:
    """Only what is common to all commands."""


@app.command(epilog=_examples("postonce configure tenants.yaml"))
def configure(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Tenants, in YAML."),
    ],
) -> int:
    """Apply a tenants file, if nothing at all is wrong with it.

    All of it is validated first, and each problem named by its line. Then it is applied tenant by
    tenant. Tenants that are not in the file stay as they are.
    """
    from actors.commands.configure import configure_from

    return carry_out(lambda: configure_from(file))


@app.command(
    epilog=_examples(
        "postonce request requests.jsonl",
        "some-service | postonce request - --json",
        "where a line, unbroken, is:",
        '{"tenant": "acme", "message_request_id": "r1", "channel_code": "ops",',
        ' "template_code": "hi", "variables": {"name": "Ada"}}',
    )
)
def request(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON lines; - is stdin.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")] = False,
) -> int:
    """Ask for messages: one JSON object a line.

    A line that is not valid, or conflicts with an accepted request, is named by its number and the
    rest goes on. Running it again is safe: what was accepted before is counted as a duplicate.
    """
    from actors.commands.request import request_from

    return carry_out(lambda: request_from(file, as_json=as_json))


@app.command(epilog=_examples("postonce status acme r1", "postonce status acme r1 --json"))
def status(tenant: Tenant, message_request_id: RequestId, *, as_json: AsJson = False) -> int:
    """Show where a request stands."""
    from actors.commands.status import show_status

    return carry_out(lambda: show_status(tenant, message_request_id, as_json=as_json))


@app.command(epilog=_examples("postonce explain acme r1"))
def explain(tenant: Tenant, message_request_id: RequestId, *, as_json: AsJson = False) -> int:
    """Show why: every event and claim, and what to do next."""
    from actors.commands.explain import show_explanation

    return carry_out(lambda: show_explanation(tenant, message_request_id, as_json=as_json))


@app.command(
    "list",
    epilog=_examples(
        "postonce list --status unproven",
        "postonce list --tenant acme --error is_archived --newer-than 2h",
        "postonce list --tenant acme --json | jq -r .message_request_id",
    ),
)
def list_requests(
    *,
    tenant: OfTenant = None,
    status: OfState = None,
    error: OfError = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="At most so many.  [default: 100 on a terminal, else all]"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> int:
    """List requests, those of each tenant together.

    Open ones come before ended ones, and the oldest come first. What happened in the last moments
    may not be listed yet; what is listed is as it is now. Piped, columns are divided by tabs.
    """

    def listed() -> ExitCode:
        from actors.commands.filters import filter_of
        from actors.commands.status import current_ms, show_list

        wanted = filter_of(
            tenant=tenant,
            status=status,
            error=error,
            older_than_ms=older_than,
            newer_than_ms=newer_than,
            now_ms=current_ms(),
        )
        return show_list(wanted, limit=limit, as_json=as_json)

    return carry_out(listed)


app.command(
    epilog=_examples(
        'postonce redrive acme r1 --why "the channel is open again"',
        'postonce redrive acme r1 --mark-sent p1796043073545059 --why "found it"',
        'postonce redrive acme r1 --post-again --why "it is not there"',
        "postonce redrive --status rejected --error is_archived --newer-than 2h",
        'postonce redrive --status expired --tenant acme --yes --why "an outage"',
    )
)(redrive)
app.command(epilog=_examples('postonce cancel acme r1 --why "sent by mail"'))(cancel)


@app.command(epilog=_examples("postonce rebuild", "postonce rebuild --json"))
def rebuild(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a partition.")] = False,
) -> int:
    """Make lists and timelines anew from the log.

    It dispatches nothing and may run while everything else does. The new views are made beside the
    old ones, and shown partition by partition, as far as the projector has come. Texts that were
    lost and may still be needed are restored. Stopped at any moment it has done no harm: run it
    again. Of two at once the later goes on. It is refused where POSTONCE_RETENTION_S is not that of
    the projectors: a shorter one would drop what they list.
    """
    from actors.commands.rebuild import rebuild_all

    return carry_out(lambda: rebuild_all(as_json=as_json))


@app.command(epilog=_examples("postonce stats", "postonce stats --json | jq .unproven"))
def stats(*, as_json: AsJson = False) -> int:
    """Count how much stands where, over all tenants."""
    from actors.commands.stats import show_stats

    return carry_out(lambda: show_stats(as_json=as_json))


@app.command(epilog=_examples("postonce doctor"))
def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False
) -> int:
    """Check store, queue, processes and Slack tokens.

    Each line says what was found and, unless it is good, what to do. No token is ever shown.
    """
    from actors.commands.doctor import examine

    return carry_out(lambda: examine(as_json=as_json))


@app.command(epilog=_examples("POSTONCE_REDIS_URL=redis://10.0.0.5:6379/0 postonce projector"))
def projector(
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Also say why something was not dispatched.")
    ] = False,
) -> int:
    """Run the projector until SIGTERM or Ctrl-C.

    It folds the event log into what is listed, and dispatches what is requested. Any number may
    run. The same as python -m projector.
    """

    def service() -> ExitCode:
        from actors.commands.projector_service import run_projector

        return run_projector(verbose=verbose)

    return carry_out(service)


@app.command(epilog=_examples("postonce up", "postonce up --workers 2 --threads 16"))
def up(
    *,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Worker processes.")] = 1,
    threads: Annotated[
        int, typer.Option(metavar="N", min=1, max=1024, help="Threads of each worker.")
    ] = 8,
) -> int:
    """Run projector and workers together, for small installations.

    What dies is started again. SIGTERM or Ctrl-C lets them finish what they post; a second one
    ends them at once. In production give each its own service: postonce projector, and dramatiq
    actors.app.
    """
    from actors.commands.up import run_all

    return carry_out(lambda: run_all(workers=workers, threads=threads))


def run(arguments: Sequence[str]) -> int:
    """The exit code; everything else is said on stdout and stderr."""
    log_nothing()
    try:
        asked = list(arguments) or ["--help"]
        return int(app(asked, prog_name="postonce", standalone_mode=False) or ExitCode.DONE)
    except typer.TyperException as refused:
        context = getattr(refused, "ctx", None)
        command = "postonce" if context is None else context.command_path
        # What pydantic puts in front of a validator's own words.
        wrong = refused.format_message().replace("Value error, ", "")
        typer.echo(f"{command}: {wrong} Try {command} --help.", err=True)
        return ExitCode.USAGE


def main() -> None:
    end_by_signals()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
