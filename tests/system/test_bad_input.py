"""The odd and the hostile input: each has an exit status and words, and changes no configuration.

A table per kind: what is spoilt, then what check says of it, then what apply does.
"""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from staplecfg.cli import registry
from tests.support.authority import issue, pem, private_key
from tests.support.command_line import run
from tests.support.identity import as_nobody, open_to_nobody
from tests.support.lab import Lab
from tests.support.nginx import CHECKOUT
from tests.support.told import refused, told

if TYPE_CHECKING:
    from collections.abc import Callable

    Spoil: TypeAlias = Callable[[Lab], object]

pytestmark = pytest.mark.system

NAME = "shop.example"
ROOT = os.geteuid() == 0
TRICKS = "\x1b]0;owned\x07\x1b[2J\u202etxt"
"""A title set, a screen cleared, letters turned round."""


@pytest.fixture
def lab(open_path):
    with Lab.make(open_path / "lab", sites=[NAME]) as made:
        yield made


def site(lab: Lab) -> Path:
    return lab.nginx.prefix / "sites-available" / NAME


def certificate(lab: Lab) -> Path:
    return lab.root / "pki" / f"{NAME}.pem"


def snapshot(lab: Lab) -> dict[str, object]:
    """Return everything under nginx's prefix, whatever it is, with mode and inode."""
    found: dict[str, object] = {}
    for path in sorted(lab.nginx.prefix.rglob("*")):
        status = path.lstat()
        large = status.st_size > 1 << 20
        content = path.read_bytes() if path.is_file() and not large else status.st_size
        found[str(path)] = (status.st_mode, status.st_ino, content)
    return found


def rewritten(lab: Lab, old: str, new: str) -> None:
    text = site(lab).read_text()
    assert old in text
    site(lab).write_text(text.replace(old, new, 1))


