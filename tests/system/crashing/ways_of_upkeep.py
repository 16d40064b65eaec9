"""What is done besides sending, by people and by services: each way leads past other points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.system.crashing.ways_of_sending import come_to_rest, ready

if TYPE_CHECKING:
    from tests.system.crashing.run import Run

_TENANTS = """
tenants:
  acme:
    workspaces: {{main: {{team_id: {team}}}}}
    channels: {{ops: {{workspace: main, id: {channel}}}}}
    templates: {{later: {{text: "Hello {{{{ name }}}}"}}}}
  globex:
    workspaces: {{main: {{team_id: {team}G}}}}
    channels: {{ops: {{workspace: main, id: {channel}G}}}}
    templates: {{hi: {{text: "Hi"}}}}
"""


def configured(run: Run) -> None:
    """A request needs what has just been configured, and another tenant is new."""
    ready(run)
    run.tell_service("configure", text=_TENANTS.format(team=run.team, channel=run.channel))
    if not run.ledger.store.client.exists(run.ledger.keys.config("globex")):
        run.crew.notices.append("globex was not configured")
    come_to_rest(run)
    run.request("r1", template_code="later")


def followed(run: Run) -> None:
    """A service acts on each outcome, up to the last one."""
    run.start_and_wait("projector", "worker")
    for name in ("r1", "r2"):
        run.request(name)
        come_to_rest(run)
    run.watch.arm()
    run.tell_service("follow", "r2")
    client, prefix = run.ledger.store.client, run.ledger.keys.prefix
    run.crew.notices += [
        f"nobody acted on the outcome of {name}"
        for name in run.asked
        if not client.exists(f"{prefix}:acted:{name}")
    ]


def trimmed(run: Run) -> None:
    """Only what is older than the oldest request with a record may be forgotten."""
    run.start_and_wait("projector", "worker")
    client, keys = run.ledger.store.client, run.ledger.keys
    for stream in (keys.requests(0), keys.outcomes(0)):
        client.xadd(stream, {"event": "unheard-of", "id": "r0"})
    run.request("r1")
    come_to_rest(run)
    run.watch.arm()
    run.tell_service("trim")
    kept = [client.xlen(keys.requests(0)), client.xlen(keys.outcomes(0))]
    if kept != [1, 1]:
        run.crew.notices.append(f"the log keeps {kept} requests and outcomes, not [1, 1]")
