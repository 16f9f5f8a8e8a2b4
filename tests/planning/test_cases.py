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
from tests.support.facts import BLOG, PLAIN, SHOP, staple
from tests.support.planned import carried_out, edited, machine, plan

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from tests.support.authority import Issued

CASES = Path(__file__).parents[1] / "cases" / "nginx"
CERTIFICATES: dict[str, bytes | Issued] = {
    "/etc/ssl/shop.pem": SHOP,
    "/etc/ssl/blog.pem": BLOG,
    "/etc/ssl/plain.pem": PLAIN,
}


EVERY_CASE = [pytest.param(path, id=path.name) for path in sorted(CASES.iterdir())]


def read(root: Path) -> dict[str, bytes]:
    """Return the files below `root`, those that links lead to under the links' names too."""
    return {
        f"/{path.relative_to(root)}": path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def links(root: Path) -> dict[str, str]:
    return {
        f"/{path.relative_to(root)}": str(path.readlink())
        for path in root.rglob("*")
        if path.is_symlink()
    }


def observed(case: Path) -> Facts:
    before, linked = read(case / "before"), links(case / "before")
    text = before.pop("/etc/nginx/nginx.conf")
    files = {path: content for path, content in before.items() if path not in linked}
    stored = {SHOP: staple(SHOP), BLOG: staple(BLOG)}
    return machine(text, {**files, **CERTIFICATES}, links=linked, stored=stored)


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

    assert carried_out(carried_out(seen), Goal.ABSENT).files == seen.files


@pytest.mark.parametrize("case", EVERY_CASE)
def test_the_diff_is_what_apply_does(case, tmp_path):
    changes = edited(plan(observed(case)))
    for change in changes:
        path = tmp_path / str(change.path)[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(change.before.data if change.before is not None else b"")

    if changes:
        _git_apply(tmp_path, unified(changes))

    after = read(case / "after")
    assert {path: after[path] for path in read(tmp_path)} == read(tmp_path)


def _git_apply(root: Path, patch: bytes) -> None:
    environment = {"PATH": "/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": str(root.parent)}
    argv = ["git", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(argv, cwd=root, input=patch, check=True, env=environment)
