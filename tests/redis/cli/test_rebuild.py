from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dramatiq.brokers.stub import StubBroker

from actors.commands.exit_codes import ExitCode
from actors.commands.rebuild import follow
from middleware.dispatch_once import DispatchOnce
from middleware.ledger import Ledger
from middleware.timing import DAY_MS, Timing
from projector.rebuild import rebuild
from tests.redis.projector.asking import ask, post, reject
from tests.redis.projector.guarding import declare_actor
from tests.redis.projector.test_projecting import project_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

    from projector.rebuild import Folded, Rebuilt
    from tests.redis.cli.conftest import Ended


@pytest.fixture
def folded(ledger: Ledger, fold: Callable[[], None]) -> None:
    """Requests of both partitions."""
    post(ledger, ask(ledger))
    reject(ledger, ask(ledger, tenant="globex"))
    ask(ledger, "r2")
    assert ledger.keys.partition_of("acme") == 1
    assert ledger.keys.partition_of("globex") == 0
    fold()


@pytest.mark.usefixtures("folded")
def test_it_says_of_each_partition_what_it_was_made_of(cli: Callable[..., Ended]) -> None:
    # When
    ended = cli("rebuild")

    # Then
    assert (ended.code, ended.err) == (ExitCode.DONE, "")
    assert ended.out.splitlines() == [
        "partition 0: rebuilt from 2 events",
        "partition 1: rebuilt from 3 events",
    ]


@pytest.mark.usefixtures("folded")
def test_programs_are_told_of_lost_texts_and_of_bad_events(
    cli: Callable[..., Ended], ledger: Ledger, client: redis.Redis, fold: Callable[[], None]
) -> None:
    # Given
    client.unlink(ledger.keys.request(ask(ledger, "r3")))
    client.xadd(ledger.keys.outcomes(0), {"event": "nonsense"})
    fold()

    # When
    ended = cli("rebuild", "--json")
    told = cli("rebuild").out

    # Then
    assert ended.objects == [
        {"partition": 0, "generation": 1, "events": 3, "bodies_restored": 0, "quarantined": 1},
        {"partition": 1, "generation": 1, "events": 4, "bodies_restored": 1, "quarantined": 0},
    ]
    assert "partition 0: rebuilt from 3 events, 1 events in quarantine\n" in told


@pytest.mark.usefixtures("folded")
def test_nothing_is_said_otherwise_than_before_it(
    cli: Callable[..., Ended], ledger: Ledger, client: redis.Redis
) -> None:
    # Given
    asked = (("list", "--json"), ("stats", "--json"), ("explain", "acme", "r1", "--json"))
    before = [cli(*arguments).out for arguments in asked]
    for view in client.scan_iter(match=ledger.keys.every_view()):
        client.unlink(view)
    damaged = cli("list", "--json")

    # When
    cli("rebuild")

    # Then
    assert damaged.out == ""
    assert [cli(*arguments).out for arguments in asked] == before


@pytest.mark.usefixtures("folded", "terminal")
def test_a_terminal_sees_how_far_it_is(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("TERM", "xterm")

    # When
    ended = cli("rebuild", "--json")

    # Then
    assert [each["events"] for each in ended.objects] == [2, 3]
    assert "partition 2 of 2" in ended.err
    assert "3/3" in ended.err


@pytest.mark.usefixtures("folded")
def test_one_that_is_overtaken_by_another_says_so(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given
    def overtaken() -> Iterator[Folded | Rebuilt]:
        rebuilding = rebuild(ledger)
        yield next(rebuilding)
        list(rebuild(ledger))
        yield from rebuilding

    # When
    code = follow(overtaken(), partitions=2, as_json=False)

    # Then
    said = capsys.readouterr()
    assert (code, said.out) == (ExitCode.REFUSED, "")
    (line,) = said.err.splitlines()
    assert "another rebuild began later" in line


@pytest.mark.usefixtures("folded")
def test_one_that_is_stopped_says_how_far_it_came(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given
    def stopped() -> Iterator[Folded | Rebuilt]:
        rebuilding = rebuild(ledger)
        yield next(rebuilding)
        yield next(rebuilding)
        raise KeyboardInterrupt

    # When
    with pytest.raises(KeyboardInterrupt):
        follow(stopped(), partitions=2, as_json=False)

    # Then
    said = capsys.readouterr()
    assert said.out == "partition 0: rebuilt from 2 events\n"
    assert "stopped after 1 of 2 partitions" in said.err
    assert "running it again is safe" in said.err


@pytest.mark.usefixtures("folded")
@pytest.mark.parametrize("retention_s", ["60", "1209600"])
def test_one_that_would_keep_things_for_another_time_is_refused(
    cli: Callable[..., Ended],
    client: redis.Redis,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    retention_s: str,
) -> None:
    # Given
    monkeypatch.setenv("POSTONCE_RETENTION_S", retention_s)

    # When
    ended = cli("rebuild")

    # Then
    (line,) = ended.err.splitlines()
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert f"is {retention_s} here" in line
    assert line.endswith("set POSTONCE_RETENTION_S=604800")
    for tenant in ("acme", "globex"):
        projection = ledger.keys.projection(ledger.keys.partition_of(tenant))
        assert "building" not in client.hgetall(projection)


@pytest.mark.usefixtures("folded")
def test_what_the_projectors_run_with_now_is_what_counts(
    cli: Callable[..., Ended],
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given
    longer = Ledger(ledger.store, ledger.keys, Timing(retention_ms=14 * DAY_MS))
    broker = StubBroker(middleware=[DispatchOnce(longer)])
    declare_actor(broker)
    ask(longer, "r3")
    project_all(longer, broker)

    # When
    refused = cli("rebuild")
    monkeypatch.setenv("POSTONCE_RETENTION_S", "1209600")
    ended = cli("rebuild")

    # Then
    assert (refused.code, ended.code) == (ExitCode.USAGE, ExitCode.DONE)


@pytest.mark.usefixtures("folded")
@pytest.mark.parametrize(
    "order", [("cancel", "acme", "r2"), ("redrive", "globex", "r1", "--why", "it is back")]
)
def test_an_order_that_keeps_things_for_another_time_is_carried_out_with_a_warning(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, order: tuple[str, ...]
) -> None:
    # Given
    monkeypatch.setenv("POSTONCE_RETENTION_S", "60.5")

    # When
    ended = cli(*order)

    # Then
    (line,) = ended.err.splitlines()
    assert ended.code == ExitCode.DONE
    assert line.startswith("postonce: warning: POSTONCE_RETENTION_S is 60.5 here")
