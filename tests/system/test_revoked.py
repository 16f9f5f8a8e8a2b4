"""A certificate is revoked: `openssl ocsp` says so, and everything that watches hears of it."""

from __future__ import annotations

import json

import pytest

from tests.support.aging import DAY, keep
from tests.support.lab import Lab

pytestmark = pytest.mark.system

NAME = "shop.example"


@pytest.fixture
def lab(tmp_path):
    """A laboratory whose staple is due, and whose certificate has just been revoked."""
    with Lab.make(tmp_path / "lab", sites=[NAME, "blog.example"]) as made:
        made.nginx.start()
        assert made.apply().status == 0
        keep(made, made.issued[NAME], since=4 * DAY, until=3 * DAY)
        assert made.cli("warm", "--offline").status == 0
        made.nginx.reload()
        made.responder.start([made.issued["blog.example"]], revoked=[made.issued[NAME]])
        yield made


def ask_again(lab: Lab) -> None:
    """Forget that the responder was just asked."""
    side_car = lab.state / "store" / f"{lab.issued[NAME].sha256}.json"
    noted = json.loads(side_car.read_text())
    side_car.write_text(json.dumps({**noted, "not_before": None}))


def test_it_is_told_once_and_ends_in_1_as_long_as_it_is_so(lab):
    first = lab.cli("warm")
    asked = lab.responder.asked
    ask_again(lab)
    second = lab.cli("warm")

    assert (first.status, second.status) == (1, 1)
    assert first.err.count("revoked") == 1, first
    assert lab.responder.asked > asked
    assert "revoked" not in second.err, second
    assert "1 needs a person" in second.out


def test_it_is_told_again_a_day_later(lab):
    assert "revoked" in lab.cli("warm").err
    side_car = lab.state / "store" / f"{lab.issued[NAME].sha256}.json"
    noted = json.loads(side_car.read_text())
    side_car.write_text(json.dumps({**noted, "told_at": "2026-01-01T00:00:00Z"}))

    assert "revoked" in lab.cli("warm").err


def test_a_document_says_it_every_time(lab):
    for _ in range(2):
        warnings = lab.cli("warm", "--format", "json").document["warnings"]
        assert any("revoked" in warning for warning in warnings)


def test_status_and_metrics_and_monitor_say_it(lab):
    lab.cli("warm")

    table = lab.cli("status")
    found = lab.cli("status", "--format", "prometheus").out.splitlines()
    monitor = lab.cli("status", "--format", "nagios")

    assert table.status == 1
    assert "revoked" in table.out
    assert "replace the certificate and its key" in table.out
    revoked = [line for line in found if line.startswith("staplecfg_certificate_revoked{")]
    assert sorted(line.rpartition(" ")[2] for line in revoked) == ["0.0", "1.0"]
    assert monitor.status == 2
    assert "revoked" in monitor.out


def test_the_revoked_answer_is_never_installed_and_the_last_good_one_is_served(lab):
    kept = (lab.state / "store" / f"{lab.issued[NAME].sha256}.der").read_bytes()

    lab.cli("warm")
    lab.nginx.reload()

    probed = lab.cli("probe", "--site", NAME, "--format", "json").document["probes"]
    assert {each["verdict"] for each in probed} == {"served"}
    assert {each["staple"]["cert_status"] for each in probed} == {"good"}
    served = [path.read_bytes() for path in lab.state.glob("nginx/staples/*.der")]
    assert kept in served
    assert len(served) == 2


def test_at_its_end_the_last_good_one_is_withdrawn_and_nothing_takes_its_place(lab):
    lab.cli("warm")
    noted = (lab.state / "store" / f"{lab.issued[NAME].sha256}.json").read_bytes()
    keep(lab, lab.issued[NAME], since=7 * DAY, until=-DAY)
    (lab.state / "store" / f"{lab.issued[NAME].sha256}.json").write_bytes(noted)

    ended = lab.cli("warm")

    assert ended.status == 1, ended
    probed = lab.cli("probe", "--site", NAME, "--format", "json").document["probes"]
    assert {each["verdict"] for each in probed} == {"missing"}
    assert lab.cli("probe", "--site", "blog.example").status == 0


def test_a_new_certificate_ends_the_alarm(lab):
    lab.cli("warm")
    new = lab.authority.leaf([NAME], responders=[lab.responder.url])
    new.write(lab.root / "pki", NAME)
    lab.responder.start([new, lab.issued["blog.example"]], revoked=[lab.issued[NAME]])

    assert lab.cli("warm").status == 0
    assert lab.cli("status").status == 0
    assert lab.cli("probe").status == 0
