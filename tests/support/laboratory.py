"""A laboratory with visitors: how many of them go unstapled, whatever happens meanwhile.

with laboratory(tmp_path) as watched:
    assert watched.through_reload().unstapled > 0
    watched.do("apply", "--unscheduled")
    assert watched.through_reload().flawless

That one has an nginx; `apache_laboratory` is the one with an Apache.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tests.support.count import Counted, Crowd, Visitor, count, visitors
from tests.support.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.support.server_lab import ServerLab

NAMES = ("shop.example", "blog.example", "mail.example")
HANDSHAKES = 240
"""In each phase: 40 of every kind of visitor, with three sites."""


L = TypeVar("L", bound="ServerLab[Any]")


@dataclass
class Watched(Generic[L]):
    """A `lab`, and who visits its sites: `clients` at a time where something happens meanwhile."""

    lab: L
    crowd: list[Visitor]
    handshakes: int = HANDSHAKES
    clients: int = 1

    def do(self, command: str, *arguments: str) -> str:
        """Run `staplecfg` in a process of its own, which must end in 0; returns what it said."""
        done = self.lab.process(command, *arguments)
        assert done.status == 0, f"{command}: {done}"
        return done.out

    def count(self) -> Counted:
        """Count visitors as things are."""
        return count(self.crowd, self.handshakes)

    def through(self, event: Callable[[], object]) -> Counted:
        """Count visitors who come without a pause while `event` goes on, and after."""
        with Crowd(self.crowd, least=self.handshakes, clients=self.clients) as crowd:
            event()
        return crowd.counted

    def from_start(self) -> Counted:
        """Count visitors from the moment the server has started anew."""
        self.lab.server.restart()
        return self.count()

    def through_reload(self) -> Counted:
        """Count visitors who come without a pause while the server reloads, and after."""
        return self.through(self.lab.server.reload)

    def after_reload(self) -> Counted:
        """Count visitors once the last of the old workers has gone."""
        self.lab.server.reload()
        return self.count()

    def from_start_in_outage(self) -> Counted:
        """Count visitors after the server was started anew while the responder was down."""
        self.lab.responder.down()
        try:
            return self.from_start()
        finally:
            self.lab.responder.up()


class Laboratory(Watched[Lab]):
    """One with an nginx."""


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
