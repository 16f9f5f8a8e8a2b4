"""What every ending owes the person who asked: a status, words, no traceback, no raw escapes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.command_line import Ended

RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal might obey, and what makes text read as other text."""


def told(ended: Ended, status: int, *words: str) -> None:
    """Require that a run ended in `status` and said `words`, and nothing that it must not say."""
    said = ended.out + ended.err
    assert "Traceback" not in said, said
    assert ended.status == status, ended
    for word in words:
        assert word in said, f"{word!r} is not in\n{ended}"
    assert not RAW.search(ended.err), repr(ended.err)
    assert not RAW.search(ended.out), repr(ended.out)


def refused(ended: Ended, status: int, *words: str) -> None:
    """Require besides that it is an error of ours with a hint, and nothing on standard output."""
    told(ended, status, *words)
    assert ended.err.startswith("staplecfg: error: "), ended
    assert "staplecfg: hint: " in ended.err, ended
