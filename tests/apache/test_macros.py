"""`<Macro>` and `Use`: what stands in a body takes effect at each use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staplecfg.model.site import Origin
from staplecfg.servers.apache.macros import LONGEST, header, put_in
from tests.support.apache_trees import at, read

HOST = """\
<Macro Host $name @certificate>
  <VirtualHost *:443>
    ServerName $name.test
    SSLEngine on
    SSLCertificateFile @certificate
  </VirtualHost>
</Macro>
"""


@pytest.mark.parametrize(
    ("line", "values", "expected"),
    [
        (b"nothing here", (b"$a", b"1"), b"nothing here"),
        (b"$a$a", (b"$a", b"1"), b"11"),
        (b"$a", (b"$a", b"$a"), b"$a"),
        (b"$a $b", (b"$a", b"$b", b"$b", b"2"), b"$b 2"),
        (b"$ab", (b"$a", b"1", b"$ab", b"2"), b"2"),
        (b"$ab", (b"$a", b"1"), b"1b"),
        (b"x@ay", (b"@a", b"a b"), b'x"a b"y'),
        (b"@a", (b"@a", b'"\\'), b'"\\"\\\\"'),
        (b"@a", (b"@a", b""), b'""'),
        (b"$a", (b"$a", b""), b""),
        (b"%a${b}", (b"%a", b"1", b"${b}", b"2"), b"12"),
    ],
)
def test_parameters_are_put_in(line, values, expected):
    pairs = tuple(zip(values[::2], values[1::2], strict=True))

    assert put_in(line, (pairs,)) == expected


def test_outer_uses_are_put_in_first():
    assert put_in(b"$a", (((b"$a", b"$b"),), ((b"$b", b"2"),))) == b"2"


def test_a_line_that_grows_without_end_is_refused():
    with pytest.raises(ValueError, match="longer than httpd takes"):
        put_in(b"@a", (((b"@a", b'""@a'),),))


@given(st.lists(st.tuples(st.sampled_from([b"$a", b"@b", b"%"]), st.binary(max_size=5))))
def test_putting_in_always_ends(pairs):
    line = b"x" + b" $a@b%" * 3
    try:
        assert len(put_in(line, (tuple(pairs),))) < LONGEST
    except ValueError as error:
        assert "longer" in str(error)  # noqa: PT017 - either of the two will do


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"Name", ("name", ())),
        (b'"A Name" $a "@b"', ("a name", (b"$a", b"@b"))),
        (b"X /IgnoreEmptyArgs /ignorebadnesting $a", ("x", (b"$a",))),
        (b"", ("", ())),
    ],
)
def test_a_macro_has_a_name_and_parameters(text, expected):
    assert header(text) == expected


@pytest.mark.parametrize("text", [b"X $a $a", b'X ""', b"X /Other $a"])
def test_parameters_that_httpd_would_not_take_are_refused(text):
    with pytest.raises(ValueError, match="has"):
        header(text)


def test_each_use_makes_a_site_of_the_same_block():
    found = read(f"{HOST}Use Host shop /ssl/shop.pem\nUSE host blog ssl/blog.pem\n")

    shop, blog = found.sites
    assert (shop.names, blog.names) == (("shop.test",), ("blog.test",))
    assert [str(each.certificates[0].path) for each in (shop, blog)] == [
        "/ssl/shop.pem",
        "/etc/apache2/ssl/blog.pem",
    ]
    assert (shop.file, shop.block) == (blog.file, blog.block)
    assert shop.location == blog.location == at(2)
    assert (shop.used_at, blog.used_at) == ((at(8),), (at(9),))


def test_what_stands_in_a_body_is_the_sites_own_and_shared_by_its_uses():
    one = read(f"{HOST}Use Host shop /ssl/shop.pem\n").sites[0].setting("SSLEngine")
    two = read(f"{HOST}Use Host a a\nUse Host b b\n").sites[0].setting("SSLEngine")

    assert one is not None
    assert two is not None
    assert (one.origin, one.shared, one.location) == (Origin.OWN, False, at(4))
    assert (two.origin, two.shared, two.location) == (Origin.OWN, True, at(4))


def test_what_a_macro_brings_into_a_host_is_included():
    text = (
        "<Macro Tls $c>\nSSLEngine on\nSSLCertificateFile $c\n</Macro>\n"
        "<VirtualHost *:443>\nUse Tls /a.pem\n</VirtualHost>\n"
        "<VirtualHost *:443>\nUse Tls /b.pem\n</VirtualHost>\n"
    )

    first, second = read(text).sites

    settings = [site.setting("SSLCertificateFile") for site in (first, second)]
    assert [each and each.args for each in settings] == [("/a.pem",), ("/b.pem",)]
    assert {each and (each.origin, each.shared, each.location) for each in settings} == {
        (Origin.INCLUDED, True, at(3))
    }
    assert first.used_at == ()


def test_uses_within_uses_are_named_outermost_first():
    text = f"<Macro All $n>\nUse Host $n /ssl/$n.pem\n</Macro>\n{HOST}Use All shop\n"

    (site,) = read(text).sites

    assert site.names == ("shop.test",)
    assert site.used_at == (at(11), at(2))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("Use Nothing\n", 1, "no macro"),
        (f"Use Host a b\n{HOST}", 1, "no macro"),
        (f"{HOST}Use Host a\n", 8, "takes 2 arguments, not 1"),
        (f"{HOST}Use Host a b c\n", 8, "takes 2 arguments, not 3"),
        ("<Macro X>\nUse X\n</Macro>\nUse X\n", 2, "uses itself"),
        ("<Macro X>\nUse Y\n</Macro>\n<Macro Y>\nUse X\n</Macro>\nUse Y\n", 2, "uses itself"),
        ("<Macro X $a $a>\n</Macro>\n", 1, "two parameters"),
        ("<Macro>\n</Macro>\n", 1, "needs a name"),
        ("UndefMacro X\n", 1, "no macro"),
        ("<Macro X $s>\n$s a\n</Macro>\nUse X <Location\n", 2, "begins or ends a section"),
        ("<Macro X $s>\nSSLEngine $s\n</Macro>\nUse X \\\\on\\\\ \n", 2, "backslash"),
    ],
)
def test_a_macro_that_cannot_be_used_leaves_everything_unedited(text, line, said):
    found = read(text)

    (finding,) = found.findings
    assert said in finding.problem
    assert finding.location == at(line)
    assert finding.hint
    assert all(source.refusal == finding for source in found.files.values())
