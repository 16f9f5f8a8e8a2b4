"""status on a laboratory: what it says, in every format, and when it calls a person."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from tests.support.aging import DAY, keep, now
from tests.support.command_line import run
from tests.support.lab import Lab
from tests.support.schema import require_valid

pytestmark = pytest.mark.system

NAME = "shop.example"


@pytest.fixture
def lab(tmp_path):
    with Lab.make(tmp_path / "lab", sites=[NAME]) as made:
        made.nginx.start()
        assert made.apply().status == 0
        yield made


def metrics(lab: Lab) -> dict[str, float]:
    """Return the samples by name and labels, as a scraper would read them."""
    out = lab.cli("status", "--format", "prometheus").out
    lines = [line for line in out.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def only(found: dict[str, float], name: str, label: str = "") -> float:
    (value,) = [v for key, v in found.items() if key.startswith(f"{name}{{") and label in key]
    return value


def test_a_fresh_staple_needs_nobody(lab):
    ended = lab.cli("status")

    assert ended.status == 0, ended
    assert re.search(r"^  fresh +good +0%", ended.out, re.MULTILINE), ended
    assert f"{lab.issued[NAME].cert.serial_number:x}" in ended.out
    assert f"sites: {NAME}" in ended.out
    assert "1 certificate in use; nobody is needed" in ended.out


def test_it_changes_nothing_and_asks_nobody(lab):
    before = {path: path.stat().st_mtime_ns for path in lab.state.rglob("*")}
    asked = lab.responder.asked

    for shape in ("text", "json", "prometheus", "nagios"):
        lab.cli("status", "--format", shape)

    assert {path: path.stat().st_mtime_ns for path in lab.state.rglob("*")} == before
    assert lab.responder.asked == asked


def test_the_document_has_everything_by_certificate(lab):
    document = require_valid(lab.cli("status", "--format", "json").document)

    (row,) = document["staples"]
    assert row["certificate"] == str(lab.root / "pki" / f"{NAME}.pem")
    assert row["serial"] == f"{lab.issued[NAME].cert.serial_number:x}"
    assert (row["condition"], row["attention"], row["sites"]) == ("fresh", None, [NAME])
    assert row["staple"]["cert_status"] == "good"
    assert 0 <= row["staple"]["share_used"] < 0.01
    assert datetime.fromisoformat(row["last_try"].replace("Z", "+00:00")) <= now()
    (target,) = document["targets"]
    assert (target["running"], target["needing"], target["pending"]) == (True, 0, 0)


def test_what_failed_last_is_said(lab):
    keep(lab, lab.issued[NAME], since=4 * DAY, until=3 * DAY)
    lab.responder.down()
    assert lab.cli("warm").status == 0

    ended = lab.cli("status", "--format", "json")

    (row,) = require_valid(ended.document)["staples"]
    assert ended.status == 0
    assert row["condition"] == "due"
    assert (row["failures"], "refused" in row["last_error"]) == (1, True)
    assert "last error" in lab.cli("status").out


@pytest.mark.parametrize(
    ("since", "until", "condition", "nagios"),
    [
        pytest.param(4 * DAY, 3 * DAY, "due", 0, id="due"),
        pytest.param(6 * DAY, DAY, "expiring", 1, id="under a quarter of its life left"),
        pytest.param(7 * DAY, -DAY, "expired", 2, id="expired"),
    ],
)
def test_age_decides_who_is_called(lab, since, until, condition, nagios):
    keep(lab, lab.issued[NAME], since=since, until=until)

    ended = lab.cli("status", "--format", "json")
    line = lab.cli("status", "--format", "nagios")

    (row,) = require_valid(ended.document)["staples"]
    assert row["condition"] == condition
    assert ended.status == (1 if nagios else 0)
    assert (row["attention"] is None) == (nagios == 0)
    assert line.status == nagios
    assert line.out.startswith(f"STAPLECFG {['OK', 'WARNING', 'CRITICAL'][nagios]} - ")
    assert line.out.count("\n") == 1
    assert line.out.count("|") == 1


def test_a_must_staple_certificate_without_one_is_critical(tmp_path):
    with Lab.make(tmp_path / "lab", sites=[]) as lab:
        lab.responder.down()
        lab.add(NAME, must_staple=True)
        lab.apply()

        ended = lab.cli("status")

        assert ended.status == 1, ended
        assert "must-staple" in ended.out
        assert lab.cli("status", "--format", "nagios").status == 2


def test_a_certificate_that_was_swapped_is_seen_to_be_pending(lab):
    new = lab.authority.leaf([NAME], responders=[lab.responder.url])
    new.write(lab.root / "pki", NAME)

    ended = lab.cli("status")

    assert ended.status == 1, ended
    assert "missing" in ended.out
    assert "run `staplecfg warm`" in ended.out


def test_the_metrics_say_what_the_table_says(lab):
    issued = lab.issued[NAME]
    keep(lab, issued, since=3 * DAY, until=DAY)
    about = metrics(lab)

    assert only(about, "staplecfg_staple_life_used_ratio") == pytest.approx(0.75, abs=0.01)
    assert sum(v for k, v in about.items() if k.startswith("staplecfg_staple_condition")) == 1
    ends = only(about, "staplecfg_staple_expires_timestamp_seconds")
    assert ends == pytest.approx((now() + DAY).timestamp(), abs=60)
    assert only(about, "staplecfg_certificate_revoked") == 0
    assert only(about, "staplecfg_target_running") == 1
    lab.nginx.stop()
    assert only(metrics(lab), "staplecfg_target_running") == 0


def test_metrics_are_written_whole_and_replace_what_was_there(lab, tmp_path):
    out = tmp_path / "metrics" / "staplecfg.prom"
    out.parent.mkdir()
    out.write_text("old\n")
    inode = out.stat().st_ino

    ended = lab.cli("status", "--format", "prometheus", "--output", str(out))

    assert ended.status == 0, ended
    assert ended.out == ""
    assert out.stat().st_ino != inode
    assert out.read_text().endswith("\n")
    assert "staplecfg_staple_attention" in out.read_text()
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_output_is_for_metrics(lab, tmp_path):
    assert lab.cli("status", "--output", str(tmp_path / "x")).status == 2


def test_a_server_that_cannot_be_read_is_unknown_to_a_monitor(lab):
    lab.nginx.config.unlink()

    line = lab.cli("status", "--format", "nagios")
    text = lab.cli("status")
    found = lab.cli("status", "--format", "prometheus")

    assert (line.status, line.out.partition(" - ")[0]) == (3, "STAPLECFG UNKNOWN")
    assert text.status == 3
    assert found.status == 3
    assert "staplecfg_targets_unreadable 1.0" in found.out


def test_the_worst_of_several_servers_is_the_exit_status(tmp_path):
    with (
        Lab.make(tmp_path / "one", sites=[NAME]) as one,
        Lab.make(tmp_path / "two", sites=[NAME], state=one.state) as two,
    ):
        for each in (one, two):
            assert each.apply("--config-only").status == 0
        words = ["status", "--state-dir", str(one.state)]
        assert run(words).status == 1  # there are no staples yet
        configs = sorted([one.nginx.config, two.nginx.config])
        for gone, broken in (configs, configs[::-1]):
            before = gone.read_bytes(), broken.read_bytes()
            gone.unlink()
            broken.write_text("events {\n")

            ended = run(words)

            assert ended.status == 3, ended
            assert "is gone" in ended.err
            gone.write_bytes(before[0])
            broken.write_bytes(before[1])


def test_a_monitor_is_never_told_usage_by_the_number_for_critical(lab):
    ended = lab.cli("status", "--format", "nagios", "--no-such-flag")

    assert ended.status == 3
    assert ended.out.startswith("STAPLECFG UNKNOWN - ")
