"""Real configurations: what takes effect in them is what httpd says, or they are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from staplecfg.machine.disk import Disk
from staplecfg.model.errors import StaplecfgError
from staplecfg.model.settings import Settings
from staplecfg.servers.apache import evaluate
from tests.support import apache_dump
from tests.support.apache import find_apache, modules_of
from tests.support.apache_dump import dump, module
from tests.support.authority import Authority

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "apache"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.system,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus beside the checkout"),
]

FLAGS = ("SSL",)
LEFT_OUT = {
    *("mpm_prefork", "mpm_worker", "data", "bucketeer", "case_filter", "case_filter_in"),
    *("lbmethod_heartbeat", "authnz_ldap", "auth_digest"),
}
"""A second MPM, modules for httpd's own tests, and such as depend on the order of loading."""
_CERTIFICATE = re.compile(
    rb"^([ \t]*SSL(?:Certificate(?:Key|Chain)?|CACertificate)File)[ \t][^\n\\]*$",
    re.MULTILINE | re.IGNORECASE,
)
_LOG = re.compile(
    rb"^([ \t]*(?:ErrorLog|CustomLog|TransferLog))[ \t]+(?:\"[^\"\n]*\"|[^ \t\n]+)([^\n\\]*)$",
    re.MULTILINE | re.IGNORECASE,
)
FIRST = ("mpm_event", "proxy", "dav", "cache", "session", "ldap", "dbd", "slotmem_shm", "watchdog")


def modules() -> str:
    found = [each.stem.removeprefix("mod_") for each in modules_of(find_apache()).glob("mod_*.so")]
    names = [name for name in FIRST if name in found]
    names += sorted(set(found) - set(FIRST) - LEFT_OUT - {"info"})
    return "".join(map(module, names))


def files() -> list[Path]:
    return sorted(path for path in CORPUS.rglob("*") if path.is_file())


def names() -> list[str]:
    return [str(path.relative_to(CORPUS)) for path in files()]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("corpus").resolve()
    (made / "logs").mkdir()
    (made / "all.conf").write_text(modules(), encoding="ascii")
    chain, key = Authority.create().leaf(["x.test"]).write(made, "pair")
    (made / "pair.pem").write_bytes(chain.read_bytes() + key.read_bytes())
    return made


def main_for(root: Path, path: Path) -> Path:
    """Return a main file that includes a copy of `path`, whose own paths lead somewhere."""
    copy = root / "copy.conf"
    data = _CERTIFICATE.sub(rb"\1 %s" % bytes(root / "pair.pem"), path.read_bytes())
    copy.write_bytes(_LOG.sub(rb"\1 /dev/null\2", data))
    main = root / "httpd.conf"
    text = f'Include {root}/all.conf\nListen 127.0.0.1:19998\nServerName x.test\nInclude "{copy}"\n'
    main.write_text(text, encoding="utf-8")
    return main


@pytest.fixture(scope="module")
def accepted(root):
    """Return what httpd accepts, and what we make of it: both at once, for it costs."""
    found = {}
    for path in files():
        main = main_for(root, path)
        said = dump(main, server_root=root, defines=FLAGS)
        if not said.error:
            found[str(path.relative_to(CORPUS))] = (
                said.directives,
                apache_dump.ours(main, server_root=root, defines=FLAGS),
            )
    return found


def test_what_takes_effect_is_what_httpd_says(accepted):
    assert len(accepted) > 50
    assert sum(len(said) for said, _ in accepted.values()) > 1000
    assert {name: found for name, (said, found) in accepted.items() if found != said} == {}


@pytest.mark.parametrize("name", names())
def test_every_file_is_evaluated_or_refused_with_a_place(root, name):
    main = main_for(root, CORPUS / name)
    installation = apache_dump.installation(main, server_root=root, defines=FLAGS)
    try:
        found = evaluate.configuration(Disk(), installation, Settings())
    except StaplecfgError as error:
        assert error.at is not None  # noqa: PT017 - any of them will do
        return
    for finding in found.findings:
        assert finding.location.line is not None
        assert finding.hint
