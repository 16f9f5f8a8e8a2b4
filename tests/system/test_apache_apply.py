"""apply and remove on a real Apache: what changes of a configuration, and what never does."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.errors import ExitStatus
from tests.support import apache_stock
from tests.support.apache_lab import ApacheLab
from tests.support.apache_seen import Seen, only_added, seen
from tests.support.identity import reachable_directory
from tests.support.nginx import CHECKOUT
from tests.support.told import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

NAME = "shop.example"
CACHE = "SSLStaplingCache shmcb:theirs(131072)"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ApacheLab]:
    with ApacheLab.make(tmp_path) as lab:
        yield lab


def pair(lab: ApacheLab, name: str = NAME) -> tuple[Path, Path]:
    """Return the files of certificate and key of the site `name`."""
    return lab.root / "pki" / f"{name}.pem", lab.root / "pki" / f"{name}.key"


def applied(lab: ApacheLab, *more: str) -> None:
    """Apply, and require that it is done and a second time finds nothing to do."""
    done = lab.apply(*more)
    assert done.status == ExitStatus.DONE, done
    after = seen(lab.apache)
    again = lab.apply(*more, "--format", "json")
    assert again.document["changed"] is False, again
    diff = lab.cli("diff", "--unscheduled", *more)
    assert (diff.status, diff.out) == (ExitStatus.DONE, ""), diff
    assert seen(lab.apache) == after


def removed(lab: ApacheLab) -> None:
    done = lab.cli("remove")
    assert done.status == ExitStatus.DONE, done
    assert lab.apache.test().returncode == 0


def as_people_write(lab: ApacheLab) -> Path:
    """Rewrite the site with tabs, continued lines and words in odd case, in a file of mode 0640."""
    certificate, key = pair(lab)
    path = lab.apache.sites / f"{NAME}.conf"
    path.write_text(
        "<IfModule mod_ssl.c>\n"
        "# SSLUseStapling off \\\n"
        "</VirtualHost>\n"
        f"\t<virtualhost \\\n\t\t127.0.0.1:{lab.port}>\n"
        f"\t\tServerName\t{NAME}\n"
        "\t\tsslengine ON\n"
        f'\t\tSSLCertificateFile \\\n\t\t\t"{certificate}"\n'
        f"\t\tsslCERTIFICATEkeyfile {key}   \n"
        "\t\t<IfModule !mod_nothing.c>\n\t\t\tDirectoryIndex x\\\n.html\n\t\t</IfModule>\n"
        "\t</VIRTUALHOST>\n"
        "</IfModule>",
        encoding="utf-8",
    )
    path.chmod(0o640)
    return path


def test_a_site_as_people_write_it_gets_lines_and_nothing_else_and_gives_them_back(tmp_path):
    with ApacheLab.make(tmp_path, stock=True, modules=("dir",)) as lab:
        path = as_people_write(lab)
        lab.apache.start()
        before = seen(lab.apache)

        applied(lab)

        after = seen(lab.apache)
        name = f"sites-available/{NAME}.conf"
        assert {each for each in after if after[each] != before.get(each)} == {
            name,
            "conf-available/staplecfg.conf",
            "conf-enabled/staplecfg.conf",
        }
        assert only_added(before[name].content, after[name].content)
        assert b"\t\tSSLUseStapling on\n" in after[name].content
        assert after[name].mode == before[name].mode == 0o640
        assert not path.is_symlink()
        removed(lab)
        assert seen(lab.apache) == before


def test_every_line_ending_and_final_byte_is_kept(tmp_path):
    names = ("a.example", "b.example", "c.example", "d.example")
    with ApacheLab.make(tmp_path, sites=names) as lab:
        files = [lab.apache.sites / f"{name}.conf" for name in names]
        texts = [path.read_bytes() for path in files]
        files[0].write_bytes(texts[0].replace(b"\n", b"\r\n"))
        files[1].write_bytes(texts[1].rstrip(b"\n"))
        files[2].write_bytes(b"# caf\xe9 \xff\n" + texts[2].replace(b"    ", b" \t"))
        files[3].write_bytes(texts[3].replace(b"\n", b"\n\n\n") + b"\r\n\n")
        lab.apache.start()
        before = seen(lab.apache)

        applied(lab)

        after = seen(lab.apache)
        for path in files:
            old, new = (each[f"vhosts/{path.name}"].content for each in (before, after))
            assert only_added(old, new), path
            assert new != old
            assert new.endswith(b"\n") == old.endswith(b"\n"), path
        assert b"\r\n    SSLUseStapling on\r\n" in files[0].read_bytes()
        removed(lab)
        assert seen(lab.apache) == before


def stock_with_default_ssl(lab: ApacheLab) -> None:
    """Enable Debian's own default-ssl, as a2ensite does it, with a certificate of ours."""
    site = lab.apache.sites / "default-ssl.conf"
    text = site.read_text(encoding="utf-8")
    certificate, key = pair(lab)
    for old, new in {
        "*:443": f"127.0.0.1:{lab.port}",
        "/etc/ssl/certs/ssl-cert-snakeoil.pem": str(certificate),
        "/etc/ssl/private/ssl-cert-snakeoil.key": str(key),
        "/var/www/html": f"{lab.apache.prefix}/htdocs",
    }.items():
        assert old in text
        text = text.replace(old, new)
    site.write_text(text, encoding="utf-8")
    (lab.apache.prefix / "sites-enabled" / f"{NAME}.conf").unlink()
    (lab.apache.sites / f"{NAME}.conf").unlink()
    apache_stock.enable(lab.apache.prefix, "sites", "default-ssl")


