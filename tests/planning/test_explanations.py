"""Every finding that planning makes can be explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import staplecfg
from staplecfg.checks.registry import GENERAL_RULES
from staplecfg.planning.explanations import PLANNING_RULES
from staplecfg.servers.nginx.rules.registry import NGINX_RULES

PLANNING = Path(staplecfg.__file__).parent / "planning"
PLACING = Path(staplecfg.__file__).parent / "servers" / "apache" / "placing.py"
FIT = Path(staplecfg.__file__).parent / "servers" / "nginx" / "fit.py"


def made_here() -> set[str]:
    """Return the ids that stand as constants in the files that make findings."""
    sources = [*PLANNING.rglob("*.py"), FIT, PLACING]
    texts = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    found = set(re.findall(r'^[A-Z_]+ = "([a-z]+-[a-z-]+)"$', texts, re.MULTILINE))
    return found - {"stapling-off-decided"}


def test_there_is_an_explanation_for_each_and_for_no_other():
    explained = {rule.id for rule in PLANNING_RULES}

    assert explained == made_here() - {rule.id for rule in (*GENERAL_RULES, *NGINX_RULES)}


@pytest.mark.parametrize("text", [pytest.param(rule.text, id=rule.id) for rule in PLANNING_RULES])
def test_an_explanation_says_what_why_and_what_to_do(text):
    assert re.search(r"\n\nWhat: .*\n\nWhy: .*\n\nFix: ", text, re.DOTALL)
    assert text.splitlines()[0].endswith(".")
