"""Directive by directive what httpd itself reads, with file and line: `-t -D DUMP_CONFIG`."""

from __future__ import annotations

import os

import pytest

from staplecfg.machine.disk import Disk
from staplecfg.servers.apache import evaluate
from tests.support import apache_dump, apache_random
from tests.support.apache import Apache
from tests.support.apache_compared import compared, laid_out
from tests.support.apache_dump import dump, module, ours
from tests.support.apache_evaluated import EVALUATED, REFUSED

pytestmark = pytest.mark.system


@pytest.mark.parametrize("name", EVALUATED)
def test_what_takes_effect_is_what_httpd_says(tmp_path, name):
    root = tmp_path.resolve()
    guarded = "<IfDefine !G>\nDefine G\nHeader set g y\nInclude guarded.conf\n</IfDefine>\n"

    found = compared(
        root,
        EVALUATED[name].replace("@root", str(root)),
        {"guarded.conf": guarded},
        defines=("GIVEN", "VALUE=1"),
        environment={"FROM_OUTSIDE": "outside"},
    )

    assert found > 2


@pytest.mark.parametrize("name", REFUSED)
def test_what_httpd_refuses_we_refuse_with_the_place(tmp_path, name):
    main = laid_out(tmp_path, f"{REFUSED[name]}\n", {"loop.conf": "Include loop.conf\n"})
    assert dump(main, server_root=tmp_path).error

    reading = evaluate.read(Disk(), apache_dump.installation(main, server_root=tmp_path))

    assert reading.walk.trouble.findings
    assert all(each.location.line and each.hint for each in reading.walk.trouble.findings)


def test_debians_own_tree_is_read_as_httpd_reads_it(tmp_path):
    with Apache.stock(tmp_path / "apache2", modules=("md", "info", "macro")) as apache:
        environment = {"APACHE_RUN_DIR": "/tmp", "APACHE_LOG_DIR": str(tmp_path)}  # noqa: S108
        environment |= {"APACHE_RUN_USER": "nobody", "APACHE_RUN_GROUP": "nogroup"}
        environment |= {"APACHE_PID_FILE": str(tmp_path / "pid"), "APACHE_LOCK_DIR": "/tmp"}  # noqa: S108
        given = {"server_root": apache.prefix, "environment": environment, "load_info": False}
        said = dump(apache.config, **given)  # type: ignore[arg-type] # as above
        found = ours(apache.config, **given)  # type: ignore[arg-type] # as above

    assert len(found) > 150
    assert found == said.directives, said.error


def test_the_same_file_by_two_names_is_one_file(tmp_path):
    assert compared(tmp_path.resolve(), "Include d/link.conf\nInclude g/1.conf\n") == 4
    assert os.path.islink(tmp_path / "d/link.conf")  # noqa: PTH114


@pytest.mark.parametrize("seed", range(40))
def test_what_is_made_at_random_takes_effect_as_httpd_says(tmp_path, seed):
    text, files = apache_random.tree(seed)

    compared(
        tmp_path.resolve(), f"{module('autoindex')}{text}", files, environment={"BAR": "outside"}
    )
