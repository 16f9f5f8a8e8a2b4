"""Templates: shipped ones, and the ones that override them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from staplecfg.loading.templates import MOST_BYTES, load, shipped_directory
from staplecfg.model.errors import Unreadable

SITE = "nginx/file/site.conf.j2"


def put(directory: Path, text: bytes, name: str = SITE) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    return path


def test_without_overrides_all_are_the_shipped_ones(tmp_path):
    found = load([tmp_path, tmp_path / "missing"]).by_name

    assert set(found) == {
        str(path.relative_to(shipped_directory())) for path in shipped_directory().rglob("*.j2")
    }
    assert SITE in found
    assert found == load([]).by_name


def test_each_file_comes_from_the_first_directory_that_has_it(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    put(first, b"first")
    put(second, b"second")
    put(second, b"state", "nginx/file/state.conf.j2")

    found = load([first, second]).by_name

    assert (found[SITE].text, found[SITE].path) == ("first", PurePosixPath(first / SITE))
    assert found["nginx/file/state.conf.j2"].text == "state"
    assert found["schedule/cron.j2"] == load([]).by_name["schedule/cron.j2"]


def test_a_name_that_nothing_asks_for_is_passed_over(tmp_path):
    put(tmp_path, b"x", "nginx/file/other.conf.j2")

    assert load([tmp_path]).by_name == load([]).by_name


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda path: path.mkdir(parents=True), "is a directory", id="a directory"),
        pytest.param(lambda path: put(path.parent, b"a\n\xff", path.name), "not UTF-8", id="UTF-8"),
        pytest.param(
            lambda path: put(path.parent, b"x" * (MOST_BYTES + 1), path.name), "longer", id="long"
        ),
    ],
)
def test_an_override_that_cannot_be_read_is_not_passed_over(make, problem, tmp_path):
    make(tmp_path / SITE)

    with pytest.raises(Unreadable, match=problem) as caught:
        load([tmp_path])

    assert caught.value.at is not None
    assert caught.value.at.path == PurePosixPath(tmp_path / SITE)


def test_a_link_that_leads_nowhere_is_not_passed_over(tmp_path):
    path = put(tmp_path, b"x")
    path.unlink()
    path.symlink_to("nowhere")

    with pytest.raises(Unreadable, match="leads nowhere"):
        load([tmp_path])
