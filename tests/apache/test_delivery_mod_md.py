"""mod_md's own store supplied: what is written there, when it is not, and how it is withdrawn."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from staplecfg.model.change import Kind
from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.plan import Decision, Goal
from staplecfg.model.settings import Apache, Settings
from staplecfg.model.verdict import Good
from staplecfg.pki.judge import Purpose, judge
from staplecfg.servers.apache import md_store
from tests.support.apache_planned import (
    CONF,
    SITE,
    carried_out,
    debian,
    in_etc,
    plan,
    tree,
    vhost,
    with_files,
)
from tests.support.facts import AUTHORITY, DAY, NOW, SHOP
from tests.support.planned import rules

if TYPE_CHECKING:
    from staplecfg.model.change import Change
    from staplecfg.model.facts import Facts
    from staplecfg.model.plan import Plan
    from staplecfg.model.staple import Staple

HOUR = timedelta(hours=1)
ASKED = Settings(server="apache", apache=Apache(delivery="mod_md"))
STORE = PurePosixPath("/var/lib/staplecfg/apache/md")
SHA1 = hashlib.sha1(SHOP.cert.public_bytes(Encoding.DER), usedforsecurity=False).hexdigest()
FILE = STORE / "ocsp/other" / f"ocsp-{SHA1}.json"


def supplied(made: Plan) -> list[Change]:
    return [each for each in made.changes if each.path.name.startswith("ocsp-")]


def held(*, age: timedelta = DAY, life: timedelta = 7 * DAY) -> Staple:
    """Return a real response's staple."""
    at = NOW - age
    response = AUTHORITY.respond(SHOP, now=at, this_update=at, next_update=at + life)
    found = judge(response, SHOP.cert, SHOP.issuer_cert, now=NOW, purpose=Purpose.KEPT)
    assert isinstance(found, Good), found
    return found.staple


OURS = held()


def seen(*lines: str, **more: Any) -> Facts:
    return debian(vhost(*lines), settings=ASKED, **{"stored": {SHOP: OURS}, **more})


def test_a_response_stands_in_the_store_as_mod_md_reads_it():
    (change,) = supplied(plan(seen()))

    assert change.path == FILE
    assert change.kind is Kind.STAPLE
    assert change.after is not None
    assert (change.after.owner, change.after.mode) == ("www-data", 0o644)
    body = json.loads(change.after.data)
    assert body["status"] == "good"
    assert "=" not in body["response"]
    assert urlsafe_b64decode(body["response"] + "==") == OURS.der
    assert body["valid"]["from"].endswith(" GMT")
    assert md_store.response(change.after.data) == OURS.der


def test_the_module_and_the_store_are_in_the_diff_and_all_of_it_goes_again():
    done = carried_out(seen())

    assert in_etc(plan(seen())) == [
        "create /etc/apache2/mods-enabled/md.load",
        f"create {CONF}",
        "create /etc/apache2/conf-enabled/staplecfg.conf",
        f"modify {SITE}",
    ]
    assert f"MDStoreDir {STORE}".encode() in done.files.read(CONF)
    assert b"MDStapling on" in done.files.read(PurePosixPath(SITE))
    assert plan(done).empty
    assert plan(done, Goal.STATE_ONLY).empty
    gone = carried_out(done, Goal.ABSENT)
    assert tree(gone) == tree(seen())
    assert not gone.files.exists(FILE)


def test_a_store_that_is_named_is_used_and_never_named_again():
    named = seen(more={"/etc/apache2/conf-enabled/md.conf": "MDStoreDir /srv/md\n"})

    assert in_etc(plan(named)) == ["create /etc/apache2/mods-enabled/md.load", f"modify {SITE}"]
    assert [str(each.path.parent) for each in supplied(plan(named))] == ["/srv/md/ocsp/other"]


@pytest.mark.parametrize("same", [True, False], ids=["as good", "newer"])
def test_what_mod_md_has_fetched_itself_stays_where_it_is_as_good(same):
    theirs = OURS if same else held(age=HOUR)
    text = json.dumps(json.loads(md_store.written(theirs)))
    done = with_files(carried_out(seen()), {str(FILE): text})

    assert supplied(plan(done)) == []
    assert supplied(plan(done, Goal.STATE_ONLY)) == []
    assert carried_out(done, Goal.ABSENT).files.exists(FILE)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="no JSON"),
        pytest.param('{"response": "MAMKAQE"}', id="an error"),
        pytest.param(
            md_store.written(held(age=3 * DAY, life=3 * DAY + HOUR / 2)).decode(), id="at its end"
        ),
    ],
)
def test_what_is_worse_than_ours_gives_way(text):
    done = with_files(carried_out(seen()), {str(FILE): text})
    (change,) = supplied(plan(done, Goal.STATE_ONLY))

    assert change.after is not None
    assert md_store.response(change.after.data) == OURS.der


