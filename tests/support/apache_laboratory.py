"""A laboratory with an Apache and visitors, from which nothing or all of a delivery is set up.

with apache_laboratory("mod_md") as watched:
    with trouble(watched.lab.responder, hangs=True):
        assert watched.through(watched.lab.apache.graceful).flawless
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from staplecfg.model.verdict import Good
from staplecfg.pki.judge import Purpose, judge
from staplecfg.servers.apache import md_store
from tests.support import aging
from tests.support.apache_lab import ApacheLab
from tests.support.count import visitors
from tests.support.identity import reachable_directory
from tests.support.laboratory import Watched
from tests.support.serve_process import serving

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.support.authority import Issued, KeyKind
    from tests.support.openssl_responder import OpensslResponder

NAMES = ("shop.example", "blog.example")
CLIENTS = 4
HANDSHAKES = 120
"""In each phase: 30 of every kind of visitor, with two sites."""

OFF = "off"
"""Not a delivery: no stapling at all."""
PLAIN = "plain"
"""Not a delivery: stapling turned on, and a cache, as the manual has it."""
PLAIN_MAIN = "SSLStaplingCache shmcb:stapling(131072)"
# Kinder than the ten seconds that mod_ssl waits by itself; and its hour, made short.
PLAIN_LINES = "SSLUseStapling on\nSSLStaplingResponderTimeout 2\nSSLStaplingStandardCacheTimeout 3"


@dataclass
class ApacheLaboratory(Watched[ApacheLab]):
    """One with an Apache; `served` is the local responder, where the delivery has one.

    Contexts entered in `until_left` are left with it.
    """

    served: subprocess.Popen[str] | None = None
    until_left: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def stored(self) -> set[str]:
        """Return the SHA-256 of every staple in the store."""
        return {
            hashlib.sha256(
                (self.lab.state / "store" / f"{each.sha256}.der").read_bytes()
            ).hexdigest()
            for each in self.lab.issued.values()
        }

    def age(self, *, until: timedelta = timedelta(days=2)) -> None:
        """Make what is in the store five days old; mod_md has it from its next start on."""
        for issued in self.lab.issued.values():
            aging.keep(self.lab, issued, since=timedelta(days=5), until=until)
            # A better one in mod_md's own store would stay there.
            self.forget(issued)
        ended = self.lab.cli("warm", "--offline")
        assert ended.status == 0, ended

    def put(self, issued: Issued) -> None:
        """Give mod_md what is in the store about `issued`, whatever one may think of it."""
        der = (self.lab.state / "store" / f"{issued.sha256}.der").read_bytes()
        now, above = datetime.now(timezone.utc), issued.issuer_cert
        judged = judge(der, issued.cert, above, now=now, purpose=Purpose.SERVED)
        assert isinstance(judged, Good)
        self._kept(issued).write_bytes(md_store.written(judged.staple))

    def forget(self, issued: Issued) -> None:
        """Take out of mod_md's store what it has about `issued`, and when it wants to ask again."""
        for kept in (self._kept(issued), self._kept(issued).with_name("job.json")):
            kept.unlink(missing_ok=True)

    def _kept(self, issued: Issued) -> Path:
        name = hashlib.sha1(issued.der, usedforsecurity=False).hexdigest()
        return self.lab.state / "apache/md/ocsp/other" / f"ocsp-{name}.json"


@contextlib.contextmanager
def apache_laboratory(
    delivery: str,
    *,
    names: Sequence[str] = NAMES,
    keys: Sequence[KeyKind] = ("ec",),
) -> Iterator[ApacheLaboratory]:
    """Build one in which Apache runs by `delivery`, applied; with `serve` where that asks it.

    `OFF` and `PLAIN` are what it is compared with.
    """
    plain, applied = delivery == PLAIN, delivery not in {OFF, PLAIN}
    modules = ("md",) if delivery == "mod_md" else ()
    main = PLAIN_MAIN if plain else ""
    with (
        reachable_directory() as directory,
        ApacheLab.make(directory, sites=(), modules=modules, main=main) as lab,
        contextlib.ExitStack() as stack,
    ):
        for name in names:
            lab.add(name, keys=keys, lines=PLAIN_LINES if plain else "")
        lab.responder.start(lab.issued.values())
        lab.apache.start()
        watched = ApacheLaboratory(
            lab, visitors(lab.port, names), HANDSHAKES, CLIENTS, until_left=stack
        )
        if delivery == "responder":
            lab.state.mkdir()
            watched.served = stack.enter_context(serving(lab, lab.serve))
        if applied:
            ended = lab.apply("--delivery", delivery)
            assert ended.status == 0, ended
        yield watched


@contextlib.contextmanager
def trouble(
    responder: OpensslResponder, *, delay: float = 0.0, busy: bool = False, hangs: bool = False
) -> Iterator[None]:
    """Let the CA's responder be `delay` seconds slow, answer 503, or not at all, for a while."""
    responder.delay, responder.busy, responder.hangs = delay, busy, hangs
    try:
        yield
    finally:
        responder.delay, responder.busy, responder.hangs = 0.0, False, False
