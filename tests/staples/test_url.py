from __future__ import annotations

import pytest

from staplecfg.staples.url import BadUrl, parse_proxy, parse_url


@pytest.mark.parametrize(
    ("text", "host", "port", "target", "authority"),
    [
        pytest.param("http://o.example", "o.example", 80, "/", "o.example", id="no path"),
        pytest.param("HTTP://O.Example/", "o.example", 80, "/", "o.example", id="upper case"),
        pytest.param("http://o.example:/x", "o.example", 80, "/x", "o.example", id="empty port"),
        pytest.param("http://o.example:81/x?y", "o.example", 81, "/x?y", "o.example:81", id="port"),
        pytest.param("http://o.example/x#y", "o.example", 80, "/x", "o.example", id="fragment"),
        pytest.param("http://[::1]:81/", "::1", 81, "/", "[::1]:81", id="IPv6 literal"),
        pytest.param("http://192.0.2.1", "192.0.2.1", 80, "/", "192.0.2.1", id="IPv4 literal"),
        pytest.param(
            "http://a_b.example.", "a_b.example.", 80, "/", "a_b.example.", id="final dot"
        ),
    ],
)
def test_an_http_url_is_taken_apart(text, host, port, target, authority):
    url = parse_url(text)

    assert (url.host, url.port, url.target, url.authority) == (host, port, target, authority)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("https://o.example/", 'not "https"', id="https"),
        pytest.param("ldap://o.example/", 'not "ldap"', id="ldap"),
        pytest.param("file:///etc/passwd", 'not "file"', id="file"),
        pytest.param("o.example", 'not ""', id="no scheme"),
        pytest.param("", "printable", id="empty"),
        pytest.param("http://", "host", id="no host"),
        pytest.param("http://u@o.example/", "user name", id="user"),
        pytest.param("http://u:p@o.example/", "user name", id="user and password"),
        pytest.param("http://@o.example/", "user name", id="empty user"),
        pytest.param("http://o.example/\r\nX: y", "printable", id="header injection"),
        pytest.param("http://o.exa\tmple/", "printable", id="tab, which urlsplit drops"),
        pytest.param("http://ö.example/", "printable", id="not ASCII"),
        pytest.param("http://o.example/ x", "printable", id="space"),
        pytest.param("http://o.example:0/", "port", id="port 0"),
        pytest.param("http://o.example:65536/", "URL", id="port too large"),
        pytest.param("http://o.example:-1/", "URL", id="negative port"),
        pytest.param("http://o.example:http/", "URL", id="port by name"),
        pytest.param("http://[::1/", "URL", id="open bracket"),
        pytest.param("http://[v1.x]/", "URL|IPv6", id="future address"),
        pytest.param("http://a\\b/", "host name", id="backslash"),
        pytest.param("http://a%00b/", "host name", id="escaped NUL"),
        pytest.param("http://" + "a" * 254 + "/", "host name", id="host too long"),
        pytest.param("http://o.example/" + "a" * 2000, "longer", id="too long"),
    ],
)
def test_any_other_url_is_not_asked(text, words):
    with pytest.raises(BadUrl, match=words) as refusal:
        parse_url(text)

    assert str(refusal.value).isprintable()


def test_a_proxy_may_carry_a_user_name_and_a_password():
    assert parse_proxy("http://me:se%63ret@proxy.example:3128").user == "me:secret"


def test_a_proxy_has_no_path():
    with pytest.raises(BadUrl, match="without a path"):
        parse_proxy("http://proxy.example:3128/path")
