"""apply, diff and remove on a real nginx: what changes, what never does, and how trouble ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import run
from tests.support.lab import Lab
from tests.support.nginx import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system


@pytest.fixture
def lab(tmp_path):
    with Lab.make(tmp_path / "lab", sites=["shop.example"]) as made:
        yield made


def same_but_for_insertions(before: bytes, after: bytes) -> bool:
    """Say whether every line of `before` stands in `after`, in its order, to the byte."""
    lines = iter(after.splitlines(keepends=True))
    return all(line in lines for line in before.splitlines(keepends=True))


def six_sites(lab: Lab) -> list[Path]:
    """Rewrite six sites as six people would have: tabs, comments, CRLF, no final newline, 0640."""
    files = [lab.nginx.prefix / "sites-available" / name for name in lab.issued]
    texts = [path.read_text(encoding="utf-8") for path in files]
    tabs = texts[0].replace("    ", "\t")
    comments = texts[1].replace(
        "server {", "# ours; do not touch\nserver { # { }\n    # ssl_stapling on;"
    )
    crlf = texts[2].replace("\n", "\r\n")
    no_newline = texts[3].rstrip("\n")
    odd = texts[4].replace("    ssl_certificate ", "  ssl_certificate\n\t\t") + "\n\n\n"
    latin = "# caf\udce9\n" + texts[5]
    for path, text in zip(files, (tabs, comments, crlf, no_newline, odd, latin), strict=True):
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        path.chmod(0o640)
    return files


def test_six_sites_get_lines_and_nothing_else_and_give_them_back(tmp_path):
    names = [f"{word}.example" for word in ("a", "b", "c", "d", "e", "f")]
    with Lab.make(tmp_path / "lab", sites=names) as lab:
        files = six_sites(lab)
        lab.nginx.start()
        before = lab.files()

        applied = lab.apply()

        assert applied.status == 0, applied
        for path in files:
            old = before[f"sites-available/{path.name}"]
            new = path.read_bytes()
            assert same_but_for_insertions(old, new), path
            assert new.count(b"\n") == old.count(b"\n") + 3, path
            assert new.endswith(b"\n") == old.endswith(b"\n"), path
            assert (b"\r\n" in old) == (b"\r\n" in new), path
            assert path.stat().st_mode & 0o777 == 0o640
            assert (lab.nginx.prefix / "sites-enabled" / path.name).is_symlink()
        assert b"\r\n" in (lab.nginx.prefix / "sites-available" / "c.example").read_bytes()
        assert lab.cli("probe").status == 0

        after = lab.files()
        again = lab.cli("apply", "--unscheduled", "--format", "json")
        assert again.document["changed"] is False, again
        assert lab.files() == after
        diff = lab.cli("diff", "--unscheduled")
        assert (diff.status, diff.out) == (0, ""), diff

        removed = lab.cli("remove")
        assert removed.status == 0, removed
        assert lab.files() == before
        assert all(path.stat().st_mode & 0o777 == 0o640 for path in files)


def test_the_diff_is_what_apply_does_and_git_takes_it(tmp_path, lab):
    tree = tmp_path / "tree"
    prefix = lab.nginx.prefix
    shown = lab.cli("diff", "--unscheduled")
    assert shown.status == 1, shown
    copied = tree / str(prefix).lstrip("/")
    shutil.copytree(prefix, copied, symlinks=True, ignore=shutil.ignore_patterns("run", "logs"))
    subprocess.run(["git", "init", "-q", str(tree)], check=True)

    taken = subprocess.run(
        ["git", "apply", "-"], cwd=tree, input=shown.out.encode(), capture_output=True, check=False
    )

    assert taken.returncode == 0, taken.stderr
    assert lab.apply("--config-only").status == 0
    for name, content in lab.files().items():
        if not content.startswith(b"-> "):
            assert (copied / name).read_bytes() == content, name
    minus = [line for line in shown.out.splitlines() if line.startswith("-")]
    assert all(line.startswith("---") for line in minus)


def test_owner_and_extended_attributes_are_kept(lab):
    path = lab.nginx.prefix / "sites-available/shop.example"
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError as error:
        pytest.skip(f"no user attributes on this file system: {error}")
    before = path.stat()

    assert lab.apply().status == 0

    after = path.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (
        before.st_uid,
        before.st_gid,
        before.st_mode,
    )
    assert os.getxattr(path, "user.note") == b"kept"


def test_a_configuration_that_is_broken_as_found_is_left_alone(lab):
    broken = lab.nginx.prefix / "sites-available/shop.example"
    broken.write_text(broken.read_text().replace("server_name", "server_nam"))
    before = lab.files()

    ended = lab.apply()

    assert ended.status == 4, ended
    assert "broken as it is" in ended.err
    assert 'unknown directive "server_nam"' in ended.err
    assert "nothing was changed" in ended.err
    assert lab.files() == before


def command(path: Path, script: str) -> str:
    """Write an executable shell script and return its path."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def refusing_second_time(lab: Lab) -> str:
    """Return a test command that is nginx's own, and says no from the second time on."""
    seen = lab.root / "seen"
    real = " ".join(lab.nginx.argv("-t"))
    return command(
        lab.root / "test-command",
        f"if [ -e {seen} ]; then echo 'emerg: made to refuse' >&2; exit 1; fi\n"
        f": >{seen}\nexec {real}",
    )