def in_its_place(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def self_signed() -> bytes:
    return pem(issue(NAME, private_key("ec", "self"), None).cert)


CERTIFICATES: dict[str, tuple[Spoil, int, tuple[str, ...], str]] = {
    "missing": (lambda lab: certificate(lab).unlink(), 1, ("no such file", "hint: "), "refused"),
    "a key": (
        lambda lab: certificate(lab).write_bytes(lab.issued[NAME].key_pem),
        1,
        ("holds a private key and no certificate", "hint: "),
        "refused",
    ),
    "empty": (lambda lab: certificate(lab).write_bytes(b""), 1, ("is empty", "hint: "), "refused"),
    "a directory": (
        lambda lab: in_its_place(certificate(lab), Path.mkdir),
        1,
        ("is a directory", "hint: "),
        "refused",
    ),
    "a pipe": (
        lambda lab: in_its_place(certificate(lab), os.mkfifo),
        1,
        ("is not a regular file", "hint: "),
        "refused",
    ),
    "DER": (
        lambda lab: certificate(lab).write_bytes(lab.issued[NAME].der),
        1,
        ("is DER, not PEM", "openssl x509 -inform DER"),
        "refused",
    ),
    "zeros": (
        lambda lab: certificate(lab).write_bytes(bytes(4096)),
        1,
        ("holds no PEM certificate", "hint: "),
        "refused",
    ),
    "a link to itself": (
        lambda lab: in_its_place(certificate(lab), lambda path: path.symlink_to(path)),
        1,
        ("symbolic links", "hint: "),
        "refused",
    ),
    "self-signed": (
        lambda lab: certificate(lab).write_bytes(self_signed()),
        0,
        ("is self-signed", "[certificate-self-signed]"),
        "skipped",
    ),
    "without responder": (
        lambda lab: lab.add(NAME, responders=[]),
        0,
        ("names no OCSP responder", "[no-responder-url]"),
        "skipped",
    ),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_of_no_use_is_said_and_its_site_left_alone(lab, case):
    spoil, status, words, decision = CERTIFICATES[case]
    spoil(lab)
    before = snapshot(lab)

    told(lab.cli("check"), status, NAME, *words)
    told(lab.cli("diff", "--unscheduled"), 0, f"{decision}: {NAME}")
    told(lab.apply(), 0, f"{decision}: {NAME}", "nothing to do")
    assert lab.cli("diff", "--unscheduled").out == ""
    assert snapshot(lab) == before


def nested(lab: Lab) -> None:
    deep = "location / {" * 2000 + "}" * 2000
    rewritten(lab, "location / {", f"{deep} location / {{")


BROKEN: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "2,000 blocks in one another": (nested, ("more than 64 blocks", "closing braces")),
    "a block that never ends": (
        lambda lab: site(lab).write_text("server {\n    listen 443 ssl;\n"),
        ("server that opens here is never closed", "add the missing }"),
    ),
    "a quote that never ends": (
        lambda lab: site(lab).write_text('server { server_name "shop; }\n'),
        ("the quote that opens here never ends", 'add the closing "'),
    ),
    "a directive that never ends": (
        lambda lab: site(lab).write_text("x" * 1000),
        ("the file ends before the directive xxxxx", "end it with a ;"),
    ),
    "bytes": (
        lambda lab: site(lab).write_bytes(bytes(range(256))),
        ("the file ends before the directive", "end it with a ;"),
    ),
    "a pipe": (lambda lab: in_its_place(site(lab), os.mkfifo), ("is not a regular file", "hint:")),
    "a link to nowhere": (lambda lab: site(lab).unlink(), ("no such file", "take the include out")),
    "a directory": (lambda lab: in_its_place(site(lab), Path.mkdir), ("is a directory", "hint:")),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_configuration_is_said_by_everyone(lab, case):
    spoil, words = BROKEN[case]
    spoil(lab)
    before = snapshot(lab)

    for command in ("check", "apply", "remove"):
        more = ["--unscheduled"] if command == "apply" else []
        ended = lab.cli(command, *more)
        told(ended, 1, "[configuration-trouble]", *words)
        assert len(ended.out) < 4000
    told(lab.cli("diff", "--unscheduled"), 0, "[configuration-trouble]", *words)
    assert snapshot(lab) == before


def test_a_file_broken_after_apply_loses_no_staple(lab):
    lab.nginx.start()
    assert lab.apply().status == 0
    good = site(lab).read_text()
    site(lab).write_text(good.replace("server {", "server {{", 1))

    for more in ([], ["--offline"]):
        told(lab.cli("warm", *more), 0)
    told(lab.apply(), 4, "broken as it is", "unexpected")

    site(lab).write_text(good)
    lab.nginx.restart()
    told(lab.cli("probe"), 0, "2 served")


def test_what_was_replaced_in_a_file_that_cannot_be_read_now_is_given_back_later(lab):
    lab.add("blog.example")
    rewritten(lab, "server_name", "ssl_stapling_verify off; # as we like it\n    server_name")
    before = lab.files()
    told(lab.apply("--replace", "ssl_stapling_verify", "--site", NAME), 0)
    told(lab.apply(), 0)
    applied = site(lab).read_text()
    # nginx reads this, and we do not: the record must outlive it.
    deep = "".join(f"location /{'a' * n} {{" for n in range(1, 80)) + "}" * 79
    rewritten(lab, "location / {", f"{deep} location / {{")
    assert lab.nginx.test().returncode == 0

    told(lab.cli("remove"), 1, "more than 64 blocks")

    site(lab).write_text(applied)
    told(lab.cli("remove"), 0)
    assert lab.files() == before


MAIN: dict[str, tuple[Spoil, str]] = {
    "missing": (lambda lab: lab.nginx.config.unlink(), "no such file"),
    "a directory": (lambda lab: in_its_place(lab.nginx.config, Path.mkdir), "is a directory"),
    "a pipe": (lambda lab: in_its_place(lab.nginx.config, os.mkfifo), "is not a regular file"),
    "a device": (
        lambda lab: in_its_place(lab.nginx.config, lambda path: path.symlink_to("/dev/zero")),
        "is not a regular file",
    ),
    "70 MB": (
        lambda lab: lab.nginx.config.write_bytes(b"#" * 70 * 1024 * 1024 + b"\n"),
        "is larger than 64 MiB",
    ),
    "no text": (lambda lab: lab.nginx.config.write_bytes(bytes(range(256))), "nginx.conf:2: "),
    "one word of 1 MB": (
        lambda lab: lab.nginx.config.write_bytes(b"x" * 1024 * 1024),
        "too long for nginx",
    ),
}


@pytest.mark.parametrize("case", MAIN)
def test_a_main_file_of_no_use_stops_every_command(lab, case):
    spoil, words = MAIN[case]
    spoil(lab)
    before = snapshot(lab)

    for command in ("check", "diff", "apply", "warm", "remove", "probe"):
        ended = lab.cli(command)
        refused(ended, 3, str(lab.nginx.config), words)
        assert len(ended.err) < 1500
    assert snapshot(lab) == before


def test_an_include_that_leads_in_a_circle(lab):
    rewritten(lab, "server {", f"include {lab.nginx.prefix}/sites-enabled/*;\nserver {{")
    before = snapshot(lab)

    told(lab.cli("check"), 1, "includes", "nginx would read in circles")
    ended = lab.apply()
    refused(ended, 4, "broken as it is", "nothing was changed")
    assert snapshot(lab) == before


HOSTILE = {
    "a brace in a Lua string": 'content_by_lua_block { local s = "}" -- { }\n    }\n    ',
    "a quoted brace": 'add_header X "a } b { c" always;\n    ',
    "a comment with braces": "# } } {{ server {\n    ",
    "an escaped quote": 'add_header X "a \\" b ; c" always;\n    ',
    "a variable in braces": "set ${shop}x 1;\n    ",
    "a word next to a brace": "if ($host=x){return 404;}\n    ",
}
"""Where parsers of configurations have gone wrong; ours must at least never harm a byte."""


@pytest.mark.parametrize("case", HOSTILE)
def test_what_parsers_stumble_over_keeps_every_byte(lab, case):
    rewritten(lab, "location / {", f"{HOSTILE[case]}location / {{")
    good = lab.nginx.test().returncode == 0
    before = lab.files()

    ended = lab.apply()

    told(ended, 0 if good else 4, *([] if good else ["broken as it is", "nothing was changed"]))
    assert lab.nginx.test().returncode == (0 if good else 1)
    told(lab.cli("remove"), 0)
    assert lab.files() == before


STATES: dict[str, tuple[Spoil, int, tuple[str, ...]]] = {
    "the record is no JSON": (
        lambda lab: state_file(lab, "record.json", b"{"),
        3,
        ("record.json: staplecfg's own record: not JSON", "move the file away"),
    ),
    "the record is another's": (
        lambda lab: state_file(lab, "record.json", b"[1]"),
        3,
        ("not a record of schema 1", "move the file away"),
    ),
    "the record is endlessly deep": (
        lambda lab: state_file(lab, "record.json", b"[" * 100_000),
        3,
        ("staplecfg's own record", "move the file away"),
    ),
    "the record is a directory": (
        lambda lab: (lab.state / "record.json").mkdir(parents=True),
        3,
        ("is a directory", "move the file away"),
    ),
    "the journal is no JSON": (
        lambda lab: state_file(lab, "journal/manifest.json", b"{"),
        5,
        ("its journal cannot be used", "put them back by hand"),
    ),
    "the journal is of another time": (
        lambda lab: state_file(lab, "journal/manifest.json", b'{"schema": 99}'),
        5,
        ("schema 99 is not known", "put them back by hand"),
    ),
    "the journal is another's": (
        lambda lab: state_file(
            lab, "journal/manifest.json", b'{"schema":1,"created":5,"entries":["x"]}'
        ),
        5,
        ("is no journal of staplecfg", "put them back by hand"),
    ),
    "the journal is endlessly deep": (
        lambda lab: state_file(lab, "journal/manifest.json", b"[" * 100_000),
        5,
        ("is no journal of staplecfg", "put them back by hand"),
    ),
    "the state directory is a file": (
        lambda lab: lab.state.write_text("mine"),
        4,
        ("is there already, and is no directory", "move it out of the way"),
    ),
    "the state directory is a link to nowhere": (
        lambda lab: lab.state.symlink_to(lab.root / "nowhere"),
        4,
        ("is there already, and is no directory", "move it out of the way"),
    ),
    "the lock is a directory": (
        lambda lab: (lab.state / "lock").mkdir(parents=True),
        4,
        ("cannot be locked: is a directory",),
    ),
    "the store is a file": (
        lambda lab: state_file(lab, "store", b""),
        4,
        ("is there already, and is no directory", "move it out of the way"),
    ),
    "a staple's place is a pipe": (
        lambda lab: os.mkfifo(stored(lab)),
        4,
        ("is there already, and is no regular file", "move it out of the way"),
    ),
}


def state_file(lab: Lab, name: str, content: bytes) -> None:
    path = lab.state / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def stored(lab: Lab) -> Path:
    path = lab.state / "store" / f"{lab.issued[NAME].sha256}.der"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.mark.parametrize("case", STATES)
def test_state_that_cannot_be_gone_by_stops_apply_before_it_begins(lab, case):
    spoil, status, words = STATES[case]
    spoil(lab)
    before = snapshot(lab)

    ended = lab.apply()

    told(ended, status, *words)
    assert ended.err.startswith(f"staplecfg: error: {lab.state}"), ended
    assert snapshot(lab) == before
    told(lab.cli("check"), 3 if status == 3 else lab.cli("check").status)
    assert snapshot(lab) == before


def foreign(lab: Lab) -> bytes:
    other = lab.authority.leaf(["other.example"])
    return lab.authority.respond(other, now=datetime.now(timezone.utc))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda _: b"garbage", id="garbage"),
        pytest.param(lambda _: b"", id="nothing"),
        pytest.param(foreign, id="another certificate's"),
        pytest.param(lambda _: b"\x30" * 1_000_000, id="too much"),
    ],
)
def test_a_bad_file_in_the_store_is_never_handed_to_the_server(lab, content):
    stored(lab).write_bytes(content(lab))
    stored(lab).with_suffix(".json").write_bytes(b"[" * 100_000)
    stored(lab).with_suffix(".issuer.crt").write_bytes(b"garbage")

    told(lab.cli("check"), 1, "[staple-rejected]", str(stored(lab)))
    told(lab.apply("--offline"), 0, "0 with a staple")
    assert not list((lab.state / "nginx").rglob("*.der"))
    told(lab.apply(), 0, "1 with a staple")
    lab.nginx.start()
    told(lab.cli("probe"), 0, "2 served")


