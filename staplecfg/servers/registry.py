"""The servers there are: the only place where they stand together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.servers.apache.server import APACHE
from staplecfg.servers.nginx.server import NGINX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.servers.interface import Server

SERVERS: Mapping[str, Server] = {NGINX.name: NGINX, APACHE.name: APACHE}
