"""httpd's own reading against ours: the real server's dumps, and what is made of a difference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from staplecfg.loading import agreement as asked
from staplecfg.loading import binaries
from staplecfg.machine.disk import Disk
from staplecfg.machine.run import run
from staplecfg.model.settings import Apache as ApacheSettings
from staplecfg.model.settings import Settings
from staplecfg.servers.apache.agreement import agreement
from staplecfg.servers.apache.commands import COMMANDS
from staplecfg.servers.apache.evaluate import configuration
from staplecfg.servers.registry import SERVERS
from tests.support.apache import Apache
from tests.support.authority import Authority

if TYPE_CHECKING:
    from staplecfg.model.finding import Finding
    from staplecfg.model.installation import Installation
    from staplecfg.model.site import Configuration

pytestmark = pytest.mark.system

DISK = Disk(Path("/"))

HOST = "<VirtualHost *:8{0}>\n  ServerName {0}.test\n{1}</VirtualHost>\n"
TREES = [
    pytest.param("", (), {}, id="nothing but what is always there"),
    pytest.param(HOST.format(1, ""), (), {}, id="a plain host"),
    pytest.param("<VirtualHost *:81 \\\n   *:82>\n</VirtualHost>", (), {}, id="a continued line"),
    pytest.param(
        "".join(HOST.format(n, "").replace(f"*:8{n}", "*") for n in (1, 2)),
        (),
        {},
        id="hosts at every port",
    ),
    pytest.param(
        f"<IfDefine X>\n{HOST.format(1, '')}</IfDefine>\n<IfDefine !X>\n{HOST.format(2, '')}"
        "</IfDefine>",
        ("X",),
        {},
        id="conditions",
    ),
    pytest.param(
        f"<Macro Host $n>\n# one\n{HOST.format('$n', '')}</Macro>\nUse Host 1\nUse Host 2",
        (),
        {},
        id="a macro",
    ),
    pytest.param(
        "Include 'sub dir/*.conf'\nIncludeOptional none/*.conf\nInclude vhosts/../one.inc",
        (),
        {
            "sub dir/a.conf": HOST.format(1, ""),
            "sub dir/b.conf": "Include one.inc\n",
            "one.inc": "# nothing\n",
        },
        id="includes",
    ),
    pytest.param("", (), {"vhosts/x.conf": "-> ../one.inc", "one.inc": "#\n"}, id="a link"),
]


class Pair(NamedTuple):
    """Two readings of one configuration, theirs as it was printed."""

    ours: Configuration
    installation: Installation
    said: str

    def differences(self, **change: Any) -> tuple[Finding, ...]:
        pair = self._replace(**change)
        return agreement(pair.ours, pair.installation, DISK, pair.said)


def made(directory: Path, main: str, defines: tuple[str, ...], files: dict[str, str]) -> Apache:
    apache = Apache(directory / "apache", main=main, defines=defines, modules=("macro",))
    for name, text in files.items():
        path = apache.prefix / name
        path.parent.mkdir(exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(text.removeprefix("-> "))
        else:
            path.write_text(text, encoding="utf-8")
    issued = Authority.create().leaf(["shop.example"])
    apache.site(
        "shop.example", listen="127.0.0.1:8443", certificates=[issued.write(directory, "shop")]
    )
    return apache


def settings_of(apache: Apache) -> Settings:
    return Settings(
        binary=PurePosixPath(apache.binary),
        prefix=PurePosixPath(apache.prefix),
        config=PurePosixPath(apache.config),
        apache=ApacheSettings(defines=apache.defines),
    )


def readings(apache: Apache) -> Pair:
    """Return our reading, and what httpd says of its own."""
    settings = settings_of(apache)
    installation = binaries.described(SERVERS["apache"], settings, DISK)
    evidence = COMMANDS.evidence(installation)
    assert evidence is not None
    said = run(evidence.argv, timeout=60, more=evidence.environment, errors=False)
    assert said.status == 0, said
    return Pair(configuration(DISK, installation, settings), installation, said.output)


@pytest.mark.parametrize(("main", "defines", "files"), TREES)
def test_both_read_the_same(
    tmp_path: Path, main: str, defines: tuple[str, ...], files: dict[str, str]
):
    pair = readings(made(tmp_path, main, defines, files))

    assert pair.differences() == ()
    assert len(pair.ours.sites) == 1


def test_both_read_debians_own_tree_the_same(tmp_path: Path):
    issued = Authority.create().leaf(["shop.example"])
    apache = Apache.stock(tmp_path / "apache")
    apache.site(
        "shop.example", listen="127.0.0.1:8443", certificates=[issued.write(tmp_path, "shop")]
    )

    pair = readings(apache)

    assert pair.differences() == ()
    assert [site.names for site in pair.ours.sites] == [("shop.example",)]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Two readings that agree: a host in the main file, one in a file, one in a macro."""
    macro = f"<Macro Host $n>\n{HOST.format('$n', '')}</Macro>\nUse Host 3\n"
    return readings(made(tmp_path, f"{HOST.format(1, '')}{macro}", (), {}))


