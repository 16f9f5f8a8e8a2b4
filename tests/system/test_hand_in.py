"""Responses handed in, and staples fetched before their certificate is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.aging import DAY, keep, now, response
from tests.support.lab import Lab
from tests.support.schema import require_valid

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.authority import Issued

pytestmark = pytest.mark.system

NAME = "shop.example"


@pytest.fixture
def lab(tmp_path):
    """A configured site with no staple: its responder never answered."""
    with Lab.make(tmp_path / "lab", sites=[NAME]) as made:
        made.responder.down()
        made.nginx.start()
        made.apply()
        yield made


def file(lab: Lab, der: bytes, name: str = "handed.der") -> str:
    (lab.root / name).write_bytes(der)
    return str(lab.root / name)


def good(lab: Lab, issued: Issued | None = None) -> bytes:
    return response(lab, issued or lab.issued[NAME], since=DAY, until=6 * DAY)


def stored(lab: Lab, issued: Issued | None = None) -> Path:
    return lab.state / "store" / f"{(issued or lab.issued[NAME]).sha256}.der"


def reloads(lab: Lab) -> int:
    return lab.nginx.log.count("(SIGHUP) received")


def test_a_good_one_is_kept_put_to_use_and_served(lab):
    asked, der, times = lab.responder.asked, good(lab), reloads(lab)

    ended = lab.cli("warm", "--offline", "--response", file(lab, der), "--format", "json")

    assert ended.status == 0, ended
    (renewal,) = require_valid(ended.document)["renewals"]
    assert renewal["outcome"] == "stored"
    assert stored(lab).read_bytes() == der
    assert lab.responder.asked == asked
    assert reloads(lab) == times + 1
    assert lab.cli("probe").status == 0


def test_the_same_again_changes_nothing(lab):
    path = file(lab, good(lab))
    assert lab.cli("warm", "--offline", "--response", path).status == 0
    times = reloads(lab)

    ended = lab.cli("warm", "--offline", "--response", path, "--format", "json")

    assert ended.status == 0, ended
    assert [each["outcome"] for each in ended.document["renewals"]] == ["unchanged"]
    assert ended.document["changed"] is False
    assert reloads(lab) == times


def test_several_at_once_each_find_their_certificate(lab):
    lab.add("blog.example")
    lab.apply()
    both = [file(lab, good(lab, one), f"{name}.der") for name, one in lab.issued.items()]
    times = reloads(lab)

    ended = lab.cli("warm", "--offline", *(word for one in both for word in ("--response", one)))

    assert ended.status == 0, ended
    assert reloads(lab) == times + 1
    assert lab.cli("probe").status == 0


def test_one_response_about_two_certificates_is_kept_for_both(lab):
    lab.add("blog.example")
    lab.apply()
    blog, moment = lab.issued["blog.example"], now()
    der = lab.authority.respond(
        lab.issued[NAME], now=moment, also=[lab.authority.single(blog, now=moment)]
    )

    ended = lab.cli("warm", "--offline", "--response", file(lab, der))

    assert ended.status == 0, ended
    assert stored(lab).read_bytes() == stored(lab, blog).read_bytes() == der


def test_an_older_one_never_takes_the_place_of_a_newer(lab):
    newer = keep(lab, lab.issued[NAME], since=DAY, until=6 * DAY)
    older = response(lab, lab.issued[NAME], since=2 * DAY, until=8 * DAY)

    ended = lab.cli("warm", "--offline", "--response", file(lab, older))

    assert ended.status == 1, ended
    assert "older" in ended.err
    assert stored(lab).read_bytes() == newer


BAD = {
    "expired": lambda lab: response(lab, lab.issued[NAME], since=8 * DAY, until=-DAY),
    "forged": lambda lab: lab.authority.respond(lab.issued[NAME], now=now(), forge=True),
    "unknown": lambda lab: lab.authority.respond(lab.issued[NAME], now=now(), status="unknown"),
    "about to end": lambda lab: response(lab, lab.issued[NAME], since=6 * DAY, until=DAY / 24 / 60),
    "without an end": lambda lab: lab.authority.respond(
        lab.issued[NAME], now=now(), next_update=None
    ),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_one_that_no_responder_could_have_given_us_is_refused(lab, bad):
    before = reloads(lab)

    ended = lab.cli("warm", "--offline", "--response", file(lab, bad(lab)))

    assert ended.status == 1, ended
    assert "rejected" in ended.err
    assert not stored(lab).exists()
    assert reloads(lab) == before


def test_one_about_no_certificate_here_is_refused_with_its_serial(lab):
    stranger = lab.authority.leaf(["elsewhere.example"])
    right, wrong = file(lab, good(lab)), file(lab, good(lab, stranger), "wrong.der")

    ended = lab.cli("warm", "--offline", "--response", right, "--response", wrong)

    assert ended.status == 4, ended
    assert f"{stranger.cert.serial_number:x}" in ended.err
    assert "nothing was changed" in ended.err
    assert not stored(lab).exists()


def test_one_of_the_same_serial_and_another_issuer_is_refused(lab):
    from tests.support.authority import Authority  # noqa: PLC0415 - this test's alone

    other = Authority.create("Other")
    twin = other.leaf([NAME], serial=lab.issued[NAME].cert.serial_number)

    ended = lab.cli("warm", "--offline", "--response", file(lab, other.respond(twin, now=now())))

    assert ended.status == 4, ended
    assert "of another issuer" in ended.err


@pytest.mark.parametrize("junk", [b"", b"<html>", b"\x30\x03\x0a\x01\x03"], ids=repr)
def test_what_is_no_answer_is_not_understood(lab, junk):
    ended = lab.cli("warm", "--offline", "--response", file(lab, junk))

    assert ended.status == 3, ended
    assert "handed.der" in ended.err


def test_one_that_says_revoked_alarms_and_is_never_kept(lab):
    last = keep(lab, lab.issued[NAME], since=DAY, until=6 * DAY)
    lab.cli("warm", "--offline")
    revoked = lab.authority.respond(
        lab.issued[NAME], now=now(), status="revoked", revoked_at=now() - DAY / 2
    )

    ended = lab.cli("warm", "--offline", "--response", file(lab, revoked))

    assert ended.status == 1, ended
    assert "revoked" in ended.err
    assert stored(lab).read_bytes() == last
    assert lab.cli("status", "--format", "nagios").status == 2


@pytest.mark.parametrize("since", [DAY, DAY / 4], ids=["the revocation", "word of it"])
def test_a_good_answer_from_before_does_not_end_the_alarm(lab, since):
    revoked = lab.authority.respond(
        lab.issued[NAME], now=now(), status="revoked", revoked_at=now() - DAY / 2
    )
    lab.cli("warm", "--offline", "--response", file(lab, revoked))

    before = file(lab, response(lab, lab.issued[NAME], since=since, until=6 * DAY))
    ended = lab.cli("warm", "--offline", "--response", before)

    assert ended.status == 1, ended
    assert "older than the answer that said revoked" in lab.cli("status").out + ended.err
    assert not stored(lab).exists()

    lifted = file(lab, response(lab, lab.issued[NAME], since=DAY / 48, until=6 * DAY))
    assert lab.cli("warm", "--offline", "--response", lifted).status == 0


def test_a_staple_is_fetched_before_its_certificate_is_deployed(lab):
    lab.responder.up()
    new = lab.authority.leaf([NAME], responders=[lab.responder.url])
    lab.responder.start([new])
    path, _ = new.write(lab.root, "new")
    before, times = lab.files(), reloads(lab)

    ended = lab.cli("warm", "--certificate", str(path), "--format", "json")

    assert ended.status == 0, ended
    document = require_valid(ended.document)
    assert [each["fingerprint"] for each in document["staples"]] == [new.sha256]
    assert stored(lab, new).exists()
    assert (lab.files(), reloads(lab)) == (before, times)

    again = lab.cli("warm", "--certificate", str(path), "--format", "json")
    assert [each["outcome"] for each in again.document["renewals"]] == ["not-due"]


def test_one_whose_staple_is_not_to_be_had_is_not_ready(lab):
    path, _ = lab.authority.leaf([NAME], responders=[lab.responder.url]).write(lab.root, "new")

    ended = lab.cli("warm", "--certificate", str(path))

    assert ended.status == 1, ended
    assert "no staple" in ended.out


def test_one_whose_staple_is_too_short_lived_to_be_served_is_said_and_not_ready(lab):
    new = lab.authority.leaf([NAME], responders=[lab.responder.url])
    path, _ = new.write(lab.root, "new")
    short = file(lab, response(lab, new, since=DAY / 48, until=DAY / 24))
    settings = lab.root / "often.toml"
    settings.write_text('[schedule]\nkind = "none"\ninterval = 600\n')
    words = ["warm", "--offline", "--certificate", str(path), "--response", short]

    hourly, often = lab.cli(*words), lab.cli(*words, "--settings", str(settings))

    assert hourly.status == 1, hourly
    assert "new.pem: a staple good until" not in hourly.out
    assert "not served in its last 75 min" in hourly.out
    assert "schedule.interval" in hourly.out
    assert often.status == 0, often
    assert "new.pem: a staple good until" in often.out


def test_one_without_a_responder_is_ready_as_it_is(lab):
    path, _ = lab.authority.leaf([NAME]).write(lab.root, "new")

    ended = lab.cli("warm", "--certificate", str(path))

    assert ended.status == 0, ended
    assert "without a staple" in ended.out


def test_a_response_can_be_handed_in_for_a_certificate_to_come(lab):
    new = lab.authority.leaf([NAME], responders=[lab.responder.url])
    path, _ = new.write(lab.root, "new")
    handed = file(lab, good(lab, new))

    ended = lab.cli("warm", "--offline", "--certificate", str(path), "--response", handed)

    assert ended.status == 0, ended
    assert stored(lab, new).exists()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--watch", "--response", "x"], id="watch with response"),
        pytest.param(["--watch", "--certificate", "x"], id="watch with certificate"),
        pytest.param(["--watch", "--format", "json"], id="watch as json"),
        pytest.param(["--unseen"], id="unseen without a command"),
    ],
)
def test_what_makes_no_sense_together_is_refused(lab, words):
    assert lab.cli("warm", *words).status == 2