def test_a_state_directory_behind_a_link_is_used(lab):
    (lab.root / "elsewhere").mkdir()
    lab.state.symlink_to(lab.root / "elsewhere")
    before = lab.files()
    lab.nginx.start()

    told(lab.apply(), 0)
    told(lab.cli("probe"), 0, "2 served")
    told(lab.apply(), 0, "nothing to do")
    told(lab.cli("remove"), 0)
    assert lab.state.is_symlink()
    assert lab.files() == before


def program(lab: Lab, script: str) -> str:
    path = lab.root / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


BINARIES: dict[str, tuple[Callable[[Lab], str], tuple[str, ...]]] = {
    "is not there": (lambda _: "/nonexistent/nginx", ("/nonexistent/nginx: no such program",)),
    "is a directory": (lambda lab: str(lab.root), ("did not describe the server",)),
    "is no program": (lambda lab: str(certificate(lab)), ("permission denied",)),
    "says nothing": (lambda lab: program(lab, ":"), ("does not say which nginx it is",)),
    "is another server": (
        lambda lab: program(lab, "echo Server version: Apache/2.4.66"),
        ("does not say which nginx it is", "Apache/2.4.66"),
    ),
    "fails": (lambda lab: program(lab, "echo broken >&2; exit 127"), ("broken",)),
    "speaks to the terminal": (
        lambda lab: program(lab, r"printf '\033]0;owned\007\033[2J'; exit 1"),
        ("\\x1b]0;owned\\x07",),
    ),
}


