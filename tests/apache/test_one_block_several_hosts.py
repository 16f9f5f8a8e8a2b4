"""A block that several virtual hosts are made of: a macro's body, or a file that is read twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from staplecfg.model.plan import Decision, Goal
from tests.support.apache_planned import SITE, carried_out, debian, in_etc, plan, tree, vhost
from tests.support.facts import BLOG, PLAIN
from tests.support.planned import rules

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from staplecfg.model.plan import Plan
    from tests.support.authority import Issued

TEMPLATE = "/etc/apache2/host.conf"
BLOCK = vhost("${more}", name="${name}.example", certificate="/etc/ssl/${name}.pem")
READ_TWICE = """\
Define more "# nothing"
Define name shop
Include host.conf
Define name {other}
Define more "{more}"
Include host.conf
"""
BODY = vhost(name="$name.example", certificate="/etc/ssl/$name.pem")
USED_TWICE = f"<Macro Host $name>\n{BODY}</Macro>\nUse Host shop\nUse Host {{other}}\n"
APART = vhost(name="apart.example", certificate="/etc/ssl/blog.pem")


def hosts(text: str, other: str = "blog", more: str = "") -> Facts:
    files: dict[str, str | bytes | Issued] = {
        TEMPLATE: BLOCK,
        "/etc/ssl/blog.pem": BLOG,
        "/etc/ssl/plain.pem": PLAIN,
        "/etc/apache2/mods-enabled/macro.load": "LoadModule macro_module m/mod_macro.so\n",
    }
    return debian(text.format(other=other, more=more or "# nothing") + APART, more=files)


def decisions(made: Plan) -> dict[str, Decision]:
    return {each.site.title: each.decision for each in made.sites}


@pytest.mark.parametrize("text", [READ_TWICE, USED_TWICE])
@pytest.mark.parametrize("other", ["blog", "plain"])
def test_a_certificate_without_a_responder_keeps_nobody_from_lines(text, other):
    seen = hosts(text, other)
    made = plan(seen)

    found = decisions(made)
    assert found["shop.example"] is found["apart.example"] is Decision.CONFIGURED
    assert found[f"{other}.example"] is (
        Decision.CONFIGURED if other == "blog" else Decision.SKIPPED
    )
    assert plan(carried_out(seen)).empty
    assert tree(carried_out(carried_out(seen), Goal.ABSENT)) == tree(seen)


@pytest.mark.parametrize("more", ["SSLUseStapling off", "SSLStaplingForceURL http://other/"])
def test_what_one_of_them_decides_holds_for_the_block_and_for_nothing_else(more):
    made = plan(hosts(READ_TWICE, more=more))

    assert decisions(made)["shop.example"] is Decision.REFUSED
    assert decisions(made)["apart.example"] is Decision.CONFIGURED
    assert f"modify {TEMPLATE}" not in in_etc(made)
    assert f"modify {SITE}" in in_etc(made)
    assert "unsafe-edit" not in rules(made)
