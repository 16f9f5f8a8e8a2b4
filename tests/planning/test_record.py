"""The record survives the disk, and nonsense is refused."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.facts import Inserted, Made, Record, Replaced
from staplecfg.planning.record import decode, encode

FILE = PurePosixPath("/etc/nginx/caf\u00e9\udcff.conf")
MAIN = PurePosixPath("/etc/apache2/apache2.conf")
FULL = Record(
    inserted=(Inserted(FILE, "a-1", (("ssl_stapling", "on"), ("include", "/x \udcfe/*.conf"))),),
    replaced=(Replaced(FILE, "a-1", b"ssl_stapling\t\xff off ;", ("ssl_stapling", "on")),),
    units=(PurePosixPath("/etc/systemd/system/staplecfg.timer"),),
    directories=(PurePosixPath("/etc/systemd/system/nginx.service.wants"),),
    made=(
        Made(MAIN, PurePosixPath("/etc/apache2/conf-available/staplecfg.conf"), "ab12"),
        Made(MAIN, MAIN, words=(("Include", "/etc/apache2/staplecfg.conf"),)),
    ),
)


def test_a_record_from_before_there_was_anything_for_a_whole_server_is_read():
    old = b'{"schema": 1, "inserted": [], "replaced": [], "units": []}'

    assert decode(old) == Record()
    assert json.loads(encode(Record())) == json.loads(old)


@pytest.mark.parametrize(
    "record", [pytest.param(Record(), id="empty"), pytest.param(FULL, id="with odd bytes")]
)
def test_a_record_comes_back_as_it_was(record):
    assert decode(encode(record)) == record
    assert encode(record).isascii()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe{", id="no JSON"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"schema": 2}', id="another schema"),
        pytest.param(b'{"schema": 1}', id="nothing in it"),
    ],
)
def test_what_is_no_record_is_refused(text):
    with pytest.raises(NotUnderstood):
        decode(text)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("units", ["relative"]),
        ("units", [1]),
        ("units", None),
        ("directories", ["relative"]),
        ("inserted", [{"file": "/a", "key": "k"}]),
        ("inserted", [{"file": "/a", "key": "k", "words": [[]]}]),
        ("inserted", [{"file": "/a", "key": "k", "words": ["ab"]}]),
        ("replaced", [{"file": "/a", "key": "k", "text": 1, "by": ["a"]}]),
        ("replaced", ["x"]),
        ("made", ["x"]),
        ("made", [{"config": "/a", "path": "b", "digest": "", "words": []}]),
        ("made", [{"config": "/a", "path": "/b", "digest": 1, "words": []}]),
    ],
)
def test_a_member_of_the_wrong_kind_is_refused(member, value):
    body = {"schema": 1, "inserted": [], "replaced": [], "units": [], member: value}

    with pytest.raises(NotUnderstood):
        decode(json.dumps(body).encode())