def test_a_file_we_did_not_read_makes_all_doubtful(pair: Pair):
    ours = pair.ours
    less = {path: source for path, source in ours.files.items() if path.name != "shop.example.conf"}

    found = pair.differences(ours=replace(ours, files=less, sites=()))

    assert [each.location.path for each in found] == [ours.main]
    assert "httpd reads" in found[0].problem


def test_a_file_httpd_did_not_read_makes_all_doubtful(pair: Pair):
    kept = [line for line in pair.said.splitlines() if not line.endswith("shop.example.conf")]

    found = pair.differences(said="\n".join(kept))

    assert [each.location.path for each in found] == [pair.ours.main]
    assert "httpd does not" in found[0].problem


@pytest.mark.parametrize("name", ["1.test", "shop.example", "3.test"])
def test_a_host_httpd_does_not_have_is_told_where_it_stands(pair: Pair, name: str):
    kept = [line for line in pair.said.splitlines() if f" {name} (" not in line]

    (found,) = pair.differences(said="\n".join(kept))

    assert found.problem == "staplecfg has a virtual host here, and httpd has none"
    assert found.location.line is not None


def test_a_host_we_take_not_to_be_in_effect_is_told_where_it_stands(
    pair: Pair,
):
    ours = pair.ours
    hosts = tuple(
        each for each in ours.globals["VirtualHost"] if each.file.name != "shop.example.conf"
    )

    less = replace(ours, sites=(), globals={**ours.globals, "VirtualHost": hosts})

    (found,) = pair.differences(ours=less)

    assert (found.location.path.name, found.location.line) == ("shop.example.conf", 1)
    assert "staplecfg has none" in found.problem


@pytest.mark.parametrize("said", ["", "Syntax OK\n", "VirtualHost configuration:\n"])
def test_silence_is_no_agreement(pair: Pair, said: str):
    (found,) = pair.differences(said=said)

    assert found.location.path == pair.ours.main


def test_a_pid_file_that_is_elsewhere_makes_all_doubtful(pair: Pair):
    said = pair.said.replace("run/httpd.pid", "run/other.pid")

    (found,) = pair.differences(said=said)

    assert found.location.path == pair.ours.main
    assert "run/other.pid" in found.problem


def checked(
    apache: Apache, master: int | None = None, settings: Settings | None = None
) -> Configuration:
    """Return the configuration as `observe` has it for whoever edits."""
    settings = settings or settings_of(apache)
    server = SERVERS["apache"]
    installation = binaries.described(server, settings, DISK)
    ours = configuration(DISK, installation, settings)
    return asked.checked(server, ours, installation, DISK, master)


def test_where_both_agree_nothing_is_refused(tmp_path: Path):
    found = checked(made(tmp_path, "", (), {}))

    assert found.findings == ()
    assert not any(source.refusal for source in found.files.values())


def test_a_configuration_httpd_rejects_is_refused_whole_with_its_words(tmp_path: Path):
    found = checked(made(tmp_path, "Bogus on", (), {}))

    assert all(source.refusal for source in found.files.values())
    assert "Invalid command 'Bogus'" in found.findings[0].problem


def test_a_server_that_runs_with_other_flags_is_not_edited(tmp_path: Path):
    with made(tmp_path, "", ("BETA",), {}) as apache:
        apache.start()

        same = checked(apache, apache.master)
        found = checked(
            apache, apache.master, replace(settings_of(apache), apache=ApacheSettings())
        )

    assert same.findings == ()
    assert all(source.refusal for source in found.files.values())
    assert "-D BETA" in found.findings[0].problem
    assert "apache.defines" in (found.findings[0].hint or "")
