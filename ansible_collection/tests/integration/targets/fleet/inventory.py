# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print an inventory of the hosts that the laboratory below DIRECTORY has."""

from __future__ import annotations

import json
import sys


def main(work, executable):
    """Every host has a server, a state directory, settings and an interpreter of its own."""
    with open(f"{work}/lab/lab.json", encoding="utf-8") as file:
        lab = json.load(file)
    names = ("server", "binary", "prefix", "config", "state_dir")
    hosts = {
        each["name"]: {
            "ansible_connection": "local",
            "ansible_python_interpreter": f"{work}/python",
            "stapling_settings_file": f"{work}/lab/{each['name']}/staplecfg.toml",
            "stapling_settings": {**{name: each[name] for name in names}, "serve": {"listen": each["listen"]}},
        }
        for each in lab["hosts"]
    }
    everybody = {
        "stapling_mode": "controller",
        "stapling_install": False,
        "stapling_executable": executable,
        # There is no cron of one's own for each of many hosts on one machine.
        "stapling_schedule": "none",
        # served.yml does it, and is stricter.
        "stapling_probe": False,
        "stapling_trust": lab["trust"],
        "stapling_allow_networks": lab["allow_networks"],
        "stapling_controller_executable": executable,
        "stapling_controller_trust": lab["trust"],
        "stapling_controller_cache": f"{work}/cache",
    }
    json.dump({"all": {"hosts": hosts, "vars": everybody}}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