@pytest.mark.parametrize("case", BINARIES)
def test_a_binary_that_is_no_nginx(lab, case):
    make, words = BINARIES[case]
    binary = make(lab)
    before = snapshot(lab)

    for command in ("check", "diff", "apply", "warm", "remove", "probe"):
        refused(lab.cli(command, "--binary", binary), 3, "--binary", *words)
    assert snapshot(lab) == before


def test_a_binary_that_hangs_is_given_up(lab):
    hanging = program(lab, f"echo $$ >{lab.root}/pid; echo thinking; sleep 600")

    refused(lab.cli("check", "--binary", hanging), 3, "thinking", "did not end within 20 seconds")

    pid = (lab.root / "pid").read_text().strip()
    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text()


@pytest.mark.skipif(
    shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin") is not None,
    reason="this machine has an nginx of its own",
)
def test_no_nginx_installed():
    refused(run(["check"]), 3, "nginx: no such program", "--binary", "--root")


TEMPLATES: dict[str, tuple[str, int, str]] = {
    "syntax": ("ssl_stapling on;\n{% if %}\n", 2, "xpected"),
    "an unknown variable": ("ssl_stapling on;\n\n{{ nonsense }};\n", 3, "'nonsense' is undefined"),
    "a block": ("ssl_stapling on;\nlocation / {\n}\n", 2, "`location` opens a block"),
    "no directive": ("ssl_stapling on;\nssl_stapling_verify on\n", 2, "no configuration"),
    "a loop without end": ("{% for x in range(9) %}\n{% endfor %}\n", 1, "may not use `call`"),
    "a way out of the sandbox": ("{{ ''.__class__ }};\n", 1, "__class__"),
}