def test_a_change_that_nginx_refuses_is_undone(lab):
    lab.nginx.start()
    before = lab.files()
    workers = lab.nginx.worker_pids()

    ended = lab.apply("--test-command", refusing_second_time(lab))

    assert ended.status == 4, ended
    assert "made to refuse" in ended.err
    assert "restored" in ended.err
    assert lab.files() == before
    assert lab.nginx.worker_pids() == workers
    assert not (lab.state / "journal").exists()
    assert lab.apply().status == 0


def test_a_reload_that_fails_is_undone_and_the_server_goes_on(lab):
    lab.nginx.start()
    before = lab.files()

    ended = lab.apply("--reload-command", command(lab.root / "reload", "echo no >&2; exit 1"))

    # It refuses every reload, so it never took up what was undone.
    assert ended.status == 4, ended
    assert lab.files() == before
    assert lab.nginx.test().returncode == 0


def test_a_reload_that_fails_once_leaves_everything_as_it_was(lab):
    lab.nginx.start()
    before = lab.files()
    seen = lab.root / "seen"
    real = " ".join(lab.nginx.argv("-s", "reload"))
    once = command(
        lab.root / "reload",
        f"if [ ! -e {seen} ]; then : >{seen}; echo 'not now' >&2; exit 1; fi\nexec {real}",
    )

    ended = lab.apply("--reload-command", once)

    assert ended.status == 4, ended
    assert "not now" in ended.err
    assert lab.files() == before


def test_a_file_changed_since_the_plan_is_left_alone(lab):
    path = lab.nginx.prefix / "sites-available/shop.example"
    real = " ".join(lab.nginx.argv("-t"))
    # The configuration is tested as found after the plan was made, before anything is written.
    meddling = command(lab.root / "test", f"echo '# somebody else' >>{path}\nexec {real}")
    before = path.read_bytes()

    ended = lab.apply("--test-command", meddling)

    assert ended.status == 4, ended
    assert "shop.example" in ended.err
    assert path.read_bytes() == before + b"# somebody else\n"
    assert not (lab.state / "journal").exists()


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("# This file is managed by Puppet. DO NOT EDIT.", id="Puppet"),
        pytest.param("# Ansible managed", id="Ansible"),
    ],
)
def test_a_file_somebody_regenerates_is_refused_with_the_line_to_paste(lab, header):
    path = lab.nginx.prefix / "sites-available/shop.example"
    path.write_text(f"{header}\n{path.read_text()}")
    before = lab.files()

    ended = lab.apply()

    assert lab.files() == before
    assert "generated-file" in ended.out, ended
    assert "include " in ended.out
    assert lab.apply("--force").status == 0
    assert lab.files() != before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file immutable")
def test_a_file_that_cannot_be_written_is_said_and_nothing_is_changed(lab):
    directory = lab.nginx.prefix / "sites-available"
    flagged = subprocess.run(["chattr", "+i", directory], capture_output=True, check=False)
    if flagged.returncode != 0:
        pytest.skip("no immutable flag on this file system")
    before = lab.files()
    try:
        ended = lab.apply()
    finally:
        subprocess.run(["chattr", "-i", directory], check=True)

    assert ended.status == 4, ended
    assert str(directory) in ended.err
    assert "hint:" in ended.err
    assert lab.files() == before
    assert lab.apply().status == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk_is_said_and_nothing_is_lost(lab):
    full = lab.state
    full.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", full],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not possible here")
    try:
        (full / "filler").write_bytes(b"x" * 60 * 1024)
        before = lab.files()

        ended = lab.apply()

        assert ended.status == 4, ended
        assert "no space left" in ended.err
        assert "df" in ended.err
        assert lab.files() == before
        (full / "filler").unlink()
        assert lab.apply().status == 0
        assert not list(lab.root.rglob(".staplecfg-*"))
    finally:
        subprocess.run(["umount", full], check=True)


