"""The panels and managers that write Apache's files anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.servers.generated import MANAGERS, Writer, written_anew

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.model.finding import Finding

WRITERS = (
    Writer(
        "certbot",
        "certbot updates this file only as long as nobody edits it: "
        "put the lines into the virtual host that includes it",
        path=r".*/(letsencrypt|certbot)(/.*)?/options-ssl-apache[^/]*\.conf",
        header=r"certbot will be unable to automatically provide future security",
    ),
    Writer(
        "Plesk",
        "put the lines into Apache & nginx Settings, Additional directives for HTTPS "
        "(conf/vhost_ssl.conf of the domain)",
        path=r"/etc/(apache2|httpd/conf)/plesk\.conf\.d/.*"
        r"|/var/www/vhosts/system/[^/]+/conf/httpd[^/]*\.conf",
        header=r"do not modify this file because it was generated automatically",
    ),
    Writer(
        "cPanel",
        "put the lines into a .conf file in "
        "/etc/apache2/conf.d/userdata/ssl/2_4/USER/DOMAIN/ and run /scripts/rebuildhttpdconf",
        path=r"/etc/apache2/conf/httpd\.conf",
    ),
    Writer(
        "DirectAdmin",
        "put the lines into Custom HTTPD Configurations, or into "
        "/usr/local/directadmin/data/templates/custom/virtual_host2_secure.conf",
        path=r"/usr/local/directadmin/data/users/[^/]+/httpd\.conf",
    ),
    Writer(
        "ISPConfig",
        "put the lines into the site's Apache Directives, or into "
        "/usr/local/ispconfig/server/conf-custom/vhost.conf.master",
        path=r"/etc/(apache2|httpd/conf)/sites-(available|enabled)/[^/]+\.vhost",
    ),
    Writer(
        "HestiaCP",
        "put the lines into a file apache2.ssl.conf_* beside this file, which it includes, "
        "or into a web template of your own",
        path=r"/home/[^/]+/conf/(web|mail)/.+/apache2(\.ssl)?\.conf",
        header=r"hestiacp\.com/docs",
    ),
    Writer(
        "VestaCP",
        "put the lines into a file beside this one whose name its last include matches",
        path=r"/home/[^/]+/conf/web/(s?(apache2|httpd)\.conf"
        r"|[^/]+\.(apache2|httpd)(\.ssl)?\.conf)",
    ),
    Writer(
        "aaPanel",
        "put the lines into the site's Config editor",
        path=r"/www/server/panel/vhost/apache/[^/]+\.conf",
    ),
    Writer(
        "Froxlor",
        "put the lines into the domain's own vhost settings",
        path=r".*/[0-9]+_froxlor_[^/]*\.conf",
        header=r"by froxlor|do not manually edit this file",
    ),
    Writer(
        "RunCloud",
        "put the lines into a .conf file in /etc/apache2-rc/extra.d/",
        path=r"/etc/apache2-rc/conf\.d/.*",
    ),
    Writer(
        "NixOS",
        "put the lines into services.httpd.virtualHosts.HOST.extraConfig and rebuild",
        path=r"/(nix|gnu)/store/.*",
    ),
    *MANAGERS,
)


def generated(
    path: PurePosixPath, real: PurePosixPath, data: bytes, directives: tuple[Directive, ...]
) -> Finding | None:
    """Return why the file should not be edited by hand or by us, or None where it may be."""
    return written_anew(WRITERS, path, real, data, directives)
