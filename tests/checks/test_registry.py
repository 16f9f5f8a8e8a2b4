"""The rules together: complete, distinct, documented, selected and sorted."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import staplecfg.checks
import staplecfg.servers.apache.rules
import staplecfg.servers.nginx.rules
from staplecfg.checks.explain import explain, find, overview, suggestions, summary
from staplecfg.checks.registry import GENERAL_RULES, run
from staplecfg.model.rule import Rule
from staplecfg.model.settings import Settings
from staplecfg.planning.explanations import PLANNING_RULES
from staplecfg.servers.apache.rules.registry import APACHE_RULES
from staplecfg.servers.nginx.rules.registry import NGINX_RULES
from tests.support.facts import BLOG, SHOP, SHOP_PEM, facts, http, server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

RULES = (*GENERAL_RULES, *NGINX_RULES, *APACHE_RULES)
EACH = [pytest.param(rule, id=rule.id) for rule in RULES]
CHECKOUT = Path(__file__).parents[2]
SELF = Path(__file__)
TESTS = [
    test
    for test in (*SELF.parent.glob("test_*.py"), *CHECKOUT.glob("tests/*/test_rules_*.py"))
    if test != SELF
]
BLOG_PEM = "/etc/ssl/blog.pem"
PAIR = http(server(name="shop.example"), server(name="blog.example", certificate=BLOG_PEM))


def rules_in(package: ModuleType) -> Iterator[tuple[str, Rule]]:
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        rule = getattr(importlib.import_module(module.name), "RULE", None)
        if isinstance(rule, Rule):
            yield module.name.rpartition(".")[2], rule


def written() -> list[tuple[str, Rule]]:
    packages = (
        staplecfg.checks,
        staplecfg.servers.nginx.rules,
        staplecfg.servers.apache.rules,
    )
    return [one for package in packages for one in rules_in(package)]


def test_every_rule_that_is_written_is_in_a_registry():
    assert {rule.id for _, rule in written()} == {rule.id for rule in RULES}


def test_every_id_is_given_once_and_is_the_name_of_its_file():
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert [(name, rule.id) for name, rule in written()] == [
        (rule.id.replace("-", "_"), rule.id) for _, rule in written()
    ]


@pytest.mark.parametrize("rule", EACH)
def test_a_rule_says_what_why_and_how_to_fix(rule):
    paragraphs = rule.text.strip().split("\n\n")

    assert paragraphs[0].endswith(".")
    assert "\n" not in paragraphs[0]
    assert [text.partition(" ")[0] for text in paragraphs[1:4]] == ["What:", "Why:", "Fix:"]


@pytest.mark.parametrize("rule", EACH)
def test_a_rule_has_a_test(rule):
    assert any(f'"{rule.id}"' in test.read_text(encoding="utf-8") for test in TESTS)


@pytest.mark.parametrize("rule", EACH)
def test_a_rule_file_is_small(rule):
    module = importlib.import_module(rule.check.__module__)

    lines = Path(str(module.__file__)).read_text(encoding="utf-8").splitlines()

    assert 20 < len(lines) < 100


def test_findings_are_sorted_by_place():
    observed = facts(PAIR, {SHOP_PEM: SHOP, BLOG_PEM: BLOG})

    found = run(RULES, observed)

    assert [one.location.line for one in found] == [3, 8]
    assert [one.rule for one in found] == ["stapling-off", "stapling-off"]


def test_a_rule_that_is_run_twice_says_it_once():
    observed = facts(PAIR, {SHOP_PEM: SHOP, BLOG_PEM: BLOG})

    assert run([*RULES, *RULES], observed) == run(RULES, observed)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(Settings(), ["shop.example", "blog.example"], id="all"),
        pytest.param(Settings(sites=("shop.*",)), ["shop.example"], id="one"),
        pytest.param(Settings(sites=("SHOP.example",)), ["shop.example"], id="in capitals"),
        pytest.param(Settings(exclude=("shop.*",)), ["blog.example"], id="all but one"),
        pytest.param(Settings(sites=("*",), exclude=("*",)), [], id="exclusion wins"),
        pytest.param(
            Settings(sites=("/etc/nginx/*",)), ["shop.example", "blog.example"], id="path"
        ),
        pytest.param(Settings(sites=("/etc/nginx/nginx.conf:8",)), ["blog.example"], id="line"),
        pytest.param(Settings(sites=("other",)), [], id="no such site"),
    ],
)
def test_only_the_selected_sites_are_looked_at(settings, expected):
    observed = facts(PAIR, {SHOP_PEM: SHOP, BLOG_PEM: BLOG}, settings=settings)

    assert [one.site for one in run(RULES, observed)] == expected


def test_an_explanation_is_the_rules_own_text():
    (rule,) = [rule for rule in RULES if rule.id == "lazy-gap"]

    text = explain(rule)

    assert text.startswith("lazy-gap (warning)\n\nnginx fetches the staple itself")
    assert text.endswith("*.conf;\n")
    assert "Fix: " in text


def test_the_overview_has_a_line_for_each_rule():
    lines = overview(RULES).splitlines()

    assert len(lines) == len(RULES)
    assert [line.split()[0] for line in lines] == sorted(rule.id for rule in RULES)
    assert overview([]) == ""


@pytest.mark.parametrize("wanted", ["lazy-gap", "[lazy-gap]", "LAZY-GAP", "lazy_gap", " lazy-gap "])
def test_a_rule_is_found_as_it_is_printed(wanted):
    found = find(RULES, wanted)

    assert found is not None
    assert found.id == "lazy-gap"


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        pytest.param("lazygap", "lazy-gap", id="a missing hyphen"),
        pytest.param("stapling-of", "stapling-off", id="a missing letter"),
        pytest.param("silent", "resolver-silent", id="a part"),
    ],
)
def test_an_unknown_id_brings_the_likeliest(wanted, first):
    assert find(RULES, wanted) is None
    assert suggestions(RULES, wanted)[0] == first


@pytest.mark.parametrize("wanted", ["", "[]", "zzzzzz"])
def test_nonsense_brings_nothing(wanted):
    assert find(RULES, wanted) is None
    assert suggestions(RULES, wanted) == ()


def test_the_page_of_rules_lists_them_all():
    page = (CHECKOUT / "docs/rules.md").read_text(encoding="utf-8")
    rows = [
        f"| `{rule.id}` | {rule.severity.value} | {summary(rule)} |"
        for rule in sorted((*RULES, *PLANNING_RULES), key=lambda rule: rule.id)
    ]

    assert [line for line in page.splitlines() if line.startswith("| `")] == rows, (
        "docs/rules.md should have these rows:\n" + "\n".join(rows)
    )
