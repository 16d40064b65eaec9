"""What a script cannot read is the fault of the data; every other refusal of the store passes.

A store that is full, that is a replica or that loads its data refuses good events too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from middleware.errors import LedgerUnavailable

_OF_THE_DATA = frozenset({"WRONGTYPE", "ERR"})
# Servers before Redis 7 answer `ERR` for whatever stops a script, with the cause's code behind it.
_CODE = re.compile(r"(?:^|: )-?([A-Z]{3,}) ")
# Only what arose in a script is about data: a proxy's own errors are `ERR` as well.
_IN_A_SCRIPT = "user_script"


def is_of_the_data(error: LedgerUnavailable) -> bool:
    """True when a script failed on what it was given, and so would fail again."""
    cause = error.__cause__
    # The client has a class of its own for most of what passes.
    if type(cause) is not ResponseError:
        return False
    said = str(cause)
    return _IN_A_SCRIPT in said and _OF_THE_DATA.issuperset(_CODE.findall(said))
