"""`python -m tests.system.supervised STOP_WITHIN_S PROGRAM` keeps one Python program running."""

from __future__ import annotations

import sys

from actors.commands.logs import log_to_stderr
from actors.commands.supervisor import Supervisor

if __name__ == "__main__":
    log_to_stderr()
    _, stop_within_s, program = sys.argv
    command = (sys.executable, "-c", program)
    supervisor = Supervisor({"child": command}, stop_within_s=float(stop_within_s))
    sys.exit(0 if supervisor.run() else 1)
