"""The commands by which a person steps in: what ended is tried again, what is open is stopped."""

from typing import Annotated

import typer

from actors.commands.carrying_out import again_of, carry_out
from actors.commands.exit_codes import ExitCode
from actors.options import (
    AsJson,
    By,
    ChannelId,
    NewerThan,
    OfError,
    OfTenant,
    OlderThan,
    Redrivable,
    RequestId,
    SlackPost,
    Tenant,
    Why,
)


def redrive(  # noqa: PLR0913 - one for each option
    tenant: Annotated[
        str | None, typer.Argument(metavar="TENANT", help="The tenant that asked.")
    ] = None,
    message_request_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="Its message_request_id.")
    ] = None,
    *,
    why: Why = None,
    by: By = None,
    post_again: Annotated[
        bool,
        typer.Option("--post-again", help="Though Slack may have it; for what is unproven."),
    ] = False,
    mark_sent: SlackPost = None,
    channel: ChannelId = None,
    status: Annotated[
        Redrivable | None,
        typer.Option(metavar="STATE", help="Many: rejected, expired, cancelled or unproven."),
    ] = None,
    of_tenant: OfTenant = None,
    error: OfError = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Redrive the many; without it they are only shown.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Have what ended without a post tried again.

    It is posted as if it were new, by what is configured now. What was sent is refused, and what is
    still open goes on by itself. Running it again is safe, but not with --post-again, which
    posts a further time what has ended unproven anew.

    What is unproven may be in Slack: look there first, as postonce explain says. Then either
    --mark-sent records where it is, or --post-again has it posted, perhaps a second time. Where it
    is tells "Copy link" in the menu of the message; put the link in quotes.

    Many are chosen by --status and narrowed by the other options. That is a dry run, which only
    shows them, unless --yes is given. What ended in the last moments may be missing.
    """

    def redriven() -> ExitCode:
        from actors.commands.redrive import redrive_as  # noqa: PLC0415 - see cli.py
        from actors.commands.redrive_options import Options  # noqa: PLC0415 - see cli.py

        options = Options(
            tenant=tenant,
            id=message_request_id,
            of_tenant=of_tenant,
            status=status,
            error=error,
            older_than_ms=older_than,
            newer_than_ms=newer_than,
            post_again=post_again,
            post=mark_sent,
            channel=channel,
            why=why,
            by=by,
            yes=yes,
        )
        return redrive_as(options, as_json=as_json)

    return carry_out(redriven, again=again_of(post_again=post_again))


def cancel(
    tenant: Tenant,
    message_request_id: RequestId,
    *,
    why: Why = None,
    by: By = None,
    as_json: AsJson = False,
) -> int:
    """Stop a request that was not posted yet.

    Where a POST may be on its way it is only asked for: the request is cancelled once that POST is
    proven absent, and sent if it arrived. What has ended is too late to cancel.
    """
    from actors.commands.cancel import cancel_request  # noqa: PLC0415 - see cli.py

    return carry_out(
        lambda: cancel_request(tenant, message_request_id, by=by, why=why, as_json=as_json)
    )
