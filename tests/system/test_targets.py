"""Two servers of one machine with one state directory: neither does the other any harm."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import Ended, run
from tests.support.lab import Lab
from tests.support.nginx import wait_until
from tests.support.schema import require_valid

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system

DAY = timedelta(days=1)


@pytest.fixture
def labs(tmp_path):
    """Two laboratories that share state; each is configured and its nginx runs."""
    state = tmp_path / "state"
    with (
        Lab.make(tmp_path / "one", sites=["shop.example"], state=state) as one,
        Lab.make(tmp_path / "two", sites=["blog.example"], state=state) as two,
    ):
        for lab in (one, two):
            lab.nginx.start()
            assert lab.apply().status == 0
        yield one, two


def warm(lab: Lab, *more: str) -> Ended:
    """Run `warm` as the schedule does: state knows the rest."""
    return run(["warm", "--state-dir", str(lab.state), *more])


def reloads(lab: Lab) -> int:
    return lab.nginx.log.count("(SIGHUP) received")


def unserved(lab: Lab) -> None:
    """Take the staple of the lab's one site out of the store, and withdraw it."""
    for issued in lab.issued.values():
        for path in (lab.state / "store").glob(f"{issued.sha256}.*"):
            path.unlink()


def documents(state: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted((state / "targets").iterdir())]


def test_apply_writes_down_what_a_renewal_needs(labs):
    one, two = labs

    by_config = {str(each["config"]): each for each in documents(one.state)}

    assert by_config.keys() == {str(one.nginx.config), str(two.nginx.config)}
    known = by_config[str(one.nginx.config)]
    assert known["server"] == "nginx"
    assert known["binary"] == str(one.nginx.binary)
    assert known["flags"] == {
        "binary": str(one.nginx.binary),
        "prefix": str(one.nginx.prefix),
        "responders.allow_networks": ["127.0.0.0/8"],
        "trust": [str(one.root / "pki" / "root.pem")],
    }
    assert known["directories"] == [str(one.root / "pki")]
    assert len(known["keys"]) == 1  # type: ignore[arg-type]  # it is a list in our JSON


def test_each_is_renewed_and_reloaded_on_its_own_by_nothing_but_the_state_directory(labs):
    one, two = labs
    unserved(two)
    times = reloads(one), reloads(two)

    ended = warm(one, "--format", "json")

    assert ended.status == 0, ended
    require_valid(ended.document)
    outcomes = [each["outcome"] for each in ended.document["renewals"]]
    assert sorted(outcomes) == ["not-due", "stored"]
    assert {run["outcome"] for run in ended.document["runs"]} == {"applied", "unchanged"}
    assert (reloads(one), reloads(two)) == (times[0], times[1] + 1)
    for lab in labs:
        assert lab.cli("probe").status == 0


def test_one_that_fails_does_not_stop_the_other(labs):
    one, two = labs
    first, second = sorted(labs, key=lambda lab: _file(lab).name)
    path = next((first.nginx.prefix / "sites-available").iterdir())
    good = path.read_bytes()
    path.write_bytes(good.replace(b"server_name", b"server_nam"))
    unserved(one)
    unserved(two)

    ended = warm(one)

    assert ended.status == 4, ended
    assert "server_nam" in ended.err
    path.write_bytes(good)
    assert second.cli("probe").status == 0
    assert warm(one).status == 0
    assert first.cli("probe").status == 0


def _file(lab: Lab) -> Path:
    """Return the file that remembers the lab's server."""
    (found,) = (
        path
        for path in (lab.state / "targets").iterdir()
        if json.loads(path.read_text())["config"] == str(lab.nginx.config)
    )
    return found


def test_one_that_is_gone_is_told_and_its_state_stays(labs):
    one, two = labs
    two.nginx.stop()
    aside = two.nginx.config.with_suffix(".aside")
    two.nginx.config.rename(aside)
    before = snippets(one.state)

    ended = warm(one, "--format", "json")

    assert ended.status == 1, ended
    require_valid(ended.document)
    (found,) = (each for each in ended.document["findings"] if each["rule"] == "target-vanished")
    assert found["file"] == str(two.nginx.config)
    assert "staplecfg remove --config" in found["hint"]
    assert one.apply().status == 0
    assert snippets(one.state) == before

    aside.rename(two.nginx.config)
    two.nginx.start()
    assert warm(one).status == 0
    assert two.cli("probe").status == 0


def snippets(state: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in state.glob("nginx/*/staple.conf")}


def test_one_that_is_gone_for_good_can_be_forgotten(labs):
    one, two = labs
    two.nginx.stop()
    two.nginx.config.unlink()
    for path in two.nginx.prefix.glob("sites-*/*"):
        path.unlink()

    ended = two.cli("remove")

    assert ended.status == 0, ended
    assert len(snippets(one.state)) == 1
    assert [each["config"] for each in documents(one.state)] == [str(one.nginx.config)]
    assert warm(one).status == 0
    assert one.cli("probe").status == 0


def test_removing_one_leaves_the_other_as_it_was(labs):
    one, two = labs
    mine, kept = two.files(), _file(two).read_bytes()

    ended = one.cli("remove", "--format", "json")

    assert ended.status == 0, ended
    assert ended.document["findings"] == []
    assert (two.files(), _file(two).read_bytes()) == (mine, kept)
    assert two.cli("probe").status == 0
    assert warm(two).status == 0

    assert two.cli("remove").status == 0
    assert sorted(path.name for path in two.state.iterdir()) == ["lock", "store"]