def red_hat(lab: ApacheLab) -> None:
    """Lay the tree out as httpd's package of Red Hat's does: conf, conf.d, conf.modules.d."""
    prefix = lab.apache.prefix
    for name in ("conf.d", "conf.modules.d"):
        (prefix / name).mkdir()
    text = lab.apache.config.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    loads = [line for line in lines if line.startswith("LoadModule")]
    cache = [line for line in loads if "socache_shmcb" in line]
    (prefix / "conf.modules.d/00-base.conf").write_text("".join(loads), encoding="utf-8")
    rest = "".join(line for line in lines if line not in loads)
    rest = rest.replace("StartServers", "Include conf.modules.d/*.conf\nStartServers", 1)
    rest = rest.replace("vhosts/*.conf", "conf.d/*.conf")
    lab.apache.config.write_text(rest, encoding="utf-8")
    assert cache
    shutil.move(prefix / f"vhosts/{NAME}.conf", prefix / "conf.d/ssl.conf")
    shutil.move(prefix / "vhosts/00-ports.conf", prefix / "conf.d/00-ports.conf")


def plain(lab: ApacheLab) -> None:
    """Leave it as it is: one main file that includes the virtual hosts."""


LAYOUTS: dict[str, tuple[bool, Callable[[ApacheLab], None], frozenset[str]]] = {
    "Debian": (
        True,
        stock_with_default_ssl,
        frozenset({"conf-available/staplecfg.conf", "conf-enabled/staplecfg.conf"}),
    ),
    "Red Hat": (False, red_hat, frozenset({"conf.d/staplecfg.conf"})),
    "plain": (False, plain, frozenset({"staplecfg.conf"})),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_tree_of_every_layout_is_given_back_to_the_byte(tmp_path, layout):
    stock, lay_out, made = LAYOUTS[layout]
    with ApacheLab.make(tmp_path, stock=stock) as lab:
        lay_out(lab)
        lab.apache.start()
        before = seen(lab.apache)

        applied(lab)

        after = seen(lab.apache)
        assert after.keys() - before.keys() == made
        for name, old in before.items():
            assert only_added(old.content, after[name].content), name
            assert (after[name].mode, after[name].link) == (old.mode, old.link), name
        lab.apache.graceful()
        removed(lab)
        assert seen(lab.apache) == before
        lab.apache.graceful()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_module_that_is_not_loaded_is_loaded_the_layouts_way(tmp_path, layout):
    stock, lay_out, made = LAYOUTS[layout]
    with ApacheLab.make(tmp_path, stock=stock) as lab:
        lay_out(lab)
        without_shmcb(lab)
        lab.apache.start()
        before = seen(lab.apache)

        shown = lab.cli("diff", "--unscheduled")
        applied(lab)

        link = {"mods-enabled/socache_shmcb.load"} if layout == "Debian" else set()
        assert seen(lab.apache).keys() - before.keys() == made | link
        assert "socache_shmcb" in shown.out
        removed(lab)
        assert seen(lab.apache) == before


def without_shmcb(lab: ApacheLab) -> None:
    """Take away what loads mod_socache_shmcb, and the session cache that needs it."""
    for path in lab.apache.prefix.rglob("*.conf"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if "socache_shmcb" not in line and "shmcb:" not in line]
        if kept != lines and not path.is_symlink():
            path.write_text("".join(kept), encoding="utf-8")
    (lab.apache.prefix / "mods-enabled/socache_shmcb.load").unlink(missing_ok=True)


def nested(lab: ApacheLab) -> None:
    text = lab.apache.config.read_text(encoding="utf-8")
    lab.apache.config.write_text(
        f"{text}\n<IfModule ssl_module>\n <IfDefine !NOTHING>\n  <IfVersion >= 2.4>\n"
        f"   sslstaplingcache {CACHE.split()[1]}\n  </IfVersion>\n </IfDefine>\n</IfModule>\n"
    )


def in_another_file(lab: ApacheLab) -> None:
    (lab.apache.prefix / "deep").mkdir()
    (lab.apache.prefix / "deep/tls.conf").write_text(f"{CACHE}\n")
    (lab.apache.prefix / "zz.conf").write_text("Include deep/*\n")
    text = lab.apache.config.read_text(encoding="utf-8")
    lab.apache.config.write_text(f"{text}\nInclude zz.conf\n")


def in_conf_enabled(lab: ApacheLab) -> None:
    (lab.apache.prefix / "conf-available/tls.conf").write_text(f"{CACHE}\n")
    apache_stock.enable(lab.apache.prefix, "conf", "tls")


@pytest.mark.parametrize("there", [nested, in_another_file, in_conf_enabled])
def test_an_administrators_cache_is_respected_and_ours_comes_when_it_is_gone(tmp_path, there):
    with ApacheLab.make(tmp_path, stock=True) as lab:
        without = seen(lab.apache)
        there(lab)
        lab.apache.start()
        before = seen(lab.apache)

        applied(lab)

        assert seen(lab.apache).keys() == before.keys()
        take_back(lab, without, before)
        assert lab.apache.test().returncode == 0, "and yet the next reload would be the end"
        told = lab.cli("check", "--format", "json").document["findings"]
        assert "stapling-cache-missing" in {finding["rule"] for finding in told}
        assert lab.apply().status == ExitStatus.DONE
        assert "conf-enabled/staplecfg.conf" in seen(lab.apache)
        lab.apache.graceful()
        removed(lab)
        assert seen(lab.apache) == without


def take_back(lab: ApacheLab, without: dict[str, Seen], before: dict[str, Seen]) -> None:
    """Undo what the administrator did between `without` and `before`."""
    for name, now in before.items():
        path = lab.apache.prefix / name
        if name not in without:
            path.unlink()
        elif without[name] != now:
            path.write_bytes(without[name].content)


def test_a_cache_that_counts_nowhere_is_none(tmp_path):
    """In sections that are not read, in a file nobody includes, in a comment, in a macro unused."""
    with ApacheLab.make(tmp_path, stock=True) as lab:
        (lab.apache.prefix / "conf-available/tls.conf").write_text(f"{CACHE}\n")
        (lab.apache.prefix / "conf-enabled/none.conf").write_text(
            f"<IfModule mod_nothing.c>\n{CACHE}\n</IfModule>\n"
            f"<IfDefine NOTHING>\n{CACHE}\n</IfDefine>\n"
            f"<IfVersion < 2.4>\n{CACHE}\n</IfVersion>\n"
            f"# {CACHE} \\\n{CACHE}\n"
        )
        lab.apache.start()
        before = seen(lab.apache)

        applied(lab)

        assert "conf-enabled/staplecfg.conf" in seen(lab.apache)
        lab.apache.graceful()
        removed(lab)
        assert seen(lab.apache) == before


def test_what_mod_ssl_dies_of_at_a_reload_leaves_the_old_one_running(lab):
    """Read and found good by -t; only when mod_ssl is set up does it come out."""
    own = CHECKOUT / "templates/apache/responder/site.conf.j2"
    theirs = lab.root / "templates/apache/responder/site.conf.j2"
    theirs.parent.mkdir(parents=True)
    theirs.write_text(f"SSLCipherSuite NOTHING\n{own.read_text(encoding='utf-8')}")
    lab.apache.start()
    before = seen(lab.apache)

    ended = lab.apply("--template-dir", str(lab.root / "templates"))

    told(ended, ExitStatus.NOT_APPLIED, "restored", "started again")
    assert seen(lab.apache) == before
    assert lab.apache.accepting()
    lab.apache.graceful()
    assert not list(lab.root.rglob(".staplecfg-*"))
    assert lab.apply().status == ExitStatus.DONE


@pytest.fixture
def managed() -> Iterator[ApacheLab]:
    """One in which mod_md manages a domain, and has its certificate in a store of its own."""
    with reachable_directory() as root:
        main = (
            f"MDStoreDir {root}/apache/md\nMDCertificateAuthority http://127.0.0.1:9/\n"
            "MDCertificateAgreement accepted\nMDRenewMode manual\n"
            "MDomain managed.example\n"
        )
        with ApacheLab.make(root, main=main, modules=("md", "watchdog")) as lab:
            listen = f"127.0.0.1:{lab.port}"
            lab.apache.site("managed.example", listen=listen, certificates=[])
            yield lab


def store(lab: ApacheLab) -> dict[str, Seen]:
    """Return what mod_md keeps of its domains; responses are another matter."""
    kept = {name: each for name, each in seen(lab.apache).items() if name.startswith("md/")}
    return {name: each for name, each in kept.items() if "/ocsp/" not in name}


@pytest.mark.parametrize("delivery", ["responder", "mod_md"])
def test_a_managed_domain_its_store_and_certificate_stay_as_they_are(managed, delivery):
    lab = managed
    lab.apache.start()
    before, kept = lab.files(), store(lab)
    assert any("fallback" in name or "managed" in name for name in kept), kept.keys()

    applied(lab, "--delivery", delivery)
    lab.apache.graceful()

    after = {name: each for name, each in lab.files().items() if not name.startswith("md/")}
    assert after["vhosts/managed.example.conf"] == before["vhosts/managed.example.conf"]
    assert after[f"vhosts/{NAME}.conf"] != before[f"vhosts/{NAME}.conf"]
    assert sum(each.count(b"MDStoreDir") for each in after.values()) == 1
    assert store(lab) == kept
    removed(lab)
    lab.apache.graceful()
    assert store(lab) == kept
    assert {name: each for name, each in lab.files().items() if not name.startswith("md/")} == {
        name: each for name, each in before.items() if not name.startswith("md/")
    }


def test_no_store_is_ever_named_beside_a_managed_domain(managed):
    lab = managed
    text = lab.apache.config.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    lab.apache.config.write_text("".join(line for line in lines if "MDStoreDir" not in line))
    lab.apache.start()
    before, kept = lab.files(), store(lab)

    done = lab.apply("--delivery", "mod_md")

    assert "MDStoreDir" in done.out, done
    assert lab.files() == before
    assert store(lab) == kept
