"""Who was handed what: counts for each server and site, and the table that is printed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from cryptography.x509 import load_der_x509_certificate

from tests.support.weeks.verdict import Seen, judged, read, recovered, without

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.weeks.play import Played
    from tests.support.weeks.responder import Interval
    from tests.support.weeks.visits import Visit
    from tests.support.weeks.world import Server, World

FIRST = 2
"""Visitors for each worker and certificate who may go without after a reload, where nginx asks
by itself: the first, and who comes while it is asking."""

BAD = (Seen.UNSTAPLED, Seen.EXPIRED, Seen.WRONG, Seen.REFUSED)


@dataclass
class Row:
    """One site of one server; `flawed` are the visits that were not as they should be."""

    server: Server
    site: str
    counts: Counter[Seen] = field(default_factory=Counter)
    certificates: set[bytes] = field(default_factory=set)
    flawed: list[tuple[Visit, Seen]] = field(default_factory=list)

    @property
    def handshakes(self) -> int:
        """How many there were."""
        return sum(self.counts.values())

    @property
    def loads(self) -> int:
        """How often the server has read its configuration."""
        return 1 + self.server.nginx.log.count("(SIGHUP) received")

    @property
    def allowed(self) -> int:
        """How many may go without for being the first."""
        if self.server.delivery == "file":
            return 0
        return FIRST * self.loads * self.server.nginx.workers * 2

    @property
    def flawless(self) -> bool:
        """Say whether every visitor got what could be had."""
        wrong = sum(self.counts[each] for each in BAD if each is not Seen.UNSTAPLED)
        return not wrong and self.counts[Seen.UNSTAPLED] <= self.allowed

    def __str__(self) -> str:
        counts = "".join(f"{self.counts[each]:>10}" for each in Seen)
        nginx = f"{self.server.nginx.workers} {self.server.delivery}"
        return f"{nginx:<12}{self.site:<14}{self.loads:>6}{len(self.certificates):>6}{counts}" + (
            f"  (of {self.allowed} that may)" if self.allowed else ""
        )


HEAD = f"{'nginx':<12}{'site':<14}{'loads':>6}{'certs':>6}" + "".join(
    f"{word:>10}"
    for word in ("stapled", "none was", "late", "unstapled", "expired", "wrong", "refused")
)


def rows(played: Played, world: World) -> list[Row]:
    """Return what visitors were handed, judged by what the responder wrote down."""
    oracle = world.oracle
    done = played.done
    bare: dict[int, list[Interval]] = {}
    for serial, block in world.blocks.items():
        deployed = world.deployed.get(serial, 0.0)
        wanted = min(deployed, world.in_vain.get(serial, deployed))
        intervals = without(block, oracle.answers, oracle.outages, wanted)
        bare[serial] = recovered(intervals, done, deployed)
    issuer = world.authority.intermediate.cert
    leaf_of = cache(load_der_x509_certificate)
    reading = cache(lambda staple, leaf: read(staple, leaf_of(leaf), issuer))
    found = {
        (server.name, site): Row(server, site)
        for server in world.servers.values()
        for site in server.sites
    }
    for visit in played.visits:
        row = found[visit.server, visit.visitor.name]
        seen = Seen.REFUSED
        if visit.leaf is not None:
            row.certificates.add(visit.leaf)
            came = None if visit.staple is None else reading(visit.staple, visit.leaf)
            seen = judged(visit, came, bare[leaf_of(visit.leaf).serial_number], done)
        row.counts[seen] += 1
        if seen in BAD:
            row.flawed.append((visit, seen))
    return list(found.values())


def amiss(found: list[Row], played: Played) -> Iterator[str]:
    """Yield what there is to know about what is not as it should be; nothing where all is well."""
    for row in found:
        if row.flawless:
            continue
        bad = [each for each in row.flawed if each[1] is not Seen.UNSTAPLED] or row.flawed
        visit, seen = bad[0]
        at = visit.begins - played.began
        yield f"{row.server.name} {row.site}: {seen.value} first at {at:.2f} s, around which:"
        yield played.around(visit.begins)
    for note in played.odd:
        yield f"{note.what} -> {note.status} {note.said}"
