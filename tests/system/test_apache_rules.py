"""What Apache's rules claim, and what a real Apache does: `-t` is content, visitors are not."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from staplecfg.checks.registry import run
from staplecfg.model.chain import Chain
from staplecfg.model.finding import Severity
from staplecfg.model.probe import Refused, Target, Tls
from staplecfg.servers.apache.cache import Cache, parse
from staplecfg.servers.apache.rules.registry import APACHE_RULES
from staplecfg.staples.handshake import handshake
from tests.support.apache import Apache, ApacheTrouble
from tests.support.apache_facts import facts
from tests.support.apache_lab import ApacheLab
from tests.support.authority import pem
from tests.support.identity import reachable_directory
from tests.support.nginx import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

pytestmark = pytest.mark.system

CACHE = "SSLStaplingCache shmcb:x(131072)"
ON = "SSLUseStapling on"
TRY_LATER = bytes.fromhex("30030a0103")
"""An OCSPResponse of status tryLater, which has no more to say (RFC 6960, 4.2.1)."""
CLOSED = "127.0.0.1:9"
"""An address where nobody listens."""


@contextlib.contextmanager
def laboratory(root: Path, lines: str, main: str = CACHE) -> Iterator[ApacheLab]:
    with ApacheLab.make(root, lines=lines, main=main) as lab:
        yield lab


def observed(lab: ApacheLab) -> Facts:
    """Return the facts of this Apache's configuration, as one file."""
    (site,) = lab.apache.sites.glob("shop.example.conf")
    ports = lab.apache.sites / "00-ports.conf"
    main = lab.apache.config.read_text().replace("IncludeOptional vhosts/*.conf", "")
    files = {str(path): path.read_bytes() for path in (lab.root / "pki").glob("*.pem")}
    text = f"{main}\n{ports.read_text()}\n{site.read_text()}"
    return facts(text, files, version=(2, 4, 71))


def said(lab: ApacheLab) -> tuple[Finding, ...]:
    return run(APACHE_RULES, observed(lab))


def seen(lab: ApacheLab, name: str = "shop.example") -> str:
    """Return what a visitor gets."""
    met = handshake(Target("127.0.0.1", lab.port), name=name, version=Tls.V1_2)
    if isinstance(met, Refused):
        return "refused"
    if not met.staple:
        return "refused" if met.problem else "none"
    return "try later" if met.staple == TRY_LATER else "good"


@pytest.mark.parametrize(
    ("lines", "rule", "outcome"),
    [
        pytest.param("", "fetch-during-handshake", "good", id="plain"),
        pytest.param(
            "SSLStaplingForceURL https://127.0.0.1:9/",
            "responder-ends-handshakes",
            "refused",
            id="https",
        ),
        pytest.param(
            "SSLStaplingForceURL HTTP://127.0.0.1:9/",
            "responder-ends-handshakes",
            "refused",
            id="a scheme in capitals",
        ),
        pytest.param(
            "SSLStaplingForceURL responder",
            "responder-ends-handshakes",
            "refused",
            id="no scheme",
        ),
        pytest.param(
            "SSLStaplingResponderTimeout 0", "responder-timeout-unfit", "try later", id="no time"
        ),
        pytest.param(
            "SSLStaplingResponderTimeout none",
            "stapling-time-not-seconds",
            "try later",
            id="a word for a time",
        ),
        pytest.param(
            "SSLOCSPProxyURL http://127.0.0.1/", "ocsp-proxy-unfit", "try later", id="no port"
        ),
        pytest.param(
            f"SSLStaplingForceURL {{responder}}\nSSLOCSPProxyURL http://{CLOSED}/",
            "ocsp-proxy-unfit",
            "try later",
            id="a proxy before the local responder",
        ),
        pytest.param(
            f"SSLStaplingForceURL http://{CLOSED}/",
            "outage-becomes-try-later",
            "try later",
            id="an outage",
        ),
    ],
)
def test_what_a_rule_says_is_what_a_visitor_gets(tmp_path, lines, rule, outcome):
    with laboratory(tmp_path, ON) as lab:
        written = lines.format(responder=lab.responder.url)
        site = lab.apache.sites / "shop.example.conf"
        site.write_text(site.read_text().replace(ON, f"{ON}\n{written}"))
        assert lab.apache.test().returncode == 0

        lab.apache.start()

        assert rule in {finding.rule for finding in said(lab)}
        assert seen(lab) == outcome


def test_a_leaf_alone_is_never_stapled(tmp_path):
    with laboratory(tmp_path, ON) as lab:
        (lab.root / "pki/shop.example.pem").write_bytes(pem(lab.issued["shop.example"].cert))
        assert lab.apache.test().returncode == 0

        lab.apache.start()

        assert "stapling-issuer-missing" in {finding.rule for finding in said(lab)}
        assert seen(lab) == "none"
        assert "AH02217" in lab.apache.log