def test_a_renewed_staple_needs_no_reload():
    done = carried_out(seen())
    fresh = replace(done, stored={SHOP.sha256: Stored(held(age=HOUR))})
    made = plan(fresh, Goal.STATE_ONLY)

    assert [each.op for each in supplied(made)] == ["modify"]
    assert not made.reload


def test_what_was_never_right_is_replaced_with_a_reload():
    done = with_files(carried_out(seen()), {str(FILE): "{"})

    assert plan(done, Goal.STATE_ONLY).reload


def test_withdrawn_is_the_file_away_and_a_reload():
    done = carried_out(seen())
    late = replace(done, now=OURS.expires - timedelta(minutes=1))
    made = plan(late, Goal.STATE_ONLY)

    assert [each.op for each in supplied(made)] == ["delete"]
    assert made.reload


def test_an_answer_from_before_a_revocation_is_taken_away():
    done = carried_out(seen())
    told = Attempts(SHOP.sha256, revoked_at=NOW, revoked_as_of=NOW)
    revoked = replace(done, stored={SHOP.sha256: Stored(None)}, attempts={SHOP.sha256: told})

    assert [each.op for each in supplied(plan(revoked, Goal.STATE_ONLY))] == ["delete"]


DOMAIN = "/etc/apache2/conf-enabled/domain.conf"


@pytest.mark.parametrize(
    ("lines", "more", "version", "problem"),
    [
        pytest.param((), {}, (2, 4, 66), "2.4.66", id="2.4.66"),
        pytest.param((), {}, (2, 4, 41), "2.4.42", id="too old"),
        pytest.param(("MDStapleOthers off",), {}, (2, 4, 71), "MDStapleOthers", id="others off"),
        pytest.param(("MDStapling off",), {}, (2, 4, 71), "MDStapling off", id="decided"),
        pytest.param(
            (), {DOMAIN: "MDomain else.example\n"}, (2, 4, 71), "MDStoreDir", id="no store"
        ),
        pytest.param(
            (),
            {DOMAIN: "MDStoreDir /srv/md\nMDomain shop.example\n"},
            (2, 4, 71),
            "in its own hands",
            id="managed",
        ),
    ],
)
def test_where_it_cannot_work_it_says_why(lines, more, version, problem):
    made = plan(seen(*lines, more=more, version=version))

    assert in_etc(made) == []
    (one,) = made.sites
    assert one.decision is not Decision.CONFIGURED
    assert problem in one.reason


def test_beside_a_managed_domain_a_store_is_never_named():
    more = {DOMAIN: "MDStoreDir /srv/md\nMDomain else.example\n"}
    made = plan(seen(more=more))

    assert [str(each.path.parent) for each in supplied(made)] == ["/srv/md/ocsp/other"]
    assert not any(str(CONF) in each for each in in_etc(made))


def test_once_a_domain_is_managed_in_our_store_it_stays():
    done = with_files(carried_out(seen()), {DOMAIN: "MDomain else.example\n"})
    made = plan(done, Goal.ABSENT)

    assert not any("delete" in each for each in in_etc(made))
    assert "shared-file-relied-on" in rules(made)


def test_without_the_module_nothing_is_touched():
    files = {"/etc/apache2/mods-available/md.load": None}
    made = plan(with_files(seen(), files))

    assert in_etc(made) == []
    assert "delivery-misfit" in rules(made)


def test_what_the_lines_say_by_itself_is_nobodys_unless_it_is_asked_for():
    theirs = debian(vhost("MDStapling on"), enabled=("ssl", "socache_shmcb", "md"))

    assert plan(theirs, Goal.STATE_ONLY).sites[0].decision is Decision.SKIPPED
    asked = replace(theirs, settings=ASKED)
    assert len(supplied(plan(asked, Goal.STATE_ONLY))) == 1
    assert tree(carried_out(asked, Goal.ABSENT)) == tree(asked)
