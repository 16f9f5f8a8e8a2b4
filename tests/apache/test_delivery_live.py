"""mod_ssl asks the certificates' own responders: only what is safe where those are far away."""

from __future__ import annotations

import pytest

from staplecfg.model.plan import Goal
from staplecfg.model.settings import Settings
from tests.support.apache_planned import SITE, carried_out, debian, in_etc, plan, tree, vhost
from tests.support.facts import AUTHORITY, SHOP_PEM

LIVE = Settings(server="apache", delivery="live")


def test_it_is_two_lines_and_the_cache():
    seen = debian(vhost(), settings=LIVE)
    done = carried_out(seen)

    said = done.files.read(type(seen.installation.config)(SITE)).decode()
    assert said == vhost("SSLUseStapling on", "SSLStaplingResponderTimeout 2")
    assert plan(done).empty
    assert plan(done, Goal.STATE_ONLY).empty
    assert tree(carried_out(done, Goal.ABSENT)) == tree(seen)


def test_no_staple_of_ours_is_missed_where_the_server_fetches():
    (one,) = plan(carried_out(debian(vhost(), settings=LIVE)), Goal.STATE_ONLY).sites

    assert one.fetched


@pytest.mark.parametrize("url", ["https://ocsp.example/", "ocsp.example"])
def test_a_responder_that_would_end_handshakes_is_never_asked(url):
    leaf = AUTHORITY.leaf(["shop.example"], responders=[url])
    made = plan(debian(vhost(), settings=LIVE, more={SHOP_PEM: leaf}, stored={}))

    assert in_etc(made) == []
    assert "by http only" in made.sites[0].reason