def test_sites_with_one_certificate_share_what_the_first_visitor_brought_about(tmp_path):
    with laboratory(tmp_path, f"{ON}\nSSLStaplingForceURL http://{CLOSED}/") as lab:
        pair = (lab.root / "pki/shop.example.pem", lab.root / "pki/shop.example.key")
        listen = f"127.0.0.1:{lab.port}"
        other = lab.apache.site("www.example", listen=listen, certificates=[pair], lines=ON)
        lab.apache.start()

        assert seen(lab, "shop.example") == "try later"
        assert seen(lab, "www.example") == "try later"
        shop = lab.apache.sites / "shop.example.conf"
        shop.write_text(shop.read_text() + other.read_text())
        assert "certificate-stapled-in-two-ways" in {finding.rule for finding in said(lab)}
        lab.apache.restart()
        assert seen(lab, "www.example") == "good"
        assert seen(lab, "shop.example") == "good"


def test_an_intermediate_in_a_file_of_its_own_is_found(tmp_path):
    with laboratory(tmp_path, ON) as lab:
        shop, chain = lab.root / "pki/shop.example.pem", lab.root / "pki/chain.pem"
        shop.write_bytes(pem(lab.issued["shop.example"].cert))
        chain.write_bytes(pem(lab.authority.intermediate.cert))
        site = lab.apache.sites / "shop.example.conf"
        site.write_text(site.read_text().replace(ON, f"{ON}\nSSLCertificateChainFile {chain}"))

        lab.apache.start()

        (known,) = observed(lab).chains.values()
        assert isinstance(known, Chain)
        assert known.others == (lab.authority.intermediate.cert,)
        assert "stapling-issuer-missing" not in {finding.rule for finding in said(lab)}
        assert seen(lab) == "good"


def test_without_a_cache_the_test_passes_and_the_reload_ends_the_server(tmp_path):
    with laboratory(tmp_path, "", main="") as lab:
        lab.apache.start()
        assert [one.rule for one in said(lab) if one.severity is Severity.ERROR] == []
        site = lab.apache.sites / "shop.example.conf"
        site.write_text(site.read_text().replace("</VirtualHost>", f"{ON}\n</VirtualHost>"))

        assert lab.apache.test().returncode == 0
        assert [one.rule for one in said(lab) if one.severity is Severity.ERROR] == [
            "stapling-cache-missing"
        ]
        with pytest.raises(ApacheTrouble, match="AH01958"):
            lab.apache.graceful()


@pytest.mark.parametrize(
    ("lines", "rule", "expected"),
    [
        pytest.param("MDStapling on", "md-serves-expired", "good", id="mod_md alone"),
        pytest.param(
            "SSLUseStapling off\nMDStapling on", "md-shadows-mod-ssl", "good", id="mod_ssl off"
        ),
        pytest.param(
            "MDStapling on\nMDStapleOthers off", "md-stapling-without-effect", "none", id="not it"
        ),
    ],
)
def test_what_a_rule_says_of_mod_md_is_what_a_visitor_gets(lines, rule, expected):
    with reachable_directory() as root:
        main = f"MDStoreDir {root}/md"
        with ApacheLab.make(root, lines=lines, main=main, modules=("md",)) as lab:
            lab.apache.start()

            assert rule in {finding.rule for finding in said(lab)}
            if expected == "good":
                wait_until(lambda: seen(lab) == "good", "mod_md to have fetched")
            else:
                assert {seen(lab) for _ in range(20)} == {"none"}
                assert not [*(root / "md").rglob("ocsp-*.json")]


@pytest.mark.parametrize(
    "value",
    [
        *("shmcb", "shmcb:", "default", "default:x(9000)", "shmcb:x", "shmcb:x(8192)"),
        *("shmcb:/a(b)/c(131072)", "shmcb:x(8191)", "shmcb:x(4294967295)", "shmcb:x(99999999999)"),
        *("shmcb:x(64K)", "shmcb:x()", "shmcb:x(-5)", "shmcb:x(0x4000)", "shmcb:x(9000.5)"),
        *("shmcb:x(131072", "shmcb:x(131072)y", "shmcb:x)131072(", "shmcb:x((131072))"),
        *("SHMCB:x(131072)", "none", "nonenotnull", "shm:x(131072)", "/x(131072)", ":x(131072)"),
    ],
)
def test_we_take_the_caches_that_httpd_takes(tmp_path, value):
    with Apache(tmp_path / "apache", main=f'SSLStaplingCache "{value}"') as apache:
        taken = apache.test().returncode == 0

    assert isinstance(parse(value), Cache) is taken
