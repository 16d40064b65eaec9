"""The application on a machine whose clock is wrong, by SKEW_S seconds."""

from __future__ import annotations

import os
import time

_true_time = time.time


def _skewed_time() -> float:
    return _true_time() + float(os.environ["SKEW_S"])


# Before anything is imported that could keep a reference to the true one.
time.time = _skewed_time

import actors.app  # noqa: E402

broker = actors.app.broker
