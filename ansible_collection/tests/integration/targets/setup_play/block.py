# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the NUMBER-th block in LANGUAGE of a page in Markdown, as it would be pasted."""

from __future__ import annotations

import sys


def main(page, language, number):
    """Blocks are counted from 1."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    blocks = text.split(f"\n```{language}\n")[1:]
    sys.stdout.write(blocks[int(number) - 1].split("\n```\n")[0] + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
