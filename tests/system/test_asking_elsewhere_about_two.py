"""A block with two certificates, asked about elsewhere: one response about both, or one each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.aging import DAY, keep, now, response
from tests.support.authority import Authority, pem
from tests.support.command_line import run
from tests.support.count import count, of_both_keys, visitors
from tests.support.lab import Lab
from tests.support.schema import require_valid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from pathlib import Path

    from tests.support.authority import Issued
    from tests.support.command_line import Ended

pytestmark = pytest.mark.system

NAME = "both.example"


class Block:
    """A host whose block has two certificates and which has no way out, and a control node."""

    def __init__(self, lab: Lab, control: Path) -> None:
        self.lab = lab
        self.control = control
        self.issued: list[Issued] = [lab.issued[NAME], lab.issued[f"{NAME}-rsa"]]

    def due(self) -> dict[str, dict[str, Any]]:
        """Return what the host says is due, by certificate."""
        ended = self.lab.cli("apply", "--unscheduled", "--dry-run", "--offline", "--format", "json")
        rows = told(ended)["renewals"]
        return {each["fingerprint"]: each for each in rows if each["outcome"] == "due"}

    def fetched(self, *rows: dict[str, Any], more: tuple[str, ...] = ()) -> Ended:
        """Ask on the control node about the certificates of `rows`, as the collection does."""
        files = []
        for row in rows:
            files.append(self.control / f"{row['fingerprint'][:8]}.pem")
            files[-1].write_text(row["chain"])
        first, *beside = map(str, files)
        words = [word for file in beside for word in ("--beside", file)]
        trust = ("--trust", str(self.lab.root / "pki/root.pem"), "--allow-network", "127.0.0.0/8")
        output = ("--output", str(self.staple))
        return run(["fetch", first, *words, *output, *trust, *more, "--format", "json"])

    @property
    def staple(self) -> Path:
        return self.control / "staple.der"

    def kept(self, issued: Issued) -> bytes:
        return (self.lab.state / "store" / f"{issued.sha256}.der").read_bytes()

    def hand_in(self, *ders: bytes) -> dict[str, str]:
        """Hand in `ders`; returns what became of each certificate."""
        words: list[str] = []
        for number, der in enumerate(ders):
            (self.control / f"{number}.der").write_bytes(der)
            words += ["--response", str(self.control / f"{number}.der")]
        ended = told(self.lab.cli("warm", "--offline", *words, "--format", "json"))
        return {each["fingerprint"]: each["outcome"] for each in ended["renewals"]}

    def alone(self, issued: Issued) -> bytes:
        return response(self.lab, issued, since=DAY, until=6 * DAY)

    def both(self, moment: datetime | None = None, **of_the_second: Any) -> bytes:
        moment = moment or now()
        first, second = self.issued
        also = self.lab.authority.single(second, now=moment, **of_the_second)
        return self.lab.authority.respond(first, now=moment, also=[also])

    def keep(self, issued: Issued, **age: timedelta) -> None:
        keep(self.lab, issued, **age)

    def file(self, der: bytes) -> str:
        (self.control / "handed.der").write_bytes(der)
        return str(self.control / "handed.der")


def told(ended: Ended, status: int = 0) -> dict[str, Any]:
    assert ended.status == status, ended
    return require_valid(ended.document)


@pytest.fixture
def block(tmp_path) -> Iterator[Block]:
    (tmp_path / "control").mkdir()
    with Lab.make(tmp_path / "lab", sites=[]) as lab:
        lab.add(NAME, keys=["ec", "rsa"])
        lab.responder.start(lab.issued.values())
        lab.nginx.start()
        yield Block(lab, tmp_path / "control")


def test_one_request_one_response_served_with_both(block):
    ec, rsa = block.due().values()
    assert (ec["beside"], rsa["beside"]) == ([rsa["fingerprint"]], [ec["fingerprint"]])

    fetched = told(block.fetched(ec, rsa))
    handed = block.hand_in(block.staple.read_bytes())
    told(block.lab.cli("apply", "--unscheduled", "--offline", "--format", "json"))

    assert block.lab.responder.asked == 1
    assert [each["staple"]["cert_status"] for each in fetched["staples"]] == ["good", "good"]
    assert list(handed.values()) == ["stored", "stored"]
    assert count(of_both_keys(visitors(block.lab.port, [NAME])), 40).flawless
    assert block.due() == {}


def test_one_falling_due_takes_the_other_along(block):
    block.hand_in(block.both())
    first, second = block.issued
    block.keep(first, since=5 * DAY, until=2 * DAY)

    assert set(block.due()) == {first.sha256, second.sha256}


class TestOfARespondersThatAnswersOneQuestionOnly:
    @pytest.fixture(autouse=True)
    def _singly(self, block):
        block.lab.responder.first_only = True

    def test_the_answer_says_that_asking_again_is_of_no_use(self, block):
        ended = told(block.fetched(*block.due().values()), 1)

        assert ended["only_singly"] is True
        assert (ended["judgement"]["verdict"], ended["outcome"]) == ("rejected", "failed")
        assert not block.staple.exists()

    def test_both_alone_are_the_end_of_it(self, block):
        block.hand_in(*map(block.alone, block.issued))

        assert block.due() == {}

    def test_one_alone_is_not(self, block):
        first, second = block.issued
        block.hand_in(block.alone(first))

        assert set(block.due()) == {first.sha256, second.sha256}


def test_a_responder_that_is_busy_may_answer_later(block):
    block.lab.responder.busy = True

    assert told(block.fetched(*block.due().values()), 1)["only_singly"] is False


def test_a_response_about_one_takes_not_the_place_of_one_about_both(block):
    both = block.both(now() - 2 * DAY)
    block.hand_in(both)

    became = block.hand_in(*map(block.alone, block.issued))

    assert set(became.values()) == {"unchanged"}
    assert [block.kept(each) for each in block.issued] == [both, both]


def test_nor_where_another_block_has_one_of_them_and_a_third(block):
    both = block.both(now() - 2 * DAY)
    block.hand_in(both)
    lab = block.lab
    third = lab.authority.leaf(["third.example"], responders=[lab.responder.url])
    pairs = [third.write(block.control, "third"), block.issued[1].write(block.control, "second")]
    lines = [f"ssl_certificate {cert}; ssl_certificate_key {key};" for cert, key in pairs]
    (lab.nginx.prefix / "sites-enabled" / "third.conf").write_text(
        f"server {{ listen {lab.listen()}; server_name third.example; {' '.join(lines)} }}\n"
    )
    assert len(block.due()) == 3

    became = block.hand_in(*map(block.alone, block.issued))

    assert set(became.values()) == {"unchanged"}
    assert [block.kept(each) for each in block.issued] == [both, both]


def test_a_response_about_both_takes_the_place_of_two_as_old(block):
    moment = now()
    block.hand_in(*(block.lab.authority.respond(each, now=moment) for each in block.issued))
    both = block.both(moment)

    became = block.hand_in(both)

    assert set(became.values()) == {"stored"}
    assert [block.kept(each) for each in block.issued] == [both, both]
    assert block.due() == {}


def test_one_that_says_the_other_is_revoked_is_no_common_response(block):
    first, second = block.issued
    moment = now()
    block.hand_in(block.alone(first), block.alone(second))
    before = block.kept(second)

    ended = block.lab.cli(
        "warm", "--offline", "--response", block.file(block.both(moment, status="revoked"))
    )

    assert ended.status == 1, ended
    assert "revoked" in ended.err
    assert block.kept(second) == before


def test_what_a_cache_still_says_of_both_is_not_served_once_one_is_revoked(block):
    first, second = block.issued
    before = block.both(now() - 2 * DAY)
    block.hand_in(before)
    revoked = block.lab.authority.respond(second, now=now(), status="revoked")
    block.lab.cli("warm", "--offline", "--response", block.file(revoked))
    later = block.both(now() - DAY)
    block.lab.cli("warm", "--offline", "--response", block.file(later))

    told(block.lab.cli("apply", "--unscheduled", "--offline", "--format", "json"))

    (served,) = block.lab.state.glob("nginx/staples/*.der")
    assert served.read_bytes() == before
    block.keep(second, since=8 * DAY, until=-DAY)
    assert block.kept(first) == later
    block.lab.cli("warm", "--offline", "--response", block.file(revoked))
    (snippet,) = block.lab.state.glob("nginx/*/staple.conf")
    assert 'ssl_stapling_file "";' in snippet.read_text()


def test_without_a_responder_in_common_each_is_asked_about_alone(block):
    other = block.lab.authority.leaf([NAME], responders=["http://127.0.0.1:1/"])
    files = [str(each.write(block.control, each.sha256)[0]) for each in (block.issued[0], other)]
    words = ("warm", "--certificate", files[0], "--certificate", files[1])

    would = told(block.lab.cli(*words, "--dry-run", "--format", "json"))["renewals"]
    done = told(block.lab.cli(*words, "--format", "json"), 1)["renewals"]

    assert [(each["outcome"], "beside" in each) for each in would] == [("due", False)] * 2
    assert [each["outcome"] for each in done] == ["stored", "unreachable"]
    fetched = run(["fetch", files[0], "--beside", files[1], "--output", str(block.staple)])
    assert (fetched.status, "named by all" in fetched.err + fetched.out) == (1, True)


class TestFetch:
    def test_if_due_it_asks_once(self, block):
        rows = block.due().values()
        told(block.fetched(*rows, more=("--if-due",)))
        asked = block.lab.responder.asked

        again = told(block.fetched(*rows, more=("--if-due",)))

        assert (again["outcome"], block.lab.responder.asked) == ("unchanged", asked)
        assert all(each["staple"] for each in again["staples"])

    def test_a_staple_about_one_is_none_about_both(self, block):
        ec, rsa = block.due().values()
        told(block.fetched(ec))

        told(block.fetched(ec, more=("--if-due",)))
        (would,) = {each["outcome"] for each in self._would(block, ec, rsa)}
        assert would == "due"
        assert told(block.fetched(ec, rsa, more=("--if-due",)))["changed"]
        assert told(block.fetched(ec, rsa, more=("--if-due",)))["changed"] is False

    def _would(self, block: Block, *rows: dict[str, Any]) -> Any:
        return told(block.fetched(*rows, more=("--if-due", "--dry-run")))["renewals"]

    def test_a_response_handed_over_must_be_about_both(self, block):
        rows = block.due().values()
        alone = block.file(block.alone(block.issued[0]))

        refused = told(block.fetched(*rows, more=("--response", alone)), 1)

        assert refused["judgement"]["verdict"] == "rejected"
        assert not block.staple.exists()
        assert told(block.fetched(*rows, more=("--response", block.file(block.both()))))["changed"]

    def test_one_whose_issuer_nobody_knows_is_refused(self, block):
        ec, rsa = block.due().values()
        rsa["chain"] = rsa["chain"].partition("-----END CERTIFICATE-----\n")[0]
        rsa["chain"] += "-----END CERTIFICATE-----\n"

        ended = block.fetched(ec, rsa)

        assert ended.status == 3, ended
        assert "its issuer is not known" in ended.document["error"]["message"]
        assert block.lab.responder.asked == 0

    def test_of_another_issuer_the_word_of_the_first_counts_for_nothing(self, block):
        other = Authority.create()
        stranger = other.leaf([NAME], responders=[block.lab.responder.url])
        ec, rsa = block.due().values()
        rsa["chain"] = pem(stranger.cert, other.intermediate.cert).decode()

        ended = told(block.fetched(ec, rsa), 1)

        assert ended["judgement"]["verdict"] == "rejected"
        assert not block.staple.exists()
