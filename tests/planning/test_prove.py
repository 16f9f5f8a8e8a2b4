"""The last line before a web server: what cannot be proved is not edited."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.change import Change
from staplecfg.model.edit import Edit, apply_edits
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.site import SourceFile
from staplecfg.model.source import Location, Span
from staplecfg.planning.patch import Patch, children
from staplecfg.planning.prove import inverse, rewrite
from staplecfg.servers.nginx.dialect import NginxDialect

if TYPE_CHECKING:
    from staplecfg.model.directive import Directive
    from staplecfg.servers.interface import Dialect

PATH = PurePosixPath("/etc/nginx/nginx.conf")
WORDS = (("ssl_stapling", "on"), ("include", "/var/lib/x/*.conf"))
TEXT = b"""http {
    server {
        ssl_certificate a.pem; # x {
        location / { return 204; }
    }
    server { listen 80; }
}
"""


@dataclass(frozen=True, slots=True)
class Crooked(NginxDialect):
    """Puts in what a test tells it to."""

    edits: tuple[Edit, ...] = ()

    def insert(self, data, block, wanted):
        del data, block, wanted
        return self.edits


def source(text: bytes = TEXT, refusal: Finding | None = None) -> SourceFile:
    return SourceFile(PATH, PATH, text, NginxDialect().parse(text, PATH), refusal)


def servers(read: SourceFile) -> tuple[Directive, ...]:
    return children(read.directives[0])


def put_in(dialect: Dialect) -> Change | Finding:
    read = source()
    return rewrite(read, [Patch(PATH, servers(read)[0], insert=WORDS)], dialect)


def test_an_honest_edit_is_proved():
    change = put_in(NginxDialect())

    assert isinstance(change, Change)
    assert change.after is not None
    assert apply_edits(TEXT, change.edits) == change.after.data
    assert b"    include /var/lib/x/*.conf;\n" in change.after.data


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param((28, 28, b""), id="nothing"),
        pytest.param((TEXT.index(b"listen"),) * 2 + (b"ssl_stapling on;",), id="another block"),
        pytest.param((28, 28, b"ssl_stapling on;"), id="too little"),
        pytest.param(
            (28, 28, b"ssl_stapling on; include /var/lib/x/*.conf; gzip on;"), id="too much"
        ),
        pytest.param((28, 28, b"include /var/lib/x/*.conf; ssl_stapling on;"), id="another order"),
        pytest.param(
            (28, 28, b"ssl_stapling on; include /var/lib/x/*.conf"), id="a neighbour swallowed"
        ),
        pytest.param((TEXT.index(b"x {"),) * 2 + (b"ssl_stapling on;",), id="into a comment"),
        pytest.param(
            (28, 28, b"ssl_stapling on; include /var/lib/x/*.conf; } server {"), id="a block split"
        ),
        pytest.param(
            (28, 50, b"ssl_stapling on; include /var/lib/x/*.conf;"), id="a directive overwritten"
        ),
        pytest.param(
            (TEXT.index(b"return"),) * 2 + (b"ssl_stapling on; include /var/lib/x/*.conf;",),
            id="a block within",
        ),
        pytest.param((28, 28, b"ssl_stapling 'on"), id="a quote left open"),
        pytest.param((len(TEXT) + 5, len(TEXT) + 9, b"x"), id="outside the file"),
    ],
)
def test_a_crooked_edit_is_refused(edit):
    start, end, text = edit

    refused = put_in(Crooked(edits=(Edit(Span(start, end), text),)))

    assert isinstance(refused, Finding)
    assert (refused.rule, refused.severity) == ("unsafe-edit", Severity.ERROR)
    assert refused.location == Location(PATH)


def test_edits_that_claim_the_same_bytes_are_refused():
    refused = put_in(Crooked(edits=(Edit(Span(28, 32), b"x"), Edit(Span(30, 34), b"y"))))

    assert isinstance(refused, Finding)
    assert "overlap" in refused.problem


def test_a_file_that_will_not_be_edited_is_not():
    why = Finding("generated-file", Severity.WARNING, Location(PATH), "someone writes it anew")
    read = source(refusal=why)

    assert rewrite(read, [Patch(PATH, servers(read)[0], insert=WORDS)], NginxDialect()) is why


def test_where_the_second_reader_disagrees_nothing_is_edited():
    class Doubtful(NginxDialect):
        def disagreement(self, data, path):
            del data
            return Finding("readers-disagree", Severity.WARNING, Location(path), "two readings")

    refused = put_in(Doubtful())

    assert isinstance(refused, Finding)
    assert refused.rule == "readers-disagree"


def test_a_swap_a_gift_and_a_removal_are_proved_together():
    text = b"http {\n server {\n  a 1;\n  b 2;\n  c 3;\n }\n}\n"
    read = source(text)
    (server,) = servers(read)
    a, b, c = children(server)
    patch = Patch(PATH, server, swap=((a, ("a", "9")),), give_back=((b, b"b  '2' ;"),), drop=(c,))

    change = rewrite(read, [patch], NginxDialect())

    assert isinstance(change, Change)
    assert change.after is not None
    assert change.after.data == b"http {\n server {\n  a 9;\n  b  '2' ;\n }\n}\n"


@pytest.mark.parametrize("gift", [b"b 1; c 2;", b"b {}", b"", b"# b"])
def test_what_is_given_back_is_one_directive(gift):
    read = source(b"http {\n server {\n  a 1;\n }\n}\n")
    (server,) = servers(read)
    patch = Patch(PATH, server, give_back=((children(server)[0], gift),))

    assert isinstance(rewrite(read, [patch], NginxDialect()), Finding)


def test_the_inverse_leads_back():
    edits = (Edit(Span(0, 0), b"new "), Edit(Span(3, 5), b""), Edit(Span(6, 6), b"xyz"))
    after = apply_edits(b"one two three", edits)

    assert apply_edits(after, inverse(edits, b"one two three")) == b"one two three"
