"""What happens around an apply or a warm while it runs, and which missing staple undoes it."""

from __future__ import annotations

import socket
import threading
import time
from datetime import datetime, timedelta, timezone
from ipaddress import ip_network
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.applying.carry_out import Manner, carry_out
from staplecfg.applying.report import Steps
from staplecfg.applying.watch import Watch
from staplecfg.cli.main import main
from staplecfg.loading.observe import again, observe
from staplecfg.model.errors import ServerRefused, StalePlan
from staplecfg.model.plan import Goal
from staplecfg.model.probe import Missing, Served, Wrong
from staplecfg.model.settings import Responders, Settings
from staplecfg.planning.planner import plan
from staplecfg.servers.registry import SERVERS
from tests.support import killpoints
from tests.support.command_line import run
from tests.support.lab import Lab
from tests.support.nginx import wait_until

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from staplecfg.model.plan import Plan
    from staplecfg.model.probe import Verdict

pytestmark = pytest.mark.system

NAME = "shop.example"
NGINX = SERVERS["nginx"]
DAY = timedelta(days=1)


@pytest.fixture
def lab(tmp_path):
    """A laboratory whose site is configured, with nginx running."""
    with Lab.make(tmp_path / "lab", sites=[NAME]) as made:
        made.nginx.start()
        applied = made.apply()
        assert applied.status == 0, applied
        yield made


def now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def settings(lab: Lab) -> Settings:
    return Settings(
        server="nginx",
        binary=PurePosixPath(lab.nginx.binary),
        prefix=PurePosixPath(lab.nginx.prefix),
        config=PurePosixPath(lab.nginx.config),
        state_dir=PurePosixPath(lab.state),
        trust=(PurePosixPath(lab.root / "pki" / "root.pem"),),
        responders=Responders(allow_networks=(ip_network("127.0.0.0/8"),)),
        unscheduled=True,
    )


def observed(lab: Lab) -> Facts:
    return observe(NGINX, settings(lab), now(), ask_resolvers=False)


def verdicts(lab: Lab, name: str = NAME) -> list[Verdict]:
    """Return what visitors of `name` get, judged against the certificate they get."""
    probes = Watch(NGINX, observed(lab), now).probe()
    return [probe.verdict for probe in probes if probe.name == name]


def kinds(lab: Lab, name: str = NAME) -> set[type]:
    return {type(verdict) for verdict in verdicts(lab, name)}


def keep(lab: Lab, *, since: timedelta, until: timedelta) -> None:
    """Make the store hold a response of that age, about to end in `until`."""
    issued = lab.issued[NAME]
    at = now()
    der = lab.authority.respond(
        issued, now=at, this_update=at - since, next_update=at + until, produced_at=at - since
    )
    (lab.state / "store" / f"{issued.sha256}.der").write_bytes(der)
    (lab.state / "store" / f"{issued.sha256}.json").unlink(missing_ok=True)


def emptied(lab: Lab) -> Plan:
    """Return the plan for `lab` as if nothing were in the store: one that changes something."""
    for path in (lab.state / "store").iterdir():
        path.unlink()
    return plan(observed(lab), NGINX, Goal.STATE_ONLY, warm_command=("warm",))


def carried(made: Plan, facts: Facts, *, patience: float) -> None:
    carry_out(
        made,
        facts,
        Watch(NGINX, facts, now, patience),
        Manner(probe=False),
        Steps(lambda _: None),
        included=lambda _: False,
    )


def test_a_new_certificate_without_a_staple_is_not_undone_into_a_wrong_one(lab):
    lab.renew(NAME)
    lab.responder.down()
    assert kinds(lab) == {Served}, "nginx has not been told of the new certificate"

    applied = lab.apply()

    assert applied.status == 0, applied
    assert kinds(lab) == {Missing}


def test_a_staple_that_ends_before_the_next_run_is_withdrawn_by_apply_too(lab):
    keep(lab, since=6 * DAY, until=timedelta(hours=2))
    lab.responder.down()
    assert lab.cli("warm").status == 1
    keep(lab, since=6 * DAY, until=timedelta(minutes=30))
    assert kinds(lab) == {Served}

    applied = lab.apply()

    assert applied.status == 0, applied
    assert kinds(lab) == {Missing}


def test_a_neighbour_that_staples_lazily_starts_anew_and_undoes_nothing(tmp_path):
    with Lab.make(tmp_path / "lab", sites=[NAME], workers=1) as lab:
        both = [
            lab.authority.leaf(["lazy.example"], responders=[lab.responder.url], key=kind)
            for kind in ("rsa", "ec")
        ]
        lab.responder.start([*lab.issued.values(), *both])
        lab.nginx.site(
            "lazy.example",
            listen=f"127.0.0.1:{lab.port} ssl",
            certificates=[each.write(lab.root / "pki", f"lazy-{i}") for i, each in enumerate(both)],
            lines="ssl_stapling on;",
        )
        lab.nginx.start()
        wait_until(lambda: kinds(lab, "lazy.example") == {Served}, "nginx to staple by itself")

        applied = lab.apply()

        assert applied.status == 0, applied
        assert kinds(lab) == {Served}


