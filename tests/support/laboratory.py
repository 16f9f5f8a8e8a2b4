"""A laboratory with visitors: how many of them go unstapled, whatever happens meanwhile.

with laboratory(tmp_path) as watched:
    assert watched.through_reload().unstapled > 0
    watched.do("apply", "--unscheduled")
    assert watched.through_reload().flawless
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.count import Counted, Crowd, Visitor, count, visitors
from tests.support.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NAMES = ("shop.example", "blog.example", "mail.example")
HANDSHAKES = 240
"""In each phase: 40 of every kind of visitor, with three sites."""


@dataclass
class Laboratory:
    """A `Lab`, and who visits its sites."""

    lab: Lab
    crowd: list[Visitor]

    def do(self, command: str, *arguments: str) -> str:
        """Run `staplecfg` in a process of its own, which must end in 0; returns what it said."""
        done = self.lab.process(command, *arguments)
        assert done.status == 0, f"{command}: {done}"
        return done.out

    def count(self) -> Counted:
        """Count visitors as things are."""
        return count(self.crowd, HANDSHAKES)

    def from_start(self) -> Counted:
        """Count visitors from the moment nginx has started anew."""
        self.lab.nginx.restart()
        return self.count()

    def through_reload(self) -> Counted:
        """Count visitors who come without a pause while nginx reloads, and after."""
        with Crowd(self.crowd, least=HANDSHAKES) as crowd:
            self.lab.nginx.reload()
        return crowd.counted

    def after_reload(self) -> Counted:
        """Count visitors once the last of the old workers has gone."""
        self.lab.nginx.reload()
        return self.count()

    def from_start_in_outage(self) -> Counted:
        """Count visitors after nginx was started anew while the responder was down."""
        self.lab.responder.down()
        try:
            return self.from_start()
        finally:
            self.lab.responder.up()


@contextlib.contextmanager
def laboratory(
    directory: Path,
    *,
    names: Sequence[str] = NAMES,
    workers: int = 4,
    delay: float = 0.2,
    lines: str = "# as most how-tos have it\nssl_stapling on;",
) -> Iterator[Laboratory]:
    """Build one under `directory`, nginx not yet started; servers are stopped on leaving.

    The responder is `delay` seconds slow; `lines` go into each site's block: as
    people run it, unless told otherwise.
    """
    with Lab.make(directory, sites=names, delay=delay, workers=workers, lines=lines) as lab:
        yield Laboratory(lab, visitors(lab.port, names))
