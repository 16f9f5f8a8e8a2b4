"""warm on a real nginx: what is due, missing, mismatching or expired, and one reload at most."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Lab

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system

NAME = "shop.example"
DAY = timedelta(days=1)


@pytest.fixture
def lab(tmp_path):
    """A laboratory whose site is configured, with nginx running."""
    with Lab.make(tmp_path / "lab", sites=[NAME]) as made:
        made.nginx.start()
        applied = made.apply()
        assert applied.status == 0, applied
        yield made


def snippet(lab: Lab) -> Path:
    (found,) = lab.state.glob("nginx/*/staple.conf")
    return found


def served(lab: Lab) -> list[Path]:
    return sorted(lab.state.glob("nginx/staples/*.der"))


def reloads(lab: Lab) -> int:
    return lab.nginx.log.count("(SIGHUP) received")


def keep(lab: Lab, *, since: timedelta, until: timedelta) -> bytes:
    """Make the store hold a response of that age, about to end in `until`; it is served too."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    issued = lab.issued[NAME]
    der = lab.authority.respond(
        issued, now=now, this_update=now - since, next_update=now + until, produced_at=now - since
    )
    (lab.state / "store" / f"{issued.sha256}.der").write_bytes(der)
    (lab.state / "store" / f"{issued.sha256}.json").unlink(missing_ok=True)
    return der


def test_nothing_due_is_no_question_no_write_and_no_reload(lab):
    asked, before, times = lab.responder.asked, lab.files(), reloads(lab)

    ended = lab.cli("warm", "--format", "json")

    assert ended.status == 0, ended
    assert ended.document["changed"] is False
    assert [each["outcome"] for each in ended.document["renewals"]] == ["not-due"]
    assert (lab.responder.asked, lab.files(), reloads(lab)) == (asked, before, times)


def test_one_past_half_its_life_is_renewed_and_nginx_reloaded_once(lab):
    keep(lab, since=5 * DAY, until=2 * DAY)
    times = reloads(lab)

    ended = lab.cli("warm", "--format", "json")

    assert ended.status == 0, ended
    assert [each["outcome"] for each in ended.document["renewals"]] == ["stored"]
    assert reloads(lab) == times + 1
    assert len(served(lab)) == 1
    assert lab.cli("probe").status == 0


def test_one_that_is_missing_is_fetched(lab):
    for path in (lab.state / "store").iterdir():
        path.unlink()

    assert lab.cli("warm").status == 0
    assert lab.cli("probe").status == 0


def test_a_new_certificate_at_the_old_path_gets_a_staple_of_its_own(lab):
    new = lab.authority.leaf([NAME], responders=[lab.responder.url])
    new.write(lab.root / "pki", NAME)
    lab.responder.start([new])
    lab.issued[NAME] = new

    ended = lab.cli("warm")

    assert ended.status == 0, ended
    assert new.sha256 in snippet(lab).read_text()
    assert [path.name[:64] for path in served(lab)] == [new.sha256]
    assert lab.cli("probe").status == 0


def test_an_expired_one_is_withdrawn_and_a_person_called(lab):
    keep(lab, since=5 * DAY, until=-DAY)
    lab.responder.down()

    ended = lab.cli("warm")

    assert ended.status == 1, ended
    assert "withdrawn" in ended.err
    assert 'ssl_stapling_file "";' in directives(snippet(lab))
    assert "ssl_stapling_responder http://127.0.0.1:1/;" in directives(snippet(lab))
    assert lab.nginx.test().returncode == 0
    probed = lab.cli("probe", "--format", "json")
    assert {each["verdict"] for each in probed.document["probes"]} == {"missing"}

    lab.responder.up()
    assert lab.cli("warm", "--force").status == 0
    assert lab.cli("probe").status == 0


def directives(path: Path) -> str:
    lines = path.read_text().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def test_offline_withdraws_too_and_asks_and_reloads_nobody(lab):
    keep(lab, since=5 * DAY, until=-DAY)
    asked, times = lab.responder.asked, reloads(lab)

    ended = lab.cli("warm", "--offline")

    assert ended.status == 1, ended
    assert 'ssl_stapling_file "";' in directives(snippet(lab))
    assert (lab.responder.asked, reloads(lab)) == (asked, times)
    # What nginx has not read since is still served: the next run that may, reloads.
    lab.responder.down()
    assert lab.cli("warm").status == 1
    assert reloads(lab) == times + 1
    assert lab.cli("warm").status == 1
    assert reloads(lab) == times + 1


def test_a_responder_that_is_down_costs_nothing_while_the_staple_lives(lab):
    der = keep(lab, since=4 * DAY, until=3 * DAY)
    lab.responder.down()

    ended = lab.cli("warm")

    assert ended.status == 0, ended
    assert "no response" in ended.err
    kept = lab.state / "store" / f"{lab.issued[NAME].sha256}.der"
    assert kept.read_bytes() == der
    assert lab.cli("probe").status == 0


def test_the_last_quarter_of_a_life_needs_a_person(lab):
    keep(lab, since=6 * DAY, until=DAY)
    lab.responder.down()

    assert lab.cli("warm").status == 1


def test_a_revoked_certificate_is_alarming_and_keeps_its_last_good_staple(lab):
    der = keep(lab, since=4 * DAY, until=3 * DAY)
    lab.responder.start([], revoked=[lab.issued[NAME]])

    ended = lab.cli("warm")

    assert ended.status == 1, ended
    assert "revoked" in ended.err
    assert (lab.state / "store" / f"{lab.issued[NAME].sha256}.der").read_bytes() == der


def test_many_are_renewed_in_one_go_with_one_reload(tmp_path):
    names = [f"s{number}.example" for number in range(25)]
    with Lab.make(tmp_path / "lab", sites=names, delay=0.05) as lab:
        assert lab.apply("--config-only").status == 0
        lab.nginx.start()
        times = reloads(lab)

        ended = lab.cli("warm", "--format", "json")

        assert ended.status == 0, ended
        outcomes = [each["outcome"] for each in ended.document["renewals"]]
        assert outcomes == ["stored"] * len(names)
        assert reloads(lab) == times + 1
        assert lab.cli("probe").status == 0


def test_a_configuration_broken_by_somebody_else_is_not_reloaded(lab):
    keep(lab, since=5 * DAY, until=2 * DAY)
    path = lab.nginx.prefix / "sites-available" / NAME
    good = path.read_bytes()
    path.write_bytes(good.replace(b"server_name", b"server_nam"))
    times = reloads(lab)

    ended = lab.cli("warm")

    assert ended.status == 4, ended
    assert reloads(lab) == times
    path.write_bytes(good)
    assert lab.cli("warm").status == 0
    assert lab.cli("probe").status == 0


def test_a_snippet_somebody_deleted_comes_back(lab):
    snippet(lab).unlink()

    assert lab.cli("warm").status == 0
    assert lab.cli("probe").status == 0


def test_a_certificate_that_is_gone_needs_a_person(lab):
    (lab.root / "pki" / f"{NAME}.pem").unlink()

    warmed = lab.cli("warm", "--offline")
    status = lab.cli("status")
    monitored = lab.cli("status", "--format", "nagios")

    assert warmed.status == 1, warmed
    assert "no such file" in warmed.err
    assert status.status == 1, status
    assert "1 needs a person" in status.out
    assert monitored.status == 1, monitored
    kept = lab.state / "store" / f"{lab.issued[NAME].sha256}.der"
    assert kept.exists()