def test_a_site_that_staples_lazily_does_not_lose_that_for_nothing(tmp_path):
    with Lab.make(tmp_path / "lab", sites=[NAME], workers=1, lines="ssl_stapling on;") as lab:
        lab.nginx.start()
        wait_until(lambda: kinds(lab) == {Served}, "nginx to staple by itself")
        before = lab.files()
        # nginx fetches from loopback, and we may not: nothing could take the place of its staple.
        words = lab.arguments("apply", "--unscheduled")
        at = words.index("--allow-network")

        applied = run([*words[:at], *words[at + 2 :]])

        assert applied.status == 4, applied
        assert "--exclude" in applied.err
        assert lab.files() == before


@pytest.mark.parametrize("command", ["warm --force", "apply --unscheduled"])
def test_a_certificate_replaced_while_the_responder_thinks_gets_its_own_staple(lab, command):
    keep(lab, since=6 * DAY, until=DAY)
    lab.responder.until = deployed = threading.Event()
    deploying = threading.Thread(
        target=_replaced_once_asked, args=(lab, lab.responder.asked, deployed)
    )
    deploying.start()

    ended = lab.cli(*command.split())

    deploying.join()
    assert ended.status == 0, ended
    assert kinds(lab) == {Served}
    presented = {probe.presented for probe in Watch(NGINX, observed(lab), now).probe()}
    assert presented == {lab.issued[NAME].sha256}


def _replaced_once_asked(lab: Lab, asked: int, deployed: threading.Event) -> None:
    wait_until(lambda: lab.responder.asked > asked, "the responder to be asked")
    lab.renew(NAME)
    deployed.set()


def test_a_certificate_replaced_after_the_plan_keeps_nginx_from_being_reloaded(lab):
    made, facts = emptied(lab), observed(lab)
    lab.renew(NAME)
    reloads = lab.nginx.log.count("(SIGHUP) received")

    with pytest.raises(StalePlan, match="has been changed"):
        carried(made, facts, patience=10)

    assert kinds(lab) == {Served}, "of the old certificate, which nginx still presents"
    assert lab.nginx.log.count("(SIGHUP) received") == reloads


def test_a_certificate_replaced_while_the_server_is_being_told_gets_its_own_staple(lab):
    new = lab.authority.leaf([NAME], responders=[lab.responder.url])
    lab.responder.start([lab.issued[NAME], new])
    chain, key = new.write(lab.root, "fresh")
    real = " ".join(lab.nginx.argv("-s", "reload"))
    swapping = lab.root / "swapping"
    swapping.write_text(
        f"#!/bin/sh\nif [ -e {chain} ]; then mv {key} {lab.root}/pki/{NAME}.key;"
        f" mv {chain} {lab.root}/pki/{NAME}.pem; fi\nexec {real}\n"
    )
    swapping.chmod(0o755)
    keep(lab, since=6 * DAY, until=DAY)
    reloads = lab.nginx.log.count("(SIGHUP) received")

    telling = ["--reload-command", str(swapping)]
    ended = lab.cli("warm", *telling, "--format", "json")

    assert ended.status == 0, ended
    assert not chain.exists()
    presented = {probe.presented for probe in Watch(NGINX, observed(lab), now).probe()}
    assert presented == {new.sha256}
    assert kinds(lab) == {Served}
    assert lab.nginx.log.count("(SIGHUP) received") == reloads + 2
    assert ended.document["changed"] is True
    assert "unchanged" in lab.cli("warm", *telling).out


def test_a_server_restarted_while_the_responder_thinks_is_found_again(lab):
    facts = observed(lab)
    lab.nginx.restart()

    assert again(facts, NGINX, now()).running.master == lab.nginx.master
    assert facts.running.master != lab.nginx.master


def test_a_server_that_refuses_every_reload_is_as_before_and_not_in_doubt(lab):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        # nginx -t lets an address in use pass, and the reload does not.
        (lab.nginx.prefix / "sites-enabled" / "zz").write_text(
            f"server {{ listen 127.0.0.1:{port}; }}\n", encoding="ascii"
        )
        made, facts = emptied(lab), observed(lab)

        with pytest.raises(ServerRefused, match="same worker processes"):
            carried(made, facts, patience=5)

    assert kinds(lab) == {Served}


def test_what_a_killed_run_owes_is_reloaded_with_the_right_staple_only(lab):
    time.sleep(1.1)  # thisUpdate counts in seconds, and the next answer must be a newer one
    arguments = lab.arguments("warm", "--force")
    lab.nginx.stop()  # the points are counted without the reload, whose threads write nothing
    points = killpoints.count(lambda: main(arguments))
    lab.nginx.start()
    for n in range(points, 0, -1):
        time.sleep(1.1)
        killpoints.kill_at(n, lambda: main(arguments))
        if (lab.state / "journal" / "manifest.json").exists():
            break
    lab.renew(NAME)
    lab.responder.delay = 1.5
    seen: set[type] = set()
    done = threading.Event()
    watch = Watch(NGINX, observed(lab), now)
    looking = threading.Thread(target=_look, args=(watch, seen, done))
    looking.start()

    ended = lab.cli("warm")

    done.set()
    looking.join()
    assert ended.status == 0, ended
    assert Wrong not in seen
    assert kinds(lab) == {Served}
    assert not list(lab.state.glob("dead-man/*.pending"))


def _look(watch: Watch, seen: set[type], done: threading.Event) -> None:
    while not done.is_set():
        seen.update(type(probe.verdict) for probe in watch.probe())
