# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Which server, and which of its sites."""

    DOCUMENTATION = r"""
options:
  server:
    description:
      - The web server.
      - Without it, the one that is installed; where both are, it has to be said.
    type: str
    choices:
      - nginx
      - apache
  config:
    description:
      - The server's main configuration file.
      - Without it, the one that the server's binary was built with.
    type: path
  binary:
    description:
      - The server's binary. Without it, the one found in E(PATH).
    type: path
  prefix:
    description:
      - The server's prefix, as in C(nginx -p) or C(httpd -d).
    type: path
  sites:
    description:
      - Only these sites. Globs over server names, or C(PATH:LINE) of the block.
      - A site that is not selected is left as it is.
    type: list
    elements: str
  exclude:
    description:
      - Not these sites. Globs over server names, or C(PATH:LINE) of the block.
    type: list
    elements: str
    aliases:
      - exclusions
  state_dir:
    description:
      - Where staples are kept. Without it, C(/var/lib/staplecfg).
    type: path
  test_command:
    description:
      - Tests the server's configuration, instead of the server's own way.
    type: str
  reload_command:
    description:
      - Reloads the server, instead of the server's own way.
    type: str
  template_dirs:
    description:
      - Directories on the host with templates that come before those in C(/etc/staplecfg/templates) and the shipped ones.
    type: list
    elements: path
  listen:
    description:
      - Where C(staplecfg serve) listens, which the server is told to ask with O(delivery=responder), as V(ADDRESS:PORT).
      - Without it, C(127.0.0.1:889). Keep to a port below 1024 for Apache, which verifies nothing of what it is given there.
    type: str
  delivery:
    description:
      - How staples reach the server.
      - Without it, a site keeps the way it has, and a new one gets the server's default, V(file) for nginx and
        V(responder) for Apache.
      - V(file) is for nginx only, V(mod_md) for Apache only.
    type: str
    choices:
      - file
      - responder
      - live
      - mod_md
"""
