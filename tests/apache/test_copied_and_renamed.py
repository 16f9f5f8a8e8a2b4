"""What is left of ours after people have copied, swapped and renamed what it stands in."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.plan import Goal
from tests.support.apache_planned import (
    CONF,
    SITE,
    carried_out,
    debian,
    in_etc,
    plan,
    tree,
    vhost,
    with_files,
)
from tests.support.facts import BLOG
from tests.support.planned import rules

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

ENABLED = "/etc/apache2/sites-enabled/shop.conf"
OTHER = "/etc/apache2/sites-enabled/other.conf"
BLOG_PEM = "/etc/ssl/blog.pem"
SECOND = vhost(name="blog.example", certificate=BLOG_PEM)


def text(seen: Facts) -> str:
    return seen.files.read(PurePosixPath(SITE)).decode()


def test_the_cache_stays_for_a_copy_of_our_lines_in_the_same_file():
    done = carried_out(debian(vhost()))
    ours = text(done)
    copied = with_files(done, {SITE: ours + ours.replace("shop.example", "copy.example")})

    made = plan(copied, Goal.ABSENT)

    # httpd would not survive its next restart with the copy, and without the cache.
    assert in_etc(made) == [f"modify {SITE}"]
    assert "shared-file-relied-on" in rules(made)


def test_the_cache_stays_for_a_line_of_somebody_elses_beside_ours():
    theirs = vhost("SSLUseStapling on", name="blog.example", certificate=BLOG_PEM)
    done = carried_out(debian(vhost(), more={BLOG_PEM: BLOG}))

    made = plan(with_files(done, {SITE: text(done) + theirs}), Goal.ABSENT)

    assert f"delete {CONF}" not in in_etc(made)


def test_lines_in_a_renamed_file_are_found_beside_a_host_that_speaks_no_tls_any_more():
    seen = debian(SECOND + vhost(), more={BLOG_PEM: BLOG})
    done = carried_out(seen)
    kept = text(done)
    plain = kept.replace("SSLEngine on", "SSLEngine off", 1)
    moved = with_files(done, {SITE: None, OTHER: plain}, {ENABLED: None})
    without = (SECOND + vhost()).replace("SSLEngine on", "SSLEngine off", 1)

    expected = with_files(seen, {SITE: None, OTHER: without}, {ENABLED: None})
    assert tree(carried_out(moved, Goal.ABSENT)) == tree(expected)
