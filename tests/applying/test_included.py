"""Whether the server would read a file: asked of the few patterns that could say so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import pytest

from staplecfg.applying.included import included, require_unread
from staplecfg.model.errors import UsageProblem
from staplecfg.model.settings import Settings
from staplecfg.servers.nginx.dialect import NginxDialect
from staplecfg.servers.nginx.server import NGINX
from tests.support.facts import http
from tests.support.planned import machine


@pytest.mark.parametrize(
    ("path", "read"),
    [
        pytest.param("/etc/nginx/sites-available/x", True, id="through a link"),
        pytest.param("/etc/nginx/sites-available/.x", False, id="hidden"),
        pytest.param("/etc/nginx/conf.d/a/x.conf", True, id="a pattern in the middle"),
        pytest.param("/etc/nginx/conf.d/x.conf", False, id="too high"),
        pytest.param("/etc/nginx/one.conf", True, id="no pattern"),
        pytest.param("/etc/other", False, id="elsewhere"),
    ],
)
def test_a_file_is_read_where_an_include_names_it(path, read):
    text = http("include sites-enabled/*;", "include conf.d/*/*.conf;", "include one.conf;")
    links = {"/etc/nginx/sites-enabled": "sites-available"}
    seen = machine(text, {"/etc/nginx/one.conf": b""}, links=links)

    assert included(seen, NGINX)(PurePosixPath(path)) is read


@dataclass(frozen=True)
class Counting(NginxDialect):
    """Counts how often it is asked about a pattern."""

    asked: list[str] = field(default_factory=list)

    def reads(self, pattern, path, files):
        self.asked.append(pattern)
        return super().reads(pattern, path, files)


def test_a_file_is_not_held_against_the_patterns_of_other_directories():
    lines = [f"include /var/lib/staplecfg/nginx/k{number}/*.conf;" for number in range(50)]
    dialect = Counting()
    reads = included(machine(http(*lines), {}), replace(NGINX, dialect=dialect))

    assert reads(PurePosixPath("/var/lib/staplecfg/nginx/k7/staple.conf"))
    assert len(dialect.asked) == 1


@pytest.mark.parametrize(
    ("state_dir", "read"),
    [
        pytest.param("/etc/nginx/sites/state", True, id="a directory among the sites"),
        pytest.param("/etc/nginx/deep", True, id="its snippets"),
        pytest.param("/etc/nginx/beside", False, id="beside them"),
        pytest.param("/var/lib/staplecfg", False, id="where it belongs"),
    ],
)
def test_a_state_directory_that_an_include_would_read_is_refused(state_dir, read):
    text = http("include sites/*;", "include deep/*/*/*.conf;")
    seen = machine(text, {}, settings=Settings(state_dir=PurePosixPath(state_dir)))

    if read:
        with pytest.raises(UsageProblem, match="would read /etc/nginx/"):
            require_unread(seen, NGINX)
    else:
        require_unread(seen, NGINX)
