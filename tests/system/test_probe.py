"""The probe's verdicts on a real nginx that was given good, bad and no staples by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.probe import Missing, NotTestable, Refused, Served, Tls, Wrong, worse
from staplecfg.model.settings import Floors
from staplecfg.staples.probe import probe, probe_all
from tests.support.authority import Authority, Issued
from tests.support.nginx import Nginx, free_port
from tests.support.sites import chain, listen, site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from staplecfg.model.probe import Probe, Verdict
    from staplecfg.model.site import Site

pytestmark = pytest.mark.system

NOW = datetime.now(timezone.utc)
FLOORS = Floors()
HOUR = timedelta(hours=1)


@dataclass
class Laboratory:
    """An nginx and an authority; `serve` writes a site with a staple of one's choice."""

    nginx: Nginx
    directory: Path
    authority: Authority
    port: int

    def serve(
        self,
        name: str,
        leaves: Sequence[Issued],
        staple: bytes | None = None,
        *,
        listening: str = "ssl",
        lines: str = "",
    ) -> Site:
        if staple is not None:
            (self.directory / f"{name}.der").write_bytes(staple)
            lines += f"\nssl_stapling on;\nssl_stapling_file {self.directory}/{name}.der;"
        files = [leaf.write(self.directory, f"{name}-{i}") for i, leaf in enumerate(leaves)]
        self.nginx.site(
            name, listen=f"127.0.0.1:{self.port} {listening}", certificates=files, lines=lines
        )
        return site(
            names=[name],
            listens=[listen(port=self.port, proxied="proxy_protocol" in listening)],
            certificates=[str(certificate) for certificate, _ in files],
        )


@pytest.fixture
def laboratory(tmp_path) -> Iterator[Laboratory]:
    with Nginx(tmp_path / "nginx", workers=1) as nginx:
        yield Laboratory(nginx, tmp_path, Authority.create(), free_port())


def probed(shop: Site, leaf: Issued | None) -> tuple[Probe, ...]:
    return probe(shop, None if leaf is None else chain(leaf), now=NOW, floors=FLOORS)


def verdicts(shop: Site, leaf: Issued | None) -> list[Verdict]:
    return [each.verdict for each in probed(shop, leaf)]


def test_a_good_staple_is_served_in_both_versions(laboratory):
    leaf = laboratory.authority.leaf(["a.example"])
    shop = laboratory.serve("a.example", [leaf], laboratory.authority.respond(leaf, now=NOW))
    laboratory.nginx.start()

    seen = probed(shop, leaf)

    assert [each.version for each in seen] == list(Tls)
    assert all(isinstance(each.verdict, Served) for each in seen)
    assert {each.presented for each in seen} == {leaf.sha256}
    assert {each.name for each in seen} == {"a.example"}


def test_a_delegated_answer_is_good_too(laboratory):
    leaf = laboratory.authority.leaf(["a.example"])
    signer = laboratory.authority.delegate()
    staple = laboratory.authority.respond(leaf, now=NOW, signer=signer)
    shop = laboratory.serve("a.example", [leaf], staple)
    laboratory.nginx.start()

    assert all(isinstance(verdict, Served) for verdict in verdicts(shop, leaf))


BAD: dict[str, Callable[[Laboratory, Issued], bytes]] = {
    "expired": lambda lab, leaf: lab.authority.respond(
        leaf, now=NOW, this_update=NOW - 9 * HOUR, next_update=NOW - HOUR
    ),
    "another certificate's": lambda lab, _: lab.authority.respond(
        lab.authority.leaf(["b.example"]), now=NOW
    ),
    "revoked": lambda lab, leaf: lab.authority.respond(
        leaf, now=NOW, status="revoked", revoked_at=NOW - HOUR
    ),
    "unknown": lambda lab, leaf: lab.authority.respond(leaf, now=NOW, status="unknown"),
    "try later": lambda lab, leaf: lab.authority.respond(leaf, now=NOW, response_status=3),
    "forged": lambda lab, leaf: lab.authority.respond(leaf, now=NOW, forge=True),
    "from the future": lambda lab, leaf: lab.authority.respond(
        leaf, now=NOW, this_update=NOW + HOUR
    ),
    "another authority's": lambda lab, leaf: lab.authority.respond(
        leaf, now=NOW, signer=Authority.create(keys="other").intermediate
    ),
}


@pytest.mark.parametrize("lie", BAD.values(), ids=BAD.keys())
def test_a_staple_no_client_would_accept_is_wrong(laboratory, lie):
    leaf = laboratory.authority.leaf(["a.example"])
    shop = laboratory.serve("a.example", [leaf], lie(laboratory, leaf))
    laboratory.nginx.start()

    seen = verdicts(shop, leaf)

    assert [type(verdict) for verdict in seen] == [Wrong, Wrong]


def test_no_staple_is_missing(laboratory):
    leaf = laboratory.authority.leaf(["a.example"])
    shop = laboratory.serve("a.example", [leaf])
    laboratory.nginx.start()

    assert verdicts(shop, leaf) == [Missing(), Missing()]


def test_two_certificates_are_probed_each_by_itself(laboratory):
    authority = laboratory.authority
    leaves = [authority.leaf(["a.example"]), authority.leaf(["a.example"], key="rsa")]
    # One file for two certificates: right for the first, wrong for the second.
    shop = laboratory.serve("a.example", leaves, authority.respond(leaves[0], now=NOW))
    laboratory.nginx.start()

    first, second = (probed(shop, leaf)[0] for leaf in leaves)

    assert (first.version, first.presented) == (Tls.V1_2, leaves[0].sha256)
    assert isinstance(first.verdict, Served)
    assert (second.version, second.presented) == (Tls.V1_2, leaves[1].sha256)
    assert isinstance(second.verdict, Wrong)


