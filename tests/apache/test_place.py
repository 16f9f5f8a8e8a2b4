"""Putting lines in and taking exactly them out."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from staplecfg.model.directive import Directive, whole
from staplecfg.model.edit import apply_edits
from staplecfg.model.errors import NotUnderstood
from staplecfg.servers.apache import place
from staplecfg.servers.apache.compare import disagreement
from staplecfg.servers.apache.scan import scan, walk
from tests.support.apache_syntax import configtest

PATH = PurePosixPath("/x")
WANTED = (("SSLUseStapling", "on"), ("SSLStaplingForceURL", "http://127.0.0.1:1/a b"))
LINES = (b"SSLUseStapling on", b'SSLStaplingForceURL "http://127.0.0.1:1/a b"')
INCLUDE = (("Include", "/etc/staplecfg.conf"),)


def virtual_hosts(data: bytes) -> list[Directive]:
    return [each for each in walk(scan(data, PATH)) if each.name in {"VirtualHost", "Macro"}]


def inserted(data: bytes, which: int = 0, wanted=WANTED) -> bytes:
    return apply_edits(data, place.insert(data, virtual_hosts(data)[which], wanted))


def appended(data: bytes, wanted=INCLUDE) -> bytes:
    return apply_edits(data, place.insert(data, whole(data, scan(data, PATH)), wanted))


def taken_out(data: bytes, wanted=WANTED) -> bytes:
    ours = [each for each in walk(scan(data, PATH)) if each.words in wanted]
    return apply_edits(data, place.take_out(data, ours))


def spelled(text: bytes) -> bytes:
    """Return `text` with our lines in the place of S and F."""
    return text.replace(b"@S", LINES[0]).replace(b"@F", LINES[1])


CASES = {
    "behind the last certificate": (
        (
            b"<VirtualHost a>\n  SSLEngine on\n  SSLCertificateFile a\n  SSLCertificateKeyFile b\n"
            b"\n  C\n</VirtualHost>\n"
        ),
        b"  SSLCertificateKeyFile b\n  @S\n  @F\n\n  C\n</VirtualHost>\n",
    ),
    "behind the second pair": (
        b"<VirtualHost a>\n  sslcertificatefile a\n  C\n  SSLCERTIFICATEFILE b\n</VirtualHost>",
        b"  SSLCERTIFICATEFILE b\n  @S\n  @F\n</VirtualHost>",
    ),
    "behind SSLEngine": (
        b"<VirtualHost a>\n\tsslengine on\n\tC\n</VirtualHost>\n",
        b"\tsslengine on\n\t@S\n\t@F\n\tC\n</VirtualHost>\n",
    ),
    "not behind a certificate of an inner section": (
        (
            b"<VirtualHost a>\n  SSLEngine on\n  <IfFile /a>\n    SSLCertificateFile a\n"
            b"  </IfFile>\n</VirtualHost>\n"
        ),
        b"  SSLEngine on\n  @S\n  @F\n  <IfFile /a>\n",
    ),
    "first": (
        b"<VirtualHost a>\n  C\n</VirtualHost>\n",
        b"<VirtualHost a>\n  @S\n  @F\n  C\n</VirtualHost>\n",
    ),
    "first, behind an opening of several lines": (
        b"<VirtualHost a \\\n   b>\n  C\n</VirtualHost>\n",
        b"   b>\n  @S\n  @F\n  C\n",
    ),
    "into an empty section": (
        b"  <VirtualHost a>\n  </VirtualHost>",
        b"  <VirtualHost a>\n      @S\n      @F\n  </VirtualHost>",
    ),
    "into an empty section with tabs": (
        b"\t<VirtualHost a>\n\t</VirtualHost>",
        b"\t<VirtualHost a>\n\t\t@S\n\t\t@F\n\t</VirtualHost>",
    ),
    "behind a continued line": (
        b"<VirtualHost a>\n  SSLCertificateFile a \\\n\n  \\\n      C\n</VirtualHost>\n",
        b"SSLCertificateFile a \\\n\n  @S\n  @F\n  \\\n      C\n</VirtualHost>\n",
    ),
    "indented as the anchor is, not as the rest": (
        b"<VirtualHost a>\n    C\nSSLCertificateFile a\n    D\n</VirtualHost>\n",
        b"SSLCertificateFile a\n@S\n@F\n    D\n</VirtualHost>\n",
    ),
    "not into a comment": (
        b"<VirtualHost a>\n  SSLEngine on\n  # \\\n  C\n  D\n</VirtualHost>\n",
        b"  SSLEngine on\n  @S\n  @F\n  # \\\n  C\n  D\n",
    ),
    "CRLF": (
        b"<VirtualHost a>\r\n  SSLEngine on\r\n  C\r\n</VirtualHost>\r\n",
        b"  SSLEngine on\r\n  @S\r\n  @F\r\n  C\r\n</VirtualHost>\r\n",
    ),
    "two end tags on a line": (
        b"<IfModule a>\n<VirtualHost a>\nSSLEngine on\n</VirtualHost> </IfModule>\n</IfModule>\n",
        b"SSLEngine on\n@S\n@F\n</VirtualHost> </IfModule>\n</IfModule>\n",
    ),
    "into a macro": (
        b"<Macro v $n>\n <VirtualHost $n>\n  SSLEngine on\n </VirtualHost>\n</Macro>\n",
        b"<Macro v $n>\n @S\n @F\n <VirtualHost $n>\n",
    ),
}


@pytest.mark.parametrize(("before", "expected"), CASES.values(), ids=CASES)
def test_lines_go_where_a_person_would_put_them(before: bytes, expected: bytes):
    after = inserted(before)

    assert spelled(expected) in after
    assert taken_out(after) == before
    assert disagreement(after, PATH) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"", b"Include /etc/staplecfg.conf\n", id="empty"),
        pytest.param(b"A\n", b"A\nInclude /etc/staplecfg.conf\n", id="lines"),
        pytest.param(b"  A\n", b"  A\nInclude /etc/staplecfg.conf\n", id="never indented"),
        pytest.param(b"A", b"A\nInclude /etc/staplecfg.conf", id="no final line feed"),
        pytest.param(b"A\r\nB", b"A\r\nB\r\nInclude /etc/staplecfg.conf", id="CRLF, none at all"),
        pytest.param(b"A\r\n", b"A\r\nInclude /etc/staplecfg.conf\r\n", id="CRLF"),
        pytest.param(b"A\r", b"A\r\r\nInclude /etc/staplecfg.conf", id="only a CR"),
        pytest.param(b"A\n# b", b"A\n# b\nInclude /etc/staplecfg.conf", id="last is a comment"),
        pytest.param(b"A\n  ", b"A\n  \nInclude /etc/staplecfg.conf", id="last is blank"),
        pytest.param(b"A\n\n\n", b"A\n\n\nInclude /etc/staplecfg.conf\n", id="empty lines"),
        pytest.param(
            b"  SSLEngine on\nSSLCertificateFile a\nB\n",
            b"  SSLEngine on\nSSLCertificateFile a\nInclude /etc/staplecfg.conf\nB\n",
            id="behind the main server's certificate",
        ),
        pytest.param(
            b"A\n  SSLCertificateFile a",
            b"A\n  SSLCertificateFile a\n  Include /etc/staplecfg.conf",
            id="behind a certificate that is the end",
        ),
        pytest.param(
            b"SSLEngine on\nA\n",
            b"SSLEngine on\nA\nInclude /etc/staplecfg.conf\n",
            id="SSLEngine is no anchor of a file",
        ),
    ],
)
def test_a_file_takes_lines_behind_its_certificate_or_at_its_end(before: bytes, after: bytes):
    assert appended(before) == after
    assert taken_out(after, INCLUDE) == before
    assert disagreement(after, PATH) is None


@pytest.mark.parametrize("data", [b"A \\", b"A \\\n", b"# \\\r\n", b"A\n# \\\\\n\n"])
def test_a_file_that_ends_in_a_backslash_is_refused(data: bytes):
    with pytest.raises(ValueError, match="ends in a backslash"):
        appended(data)


def test_nothing_to_insert_is_no_edit():
    data = b"<VirtualHost a>\n</VirtualHost>\n"

    assert place.insert(data, virtual_hosts(data)[0], ()) == ()
    assert place.take_out(data, ()) == ()


@pytest.mark.parametrize("data", [b"A b\n", b"<Perl>\n</Perl>\n"])
def test_what_holds_no_directives_takes_none(data: bytes):
    with pytest.raises(ValueError, match="holds no directives"):
        place.insert(data, scan(data, PATH)[0], WANTED)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"A b\n", b"C d\n", id="a line"),
        pytest.param(b"X\n  A b \t\r\nB\r\n", b"X\n  C d \t\r\nB\r\n", id="blanks behind stay"),
        pytest.param(b"\tA \\\n  b\nB", b"\tC d\nB", id="continued"),
        pytest.param(b"A b", b"C d", id="no final line feed"),
    ],
)
def test_a_replacement_is_that_directive_and_no_more(before: bytes, after: bytes):
    (old,) = (each for each in scan(before, PATH) if each.words == ("A", "b"))

    assert apply_edits(before, [place.replacement(before, old, ("C", "d"))]) == after


def test_a_section_is_not_replaced():
    data = b"<A>\n</A>"

    with pytest.raises(ValueError, match="is a block"):
        place.replacement(data, scan(data, PATH)[0], ("C", "d"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"A\nX\nB\n", b"A\nB\n", id="a line"),
        pytest.param(b"A\n  X \\\n \\\n  \nB\n", b"A\nB\n", id="continued"),
        pytest.param(b"A\nX\nX\nB\nX\n", b"A\nB\n", id="several"),
        pytest.param(b"A\nX\nX", b"A", id="the end of a file without a line feed"),
        pytest.param(b"A\r\nX", b"A", id="the same with CRLF"),
        pytest.param(b"X", b"", id="all of a file"),
        pytest.param(b"# c\nX\n# d\n", b"# c\n# d\n", id="comments around stay"),
    ],
)
def test_taking_out_leaves_the_other_lines_as_they_are(before: bytes, after: bytes):
    assert taken_out(before, (("X",),)) == after


PIECES = st.sampled_from(
    [
        *(b"\n", b"\r\n", b"  ", b"\t", b"# c", b" \\\n", b"\\\r\n", b"\\\\\n\n", b" x", b' "y z"'),
        *(b"\nSSLEngine on\n", b"\r\nsslcertificatefile a\r\n", b"\n  SSLCertificateKeyFile b"),
        *(b"\nSSLUseStapling off\n", b"\n<Files a>\nB\n</Files> c\n", b"\nServerName a", b"\r"),
    ]
)
TEXTS = st.lists(PIECES, max_size=12).map(b"".join)


def tree(directives: tuple[Directive, ...]):
    return [
        (each.words, None if each.block is None else tree(each.block.children))
        for each in directives
    ]


@given(TEXTS, TEXTS, st.sampled_from([b"\n", b"\r\n"]), TEXTS)
def test_the_text_read_again_is_the_old_tree_and_our_words(
    before: bytes, inside: bytes, ending: bytes, behind: bytes
):
    data = before + ending + b"<VirtualHost *:443>" + inside + ending + b"</VirtualHost>" + behind
    try:
        (host,) = virtual_hosts(data)
    except (NotUnderstood, ValueError):
        reject()

    after = inserted(data)

    assert disagreement(after, PATH) is None
    (again,) = virtual_hosts(after)
    assert host.block is not None
    assert again.block is not None
    ours = again.block.children
    first = next(at for at, each in enumerate(ours) if each.words == WANTED[0])
    run = ours[first : first + len(WANTED)]
    assert tuple(each.words for each in run) == WANTED
    rest = (*ours[:first], *ours[first + len(WANTED) :])
    assert tree(rest) == tree(host.block.children)
    replaced = [each for each in tree(scan(after, PATH)) if each[0][0] != "VirtualHost"]
    assert replaced == [each for each in tree(scan(data, PATH)) if each[0][0] != "VirtualHost"]
    assert apply_edits(after, place.take_out(after, run)) == data


@given(TEXTS)
def test_a_file_gives_back_what_it_took(data: bytes):
    try:
        after = appended(data)
        found = scan(after, PATH)
    except (NotUnderstood, ValueError):
        reject()

    assert disagreement(after, PATH) is None
    assert [each for each in tree(found) if each[0] != INCLUDE[0]] == tree(scan(data, PATH))
    assert sum(each[0] == INCLUDE[0] for each in tree(found)) == 1
    assert taken_out(after, INCLUDE) == data


@pytest.mark.system
@pytest.mark.parametrize("name", CASES)
def test_httpd_reads_our_lines_in_every_shape(name: str, tmp_path: Path):
    data = CASES[name][0].replace(b"<VirtualHost a", b"<VirtualHost 127.0.0.1:1")
    for placeholder, real in {
        b" b>": b" 127.0.0.2:1>",
        b"<IfModule a>": b"<IfModule core.c>",
        b"  C\n": b"  ServerAdmin a@b\n",
        b"</Macro>\n": b"</Macro>\nUse v 127.0.0.1:1\n",
    }.items():
        data = data.replace(placeholder, real)
    for file in "ab":
        (tmp_path / file).write_text("not empty", encoding="ascii")
    wrong = (("SSLUseStapling", "neither"),)

    said = configtest(inserted(data, wanted=wrong), tmp_path)

    # It complains of our line, and so it read it as a directive of its own.
    assert b"SSLUseStapling must be On or Off" in said.stderr
