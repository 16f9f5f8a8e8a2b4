"""Golden cases: a tree before, and the tree after; its name says what it shows.

Every one is also planned again, shown as a patch that git takes, and removed.
"""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.plan import Goal
from staplecfg.planning.diff import unified
from tests.planning.test_cases import links, read
from tests.support.apache_planned import carried_out, in_etc, machine, plan, tree
from tests.support.facts import BLOG, PLAIN, SHOP, staple

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from tests.support.authority import Issued

CASES = Path(__file__).parents[1] / "cases" / "apache"
CERTIFICATES: dict[str, Issued] = {
    "/etc/ssl/shop.pem": SHOP,
    "/etc/ssl/blog.pem": BLOG,
    "/etc/ssl/plain.pem": PLAIN,
}
EVERY_CASE = [pytest.param(path, id=path.name) for path in sorted(CASES.iterdir())]


def observed(case: Path) -> Facts:
    before, linked = read(case / "before"), links(case / "before")
    files = {path: content for path, content in before.items() if path not in linked}
    stored = {SHOP: staple(SHOP), BLOG: staple(BLOG)}
    return machine({**files, **CERTIFICATES}, links=linked, stored=stored)


@pytest.mark.parametrize("case", EVERY_CASE)
def test_the_tree_before_becomes_the_tree_after(case):
    done = carried_out(observed(case))

    after, linked = read(case / "after"), links(case / "after")
    assert {path: done.files.read(PurePosixPath(path)) for path in after} == after
    assert {path: done.files.link(PurePosixPath(path)) for path in linked} == linked
    assert plan(done).empty
    assert plan(done, Goal.STATE_ONLY).empty


@pytest.mark.parametrize("case", EVERY_CASE)
def test_removal_leads_back(case):
    seen = observed(case)

    assert tree(carried_out(carried_out(seen), Goal.ABSENT)) == tree(seen)


@pytest.mark.parametrize("case", EVERY_CASE)
def test_the_diff_is_what_apply_does(case, tmp_path):
    seen = observed(case)
    changes = [each for each in plan(seen).changes if str(each.path).startswith("/etc/apache2")]
    for path, content in read(case / "before").items():
        if not seen.files.link(PurePosixPath(path)):
            there = tmp_path / path[1:]
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(content)

    if changes:
        _git_apply(tmp_path, unified(changes))

    after = read(case / "after")
    assert {path: after[path] for path in read(tmp_path)} == read(tmp_path)
    assert len(in_etc(plan(seen))) == len(changes)


def _git_apply(root: Path, patch: bytes) -> None:
    environment = {"PATH": "/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": str(root.parent)}
    argv = ["git", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(argv, cwd=root, input=patch, check=True, env=environment)