@pytest.mark.parametrize("case", TEMPLATES)
def test_a_template_that_is_wrong_is_said_at_its_line(lab, case):
    text, line, words = TEMPLATES[case]
    override = lab.root / "templates/nginx/file/site.conf.j2"
    override.parent.mkdir(parents=True)
    override.write_text(text)
    before = snapshot(lab)

    for command in ("diff", "apply"):
        flags = ["--unscheduled", "--template-dir", str(lab.root / "templates")]
        ended = lab.cli(command, *flags)
        told(ended, 3, f"staplecfg: error: {override}:{line}: ", words)
    assert snapshot(lab) == before


def test_a_template_that_is_a_pipe_is_not_waited_for(lab):
    override = lab.root / "templates/nginx/file/site.conf.j2"
    override.parent.mkdir(parents=True)
    os.mkfifo(override)

    told(lab.cli("diff", "--template-dir", str(lab.root / "templates")), 3, "not a regular file")


SETTINGS: dict[str, tuple[str, int, int | None, tuple[str, ...]]] = {
    "not TOML": ("offline = true\nsites = *\n", 2, 2, ("not TOML",)),
    "not text": ("\udcff", 2, None, ("not TOML",)),
    "endlessly deep": ("x = " + "[" * 100_000, 2, None, ("not TOML",)),
    "a number beyond measure": ("x = " + "9" * 10_000, 2, None, ("not TOML",)),
    "an unknown key": ("\nofline = true\n", 2, 2, ("unknown setting `ofline`", "`offline`?")),
    "an unknown key in a section": (
        "[responders]\nproxi = 'x'\n",
        2,
        2,
        ("unknown setting `responders.proxi`", "did you mean `responders.proxy`?"),
    ),
    "a decision about one run": ("force = true\n", 2, 1, ("unknown setting `force`",)),
    "a wrong type": ("offline = 'yes'\n", 2, 1, ("`offline` takes true or false",)),
    "a key for the terminal": (
        '"\\u001b]0;owned\\u0007" = 1\n',
        2,
        None,
        ("unknown setting `\\x1b]0;owned\\x07`",),
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_make_no_sense_stop_every_command(lab, case):
    text, status, line, words = SETTINGS[case]
    file = lab.root / "staplecfg.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = snapshot(lab)
    place = str(file) if line is None else f"{file}:{line}: "

    for command in ("check", "diff", "apply", "warm", "remove", "probe"):
        told(lab.cli(command, "--settings", str(file)), status, place, *words)
    one = ["fetch", str(certificate(lab)), "--output", str(lab.root / "out")]
    told(run([*one, "--settings", str(file)]), status, place, *words)
    assert snapshot(lab) == before


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda _: None, "no such file", id="missing"),
        pytest.param(Path.mkdir, "is a directory", id="a directory"),
        pytest.param(os.mkfifo, "is not a regular file", id="a pipe"),
    ],
)
def test_settings_that_cannot_be_read(lab, make, words):
    file = lab.root / "staplecfg.toml"
    make(file)

    refused(lab.cli("check", "--settings", str(file)), 3, str(file), words)


