from __future__ import annotations

import pytest
from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 - redis-py's own
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004 - redis-py's own
)

from middleware.errors import LedgerUnavailable
from projector.data_faults import is_of_the_data


def failed(cause: Exception) -> LedgerUnavailable:
    error = LedgerUnavailable(str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "said",
    [
        "WRONGTYPE Operation against a key holding the wrong kind on @user_script:1.",
        "user_script:1: attempt to perform arithmetic on a nil value on @user_script:1.",
        "value is not an integer or out of range script: f0, on @user_script:1.",
        "Error running script (call to f_f0): @user_script:1: WRONGTYPE Operation against a key",
    ],
)
def test_what_a_script_cannot_read_is_the_fault_of_the_data(said: str) -> None:
    assert is_of_the_data(failed(ResponseError(said)))


@pytest.mark.parametrize(
    "cause",
    [
        OutOfMemoryError("command not allowed. script: f0, on @user_script:1."),
        ReadOnlyError("You can't write against a read only replica. on @user_script:1."),
        ResponseError("NOREPLICAS Not enough good replicas to write. on @user_script:1."),
        ResponseError("MISCONF Errors writing to the AOF file. on @user_script:1."),
        ResponseError("Error running script (call to f_f0): @user_script:1: -OOM command not"),
        ResponseError("BUSY Valkey is busy running a script."),
        ResponseError("UNBLOCKED force unblock from blocking operation"),
        ResponseError("no upstream host"),
        ClusterDownError("The cluster is down"),
        MasterDownError("Link with MASTER is down"),
        BusyLoadingError("Valkey is loading the dataset in memory"),
        ConnectionError("refused"),
        TimeoutError("too slow"),
    ],
)
def test_every_other_refusal_of_the_store_passes(cause: Exception) -> None:
    assert not is_of_the_data(failed(cause))
