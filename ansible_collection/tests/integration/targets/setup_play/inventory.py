# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print an inventory in JSON with the one host that the laboratory below WORK has, and what its role needs to know."""

from __future__ import annotations

import json
import sys


def main(work, interpreter, tool_python, tool, schedule):
    """The host's interpreter is Ansible's alone; the tool gets ``tool_python``."""
    with open(f"{work}/lab/lab.json", encoding="utf-8") as file:
        lab = json.load(file)
    (server,) = lab["hosts"]
    host = {
        "ansible_connection": "local",
        # There is no sudo in a laboratory.
        "ansible_become": False,
        "ansible_python_interpreter": interpreter,
        "stapling_python": tool_python,
        "stapling_venv": f"{work}/host/opt/staplecfg",
        "stapling_venv_package": "",
        "stapling_pip_arguments": ["--no-compile"],
        "stapling_settings_file": f"{work}/host/etc/staplecfg/staplecfg.toml",
        "stapling_server": server["server"],
        "stapling_trust": lab["trust"],
        "stapling_allow_networks": lab["allow_networks"],
        "stapling_schedule": schedule,
        "stapling_settings": {name: server[name] for name in ("binary", "prefix", "config", "state_dir")} | served(server),
        "stapling_controller_executable": tool,
        "stapling_controller_trust": lab["trust"],
        "stapling_controller_cache": f"{work}/cache",
    }
    json.dump({"web": {"hosts": {"web1": host}}}, sys.stdout)


def served(server):
    """Apache asks a local responder, which has a port of its own here."""
    return {"serve": {"listen": server["listen"]}} if server["server"] == "apache" else {}


if __name__ == "__main__":
    main(*sys.argv[1:])