def test_what_the_command_line_does_not_know():
    cases = {
        (): (0, "commands:"),
        ("chekc",): (2, "did you mean `check`?"),
        ("chec",): (2, "no command `chec`"),
        ("--offline", "check"): (2, "no command `--offline`"),
        ("check", "--offlin"): (2, "--offlin"),
        ("check", "--sit", "x"): (2, "--sit"),
        ("check", "extra"): (2, "extra"),
        ("check", "--format", "xml"): (2, "xml"),
        ("check", "--root", "/nonexistent"): (2, "/nonexistent is not a directory"),
        ("explain", "chain-incomplet"): (2, "did you mean `chain-incomplete`"),
        ("explain", "no such thing"): (2, "`staplecfg explain` lists them"),
        ("fetch",): (2, "--help"),
        ("inspect", "x"): (2, "--certificate"),
        ("apply", "--test-command", "'"): (2, "--test-command"),
        ("check", TRICKS): (2, "\\x1b]0;owned\\x07"),
        (TRICKS,): (2, "no command `\\x1b]0;owned\\x07"),
    }
    for arguments, (status, words) in cases.items():
        told(run(list(arguments)), status, words)


def tricked(lab: Lab) -> None:
    """Put escapes and newlines into a server name, a file name and a certificate's subject."""
    issued = lab.authority.leaf(
        [NAME],
        responders=[lab.responder.url],
        common_name=f"{TRICKS}\nx",
        issuer=lab.authority.sub_authority(f"{TRICKS}\ny"),
    )
    chain, key = issued.write(lab.root / "pki", f"{TRICKS}\nz")
    text = site(lab).read_text()
    text = text.replace(str(certificate(lab)), f'"{chain}"').replace(
        str(certificate(lab).with_suffix(".key")), f'"{key}"'
    )
    site(lab).rename(site(lab).with_name(f"{TRICKS}\nw"))
    (lab.nginx.prefix / "sites-enabled" / NAME).unlink()
    enabled = lab.nginx.prefix / "sites-enabled" / f"{TRICKS}\nv"
    text = text.replace(f"server_name {NAME}", f'server_name "{TRICKS}\nq" {NAME}')
    enabled.write_text(text, encoding="utf-8")


def test_terminal_escapes_in_names_never_reach_the_terminal(lab):
    tricked(lab)
    commands = [["check"], ["diff", "--unscheduled"], ["apply", "--unscheduled"], ["probe"]]
    commands += [["warm", "--force"], ["remove"], ["apply", "--replace", "x", "--site", TRICKS]]

    for command in commands:
        text = lab.cli(*command)
        if command[0] == "diff":  # what git takes is bytes; only a terminal is spared
            text = type(text)(text.status, "", text.err)
        told(text, text.status)
        assert text.status in {0, 1, 4}, text
        json = lab.cli(*command, "--format", "json")
        told(json, json.status)
        assert json.out.isascii()
        assert json.document["schema"] == 1


@pytest.fixture
def nobody(lab) -> Callable[[Callable[[], object]], None]:
    """Return what runs something in a child without power.

    In this process's image: the interpreter itself may be where only root may
    look, so whatever is imported late is imported before.
    """
    for name in registry.COMMANDS:
        registry.command(name)
    lab.cli("check")
    if not open_to_nobody(CHECKOUT / "staplecfg"):
        pytest.skip("the checkout itself is in a directory that is root's alone")
    return lambda act: as_nobody(lab.root, act)


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
def test_who_is_not_root_changes_nothing_and_is_told(lab, nobody):
    before = snapshot(lab)

    def act() -> None:
        for ended in (lab.apply(), lab.cli("remove"), lab.cli("warm")):
            refused(ended, 4, "permission denied", "hint: run as root")

    nobody(act)
    assert snapshot(lab) == before
    assert not lab.state.exists()


@pytest.mark.skipif(not ROOT, reason="for root nothing is unreadable")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param(lambda lab: lab.nginx.config, 3, id="main file"),
        pytest.param(site, 1, id="site"),
        pytest.param(certificate, 1, id="certificate"),
        pytest.param(lambda lab: lab.root / "pki/root.pem", 3, id="trust"),
    ],
)
def test_what_may_not_be_read_is_said_with_its_path(lab, nobody, path, status):
    path(lab).chmod(0o600)

    def act() -> None:
        words = ("permission denied", path(lab).name, "hint: run as root")
        told(lab.cli("check"), status, *words)

    nobody(act)
