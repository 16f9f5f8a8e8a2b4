"""What others do to what is ours: links in mod_md's store, a lost record, an edited shared file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.errors import ExitStatus
from tests.support.apache_lab import ApacheLab
from tests.support.apache_seen import seen
from tests.support.identity import reachable_directory
from tests.support.serve_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

NAME = "shop.example"
THEIRS = b"whoever reads this is root\n"


@pytest.fixture
def lab() -> Iterator[ApacheLab]:
    with reachable_directory() as directory, ApacheLab.make(directory, modules=("md",)) as lab:
        lab.state.mkdir()
        lab.apache.start()
        yield lab


@pytest.fixture
def served(lab: ApacheLab) -> Iterator[ApacheLab]:
    with serving(lab, lab.serve):
        yield lab


def kept(lab: ApacheLab) -> Path:
    """Return mod_md's file about the certificate of the one site."""
    name = hashlib.sha1(lab.issued[NAME].der, usedforsecurity=False).hexdigest()
    return lab.state / "apache/md/ocsp/other" / f"ocsp-{name}.json"


def applied(lab: ApacheLab, delivery: str, *, steps: str = "reloaded") -> None:
    done = lab.apply("--delivery", delivery)
    assert done.status == ExitStatus.DONE, done
    assert steps in done.out


def site(lab: ApacheLab) -> str:
    return (lab.apache.sites / f"{NAME}.conf").read_text(encoding="utf-8")


def lose_record(lab: ApacheLab) -> None:
    (lab.state / "record.json").unlink()


@pytest.mark.parametrize("there", ["a file", "nothing"])
@pytest.mark.parametrize("command", ["warm", "apply", "remove"])
def test_a_link_in_the_store_of_mod_md_is_not_followed(lab: ApacheLab, command: str, there: str):
    """The server's own user may write there: whatever it leads to would be his."""
    applied(lab, "mod_md")
    elsewhere = lab.root / "elsewhere"
    if there == "a file":
        elsewhere.write_bytes(THEIRS)
    found = elsewhere.read_bytes() if elsewhere.exists() else b""
    kept(lab).unlink()
    kept(lab).symlink_to(elsewhere)

    done = lab.cli(command, *(["--unscheduled"] if command == "apply" else []))

    assert done.status == ExitStatus.NOT_UNDERSTOOD, done
    assert str(kept(lab)) in done.err
    assert "not followed" in done.err
    assert kept(lab).is_symlink()
    assert (elsewhere.read_bytes() if elsewhere.exists() else b"") == found


def test_a_directory_of_the_store_that_is_a_link_is_not_followed(lab: ApacheLab):
    applied(lab, "mod_md")
    elsewhere = lab.root / "elsewhere"
    elsewhere.mkdir()
    directory = kept(lab).parent
    directory.rename(directory.with_name("moved"))
    directory.symlink_to(elsewhere)

    done = lab.cli("warm")

    assert done.status == ExitStatus.NOT_UNDERSTOOD, done
    assert list(elsewhere.iterdir()) == []


def test_a_store_that_the_administrator_has_elsewhere_by_a_link_is_used(lab: ApacheLab):
    real, link = lab.root / "real", lab.root / "link"
    real.mkdir()
    link.symlink_to(real)
    lab.apache.main = f"MDStoreDir {link}"
    lab.apache.write()
    lab.apache.graceful()

    applied(lab, "mod_md")

    assert (real / "ocsp/other" / kept(lab).name).exists()


def test_no_line_of_another_delivery_stays_where_the_record_is_lost(served: ApacheLab):
    """Errors not remembered and a responder far away: every handshake would wait for it."""
    before = seen(served.apache)
    applied(served, "responder")
    lose_record(served)

    applied(served, "live")

    assert "SSLStaplingReturnResponderErrors" not in site(served)
    assert "SSLStaplingFakeTryLater" not in site(served)
    assert served.cli("remove").status == ExitStatus.DONE
    assert seen(served.apache) == before


def test_a_renewal_does_not_forget_that_there_should_be_a_record(served: ApacheLab):
    before = seen(served.apache)
    applied(served, "responder")
    lose_record(served)

    assert served.cli("warm").status == ExitStatus.DONE
    assert served.cli("remove").status == ExitStatus.DONE

    assert seen(served.apache) == before


def test_mod_md_is_kept_supplied_where_the_record_is_lost_and_its_line_stays(lab: ApacheLab):
    applied(lab, "mod_md")
    staple = kept(lab).read_bytes()
    lose_record(lab)

    warmed = lab.cli("warm")
    still = kept(lab).read_bytes()
    removed = lab.cli("remove")

    assert warmed.status == ExitStatus.DONE, warmed
    assert still == staple
    assert "record is lost" in removed.out
    assert "MDStapling on" in site(lab)


def test_a_shared_file_that_somebody_has_changed_is_his_and_stays_read(served: ApacheLab):
    applied(served, "responder")
    shared = served.apache.prefix / "staplecfg.conf"
    text = shared.read_text(encoding="utf-8").replace("131072", "262144")
    shared.write_text(text, encoding="utf-8")
    main = served.apache.config.read_bytes()

    first, second = served.apply(), served.apply()
    removed = served.cli("remove")

    for done in (first, second):
        assert done.status == ExitStatus.DONE, done
        assert "nothing to do" in done.out
        assert "shared-file-left" in done.out
    assert removed.status == ExitStatus.DONE, removed
    assert shared.read_text(encoding="utf-8") == text
    assert served.apache.config.read_bytes() == main
    for _ in range(3):
        served.apache.graceful()


def test_a_line_of_ours_in_the_main_file_that_was_taken_out_comes_back(served: ApacheLab):
    applied(served, "responder")
    main = served.apache.config.read_bytes()
    lines = main.splitlines(keepends=True)
    served.apache.config.write_bytes(b"".join(x for x in lines if b"staplecfg.conf" not in x))

    applied(served, "responder")

    assert served.apache.config.read_bytes() == main


def test_apply_says_that_visitors_get_no_staple_where_the_local_responder_is_down(lab: ApacheLab):
    done = lab.apply()

    assert done.status == ExitStatus.DONE, done
    assert "visitors do not get it" in done.err
    assert f"127.0.0.1:{lab.serve}" in done.err


def test_apply_leaves_a_site_that_was_stapled_as_it_is_where_the_local_responder_is_down(
    lab: ApacheLab,
):
    lab.apache.main = "SSLStaplingCache shmcb:theirs(131072)"
    lab.apache.write()
    lab.add(NAME, lines="SSLUseStapling on")
    lab.responder.start(lab.issued.values())
    lab.apache.graceful()
    before = seen(lab.apache)

    done = lab.apply()

    assert done.status == ExitStatus.NOT_APPLIED, done
    assert "worse than before" in done.err
    assert seen(lab.apache) == before
