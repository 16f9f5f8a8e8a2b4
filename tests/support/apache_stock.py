"""Debian's `/etc/apache2` as its package installs it, copied to a prefix of one's own.

What the package's maintainer script enables is enabled by the same links. Every
path that leads out of the tree is made to stay in the prefix; nothing else of
any file is changed.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tests.support.nginx import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TREE = CHECKOUT / ".tools/apache/etc/apache2"
SHARE = CHECKOUT / ".tools/apache/usr/share/apache2"

MODULES = (
    *("access_compat", "alias", "auth_basic", "authn_core", "authn_file", "authz_core"),
    *("authz_host", "authz_user", "autoindex", "deflate", "dir", "env", "filter", "mime"),
    *("mpm_event", "negotiation", "reqtimeout", "setenvif", "status"),
)
"""Enabled by apache2.postinst (2.4.71-1~deb12u1)."""

CONFS = ("charset", "localized-error-pages", "other-vhosts-access-log", "security", "serve-cgi-bin")
SITES = ("000-default",)

SSL = ("ssl", "socache_shmcb", "setenvif", "mime")
"""What `a2enmod ssl` enables: mod_ssl and what its ssl.load depends on."""

_MOVED = {
    "/var/run/apache2$SUFFIX": "run",
    "/var/lock/apache2$SUFFIX": "lock",
    "/var/log/apache2$SUFFIX": "log",
}


def copy(prefix: Path, modules: Path, port: int, more: Iterable[str]) -> None:
    """Copy the tree to `prefix`: modules from `modules`, plain HTTP at `port`, `more` enabled."""
    if (prefix / "apache2.conf").exists():
        return
    shutil.copytree(TREE, prefix, symlinks=True, dirs_exist_ok=True)
    for file in (prefix / "mods-available").glob("*.load"):
        _replace(file, {"/usr/lib/apache2/modules": str(modules)})
    _replace(prefix / "mods-available/ssl.conf", {"/usr/share/apache2": str(SHARE)})
    moved = {old: f"{prefix}/{new}" for old, new in _MOVED.items()}
    _replace(prefix / "envvars", moved)
    _replace(prefix / "ports.conf", {"Listen 80\n": f"Listen 127.0.0.1:{port}\n"})
    # The port that mod_ssl's tests use is theirs to name.
    _replace(prefix / "ports.conf", {"Listen 443\n": ""})
    site = {"*:80": f"*:{port}", "/var/www/html": f"{prefix}/htdocs"}
    _replace(prefix / "sites-available/000-default.conf", site)
    for name in dict.fromkeys((*MODULES, *SSL, *more)):
        enable(prefix, "mods", name)
    for name in CONFS:
        enable(prefix, "conf", name)
    for name in SITES:
        enable(prefix, "sites", name)


def enable(prefix: Path, kind: str, name: str) -> None:
    """Make the links that `a2enmod`, `a2enconf` and `a2ensite` make."""
    for suffix in (".load", ".conf") if kind == "mods" else (".conf",):
        link = prefix / f"{kind}-enabled" / f"{name}{suffix}"
        if (prefix / f"{kind}-available" / link.name).exists() and not link.is_symlink():
            link.symlink_to(os.path.join("..", f"{kind}-available", link.name))  # noqa: PTH118 - as a2enmod writes it


def _replace(file: Path, words: dict[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in words.items():
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
