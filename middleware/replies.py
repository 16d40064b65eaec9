"""Decodes the scripts' tagged replies; a tag that the table does not have is a programmer error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from middleware import answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from middleware.script import Reply


def accept(reply: Reply) -> answers.AcceptAnswer:
    match reply:
        case ["accepted"]:
            return answers.Accepted()
        case ["duplicate", state]:
            return answers.Duplicate(state)
        case ["conflict", state]:
            return answers.Conflict(state)
    raise _unheard_of(reply)


def dispatch(reply: Reply) -> answers.DispatchAnswer:
    match reply:
        case ["first"]:
            return answers.First()
        case ["duplicate", message_id]:
            return answers.DispatchedBefore(message_id, in_progress=False)
        case ["in_progress", message_id]:
            return answers.DispatchedBefore(message_id, in_progress=True)
        case ["deferred", until_ms]:
            return answers.Deferred(int(until_ms))
        case ["settled", outcome]:
            return answers.Settled(outcome)
        case ["unknown"]:
            return answers.Unknown()
        case ["thread_conflict", thread_ts]:
            return answers.OtherThread(thread_ts)
    raise _unheard_of(reply)


def claim(reply: Reply) -> answers.ClaimAnswer:
    match reply:
        case ["granted", attempt, marker, thread_ts, returns]:
            return answers.Granted(int(attempt), marker, thread_ts or None, int(returns))
        case ["uncertain", marker, thread_ts, target, *times, returns]:
            intent_at_ms, reconcile_at_ms, now_ms = times
            return answers.Uncertain(
                marker=marker,
                thread_ts=thread_ts or None,
                target=answers.text_to_mapping(target),
                intent_at_ms=int(intent_at_ms),
                reconcile_at_ms=int(reconcile_at_ms),
                now_ms=int(now_ms),
                returns=int(returns),
            )
        case ["wait", until_ms, reason]:
            return answers.Wait(int(until_ms), reason)
        case ["settled", outcome]:
            return answers.Settled(outcome)
        case ["unknown"]:
            return answers.Unknown()
    raise _unheard_of(reply)


def intend(post_deadline_ms: int) -> Callable[[Reply], answers.IntendAnswer]:
    def decode(reply: Reply) -> answers.IntendAnswer:
        match reply:
            case ["go", intent_at_ms, now_ms, target]:
                remaining_ms = int(intent_at_ms) + post_deadline_ms - int(now_ms)
                return answers.Go(remaining_ms, answers.text_to_mapping(target))
            case ["lost"]:
                return answers.Lost()
            case ["settled", outcome]:
                return answers.Settled(outcome)
        raise _unheard_of(reply)

    return decode


def sent(reply: Reply) -> answers.SentAnswer:
    match reply:
        case ["ok"]:
            return answers.Ok()
        case ["late"]:
            return answers.Late()
        case ["late_post" | "duplicate_post" as kind]:
            return answers.StrayPost(kind)
    raise _unheard_of(reply)


def returned(reply: Reply) -> answers.ReturnAnswer:
    match reply:
        case ["ok"]:
            return answers.Ok()
        case ["lost"]:
            return answers.Lost()
        case ["settled", outcome]:
            return answers.Settled(outcome)
    raise _unheard_of(reply)


def absent(reply: Reply) -> answers.AbsentAnswer:
    match reply:
        case ["claimed", attempt]:
            return answers.Reclaimed(int(attempt))
        case ["lost"]:
            return answers.Lost()
        case ["too_early"]:
            return answers.TooEarly()
        case ["settled", outcome]:
            return answers.Settled(outcome)
    raise _unheard_of(reply)


def cancel(reply: Reply) -> answers.CancelAnswer:
    match reply:
        case ["ok"]:
            return answers.Ok()
        case ["asked"]:
            return answers.Asked()
        case ["too_late", outcome]:
            return answers.TooLate(outcome)
        case ["unknown"]:
            return answers.Unknown()
    raise _unheard_of(reply)


def sweep(reply: Reply) -> answers.SweepAnswer:
    match reply:
        case ["enqueue", message]:
            return answers.Enqueue(message)
        case ["make", actor, queue, thread_ts]:
            return answers.Make(actor, queue, thread_ts or None)
        case ["settled", outcome]:
            return answers.Settled(outcome)
        case ["nothing"]:
            return answers.Nothing()
    raise _unheard_of(reply)


def due(reply: Reply) -> answers.DueNow:
    now_ms, next_ms, *members = reply
    ahead = int(float(next_ms)) if next_ms else None
    return answers.DueNow(int(now_ms), ahead, tuple(members))


def _unheard_of(reply: Reply) -> AssertionError:
    return AssertionError(f"no script answers {reply!r}")
