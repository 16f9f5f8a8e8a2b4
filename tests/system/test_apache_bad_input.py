"""Odd and hostile input about Apache: each has an exit status and words, and changes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, TypeAlias

import pytest

from staplecfg.cli import registry
from tests.support.apache_lab import ApacheLab
from tests.support.apache_seen import seen
from tests.support.command_line import run
from tests.support.identity import as_nobody, open_to_nobody
from tests.support.nginx import CHECKOUT, find_nginx
from tests.support.schema import require_valid
from tests.support.told import refused, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Spoil: TypeAlias = Callable[[ApacheLab], object]

pytestmark = pytest.mark.system

NAME = "shop.example"
ROOT = os.geteuid() == 0
COMMANDS = ("check", "diff", "apply", "remove", "warm", "status", "probe")


@pytest.fixture
def lab(open_path: Path) -> Iterator[ApacheLab]:
    with ApacheLab.make(open_path / "lab") as made:
        yield made


def site(lab: ApacheLab) -> Path:
    return lab.apache.sites / f"{NAME}.conf"


def in_its_place(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def rewritten(lab: ApacheLab, old: str, new: str) -> None:
    text = site(lab).read_text()
    assert old in text
    site(lab).write_text(text.replace(old, new, 1))


BROKEN: dict[str, tuple[Spoil, str, str]] = {
    "a section that never ends": (
        lambda lab: site(lab).write_text("<VirtualHost *:443>\nSSLEngine on\n"),
        "never closed",
        "was not closed",
    ),
    "an end without a beginning": (
        lambda lab: site(lab).write_text("</VirtualHost>\n"),
        "no section is open here",
        "without matching",
    ),
    "a name that nobody knows": (
        lambda lab: rewritten(lab, "SSLEngine", "SSLEngin"),
        f"{NAME}.conf: Invalid command 'SSLEngin'",
        "Invalid command 'SSLEngin'",
    ),
    "bytes": (lambda lab: site(lab).write_bytes(bytes(range(256))), "a NUL byte", "Invalid"),
    "an include in a circle": (
        lambda lab: rewritten(lab, "<VirtualHost", f"Include {site(lab)}\n<VirtualHost"),
        "would read in circles",
        "broken as it is",
    ),
    "a macro that is not there": (
        lambda lab: site(lab).write_text(f"Use Nothing\n{site(lab).read_text()}"),
        "no macro",
        "Invalid command 'Use'",
    ),
    "a program": (
        lambda lab: site(lab).write_text(f"<Perl>\n$x = 1;\n</Perl>\n{site(lab).read_text()}"),
        "Perl",
        "Perl",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_configuration_is_said_and_nothing_is_changed(lab, case):
    spoil, checked, applied = BROKEN[case]
    spoil(lab)
    before = seen(lab.apache)

    told(lab.cli("check"), 1, checked)
    told(lab.cli("diff", "--unscheduled"), 0, checked)
    refused(lab.apply(), 4, "broken as it is", applied, "nothing was changed")
    for command in ("remove", "warm"):
        ended = lab.cli(command)
        told(ended, ended.status)
        assert ended.status in {0, 1, 4}, ended
    assert seen(lab.apache) == before


def test_a_link_to_itself_among_the_files_is_said_though_httpd_passes_it_over(lab):
    in_its_place(site(lab), lambda path: path.symlink_to(path))
    before = seen(lab.apache)

    for command in ("check", "apply", "remove"):
        told(lab.cli(command), 1, "symbolic links", "hint: ")
    assert seen(lab.apache) == before


def test_a_pipe_among_the_files_keeps_nobody_waiting(lab):
    in_its_place(site(lab), os.mkfifo)

    told(lab.cli("check"), 1, "is not a regular file", "hint: ")
    told(lab.cli("diff", "--unscheduled"), 0, "is not a regular file")


@pytest.mark.skipif(not ROOT, reason="mounting needs root")
def test_a_full_disk_is_said_and_nothing_is_lost(lab):
    lab.apache.start()
    master = lab.apache.master
    full = lab.apache.prefix / "vhosts"
    kept = {path.name: path.read_bytes() for path in full.iterdir()}
    size = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", str(full)]
    if subprocess.run(size, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not possible here")
    try:
        for name, content in kept.items():
            (full / name).write_bytes(content)
        with (full / "filler").open("wb", 0) as filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(b"x" * 4096)
        before = seen(lab.apache)

        ended = lab.apply()

        refused(ended, 4, "no space left", "df")
        assert seen(lab.apache) == before
        assert lab.apache.master == master
        (full / "filler").unlink()
        told(lab.apply(), 0, "reloaded")
        told(lab.cli("remove"), 0)
        assert {path.name: path.read_bytes() for path in full.iterdir()} == kept
        assert not list(lab.root.rglob(".staplecfg-*"))
    finally:
        lab.apache.stop()
        subprocess.run(["umount", str(full)], check=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_binary_that_is_not_there_is_said(lab, command):
    ended = lab.cli(command, "--binary", "/nowhere/apache2")

    if command == "status":
        told(ended, ended.status)
    else:
        refused(ended, 3, "/nowhere/apache2")
    assert not lab.state.exists() or not [*lab.state.rglob("*.json")]


def test_no_apache_at_all_is_said_with_what_to_do(lab, monkeypatch):
    monkeypatch.setenv("PATH", str(lab.root))

    refused(run(["check", "--server", "apache"]), 3, "apache2")


def test_a_binary_of_another_server_is_said(lab):
    refused(lab.cli("check", "--binary", str(find_nginx())), 3, "nginx")


def test_of_two_servers_that_are_installed_one_must_be_named(lab, monkeypatch):
    both = lab.root / "bin"
    both.mkdir()
    for name, real in {"nginx": find_nginx(), "apache2": lab.apache.binary}.items():
        (both / name).symlink_to(real)
    monkeypatch.setenv("PATH", f"{both}:{os.environ['PATH']}")

    refused(run(["check"]), 2, "nginx and apache are installed", "--server apache")


def test_a_binary_tells_by_itself_which_server_is_meant(lab):
    arguments = lab.arguments("check", "--format", "json")
    at = arguments.index("--server")

    ended = run([*arguments[:at], *arguments[at + 2 :]])

    assert ended.document["server"]["name"] == "apache", ended


def test_a_server_that_does_not_run_is_said_and_what_it_would_serve_is_probed_in_vain(lab):
    told(lab.apply(), 0, "is not running")
    ended = lab.cli("probe")
    assert ended.status == 1, ended
    told(ended, 1, "refused")


def test_a_responder_that_is_down_keeps_no_site_from_its_lines(lab):
    lab.responder.down()
    lab.apache.start()

    ended = lab.cli("apply", "--unscheduled", "--format", "json")

    assert ended.status == 0, ended
    assert ended.document["warnings"], ended
    assert b"SSLUseStapling on" in site(lab).read_bytes()
    lab.apache.graceful()
    lab.responder.up()
    told(lab.cli("warm", "--force"), 0)


MACRO = """\
<Macro Tls $name $certificate $key>
    <VirtualHost 127.0.0.1:{port}>
        ServerName $name
        SSLEngine on
        SSLCertificateFile $certificate
        SSLCertificateKeyFile $key
    </VirtualHost>
