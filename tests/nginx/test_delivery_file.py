"""nginx `file`: its names are promises, and only its own files are litter."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from staplecfg.model.change import Kind
from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.servers.interface import NOTHING, Serving
from staplecfg.servers.nginx.delivery_file import DELIVERY
from staplecfg.servers.site_key import site_key
from tests.support.facts import SHOP, staple
from tests.support.sites import site

STATE_DIR = PurePosixPath("/var/lib/staplecfg")
DOCUMENT = Path(__file__).parents[2] / "docs" / "site-key.md"


@pytest.mark.parametrize(
    ("paths", "slug"),
    [
        pytest.param(["/etc/letsencrypt/live/a.example/fullchain.pem"], "a.example-fullchain"),
        pytest.param(["/etc/ssl/Shop.Example.crt"], "ssl-shop.example", id="capitals"),
        pytest.param(["/etc/my certs (new)/a.pem"], "my-certs-new--a", id="runs become one"),
        pytest.param(["/etc/caf\u00e9/a.pem"], "caf--a", id="not ASCII"),
        pytest.param(["/etc/\udcff/a.pem"], "--a", id="no UTF-8"),
        pytest.param(["/cert.pem"], "-cert", id="in the root"),
        pytest.param(["/etc/ssl/.pem"], "ssl-.pem", id="no stem"),
        pytest.param(["/etc/ssl/a.b.pem"], "ssl-a.b", id="two dots"),
        pytest.param(["/etc/ssl/" + "x" * 90 + ".pem"], "ssl-" + "x" * 44, id="48 at most"),
        pytest.param(["/etc/ssl/rsa.pem", "/etc/ssl/ec.pem"], "ssl-rsa", id="the first one's"),
    ],
)
def test_a_site_key_is_what_the_document_says(paths, slug):
    given = "\n".join(paths).encode("utf-8", "surrogateescape")

    key = site_key(paths)

    assert key == f"{slug}-{hashlib.sha256(given).hexdigest()[:8]}"
    assert re.fullmatch(r"[a-z0-9._-]{1,57}", key)


def test_the_documents_examples_are_right():
    text = DOCUMENT.read_text(encoding="utf-8")

    for path in (
        "/etc/letsencrypt/live/shop.example/fullchain.pem",
        "/etc/nginx/tls/Shop (new).crt",
    ):
        assert path in text
        assert f"site key  {site_key([path])}\n" in text


def test_the_order_of_certificates_counts():
    assert site_key(["/a/b", "/a/c"]) != site_key(["/a/c", "/a/b"])


def test_the_line_is_known_again():
    one = site()
    key = DELIVERY.key(one)
    line = ("include", f"{DELIVERY.variables(one, STATE_DIR)['include_dir']}/*.conf")

    assert DELIVERY.owned(line, STATE_DIR) == key


@pytest.mark.parametrize(
    "words",
    [
        ("include", "/etc/nginx/conf.d/*.conf"),
        ("include", "/var/lib/staplecfg/nginx/*.conf"),
        ("include", "/var/lib/staplecfg/nginx/a/b/*.conf"),
        ("include", "/var/lib/staplecfg/nginx/a/staple.conf"),
        ("include", "/srv/staplecfg/nginx/a/*.conf"),
        ("include", "/var/lib/staplecfg/nginx/a/*.conf", "x"),
        ("include",),
        ("ssl_stapling_file", "/var/lib/staplecfg/nginx/a/*.conf"),
    ],
)
def test_no_other_line_is_taken_for_it(words):
    assert DELIVERY.owned(words, STATE_DIR) is None


def test_a_staple_is_named_by_its_leaf_and_its_time_and_comes_first():
    good = staple(SHOP)

    served, snippet = DELIVERY.state("a-1", Serving(good), STATE_DIR)

    assert served.kind is Kind.STAPLE
    assert str(served.path) == f"{STATE_DIR}/nginx/staples/{SHOP.sha256}-20260121T120000Z.der"
    assert served.content is not None
    assert served.content.data == good.der
    assert str(snippet.path) == f"{STATE_DIR}/nginx/a-1/staple.conf"
    assert snippet.variables == {"staple": str(served.path)}


def test_withdrawn_is_one_snippet_that_names_nothing():
    (snippet,) = DELIVERY.state("a-1", NOTHING, STATE_DIR)

    assert snippet.variables == {"staple": None}


def test_only_what_is_ours_and_unused_is_litter():
    top = f"{STATE_DIR}/nginx"
    old = f"{top}/staples/{'0' * 64}-20260101T000000Z.der"
    used = f"{top}/staples/{'1' * 64}-20260101T000000Z.der"
    files = MemoryFilesystem.of(
        dict.fromkeys(
            [
                old,
                used,
                f"{top}/staples/mine.der",
                f"{top}/a-1/staple.conf",
                f"{top}/a-1/mine.conf",
                f"{top}/b-2/staple.conf",
                f"{STATE_DIR}/store/x.der",
            ],
            b"",
        )
    )
    keep = [PurePosixPath(used), PurePosixPath(f"{top}/b-2/staple.conf")]

    found = DELIVERY.litter(files, STATE_DIR, keep)

    assert [str(path) for path in found] == [f"{top}/a-1/staple.conf", old]


def test_a_site_whose_certificate_has_no_path_has_a_key_all_the_same():
    one = site()
    unnamed = replace(one, certificates=(replace(one.certificates[0], text="$c", path=None),))

    assert DELIVERY.key(unnamed) == site_key(["$c"])
