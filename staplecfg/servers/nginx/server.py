"""nginx, put together."""

from __future__ import annotations

from types import MappingProxyType

from staplecfg.servers.interface import Server
from staplecfg.servers.nginx.commands import COMMANDS
from staplecfg.servers.nginx.delivery_file import DELIVERY
from staplecfg.servers.nginx.dialect import DIALECT
from staplecfg.servers.nginx.rules.registry import NGINX_RULES

NGINX = Server(
    name=DIALECT.name,
    dialect=DIALECT,
    commands=COMMANDS,
    deliveries=MappingProxyType({DELIVERY.name: DELIVERY}),
    default_delivery=DELIVERY.name,
    rules=NGINX_RULES,
)
