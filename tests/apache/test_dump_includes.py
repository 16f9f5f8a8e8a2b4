"""What an include names, file by file as httpd itself reads it: `-t -D DUMP_CONFIG`."""

from __future__ import annotations

import pytest

from staplecfg.machine.disk import Disk
from staplecfg.servers.apache import evaluate
from tests.support import apache_dump
from tests.support.apache_compared import MODULES, compared, laid_out
from tests.support.apache_dump import dump

pytestmark = pytest.mark.system


@pytest.mark.parametrize(
    "include",
    [
        "Include d",
        "Include d/",
        "Include d/*",
        "Include d/*/",
        "Include d/*.conf",
        "Include g/*.conf",
        "Include g/*",
        "Include g/.*",
        "Include g/[1-2].conf",
        "Include g/[!2].conf",
        "Include g/[^2]*.conf",
        "Include g/[!.]*.conf",
        "Include g/?.conf",
        r"Include g/x\[*.conf",
        "Include g/x[*.conf",
        "Include [g]/1.conf",
        "Include w[12]/x.conf",
        "Include w[12]/*.conf",
        "Include w[1l]*/x.conf",
        "Include w1/dir*",
        "Include w1/dir.conf/",
        "Include wlink",
        "Include wlink/*.conf",
        "Include linked",
        "Include deep/*/*/c/*.conf",
        "Include deep",
        "Include empty",
        "Include ./g/1.conf",
        "Include g//1.conf",
        "Include g//*.conf",
        "Include nodir/../g/1.conf",
        "Include ../../../../../../../../../../../../@root/g/1.conf",
        'Include "g/1.conf"',
        "Include 'g/1.conf'",
        "include G1",
        "IncludeOptional nothing",
        "IncludeOptional nothing/",
        "IncludeOptional nodir/*",
        "IncludeOptional nodir/*/x",
        "IncludeOptional w3/*",
        "IncludeOptional w*/nothing.conf",
        "IncludeOptional w*/x.conf",
        "IncludeOptional w*/*.conf",
        "IncludeOptional w*/*/q",
        "IncludeOptional g/1.conf/",
        "IncludeOptional e",
        "IncludeOptional e/*",
        "IncludeOptional e/dangling",
    ],
)
def test_an_include_names_what_it_names_for_httpd(tmp_path, include):
    root = tmp_path.resolve()
    line = include.replace("@root", str(root).lstrip("/"))

    assert compared(root, f"{line}\nHeader set after y\n", {"G1": "Header set G1 y\n"}) >= 3


@pytest.mark.parametrize(
    "include",
    [
        "Include",
        "Include nothing",
        "Include nodir/*",
        "Include w3/*",
        "Include w*/x.conf",
        "Include w*/*.conf",
        "Include w[123]/nothing.conf",
        "Include wl*/x.conf",
        "Include g/[.]*.conf",
        "Include g/?dot.conf",
        "Include g/1.conf/",
        "Include g/1.conf/*",
        r"Include g/\1.conf",
        r"Include g/\*.conf",
        "Include g/[1.conf",
        "Include g/1.conf extra",
        "Include g/1.conf # comment",
        "Include e",
        "Include e/*",
    ],
)
def test_where_httpd_refuses_an_include_we_report_it_and_edit_nothing(tmp_path, include):
    main = laid_out(tmp_path, f"{include}\n")
    assert dump(main, server_root=tmp_path).error

    reading = evaluate.read(Disk(), apache_dump.installation(main, server_root=tmp_path))

    told = {(each.rule, each.location.line) for each in reading.walk.trouble.findings}
    assert told == {("include-unreadable", MODULES.count("\n") + 3)}
