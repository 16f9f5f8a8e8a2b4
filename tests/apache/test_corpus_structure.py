"""Real configurations, and broken copies of them: their sections are what httpd says they are."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from staplecfg.model.directive import Directive, whole
from staplecfg.model.edit import apply_edits
from staplecfg.model.errors import NotUnderstood
from staplecfg.servers.apache import place
from staplecfg.servers.apache.compare import disagreement
from staplecfg.servers.apache.scan import scan, walk
from tests.support.apache_syntax import only_structure, structure_problem

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "apache"
PATH = PurePosixPath("/etc/apache2/apache2.conf")
INCLUDE = (("Include", "/etc/apache2/staplecfg.conf"),)
WANTED = (("SSLUseStapling", "on"), ("SSLStaplingForceURL", "http://127.0.0.1:8888/"))

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus beside the checkout"),
]


@cache
def corpus() -> dict[PurePosixPath, bytes]:
    files = sorted(path for path in CORPUS.rglob("*") if path.is_file())
    return {PurePosixPath(path): path.read_bytes() for path in files}


def refusal(path: PurePosixPath, data: bytes) -> NotUnderstood | None:
    try:
        scan(data, path)
    except NotUnderstood as error:
        return error
    return None


def test_every_file_is_read():
    # No file of this corpus is broken; for those that are, see the copies below.
    assert [path for path, data in corpus().items() if refusal(path, data)] == []


def test_the_second_reader_agrees():
    for path, data in corpus().items():
        if refusal(path, data) is None:
            assert disagreement(data, path) is None, path


@pytest.mark.system
@pytest.mark.parametrize("decided", [False, True], ids=["conditions false", "conditions true"])
def test_httpd_finds_a_fault_in_the_sections_where_we_do(*, decided: bool, tmp_path: Path):
    for path, found in corpus().items():
        data = only_structure(found, decided=decided)
        theirs = structure_problem(data, tmp_path)

        assert (refusal(path, data) is None) == (theirs is None), (path, theirs)


def broken(data: bytes, pick: random.Random) -> bytes:
    """Return `data` with one to three slips as people make them, most in lines with tags."""
    lines = data.split(b"\n")
    for _ in range(pick.randint(1, 3)):
        tagged = [at for at, line in enumerate(lines) if line.lstrip().startswith(b"<")]
        at = pick.choice(tagged) if tagged and pick.random() < 0.7 else pick.randrange(len(lines))
        line = lines[at]
        lines[at : at + 1] = pick.choice(
            [
                [],
                [line, line],
                [line.replace(b">", b"", 1)],
                [line.replace(b"</", b"<", 1)],
                [line + b" \\"],
                [line + pick.choice([b" x", b" # y", b">", b" >", b" </IfModule>"])],
                [line.swapcase()],
                [b"#" + line],
                [b'"' + line + pick.choice([b'"', b""])],
                [pick.choice([b"</VirtualHost>", b"</IfModule>", b"<Files a>", b"<If a>"]), line],
                [pick.choice([b"<IfModule core.c>", b"<Macro a b>", b"</Macro>", b"</"]), line],
            ]
        )
        lines = lines or [b""]
    return b"\n".join(lines)


@pytest.mark.system
@pytest.mark.parametrize("seed", range(3))
def test_no_fault_that_httpd_finds_in_a_broken_copy_escapes_us(seed: int, tmp_path: Path):
    pick = random.Random(seed)
    files = [data for data in corpus().values() if data.count(b"<") > 3 and len(data) < 40_000]
    faults = stricter = 0
    for _ in range(150):
        found = broken(pick.choice(files), pick)
        data = only_structure(found, decided=pick.random() < 0.5)
        ours, theirs = refusal(PATH, data), structure_problem(data, tmp_path)

        assert ours is not None or theirs is None, (data, theirs)
        faults += theirs is not None
        stricter += theirs is None and ours is not None
    assert faults > 50
    # It lets the end of a file close an If-section that is true, takes more for
    # an end tag in one that is false, and counts no tags in a macro nobody uses.
    assert stricter < faults / 5


VARIANTS = {
    "as it is": lambda data: data,
    "CRLF": lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "tabs": lambda data: data.replace(b"    ", b"\t"),
    "no final line feed": lambda data: data.rstrip(b"\n"),
    "end tags in odd case": lambda data: data.replace(b"</VirtualHost", b"</viRtualhoSt"),
    "text behind end tags": lambda data: data.replace(b"</VirtualHost>", b"</VirtualHost> # x"),
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_every_virtual_host_takes_lines_and_gives_them_back(variant):
    done = 0
    for path, found in corpus().items():
        data = variant(found)
        hosts = [each for each in walk(scan(data, path)) if each.name == "VirtualHost"]
        for number, host in enumerate(hosts):
            edited = apply_edits(data, place.insert(data, host, WANTED))

            again = [each for each in walk(scan(edited, path)) if each.name == "VirtualHost"]
            ours = added(host, again[number])
            assert disagreement(edited, path) is None
            assert edited.count(b"\n") == data.count(b"\n") + len(WANTED)
            assert apply_edits(edited, place.take_out(edited, ours)) == data, path
            done += 1
    assert done > 80


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_every_file_takes_a_line_and_gives_it_back(variant):
    for path, found in corpus().items():
        data = variant(found)
        edited = apply_edits(data, place.insert(data, whole(data, scan(data, path)), INCLUDE))

        ours = [each for each in scan(edited, path) if each.words == INCLUDE[0]]
        assert len(ours) == 1
        assert apply_edits(edited, place.take_out(edited, ours)) == data, path


def added(before: Directive, after: Directive) -> tuple[Directive, ...]:
    """Return the run of directives of `after` that `before` has not."""
    assert before.block is not None
    assert after.block is not None
    old = [each.words for each in before.block.children]
    new = after.block.children
    for start in range(len(old) + 1):
        run = new[start : start + len(WANTED)]
        rest = [each.words for each in (*new[:start], *new[start + len(WANTED) :])]
        if rest == old and tuple(each.words for each in run) == WANTED:
            return run
    raise AssertionError("not the old section and ours")
