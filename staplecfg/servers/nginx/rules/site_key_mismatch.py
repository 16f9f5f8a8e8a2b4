"""A site includes the state of other certificates than it presents.

What: the key in staplecfg's include line is made of the certificate paths of
the block, and the block's paths give another key.

Why: the paths were changed, or the line was copied from another block, so the
staple served is about another certificate. nginx does not notice; clients that
look at staples, Firefox among them, end the handshake.

Fix: let staplecfg put the right line in the place of the old one:

    staplecfg apply

Problematic:

    ssl_certificate /etc/ssl/blog.pem;
    include /var/lib/staplecfg/nginx/ssl-shop-1a2b3c4d/*.conf;

Correct:

    ssl_certificate /etc/ssl/blog.pem;
    include /var/lib/staplecfg/nginx/ssl-blog-5e6f7a8b/*.conf;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.delivery_file import DELIVERY
from staplecfg.servers.nginx.rules.subjects import our_includes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each include line of ours with another site's key."""
    for site in facts.configuration.sites:
        for location, _, key in our_includes(site, facts.settings.state_dir):
            expected = DELIVERY.key(site)
            if key != expected:
                problem = (
                    f'this includes the staple of "{key}"; '
                    f'the certificates of this block make it "{expected}"'
                )
                yield RULE.finding(location, problem, "run staplecfg apply", site)


RULE = Rule("site-key-mismatch", Severity.ERROR, __doc__ or "", check)
