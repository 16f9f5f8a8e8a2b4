# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The tool, and what opens doors that are otherwise closed."""

    DOCUMENTATION = r"""
requirements:
  - The C(staplecfg) program on the host, of the version that this collection was released with.
    It has a Python of its own; the host's Python needs nothing beyond what Ansible needs.
options:
  executable:
    description:
      - The C(staplecfg) program on the host.
      - Without it, C(/opt/staplecfg/bin/staplecfg), where the role installs it, and then E(PATH) are looked at.
    type: path
  settings:
    description:
      - Settings file (TOML) on the host.
      - Without it, C(/etc/staplecfg/staplecfg.toml) is used where it is there. Options of the task win.
    type: path
  trust:
    description:
      - PEM files on the host, of private roots that you vouch for.
      - Responders on private addresses are asked only where the certificate's chain ends in one of them.
    type: list
    elements: path
  allow_networks:
    description:
      - Networks (CIDR) outside the public internet in which responders may have their addresses, for example V(10.0.0.0/8).
    type: list
    elements: str
  proxy:
    description:
      - HTTP proxy for asking responders, as V(http://HOST:PORT).
      - The environment is never consulted.
    type: str
"""
