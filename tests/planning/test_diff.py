"""Patches, taken by the programs that people take them with."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.edit import Edit, apply_edits
from staplecfg.model.source import Span
from staplecfg.planning.diff import unified

if TYPE_CHECKING:
    from collections.abc import Iterable

PATH = "/etc/nginx/nginx.conf"
LINES = b"".join(b"line %d\n" % number for number in range(1, 31))


def change(
    before: bytes | None,
    after: bytes | None,
    *,
    path: str = PATH,
    kind: Kind = Kind.CONFIG,
    edits: Iterable[Edit] = (),
) -> Change:
    return Change(
        PurePosixPath(path),
        kind,
        None if before is None else Content(before),
        None if after is None else Content(after),
        tuple(edits),
    )


def edited(before: bytes, *edits: tuple[int, int, bytes]) -> Change:
    made = tuple(Edit(Span(start, end), text) for start, end, text in edits)
    return change(before, apply_edits(before, made), edits=made)


def begins(number: int) -> int:
    return sum(len(line) for line in LINES.splitlines(keepends=True)[: number - 1])


def lay_out(root: Path, changes: Iterable[Change]) -> None:
    for each in changes:
        path = root / str(each.path)[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        if each.before is not None and each.before.link is not None:
            path.symlink_to(each.before.link)
        elif each.before is not None:
            path.write_bytes(each.before.data)


def assert_is_after(root: Path, changes: Iterable[Change]) -> None:
    for each in changes:
        path = root / str(each.path)[1:]
        if each.after is None:
            assert not path.exists()
            assert not path.is_symlink()
        elif each.after.link is not None:
            assert str(path.readlink()) == each.after.link
        else:
            assert path.read_bytes() == each.after.data


def git_apply(root: Path, patch: bytes) -> None:
    run(["git", "apply", "--whitespace=nowarn", "-"], root, patch)


def gnu_patch(root: Path, patch: bytes) -> None:
    run(["patch", "-p1", "--fuzz=0", "--quiet"], root, patch)


def run(argv: list[str], root: Path, patch: bytes) -> None:
    environment = {"PATH": "/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": str(root.parent)}
    done = subprocess.run(
        argv, cwd=root, input=patch, capture_output=True, check=False, env=environment
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode() + patch.decode("latin-1")


CASES = [
    pytest.param([edited(LINES, (0, 0, b"new\n"))], id="a line before the first"),
    pytest.param([edited(LINES, (begins(15), begins(15), b"new\nnewer\n"))], id="in the middle"),
    pytest.param([edited(LINES, (len(LINES), len(LINES), b"new\n"))], id="behind the last"),
    pytest.param([edited(b"one\ntwo", (7, 7, b"\nthree"))], id="no line feed at the end"),
    pytest.param([edited(b"one\ntwo", (4, 4, b"new\n"))], id="before a last line without one"),
    pytest.param([edited(b"server { a; }", (11, 11, b" b;"))], id="all in one line"),
    pytest.param([edited(b"a\r\nb\r\n", (3, 3, b"new\r\n"))], id="carriage returns"),
    pytest.param([edited(b"a\r\n\xff\xfe\nb\n", (3, 3, b"\xe9\n"))], id="no UTF-8"),
    pytest.param([edited(b"", (0, 0, b"a\n"))], id="into an empty file"),
    pytest.param([edited(b"a\n", (0, 2, b""))], id="until it is empty"),
    pytest.param([edited(LINES, (begins(3), begins(6), b""))], id="lines taken out"),
    pytest.param(
        [edited(LINES, (begins(3), begins(3), b"x\n"), (begins(8), begins(8), b"y\n"))],
        id="two near each other",
    ),
    pytest.param(
        [edited(LINES, (begins(3), begins(3), b"x\n"), (begins(25), begins(26), b"y\n"))],
        id="two far apart",
    ),
    pytest.param(
        [edited(LINES, (begins(3), begins(3), b"x\n"), (begins(3) + 2, begins(3) + 4, b"?"))],
        id="two in one line",
    ),
    pytest.param([change(LINES, LINES.replace(b"line 7", b"other"))], id="without edits"),
    pytest.param([change(None, b"a\nb\n", path="/var/lib/x/staple.conf")], id="a new file"),
    pytest.param([change(None, b"a", path="/var/lib/x/staple.conf")], id="without a line feed"),
    pytest.param([change(b"a\nb", None)], id="a file taken away"),
    pytest.param(
        [change(None, b"b\n", path="/etc/b"), edited(LINES, (0, 0, b"n\n"))], id="two files"
    ),
]


@pytest.mark.parametrize("changes", CASES)
@pytest.mark.parametrize("take", [git_apply, gnu_patch])
def test_a_patch_leads_to_the_planned_bytes(changes, take, tmp_path):
    lay_out(tmp_path, changes)

    take(tmp_path, unified(changes))

    assert_is_after(tmp_path, changes)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/etc/a file.conf", id="a blank"),
        pytest.param('/etc/"quoted".conf', id="quotes"),
        pytest.param("/etc/caf\u00e9.conf", id="not ASCII"),
        pytest.param("/etc/a\nb\tc.conf", id="a line feed"),
        pytest.param("/etc/\udcff.conf", id="no UTF-8"),
    ],
)
def test_an_odd_name_is_one_that_git_takes(path, tmp_path):
    changes = [change(b"a\n", b"b\n", path=path)]
    lay_out(tmp_path, changes)

    git_apply(tmp_path, unified(changes))

    assert_is_after(tmp_path, changes)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(None, Content(link="../staplecfg.timer"), id="made"),
        pytest.param(Content(link="../a.timer"), Content(link="../b.timer"), id="moved"),
        pytest.param(Content(link="../staplecfg.timer"), None, id="taken away"),
        pytest.param(Content(b"a file\n"), Content(link="x"), id="in the place of a file"),
        pytest.param(Content(link="x"), Content(b"a file\n"), id="a file in its place"),
    ],
)
def test_a_link_is_a_link(before, after, tmp_path):
    changes = [Change(PurePosixPath("/etc/wants/staplecfg.timer"), Kind.LINK, before, after)]
    lay_out(tmp_path, changes)

    git_apply(tmp_path, unified(changes))

    assert_is_after(tmp_path, changes)


def test_nothing_is_no_patch():
    assert unified([]) == b""
    assert b"@@" not in unified([edited(LINES, (5, 5, b""))])


def test_what_is_only_inserted_is_shown_with_plus_alone():
    patch = unified([edited(LINES, (begins(9), begins(9), b"x\n"), (0, 0, b"y\n"))])

    body = [line for line in patch.splitlines() if not line.startswith((b"---", b"+++"))]
    assert [line for line in body if line.startswith(b"-")] == []
    assert [line for line in body if line.startswith(b"+")] == [b"+y", b"+x"]


def test_a_staple_is_a_line_that_is_passed_over(tmp_path):
    staple = change(None, b"\x30\x03\x0a\x01\x03", path="/var/lib/s.der", kind=Kind.STAPLE)
    config = edited(LINES, (0, 0, b"new\n"))
    lay_out(tmp_path, [config])

    git_apply(tmp_path, unified([staple, config, staple]))

    assert_is_after(tmp_path, [config])
    assert unified([staple]) == b"# staple /var/lib/s.der: 5 bytes\n"


@st.composite
def texts_with_edits(draw):
    alphabet = st.sampled_from([b"a", b"b", b" ", b"\n", b"\n", b"\r\n", b"\xff"])
    text = b"".join(draw(st.lists(alphabet, max_size=60)))
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    spans = zip(places[::2], places[1::2], strict=False)
    return text, tuple(
        Edit(Span(start, end), b"".join(draw(st.lists(alphabet, max_size=4))))
        for start, end in spans
    )


@settings(max_examples=150)
@given(texts_with_edits())
def test_any_edits_come_back_out_of_the_patch(tmp_path_factory, case):
    before, edits = case
    after = apply_edits(before, edits)
    changes = [change(before, after, edits=edits)]
    root = tmp_path_factory.mktemp("root")
    lay_out(root, changes)
    patch = unified(changes)

    if before != after:
        git_apply(root, patch)

    assert_is_after(root, changes)
    assert (b"@@" in patch) == (before != after)


def test_a_long_file_is_not_compared_line_by_line():
    long = b"line\n" * 200_000

    patch = unified([edited(long, (500_000, 500_000, b"new\n"))])

    assert patch.count(b"\n") < 20