</Macro>
Use Tls shop.example {shop}.pem {shop}.key
Use Tls blog.example {blog}.pem {blog}.key
UndefMacro Tls
"""


def test_lines_in_a_macros_body_name_the_uses_they_reach(tmp_path):
    sites = (NAME, "blog.example")
    with ApacheLab.make(tmp_path, sites=sites, modules=("macro",)) as lab:
        shop, blog = (str(lab.root / "pki" / name) for name in sites)
        (lab.apache.sites / "blog.example.conf").unlink()
        site(lab).write_text(MACRO.format(port=lab.port, shop=shop, blog=blog))
        lab.apache.start()
        before = seen(lab.apache)

        done = lab.apply()

        told(done, 0, "macro-body-edited", f"{NAME}.conf:9", f"{NAME}.conf:10", "reloaded")
        assert site(lab).read_text().count("SSLUseStapling on") == 1
        assert lab.apply("--format", "json").document["changed"] is False
        told(lab.cli("remove", "--site", NAME), 0)
        told(lab.cli("remove"), 0)
        assert seen(lab.apache) == before


def test_a_condition_around_the_certificate_holds_for_our_lines_too(tmp_path):
    with ApacheLab.make(tmp_path, stock=True) as lab:
        text = site(lab).read_text()
        head, _, tail = text.partition("    SSLEngine")
        body, _, end = tail.partition("</VirtualHost>")
        inner = f"{head}    <IfModule mod_ssl.c>\n    SSLEngine{body}    </IfModule>\n"
        site(lab).write_text(f"{inner}</VirtualHost>{end}")
        assert lab.apply().status == 0

        for name in ("ssl.load", "ssl.conf"):  # a2dismod ssl
            (lab.apache.prefix / "mods-enabled" / name).unlink()

        assert b"SSLUseStapling on" in site(lab).read_bytes()
        assert lab.apache.test().returncode == 0, lab.apache.test().stdout


def tree_of(lab: ApacheLab, root: Path) -> Path:
    """Copy the configuration to `root`, as if it were another machine's; returns the root."""
    copied = root / "etc/apache2"
    ignored = shutil.ignore_patterns("run", "lock", "log", "htdocs")
    shutil.copytree(lab.apache.prefix, copied, symlinks=True, ignore=ignored)
    shutil.copytree(lab.root / "pki", root / "etc/pki")
    modules = root / "usr/lib/apache2/modules"
    modules.mkdir(parents=True)
    (copied / "sites-available" / f"{NAME}.conf").write_text(
        site(lab).read_text().replace(str(lab.root / "pki"), "/etc/pki")
    )
    for path in copied.rglob("*"):
        if path.is_file() and not path.is_symlink():
            text = path.read_text(errors="surrogateescape")
            if str(lab.apache.prefix) in text:
                path.write_text(
                    text.replace(str(lab.apache.prefix), "/etc/apache2"), errors="surrogateescape"
                )
    return root


