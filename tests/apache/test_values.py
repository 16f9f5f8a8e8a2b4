"""What httpd makes of numbers, flags and cache sizes."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staplecfg.model.directive import Directive
from staplecfg.model.site import Origin, Setting
from staplecfg.model.source import Location, Span
from staplecfg.servers.apache.cache import DEFAULT, Cache, NoCache, parse, size_for, slots
from staplecfg.servers.apache.values import LONGEST, flag, is_local, is_seconds, number

HERE = PurePosixPath("/etc/apache2/apache2.conf")


def setting(*args: str) -> Setting:
    directive = Directive("SSLUseStapling", args, 1, Span(0, 1))
    return Setting(directive, Origin.OWN, Location(HERE, 1), HERE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0), ("7", 7), (" \t7", 7), ("+7", 7), ("-7", -7), ("7s", 7), ("s7", 0), ("- 7", 0)],
)
def test_a_number_is_what_atoi_makes_of_it(text, expected):
    assert number(text) == expected


@given(st.text())
def test_every_text_is_some_number_and_seconds_are_the_same_number(text):
    read = number(text)

    if is_seconds(text):
        assert read == int(text)
        assert 0 <= read <= LONGEST


@given(st.integers(0, LONGEST), st.text("smhd ", min_size=1))
def test_a_unit_is_never_taken_for_seconds(count, unit):
    assert number(f"{count}{unit}") == count
    assert not is_seconds(f"{count}{unit}")


def test_a_flag_is_off_unless_it_says_on_in_any_case():
    assert [flag(setting(arg)) for arg in ("on", "On", "ON", "off", "yes", "")] == [
        *(True, True, True, False, False, False),
    ]
    assert flag(None, default=True)
    assert not flag(None)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:889/", id="IPv4"),
        pytest.param("http://127.1.2.3/a", id="another loopback address"),
        pytest.param("http://[::1]:889/", id="IPv6"),
        pytest.param("http://localhost", id="by name"),
    ],
)
def test_an_address_of_this_machine_is_local(url):
    assert is_local(url)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1.example/", id="a name that begins like it"),
        pytest.param("http://localhost.example/", id="a name that begins with it"),
        pytest.param("http://user@127.0.0.1/", id="a user name"),
        pytest.param("http://ocsp.example/127.0.0.1", id="in the path"),
        pytest.param("https://127.0.0.1/", id="https, which mod_ssl does not speak"),
        pytest.param("HTTP://127.0.0.1/", id="capitals, which mod_ssl does not know"),
        pytest.param("127.0.0.1:889", id="no scheme"),
        pytest.param("", id="nothing"),
    ],
)
def test_any_other_is_not(url):
    assert not is_local(url)


@pytest.mark.parametrize(
    ("size", "room"), [(32768, 20), (65536, 40), (128000, 84), (262144, 168), (524288, 344)]
)
def test_a_cache_has_the_slots_that_httpd_logs(size, room):
    """AH00822, as 2.4.71 logs it at level debug."""
    assert slots(size) == room


@given(st.text())
def test_every_text_is_a_cache_or_has_a_problem(text):
    found = parse(text)

    assert isinstance(found, Cache) or found.problem


@given(st.integers(8192, 2**32 - 2), st.text("/abc()", max_size=9))
def test_a_size_is_read_whatever_the_path(size, path):
    assert parse(f"shmcb:{path}({size})") == Cache("shmcb", size)


def test_without_a_size_it_is_half_a_megabyte():
    assert parse("shmcb") == parse("shmcb:/run/x") == Cache("shmcb", DEFAULT)
    assert isinstance(parse("shmcb:/run/x("), NoCache)


@given(st.integers(0, 100_000))
def test_the_size_to_give_has_room_for_twice_as_many(certificates):
    size = size_for(certificates)

    assert size >= max(131072, 4096 * certificates)
    assert slots(size) >= 2 * certificates
    assert parse(f"shmcb:x({size})") == Cache("shmcb", size)