def test_lines_that_nobody_recorded_are_the_other_ones_too(tmp_path):
    """As a configuration manager writes them; apply then has nothing to insert."""
    state = tmp_path / "state"
    with (
        Lab.make(tmp_path / "one", sites=["shop.example"], state=state) as one,
        Lab.make(tmp_path / "two", sites=["blog.example"], state=state) as two,
    ):
        assert two.apply("--config-only").status == 0
        (state / "record.json").unlink()
        for path in (state / "targets").iterdir():
            path.unlink()
        assert two.apply().status == 0
        assert not (state / "record.json").exists()
        mine = two.files()

        assert one.apply().status == 0
        assert len(snippets(state)) == 2
        assert one.cli("remove").status == 0

        assert len(snippets(state)) == 1
        assert two.cli("remove").status == 0
        assert two.files() == mine
        two.nginx.start()
        assert two.nginx.test().returncode == 0


def test_a_staple_that_both_serve_is_told_to_both(tmp_path):
    """One certificate in two servers has one key, one snippet, and two that must re-read it."""
    state = tmp_path / "state"
    with (
        Lab.make(tmp_path / "one", sites=["shop.example"], state=state) as one,
        Lab.make(tmp_path / "two", sites=[], state=state) as two,
    ):
        text = (one.nginx.prefix / "sites-available" / "shop.example").read_text()
        shared = text.replace(f":{one.port} ", f":{two.port} ")
        (two.nginx.prefix / "sites-enabled" / "shop.example").write_text(shared)
        trusting = ("--trust", str(one.root / "pki" / "root.pem"))
        for lab in (one, two):
            lab.nginx.start()
            applied = lab.apply(*trusting)
            assert applied.status == 0, applied
        times = reloads(one), reloads(two)
        unserved(one)

        ended = warm(one)

        assert ended.status == 0, ended
        assert (reloads(one), reloads(two)) == (times[0] + 1, times[1] + 1), ended


def test_what_is_named_goes_by_what_was_remembered_of_it(labs):
    one, _ = labs
    unserved(one)

    ended = run(["warm", "--state-dir", str(one.state), "--config", str(one.nginx.config)])

    assert ended.status == 0, ended
    assert one.cli("probe").status == 0


def test_a_target_that_cannot_be_read_keeps_everybodys_state(labs):
    one, two = labs
    _file(two).write_bytes(b"{")

    ended = warm(one, "--format", "json")

    assert ended.status == 3, ended
    require_valid(ended.document)
    errors = [run["error"] for run in ended.document["runs"] if run["error"]]
    assert [error["code"] for error in errors] == ["not-understood"]
    assert one.cli("remove").status == 0
    assert len(snippets(one.state)) == 2
    assert two.apply().status == 0
    assert len(snippets(one.state)) == 1
    assert warm(two).status == 0


def test_remove_asks_which_one_is_meant(labs):
    one, two = labs

    ended = run(["remove", "--state-dir", str(one.state)])

    assert ended.status == 2, ended
    assert str(two.nginx.config) in ended.err
    assert one.cli("remove").status == 0
    assert run(["remove", "--state-dir", str(one.state)]).status == 0
    assert "include" not in two.files()["sites-available/blog.example"].decode()


def test_status_looks_at_all_of_them(labs):
    one, two = labs

    ended = run(["status", "--state-dir", str(one.state), "--format", "json"])

    assert ended.status == 0, ended
    configs = {each["config"] for each in require_valid(ended.document)["targets"]}
    assert configs == {str(one.nginx.config), str(two.nginx.config)}
    two.nginx.stop()
    two.nginx.config.unlink()
    gone = run(["status", "--state-dir", str(one.state)])
    assert gone.status == 1, gone
    assert str(two.nginx.config) in gone.err


def test_what_was_withdrawn_without_a_reload_is_told_by_the_dead_man(labs):
    """A person ran what is for boot units, and nothing started or reloaded the server after it."""
    one, two = labs
    unserved(one)
    times = reloads(one), reloads(two)
    assert warm(one, "--offline").status == 1
    assert (reloads(one), reloads(two)) == times

    done = subprocess.run(["/bin/sh", one.state / "dead-man.sh"], check=False)

    assert done.returncode == 0
    wait_until(lambda: reloads(one) == times[0] + 1, "the reload that was owed")
    assert reloads(two) == times[1]
    assert warm(one).status == 0
    assert not list(one.state.glob("dead-man/*.pending"))


def test_a_response_is_handed_to_the_server_it_is_about(labs):
    one, two = labs
    unserved(two)
    staple = two.root / "staple.der"
    now = datetime.now(timezone.utc).replace(microsecond=0)
    staple.write_bytes(
        two.authority.respond(
            two.issued["blog.example"], now=now, this_update=now, next_update=now + 5 * DAY
        )
    )
    two.responder.down()

    ended = warm(one, "--offline", "--response", str(staple))

    assert ended.status == 0, ended
    assert two.cli("probe").status == 0
    foreign = one.root / "foreign.der"
    stranger = one.authority.leaf(["x.example"], responders=[one.responder.url])
    foreign.write_bytes(
        one.authority.respond(stranger, now=now, this_update=now, next_update=now + 5 * DAY)
    )
    assert warm(one, "--offline", "--response", str(foreign)).status == 4