def test_a_checkout_is_read_and_nothing_in_it_is_executed(tmp_path):
    with ApacheLab.make(tmp_path / "lab", stock=True) as lab:
        tree = tree_of(lab, tmp_path / "tree")
        trust = ["--trust", str(lab.root / "pki/root.pem")]
        asked = lab.responder.asked

        shown = run(["diff", "--root", str(tree), *trust])
        checked = run(["check", "--root", str(tree), "--format", "json", *trust])
        applied = run(["apply", "--root", str(tree)])

    assert shown.status == 1, shown
    assert "b/etc/apache2/sites-available/shop.example.conf" in shown.out
    assert "b/etc/apache2/conf-enabled/staplecfg.conf" in shown.out
    assert "var/lib/staplecfg" not in "".join(
        line for line in shown.out.splitlines() if line.startswith(("+++", "---"))
    )
    document = require_valid(checked.document)
    assert document["server"]["name"] == "apache"
    assert document["server"]["binary"] is None
    assert lab.responder.asked == asked
    assert not (tree / "var").exists()
    refused(applied, 2, "--root")
    taken = subprocess.run(
        ["git", "apply", "--check", "-"],
        cwd=tree,
        input=shown.out.encode(),
        capture_output=True,
        check=False,
    )
    assert taken.returncode == 0, taken.stderr


@pytest.mark.parametrize("stock", [False, True], ids=["plain", "Debian's tree"])
def test_every_document_is_as_the_schema_has_it(tmp_path, stock):
    with ApacheLab.make(tmp_path, stock=stock) as lab:
        lab.apache.start()
        commands = (
            *(["check"], ["diff", "--unscheduled"], ["apply", "--unscheduled", "--dry-run"]),
            *(["apply", "--unscheduled"], ["check"], ["warm"], ["status"], ["probe"], ["remove"]),
        )
        for command in commands:
            if command[0] == "probe":
                lab.apache.graceful()
            ended = lab.cli(*command, "--format", "json")
            document = require_valid(ended.document)
            assert document["command"] == command[0]
            assert ended.status in {0, 1}, ended
            if command[-1] == "--dry-run":
                planned = {(each["kind"], each["path"], each["op"]) for each in document["changes"]}
            elif command[0] == "apply":
                made = {(each["kind"], each["path"], each["op"]) for each in document["changes"]}
    assert {each for each in planned if each[0] in {"config", "link"}} == {
        each for each in made if each[0] in {"config", "link"}
    }
    assert ("link" in {each[0] for each in made}) is stock


@pytest.mark.skipif(not ROOT, reason="for root nothing is unreadable")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param(lambda lab: lab.apache.config, 3, id="main file"),
        pytest.param(site, 1, id="site"),
        pytest.param(lambda lab: lab.root / "pki" / f"{NAME}.pem", 1, id="certificate"),
    ],
)
def test_what_may_not_be_read_is_said_with_its_path(lab, path, status):
    for name in registry.COMMANDS:
        registry.command(name)
    lab.cli("check")
    if not open_to_nobody(CHECKOUT / "staplecfg"):
        pytest.skip("the checkout itself is in a directory that is root's alone")
    path(lab).chmod(0o600)

    def act() -> None:
        told(lab.cli("check"), status, "permission denied", path(lab).name, "hint: run as root")

    as_nobody(lab.root, act)