def test_a_certificate_renewed_on_disk_is_judged_as_presented(laboratory):
    authority = laboratory.authority
    old, new = authority.leaf(["a.example"]), authority.leaf(["a.example"])
    shop = laboratory.serve("a.example", [old], authority.respond(old, now=NOW))
    laboratory.nginx.start()

    seen = probed(shop, new)

    assert {each.presented for each in seen} == {old.sha256}
    assert all(isinstance(each.verdict, Served) for each in seen)


def test_another_site_that_answers_says_nothing_of_this_one(laboratory):
    authority = laboratory.authority
    other = authority.leaf(["other.example"])
    laboratory.serve("other.example", [other], authority.respond(other, now=NOW))
    laboratory.nginx.start()
    absent = site(names=["a.example"], listens=[listen(port=laboratory.port)])

    seen = verdicts(absent, authority.leaf(["a.example"]))

    assert [type(verdict) for verdict in seen] == [NotTestable, NotTestable]


def test_a_wildcard_is_reached(laboratory):
    leaf = laboratory.authority.leaf(["*.a.example"])
    staple = laboratory.authority.respond(leaf, now=NOW)
    laboratory.serve("0.default.example", [laboratory.authority.leaf(["default.example"])])
    shop = laboratory.serve("*.a.example", [leaf], staple)
    laboratory.nginx.start()

    assert all(isinstance(verdict, Served) for verdict in verdicts(shop, leaf))


def test_the_proxy_protocol_is_spoken(laboratory):
    leaf = laboratory.authority.leaf(["a.example"])
    staple = laboratory.authority.respond(leaf, now=NOW)
    shop = laboratory.serve("a.example", [leaf], staple, listening="ssl proxy_protocol")
    laboratory.nginx.start()

    assert all(isinstance(verdict, Served) for verdict in verdicts(shop, leaf))


def test_where_client_certificates_are_verified_the_staple_is_seen(laboratory):
    leaf = laboratory.authority.leaf(["a.example"])
    (laboratory.directory / "clients.pem").write_bytes(laboratory.authority.root.fullchain)
    verify = f"ssl_verify_client on;\nssl_client_certificate {laboratory.directory}/clients.pem;"
    staple = laboratory.authority.respond(leaf, now=NOW)
    shop = laboratory.serve("a.example", [leaf], staple, lines=verify)
    laboratory.nginx.start()

    assert all(isinstance(verdict, Served) for verdict in verdicts(shop, leaf))


def test_a_version_the_site_does_not_speak_is_not_testable(laboratory):
    leaf = laboratory.authority.leaf(["a.example"])
    staple = laboratory.authority.respond(leaf, now=NOW)
    shop = laboratory.serve("a.example", [leaf], staple, lines="ssl_protocols TLSv1.2;")
    laboratory.nginx.start()

    old, new = verdicts(shop, leaf)

    assert isinstance(old, Served)
    assert isinstance(new, NotTestable)


def test_a_rejected_name_is_not_testable(laboratory):
    shop = laboratory.serve("a.example", [], lines="ssl_reject_handshake on;")
    laboratory.nginx.start()

    seen = verdicts(shop, laboratory.authority.leaf(["a.example"]))

    assert [type(verdict) for verdict in seen] == [NotTestable, NotTestable]


def test_a_server_that_is_down_refuses(laboratory):
    leaf = laboratory.authority.leaf(["a.example"])
    shop = laboratory.serve("a.example", [leaf])

    seen = verdicts(shop, leaf)

    assert [type(verdict) for verdict in seen] == [Refused, Refused]


def test_without_a_chain_the_presented_one_will_do(laboratory):
    leaf = laboratory.authority.leaf(["a.example"])
    shop = laboratory.serve("a.example", [leaf], laboratory.authority.respond(leaf, now=NOW))
    laboratory.nginx.start()

    assert all(isinstance(verdict, Served) for verdict in verdicts(shop, None))


def test_the_issuer_may_be_known_from_the_disk_alone(laboratory):
    leaf = laboratory.authority.leaf(["a.example"])
    bare = replace(leaf, chain=())
    shop = laboratory.serve("a.example", [bare], laboratory.authority.respond(leaf, now=NOW))
    laboratory.nginx.start()

    assert all(isinstance(verdict, Served) for verdict in verdicts(shop, leaf))
    assert all(isinstance(verdict, NotTestable) for verdict in verdicts(shop, None))


def test_many_sites_are_probed_in_their_order(laboratory):
    authority = laboratory.authority
    pairs = []
    for number in range(12):
        leaf = authority.leaf([f"{number}.example"])
        staple = authority.respond(leaf, now=NOW) if number % 2 else None
        pairs.append((laboratory.serve(f"{number}.example", [leaf], staple), chain(leaf)))
    laboratory.nginx.start()

    seen = probe_all(pairs, now=NOW, floors=FLOORS)

    assert [each.site for each in seen] == [f"{n}.example" for n in range(12) for _ in Tls]
    assert [isinstance(each.verdict, Served) for each in seen] == [
        bool(n % 2) for n in range(12) for _ in Tls
    ]


def test_a_staple_that_spoils_at_a_reload_is_worse(laboratory):
    leaf = laboratory.authority.leaf(["a.example"])
    shop = laboratory.serve("a.example", [leaf], laboratory.authority.respond(leaf, now=NOW))
    laboratory.nginx.start()
    before = probed(shop, leaf)

    laboratory.serve("a.example", [leaf], BAD["expired"](laboratory, leaf))
    laboratory.nginx.reload()

    assert len(worse(before, probed(shop, leaf))) == len(Tls)
