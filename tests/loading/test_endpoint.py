"""Where the local responder may be said to listen."""

from __future__ import annotations

import pytest

from staplecfg.loading.settings import settings
from staplecfg.model.errors import UsageProblem
from staplecfg.model.settings import Endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:889", Endpoint("127.0.0.1", 889)),
        ("[::1]:80", Endpoint("::1", 80)),
        ("0.0.0.0:65535", Endpoint("0.0.0.0", 65535)),
    ],
)
def test_an_address_and_a_port(tmp_path, text, endpoint):
    file = tmp_path / "staplecfg.toml"
    file.write_text(f'[serve]\nlisten = "{text}"\n[nginx]\nresolver = ["127.0.0.53", "ipv6=off"]\n')

    read = settings({}, file)

    assert read.serve.listen == endpoint
    assert str(read.serve.listen) == text
    assert read.nginx.resolver == ("127.0.0.53", "ipv6=off")


@pytest.mark.parametrize(
    "text",
    [
        *("", "889", "localhost:889", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0"),
        *("127.0.0.1:65536", "::1:80", "[::1]", "[127.0.0.1]:80", "127.0.0.1:+1", "127.0.0.1: 1"),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(UsageProblem, match="--listen takes"):
        settings({"serve.listen": text}, None)


@pytest.mark.parametrize("word", ["", "a b", " ", "a\n"])
def test_a_word_of_the_resolver_has_no_blanks(tmp_path, word):
    file = tmp_path / "staplecfg.toml"
    written = word.replace("\n", "\\n")
    file.write_text(f'[nginx]\nresolver = ["{written}"]\n')

    with pytest.raises(UsageProblem, match=r"nginx\.resolver"):
        settings({}, file)
