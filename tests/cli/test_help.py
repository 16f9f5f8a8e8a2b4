"""What is written down and what is there: flags, settings, rules, exit statuses."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from staplecfg import __version__
from staplecfg.checks.registry import GENERAL_RULES
from staplecfg.cli.options import DELIVERY_NAMES, SERVER_NAMES
from staplecfg.cli.registry import COMMANDS, command
from staplecfg.loading.settings import FLAGS_ONLY, KEYS
from staplecfg.model.errors import ExitStatus
from staplecfg.planning.explanations import PLANNING_RULES
from staplecfg.servers.registry import SERVERS
from tests.support.command_line import run

CHECKOUT = Path(__file__).parents[2]
RULES = (
    *GENERAL_RULES,
    *(rule for server in SERVERS.values() for rule in server.rules),
    *PLANNING_RULES,
)
FLAG = re.compile(r"(?<![\w/-])--[a-z][a-z-]+")
OTHERS = {"--local"}
"""Flags of other programs that the documents name."""


def parser(name: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog=name, add_help=False)
    command(name).add_arguments(made)
    return made


def flags(name: str) -> set[str]:
    return {flag for action in parser(name)._actions for flag in action.option_strings}


def document(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_names_its_options_and_an_example(name):
    ended = run([name, "--help"])

    assert (ended.status, ended.err) == (0, "")
    for action in parser(name)._actions:
        for word in (*action.option_strings, *([action.metavar] if action.metavar else [])):
            assert str(word) in ended.out, word
        assert action.help, action.dest
    assert f"staplecfg {name}" in ended.out
    assert re.search(r"^examples?:", ended.out, re.MULTILINE)
    assert run([name, "-h"]).out == ended.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_a_command_is_one_it_understands(name):
    examples = re.findall(rf"staplecfg {name}.*", command(name).EPILOG.partition("\n\n")[0])

    assert examples
    for example in examples:
        words = re.split(r"[|#]", example)[0].split()
        made = argparse.ArgumentParser(exit_on_error=False)
        command(name).add_arguments(made)
        made.parse_args([word.strip("'") for word in words[2:]])


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_the_first_page_lists_every_command_and_exit_status(words):
    ended = run(words)

    assert (ended.status, ended.err) == (0, "")
    for name, line in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line)}$", ended.out, re.MULTILINE), name
    for status in ExitStatus:
        assert re.search(rf"\b{status.value} ", ended.out), status


def test_every_file_of_a_command_is_a_command():
    files = (CHECKOUT / "staplecfg/cli/commands").glob("*.py")

    assert {path.stem for path in files} - {"__init__"} == set(COMMANDS)


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_is_answered_before_anything_else_is_imported(flag):
    script = (
        "import sys; sys.argv = ['staplecfg', sys.argv[1]]\n"
        "from staplecfg.__main__ import run\n"
        "try: run()\n"
        "except SystemExit as ended: status = ended.code\n"
        "ours = [name for name in sys.modules if name.startswith('staplecfg')]\n"
        "print(status, sorted(ours))\n"
        "print([each for each in ('cryptography', 'jinja2', 'argparse', 'urllib3', 'crossplane')"
        " if each in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, flag], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == [
        f"staplecfg {__version__}",
        "0 ['staplecfg', 'staplecfg.__main__']",
        "[]",
    ]


def test_the_names_that_flags_take_are_those_there_are():
    deliveries = {name for server in SERVERS.values() for name in server.deliveries}

    assert set(SERVER_NAMES) == set(SERVERS)
    assert set(DELIVERY_NAMES) == deliveries


def test_a_command_imports_no_other_commands_dependencies():
    script = (
        "import sys\n"
        "from staplecfg.cli.main import main\n"
        "main(['--help'])\n"
        "print([each for each in ('cryptography', 'jinja2', 'urllib3', 'crossplane', 'rich')"
        " if each in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_every_rule_is_explained(rule):
    for word in (rule, f"[{rule}]", rule.upper()):
        ended = run(["explain", word])
        assert (ended.status, ended.err) == (0, "")
        assert ended.out.startswith(f"{rule} (")
        for part in ("What: ", "Why: ", "Fix: "):
            assert part in ended.out, part


def test_all_rules_are_listed_and_documented():
    ended = run(["explain"])

    listed = [line.split()[0] for line in ended.out.splitlines()]
    assert listed == sorted(rule.id for rule in RULES)
    documented = document("docs/rules.md")
    assert [rule for rule in listed if f"`{rule}`" not in documented] == []


def rows(name: str) -> list[list[str]]:
    """Return the cells of every table row in a document, headings left out."""
    found = re.findall(r"^\| (.*) \|$", document(name), re.MULTILINE)
    cells = [[cell.strip() for cell in row.split("|")] for row in found]
    return [row for row in cells if row[0].strip("`") not in {"key", "status"}]


def test_every_setting_is_documented_with_its_flag():
    documented: dict[str, str] = {}
    for key, flag, *_ in rows("docs/settings.md"):
        documented |= {key.strip("`"): flag.strip(" `")}

    assert set(documented) == KEYS.keys() - FLAGS_ONLY
    by_key = {
        action.dest: action.option_strings[0]
        for name in COMMANDS
        for action in parser(name)._actions
        if action.dest in KEYS
    }
    assert {key: flag for key, flag in documented.items() if flag} == {
        key: flag for key, flag in by_key.items() if key not in FLAGS_ONLY
    }
    for key in FLAGS_ONLY:
        assert f"`{by_key[key]}`" in document("docs/settings.md")


def test_the_defaults_in_the_documents_are_the_defaults():
    from staplecfg.model.settings import Floors, Responders  # noqa: PLC0415 - only here

    for key, _, meaning in rows("docs/settings.md"):
        section, _, name = key.strip("`").partition(".")
        said = re.search(r": (\d+)$", meaning.strip())
        if section in {"floors", "responders"} and said is not None:
            value = getattr(Floors() if section == "floors" else Responders(), name)
            assert int(said[1]) == int(getattr(value, "total_seconds", lambda v=value: v)()), key


@pytest.mark.parametrize("name", ["README.md", "docs/settings.md", "docs/rules.md"])
def test_every_flag_in_the_documents_exists(name):
    known = {flag for each in COMMANDS for flag in flags(each)} | {"--help", "--version"}

    assert set(FLAG.findall(document(name))) - OTHERS <= known


def test_every_command_in_the_readme_exists():
    text = document("README.md")
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    named = set(re.findall(r"^staplecfg ([a-z]+)", blocks, re.MULTILINE))

    assert named <= set(COMMANDS)
    assert {"check", "diff", "apply", "remove"} <= named
    not_there = text.partition("## What is not there yet")[2]
    assert not [name for name in COMMANDS if f"`{name}`" in not_there.partition("\n\n")[0]]


def test_the_exit_statuses_in_the_document_are_the_enum():
    listed = [int(row[0]) for row in rows("docs/exit-status.md")]

    assert listed == [status.value for status in ExitStatus]


SAID = re.compile(
    r"staplecfg (" + "|".join(COMMANDS) + r")\b((?: +--?[a-z][a-z-]*(?: [^-\s\"`;,]+)?)+)"
)


def test_every_flag_that_a_message_advises_is_one_the_command_has():
    texts = [path.read_text(encoding="utf-8") for path in CHECKOUT.glob("staplecfg/**/*.py")]
    advised = [found.groups() for text in texts for found in SAID.finditer(text)]

    unknown = {
        (name, flag)
        for name, words in advised
        for flag in FLAG.findall(words)
        if flag not in flags(name)
    }
    assert len(advised) > 5
    assert not unknown
