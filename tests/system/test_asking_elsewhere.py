"""What a dry run says of asking, and staples that somebody else has fetched: no network needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from staplecfg.pki import pem
from tests.support.aging import DAY, now, response
from tests.support.command_line import run
from tests.support.lab import Lab
from tests.support.schema import require_valid

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command_line import Ended

pytestmark = pytest.mark.system

NAME = "shop.example"


@pytest.fixture
def lab(tmp_path):
    with Lab.make(tmp_path / "lab", sites=[NAME]) as made:
        yield made


def told(ended: Ended, status: int = 0) -> dict[str, Any]:
    assert ended.status == status, ended
    return require_valid(ended.document)


def fetch(lab: Lab, *more: str) -> Ended:
    certificate = lab.root / "pki" / f"{NAME}.pem"
    trust = ("--trust", str(lab.root / "pki/root.pem"), "--allow-network", "127.0.0.0/8")
    output = ("--output", str(lab.root / "staple.der"))
    return run(["fetch", str(certificate), *output, *trust, *more, "--format", "json"])


def handed(lab: Lab, der: bytes) -> tuple[str, str]:
    (lab.root / "handed.der").write_bytes(der)
    return "--response", str(lab.root / "handed.der")


def everything(root: Path) -> dict[str, bytes]:
    return {str(each): each.read_bytes() for each in root.rglob("*") if each.is_file()}


@pytest.mark.parametrize("command", [["diff", "--unscheduled"], ["apply", "--dry-run"]])
def test_a_dry_run_says_who_would_be_asked_with_what_it_takes_to_ask(lab, command):
    asked = lab.responder.asked

    document = told(lab.cli(*command, "--format", "json"), 1 if command[0] == "diff" else 0)

    (due,) = document["renewals"]
    leaf, issuer = pem.certificates(due["chain"].encode())
    assert (due["outcome"], due["fingerprint"]) == ("due", lab.issued[NAME].sha256)
    assert leaf == lab.issued[NAME].cert
    leaf.verify_directly_issued_by(issuer)
    assert lab.responder.asked == asked


def test_what_is_fresh_is_not_due(lab):
    assert lab.apply().status == 0

    document = told(lab.cli("apply", "--unscheduled", "--dry-run", "--format", "json"))

    (fresh,) = document["renewals"]
    assert (fresh["outcome"], fresh.get("chain")) == ("not-due", None)
    assert document["changes"] == []


def test_a_certificate_without_a_responder_is_nobodys_business(lab):
    lab.add("quiet.example", responders=[])

    document = told(lab.cli("apply", "--unscheduled", "--dry-run", "--format", "json"))

    due = [each["fingerprint"] for each in document["renewals"] if each["outcome"] == "due"]
    assert due == [lab.issued[NAME].sha256]


def test_remove_can_be_tried_out(lab):
    assert told(lab.cli("remove", "--dry-run", "--format", "json"))["changes"] == []
    assert lab.apply().status == 0
    before = everything(lab.root)

    tried = told(lab.cli("remove", "--dry-run", "--format", "json"))

    assert everything(lab.root) == before
    assert tried["outcome"] == "pending"
    done = told(lab.cli("remove", "--format", "json"))
    assert tried["changes"] == done["changes"] != []
    assert not tried["changed"]


def test_a_staple_in_a_change_is_told_by_what_it_says(lab):
    document = told(lab.cli("apply", "--unscheduled", "--format", "json"))

    (staple,) = [each for each in document["changes"] if each["kind"] == "staple"]
    (answer,) = staple["after"]["answers"]
    assert answer["serial"] == f"{lab.issued[NAME].cert.serial_number:x}"
    assert answer["cert_status"] == "good"
    assert answer["this_update"] < answer["next_update"]


def test_what_is_yet_to_be_deployed_is_due_until_it_is_in_the_store(lab):
    words = ("warm", "--certificate", str(lab.root / "pki" / f"{NAME}.pem"), "--format", "json")

    (first,) = told(lab.cli(*words, "--dry-run"))["renewals"]
    assert (first["outcome"], lab.state.exists()) == ("due", False)
    told(lab.cli(*words))
    (second,) = told(lab.cli(*words, "--dry-run"))["renewals"]

    assert second["outcome"] == "not-due"


@pytest.mark.parametrize("more", [[], ["--certificate", "x.pem", "--response", "y.der"]])
def test_a_dry_warm_is_for_certificates_alone(lab, more):
    lab.root.joinpath("y.der").write_bytes(b"")

    assert lab.cli("warm", "--dry-run", *more).status == 2


def test_fetch_asks_only_when_it_is_due(lab):
    (due,) = told(fetch(lab, "--if-due", "--dry-run"))["renewals"]
    assert (due["outcome"], (lab.root / "staple.der").exists()) == ("due", False)
    first = told(fetch(lab, "--if-due"))
    asked = lab.responder.asked

    second = told(fetch(lab, "--if-due"))

    (change,) = first["changes"]
    assert (change["op"], change["before"]) == ("create", None)
    assert (second["changed"], second["changes"], lab.responder.asked) == (False, [], asked)
    assert second["staples"][0]["staple"] == first["staples"][0]["staple"]
    assert told(fetch(lab, "--if-due", "--dry-run"))["renewals"][0]["outcome"] == "not-due"


def test_fetch_asks_when_half_of_its_life_is_over(lab):
    old = response(lab, lab.issued[NAME], since=5 * DAY, until=2 * DAY)
    (lab.root / "staple.der").write_bytes(old)

    document = told(fetch(lab, "--if-due"))

    (change,) = document["changes"]
    assert (change["op"], document["changed"]) == ("modify", True)
    (before,), (after,) = change["before"]["answers"], change["after"]["answers"]
    assert before["next_update"] < after["next_update"]


def test_fetch_takes_a_response_that_was_fetched_elsewhere(lab):
    lab.responder.down()
    der = response(lab, lab.issued[NAME], since=DAY, until=6 * DAY)

    document = told(fetch(lab, *handed(lab, der)))

    assert (document["changed"], document["judgement"]["verdict"]) == (True, "good")
    assert (lab.root / "staple.der").read_bytes() == der
    assert told(fetch(lab, *handed(lab, der)))["changed"] is False


@pytest.mark.parametrize("lie", [{"forge": True}, {"status": "unknown"}, {"next_update": None}])
def test_fetch_judges_a_response_handed_over_like_any_other(lab, lie):
    good = response(lab, lab.issued[NAME], since=DAY, until=6 * DAY)
    (lab.root / "staple.der").write_bytes(good)
    bad = lab.authority.respond(lab.issued[NAME], now=now(), **lie)

    document = told(fetch(lab, *handed(lab, bad)), 1)

    assert document["judgement"]["verdict"] == "rejected"
    assert (lab.root / "staple.der").read_bytes() == good


def test_a_response_of_another_issuer_is_refused(lab):
    from tests.support.authority import Authority  # noqa: PLC0415 - this test's alone

    other = Authority.create("Other")
    twin = other.leaf([NAME], serial=lab.issued[NAME].cert.serial_number)
    assert isinstance(twin.cert, x509.Certificate)

    document = told(fetch(lab, *handed(lab, other.respond(twin, now=now()))), 1)

    assert document["judgement"]["verdict"] == "rejected"


@pytest.mark.parametrize("more", [["--if-due"], ["--dry-run"]])
def test_a_response_handed_over_is_never_asked_for(lab, more):
    assert fetch(lab, *handed(lab, b""), *more).status == 2
