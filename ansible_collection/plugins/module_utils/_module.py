# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules have in common: their options, as flags of the tool, and how they end."""

from __future__ import annotations

import os

from ansible_collections.staplecfg.stapling.plugins.module_utils._runner import ENVIRONMENT, PLACES, PROGRAM, Runner

TOOL = {
    "executable": {"type": "path"},
    "settings": {"type": "path"},
    "trust": {"type": "list", "elements": "path"},
    "allow_networks": {"type": "list", "elements": "str"},
    "proxy": {"type": "str"},
}
SELECTION = {
    "server": {"type": "str", "choices": ["nginx", "apache"]},
    "config": {"type": "path"},
    "binary": {"type": "path"},
    "prefix": {"type": "path"},
    "sites": {"type": "list", "elements": "str"},
    "exclude": {"type": "list", "elements": "str", "aliases": ["exclusions"]},
    "state_dir": {"type": "path"},
    "test_command": {"type": "str"},
    "reload_command": {"type": "str"},
    "template_dirs": {"type": "list", "elements": "path"},
    "listen": {"type": "str"},
    "delivery": {"type": "str", "choices": ["file", "responder", "live", "mod_md"]},
}

FLAGS = {
    "sites": "site",
    "allow_networks": "allow-network",
    "template_dirs": "template-dir",
}
"""Of options that are not named like their flag."""

OURS = {"executable"}
"""Options that are no flags of the tool's."""


def flags(params, names):
    """Return the words that make the options ``names`` of ``params`` flags, where they are given."""
    words = []
    for name in names:
        value = params.get(name)
        flag = FLAGS.get(name, name.replace("_", "-"))
        if value is None or name in OURS:
            continue
        if isinstance(value, bool):
            words += [f"--{flag}"] if value else []
            continue
        # With "=": a value may begin with a dash.
        words += [f"--{flag}={each}" for each in (value if isinstance(value, list) else [value])]
    return words


def runner(module, always):
    """Return the runner for the host; ends the module, with what is ``always`` returned, where there is none."""
    executable = module.params["executable"]
    if executable is None:
        executable = module.get_bin_path(PROGRAM, opt_dirs=list(PLACES))
    if executable is None or not os.access(executable, os.X_OK) or os.path.isdir(executable):
        where = executable or f"{PROGRAM} (looked in {', '.join(PLACES)} and PATH)"
        module.fail_json(
            msg=f"there is no such program: {where}; the role staplecfg.stapling.stapling installs it,"
            " and the option executable says where it is",
            **{**always, **failed({})},
        )

    def call(argv):
        # Neither globs nor dollar signs of ours are the shell's business.
        return module.run_command(argv, environ_update=ENVIRONMENT, expand_user_and_vars=False, handle_exceptions=False)

    return Runner(executable, call)


def failed(document):
    """Return the return values of a run that ended in trouble, of which there may be no document."""
    # Where undoing failed, nobody knows; the message says which file holds what.
    return {**returned(document), "changed": document.get("outcome") == "undo-failed"}


def returned(document):
    """Return the return values that every document has."""
    return {
        "changes": [{name: each[name] for name in ("path", "kind", "op")} for each in document.get("changes", [])],
        "findings": document.get("findings", []),
        "sites": document.get("sites", []),
        "staples": document.get("staples", []),
        "tool_version": document.get("version"),
    }


def without_chains(renewals):
    """Return ``renewals`` without the certificates in them, and which go together: the control node alone needs that."""
    return [{name: value for name, value in each.items() if name not in ("chain", "beside")} for each in renewals]


def place(finding):
    """Return a finding as one line of text."""
    where = finding["file"] if finding["line"] is None else f"{finding['file']}:{finding['line']}"
    hint = f" ({finding['hint']})" if finding["hint"] else ""
    return f"{where}: {finding['problem']} [{finding['rule']}]{hint}"
