"""A process that has everything imported and does nothing but fork: a role starts in milliseconds.

`python -m tests.system.crashing.forking FD` takes an order, and the child's end of its channel,
from the socket FD.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.system.crashing.roles import play

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

# What a role would import as it starts; the composition root itself reads the environment.
_READY = ("actors.send_message", "actors.slack.gateway", "actors.slack.installations")
_LARGEST_ORDER = 64 * 1024


def main(listening: socket.socket) -> None:
    """Fork once for each order, until nobody can give another."""
    for name in _READY:
        importlib.import_module(name)
    # The children's ends are seen on their channels, so that none has to be waited for here.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # What is shared with the children is left alone by their collectors.
    gc.collect()
    gc.freeze()
    while True:
        data, handed, _, _ = socket.recv_fds(listening, _LARGEST_ORDER, 1)
        if not data:
            return
        if os.fork() == 0:
            listening.close()
            _become(json.loads(data), socket.socket(fileno=handed[0]))
        os.close(handed[0])


def _become(order: Mapping[str, Any], channel: socket.socket) -> NoReturn:
    """Never returns into the program that was forked, whatever happens."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(order["log_file"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(message)s"
        )
        os.environ.update(order["environment"])
        with channel.makefile("rw", encoding="utf-8") as lines:
            print(os.getpid(), file=lines, flush=True)
            play(order["role"], lines)
        code = 0
    except BaseException:
        logging.getLogger(__name__).exception("%s ended by an error", order["role"])
    finally:
        with suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
