"""Every failure that a user can meet has a sentence and an exit code; the rest are bugs."""

from __future__ import annotations

from dataclasses import dataclass

from dramatiq.errors import BrokerConnectionError
from redis.exceptions import RedisClusterException, RedisError

from actors.commands.exit_codes import ExitCode
from actors.commands.store_troubles import Trouble, trouble_of
from actors.slack.errors import InstallationsUrlInvalid
from middleware.errors import GuardMisdeclared, LedgerUnavailable, StoreRefused
from projector.errors import ConfigurationRefused, QueueNotCountable, SettingsRefused

# Where it is not set, the queue is in the store's Redis, which is asked first.
_QUEUE_VARIABLE = "POSTONCE_BROKER_URL"


class QueueUnavailable(Exception):
    """The queue did not answer; the ledger dispatches whatever it may have lost."""


class UsageUnclear(Exception):
    """Each option is right, but together they mean nothing; the sentence says which, and how."""


class TenantUnknown(Exception):
    """Nothing is configured for the tenant, and nothing of it is listed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """`remedy` is what to do, where the sentences do not say it."""

    sentences: tuple[str, ...]
    exit_code: ExitCode
    remedy: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """For a person, without a full stop."""
        return tuple(f"{each}; {self.remedy}" if self.remedy else each for each in self.sentences)


def failure_of(error: Exception) -> Failure | None:
    """None for what no user can bring about: its traceback is what a bug report needs."""
    match error:
        case UsageUnclear():
            return Failure((f"{error}; --help shows examples",), ExitCode.USAGE)
        case TenantUnknown(args=(tenant,)):
            sentence = (
                f'no tenant "{tenant}": nothing is configured for it, nothing of it is listed'
            )
            return Failure((sentence,), ExitCode.UNKNOWN_REQUEST)
        case SettingsRefused(expectations=expectations):
            return Failure(expectations, ExitCode.USAGE)
        case StoreRefused() | GuardMisdeclared() | InstallationsUrlInvalid() | QueueNotCountable():
            return Failure((str(error),), ExitCode.USAGE)
        case ConfigurationRefused(owners=owners):
            taken = tuple(
                f'team {team} belongs to the tenant "{owner}", a team has one tenant'
                for team, owner in owners.items()
            )
            return Failure((*taken, "nothing was configured"), ExitCode.REFUSED)
        case LedgerUnavailable():
            return _unavailable("the store", trouble_of(error, variable="POSTONCE_REDIS_URL"))
        case ModuleNotFoundError(name="pika"):
            sentence = "an amqp:// queue needs its client: pip install 'dramatiq[rabbitmq]'"
            return Failure((sentence,), ExitCode.USAGE)
        case QueueUnavailable() | BrokerConnectionError() | RedisError() | RedisClusterException():
            return _unavailable("the queue", trouble_of(error, variable=_QUEUE_VARIABLE))
        case _ if _is_from_pika(error):
            # Its texts are Python reprs of connection parameters.
            found = f"cannot be reached: {type(error).__name__}"
            remedy = f"start it, or correct {_QUEUE_VARIABLE}"
            return _unavailable("the queue", Trouble(found, remedy))
        case _:
            return None


def _unavailable(what: str, trouble: Trouble) -> Failure:
    return Failure((f"{what} {trouble.found}",), ExitCode.UNREACHABLE, trouble.remedy)


def _is_from_pika(error: Exception) -> bool:
    """Without importing it: RabbitMQ's client is installed only where it is the queue."""
    return type(error).__module__.partition(".")[0] == "pika"
