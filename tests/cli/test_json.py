"""The JSON document: one on standard output, however a run ends, and `docs/schema.json` holds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from staplecfg import __version__
from staplecfg.cli.registry import COMMANDS
from staplecfg.model.errors import ExitStatus
from tests.support.command_line import run
from tests.support.lab import Lab
from tests.support.nginx import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.command_line import Ended

pytestmark = pytest.mark.system

SCHEMA = Path(__file__).parents[2] / "docs/schema.json"
NAME = "shop.example"
HOUR = timedelta(hours=1)


@cache
def schema() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(SCHEMA.read_text())
    return read


def valid(ended: Ended, command: str) -> dict[str, Any]:
    """Require one document that is as the schema has it, and return it."""
    assert ended.out.endswith("}\n"), ended
    document: dict[str, Any] = json.loads(ended.out)  # raises where there is more than one
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["command"] == command
    assert document["version"] == __version__
    assert document["status"] == ended.status
    assert (document["error"] is None) == (ended.status in {0, 1})
    assert ended.out.isascii()
    return document


@pytest.fixture
def lab(tmp_path) -> Iterator[Lab]:
    with Lab.make(tmp_path / "lab", sites=[NAME, "blog.example"]) as made:
        yield made


def asked(lab: Lab, *words: str) -> dict[str, Any]:
    return valid(lab.cli(*words, "--format", "json"), words[0])


def touched(document: dict[str, Any], lab: Lab) -> list[tuple[str, str, str]]:
    """Return what is said of `/etc`: the prefix, in this laboratory."""
    return [
        (each["path"], each["kind"], each["op"])
        for each in document["changes"]
        if each["path"].startswith(str(lab.nginx.prefix))
    ]


def test_the_schema_is_a_schema_and_closed():
    jsonschema.Draft202012Validator.check_schema(schema())

    def closed(part: object, where: str) -> None:
        if isinstance(part, dict):
            if part.get("type") == "object":
                named = part.get("additionalProperties") is False
                assert named or "enum" in part.get("propertyNames", {}), where
                assert set(part.get("required", ())) <= set(part.get("properties", ())), where
            for name, inner in part.items():
                closed(inner, f"{where}/{name}")

    closed(schema(), "")


def test_a_whole_life_is_told_in_documents(lab):
    lab.nginx.start()

    first = asked(lab, "check")
    assert {each["rule"] for each in first["findings"]} == {"stapling-off"}
    assert first["server"]["name"] == "nginx"

    diff = asked(lab, "diff", "--unscheduled")
    dry = asked(lab, "apply", "--unscheduled", "--dry-run")
    forbidden = asked(lab, "diff", "--unscheduled", "--offline")
    real = asked(lab, "apply", "--unscheduled")
    assert (diff["offline"], dry["offline"], forbidden["offline"]) == (False, False, True)
    assert {each["outcome"] for each in forbidden["renewals"]} == {"due"}
    assert (diff["status"], dry["status"], real["status"]) == (1, 0, 0)
    assert [diff["changed"], dry["changed"], real["changed"]] == [False, False, True]
    assert [diff["outcome"], dry["outcome"], real["outcome"]] == ["pending", "pending", "applied"]
    assert touched(diff, lab) == touched(dry, lab) == touched(real, lab)
    assert len(touched(real, lab)) == 2
    for each in real["changes"]:
        assert each["before"] != each["after"]
    assert {each["decision"] for each in real["sites"]} == {"configured"}
    assert all(each["staple"]["freshness"] == "fresh" for each in real["staples"])
    assert {each["outcome"] for each in real["renewals"]} == {"stored"}
    assert {each["verdict"] for each in real["probes"]} == {"served"}
    assert "reloaded" in {each["name"] for each in real["steps"]}

    again = asked(lab, "apply", "--unscheduled")
    assert (again["changed"], again["changes"], again["outcome"]) == (False, [], "unchanged")
    assert {each["outcome"] for each in again["renewals"]} == {"not-due"}
    assert asked(lab, "diff", "--unscheduled")["outcome"] == "unchanged"
    assert asked(lab, "check")["findings"] == []
    assert asked(lab, "probe")["status"] == 0
    assert asked(lab, "warm")["outcome"] == "unchanged"
    assert asked(lab, "warm", "--offline")["renewals"] == []

    removed = asked(lab, "remove")
    assert removed["changed"] is True
    assert [path for path, *_ in touched(removed, lab)] == [path for path, *_ in touched(real, lab)]
    assert asked(lab, "remove")["changed"] is False


def test_what_the_diff_says_of_content_is_what_apply_writes(lab):
    diff = asked(lab, "diff", "--unscheduled")
    told = {each["path"]: each for each in diff["changes"] if each["kind"] == "config"}
    for path, each in told.items():
        assert Path(path).read_text() == each["before"]["text"]

    asked(lab, "apply", "--unscheduled", "--config-only")

    assert {path: Path(path).read_text() for path in told} == {
        path: each["after"]["text"] for path, each in told.items()
    }


def test_staples_in_trouble_are_told_within_the_schema(lab):
    assert lab.apply().status == 0
    now = datetime.now(timezone.utc)
    store = lab.state / "store"
    stale = lab.authority.respond(
        lab.issued[NAME], now=now, this_update=now - 48 * HOUR, next_update=-24 * HOUR
    )
    (store / f"{lab.issued[NAME].sha256}.der").write_bytes(stale)
    (store / f"{lab.issued['blog.example'].sha256}.der").write_bytes(b"garbage")

    lab.responder.down()
    check = asked(lab, "check")
    warm = asked(lab, "warm", "--force")

    assert check["status"] == 1
    assert warm["status"] == 1
    assert {each["outcome"] for each in warm["renewals"]} == {"unreachable"}
    assert warm["warnings"]
    assert asked(lab, "diff", "--unscheduled")["status"] in {0, 1}


def test_a_revoked_certificate_is_told_within_the_schema(lab):
    assert lab.apply().status == 0
    lab.responder.start([], revoked=lab.issued.values())

    warm = asked(lab, "warm", "--force")

    assert warm["status"] == 1
    assert {each["outcome"] for each in warm["renewals"]} == {"rejected"}
    assert all(each["revoked_at"] for each in asked(lab, "check")["staples"])


def test_one_staple(lab, tmp_path):
    certificate = str(lab.root / "pki" / f"{NAME}.pem")
    out = str(tmp_path / "staple.der")
    trust = ["--trust", str(lab.root / "pki/root.pem"), "--allow-network", "127.0.0.0/8"]
    fetch = ["fetch", certificate, "--output", out, *trust, "--format", "json"]

    first = valid(run(fetch), "fetch")
    assert (first["status"], first["changed"]) == (0, True)
    assert first["judgement"]["verdict"] == "good"
    inspected = valid(
        run(["inspect", out, "--certificate", certificate, "--format", "json"]), "inspect"
    )
    assert inspected["judgement"]["staple"]["serial"] == first["judgement"]["staple"]["serial"]
    lab.responder.down()
    failed = valid(run(fetch), "fetch")
    assert (failed["status"], failed["changed"]) == (1, False)
    assert failed["judgement"]["verdict"] == "unreachable"
    barred = valid(
        run(["fetch", certificate, "--output", out, *trust[:2], "--format", "json"]), "fetch"
    )
    assert "--allow-network" in barred["judgement"]["hint"]
    late = ["inspect", out, "--certificate", certificate, "--at", "2049-01-01"]
    judged = valid(run([*late, "--format", "json"]), "inspect")
    assert (judged["status"], judged["judgement"]["verdict"]) == (1, "rejected")


def test_rules():
    every = valid(run(["explain", "--format", "json"]), "explain")
    one = valid(run(["explain", "chain-order", "--format", "json"]), "explain")

    assert len(every["rules"]) > 30
    assert one["rules"] == [each for each in every["rules"] if each["id"] == "chain-order"]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("form", [["--format", "json"], ["--format=json"]])
def test_a_command_line_that_makes_no_sense(name, form):
    document = valid(run([name, "--nonsense", *form]), name)

    assert (document["status"], document["outcome"]) == (2, "failed")
    assert document["error"]["code"] == "usage-problem"
    assert document["error"]["hint"]


def test_a_command_that_there_is_not():
    document = valid(run(["chekc", "--format", "json"]), "staplecfg")

    assert document["status"] == ExitStatus.USAGE
    assert "check" in document["error"]["hint"]


@pytest.mark.parametrize("name", ["check", "diff", "apply", "warm", "remove", "probe"])
def test_what_cannot_be_read(lab, name):
    lab.nginx.config.unlink()

    document = asked(lab, name)

    assert (document["status"], document["error"]["code"]) == (3, "unreadable")
    assert document["error"]["file"] == str(lab.nginx.config)


def test_what_is_not_understood_has_its_line(lab):
    lab.nginx.config.write_text("events {}\nhttp {\n")

    error = asked(lab, "check")["error"]

    assert (error["code"], error["line"]) == ("not-understood", 2)


def test_what_is_not_applied(lab):
    lab.nginx.config.write_text(lab.nginx.config.read_text() + "nonsense on;\n")

    document = asked(lab, "apply", "--unscheduled")

    assert (document["status"], document["changed"], document["changes"]) == (4, False, [])
    assert document["error"]["code"] == "server-refused"
    assert document["error"]["state"] == "nothing was changed"


def test_what_a_person_must_look_at(lab):
    (lab.state / "journal").mkdir(parents=True)
    (lab.state / "journal/manifest.json").write_text("{")

    document = asked(lab, "apply", "--unscheduled")

    assert (document["status"], document["outcome"]) == (5, "undo-failed")


def test_a_run_that_is_stopped_ends_in_a_document(lab, tmp_path):
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\n: >{tmp_path}/gate\nsleep 250\n")
    slow.chmod(0o755)
    words = ["apply", "--unscheduled", "--test-command", str(slow), "--format", "json"]
    before = lab.files()
    with subprocess.Popen(
        [sys.executable, "-m", "staplecfg", *lab.arguments(*words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until((tmp_path / "gate").exists, "the test to be under way")
        os.kill(process.pid, signal.SIGTERM)
        out, err = process.communicate(timeout=60)

    document = json.loads(out)
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["status"] == process.returncode != 0
    assert document["error"]["message"], err
    assert "Traceback" not in err
    assert lab.files() == before