def test_two_at_once_end_as_one(lab):
    lab.nginx.start()
    argv = [sys.executable, "-m", "staplecfg", *lab.arguments("apply", "--unscheduled")]
    both = [
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ended = [(process.communicate(timeout=120), process.returncode) for process in both]

    assert sorted(status for _, status in ended) in ([0, 0], [0, 4]), ended
    assert lab.cli("diff", "--unscheduled").out == ""
    assert lab.cli("probe").status == 0


def test_one_that_waits_in_vain_says_who_holds_the_lock(lab):
    lab.nginx.start()
    gate = lab.root / "gate"
    real = " ".join(lab.nginx.argv("-t"))
    slow = command(lab.root / "slow", f": >{gate}; sleep 250; exec {real}")
    argv = [sys.executable, "-m", "staplecfg", *lab.arguments("apply", "--unscheduled")]
    with subprocess.Popen([*argv, "--test-command", slow], stdout=subprocess.DEVNULL) as first:
        wait_until(gate.exists, "the first to hold the lock")
        second = lab.apply()
        boot = lab.cli("warm", "--offline")
        first.terminate()

    assert second.status == 4, second
    assert f"pid {first.pid}" in second.err
    assert boot.status == 0, boot


def test_apply_refuses_staples_that_nothing_renews(lab):
    before = lab.files()

    ended = lab.cli("apply")

    assert ended.status == 4, ended
    assert "--unscheduled" in ended.err
    assert lab.files() == before


def test_a_dry_run_shows_the_diff_and_changes_nothing(lab):
    before = lab.files()

    ended = lab.apply("--dry-run")

    assert ended.status == 0, ended
    assert "+    ssl_stapling on;" in ended.out
    assert lab.files() == before
    assert not lab.state.exists()


def test_config_only_configures_what_works_before_there_is_a_staple(lab):
    ended = lab.apply("--config-only")

    assert ended.status == 0, ended
    assert lab.responder.asked == 0
    assert lab.nginx.test().returncode == 0
    lab.nginx.start()
    assert lab.cli("warm").status == 0
    assert lab.cli("probe").status == 0


def test_no_reload_leaves_the_running_server_alone(lab):
    lab.nginx.start()
    workers = lab.nginx.worker_pids()

    ended = lab.apply("--no-reload")

    assert ended.status == 0, ended
    assert lab.nginx.worker_pids() == workers


def test_another_value_is_overruled_only_by_name_and_given_back(tmp_path):
    with Lab.make(tmp_path / "lab", lines="ssl_stapling_verify off; # as we like it") as lab:
        before = lab.files()

        refused = lab.apply()
        assert lab.files() == before, refused
        assert "ssl_stapling_verify" in refused.out
        unnamed = lab.apply("--replace", "ssl_stapling_verify")
        assert unnamed.status == 2, unnamed
        replaced = lab.apply("--replace", "ssl_stapling_verify", "--site", "shop.example")
        assert replaced.status == 0, replaced
        assert (
            b"ssl_stapling_verify on; # as we like it"
            in lab.files()["sites-available/shop.example"]
        )
        assert lab.cli("remove").status == 0
        assert lab.files() == before


def test_a_staple_file_of_somebody_elses_is_adopted_where_that_is_asked_for(tmp_path):
    theirs = tmp_path / "theirs.der"
    lines = f"ssl_stapling on;\nssl_stapling_file {theirs}; # by cron"
    with Lab.make(tmp_path / "lab", lines=lines) as lab:
        now = datetime.now(timezone.utc)
        theirs.write_bytes(lab.authority.respond(lab.issued["shop.example"], now=now))
        before, response = lab.files(), theirs.read_bytes()
        lab.nginx.start()

        assert lab.apply().status == 0
        assert lab.files() == before
        assert lab.apply("--adopt").status == 2
        adopted = lab.apply("--adopt", "--site", "shop.example")

        assert adopted.status == 0, adopted
        text = lab.files()["sites-available/shop.example"]
        assert b"ssl_stapling_file" not in text
        assert f"include {lab.state}/nginx/".encode() in text
        assert lab.cli("probe").status == 0
        assert theirs.read_bytes() == response
        assert lab.cli("remove").status == 0
        assert lab.files() == before


def test_stapling_switched_off_is_a_decision(tmp_path):
    with Lab.make(tmp_path / "lab", lines="ssl_stapling off;") as lab:
        before = lab.files()

        ended = lab.apply()

        assert ended.status == 0, ended
        assert lab.files() == before
        assert lab.responder.asked == 0


def test_only_the_sites_that_are_named(tmp_path):
    with Lab.make(tmp_path / "lab", sites=["shop.example", "blog.example"]) as lab:
        assert lab.apply("--site", "SHOP.*").status == 0
        assert b"ssl_stapling" in lab.files()["sites-available/shop.example"]
        assert b"ssl_stapling" not in lab.files()["sites-available/blog.example"]
        assert lab.apply("--exclude", "blog.*").status == 0
        assert b"ssl_stapling" not in lab.files()["sites-available/blog.example"]


def test_a_responder_that_is_down_does_not_keep_sites_from_being_configured(lab):
    lab.responder.down()
    lab.nginx.start()

    ended = lab.cli("apply", "--unscheduled", "--format", "json")

    assert ended.status == 0, ended
    assert ended.document["warnings"], ended
    assert lab.nginx.test().returncode == 0
    lab.responder.up()
    assert lab.cli("warm", "--force").status == 0
    assert lab.cli("probe").status == 0


def test_must_staple_without_a_staple_is_exit_status_one(lab):
    lab.add("must.example", must_staple=True)
    lab.responder.down()

    ended = lab.apply()

    assert ended.status == 1, ended


def test_a_certificate_without_responder_is_left_alone(lab):
    lab.add("free.example", responders=[])

    ended = lab.cli("apply", "--unscheduled", "--format", "json")

    assert ended.status == 0, ended
    assert b"ssl_stapling" not in lab.files()["sites-available/free.example"]
    decided = {site["site"]: site["decision"] for site in ended.document["sites"]}
    assert decided == {"shop.example": "configured", "free.example": "skipped"}


def test_a_checkout_is_read_and_nothing_in_it_is_executed(tmp_path, lab):
    tree = tmp_path / "tree"
    (tree / "etc/nginx").mkdir(parents=True)
    chain, key = lab.issued["shop.example"].write(tree / "etc", "shop")
    (tree / "etc/nginx/nginx.conf").write_text(
        "events {}\nhttp {\n    server {\n        listen 443 ssl;\n"
        "        server_name shop.example;\n"
        f"        ssl_certificate /etc/{chain.name};\n"
        f"        ssl_certificate_key /etc/{key.name};\n"
        "    }\n}\n"
    )
    before = lab.responder.asked

    shown = run(["diff", "--root", str(tree), "--trust", str(lab.root / "pki/root.pem")])
    checked = run(["check", "--root", str(tree), "--format", "json"])

    assert shown.status == 1, shown
    assert "+++ b/etc/nginx/nginx.conf" in shown.out
    assert "var/lib/staplecfg" not in "".join(
        line for line in shown.out.splitlines() if line.startswith(("+++", "---"))
    )
    assert json.loads(checked.out)["server"]["binary"] is None
    assert lab.responder.asked == before
    assert not (tree / "var").exists()
    refused = run(["apply", "--root", str(tree)])
    assert refused.status == 2, refused


def test_a_staple_too_near_its_end_to_be_served_is_said_and_not_counted(lab):
    lab.responder.minutes = 20

    applied = lab.apply("--format", "json")

    assert applied.status == 0, applied
    (warning,) = applied.document["warnings"]
    assert warning.startswith("shop.example: its staple ends at ")
    assert "so it is not served" in warning
    assert "1 site configured, 0 with a staple" in lab.apply().out


def test_remove_takes_out_what_settings_exclude_since(tmp_path):
    with Lab.make(tmp_path / "lab", sites=["shop.example", "blog.example"]) as lab:
        before = lab.files()
        assert lab.apply().status == 0
        settings = tmp_path / "later.toml"
        settings.write_text('sites = ["shop.*"]\nexclude = ["blog.*"]\n', encoding="utf-8")

        one = lab.cli("remove", "--settings", str(settings), "--site", "shop.*")
        assert one.status == 0, one
        assert lab.files() != before
        rest = lab.cli("remove", "--settings", str(settings))

        assert rest.status == 0, rest
        assert lab.files() == before
