#!/usr/bin/env bash
# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The role from nothing to nothing, by the very playbooks of the README, on a web server of its own.
# Ansible's interpreter on the host is Python 3.8 where there is one (3.9 from ansible-core 2.20 on), and
# the tool's own is newer.
set -eu

# The schedule goes where the machine's cron reads: in a mount namespace, a cron that nobody runs.
if [ -z "${ROLE_SCHEDULE:-}" ]; then
    if [ -d /etc/cron.d ] && unshare --mount --propagation private mount -t tmpfs tmpfs /etc/cron.d 2>/dev/null; then
        # shellcheck disable=SC2016 # the inner shell's
        ROLE_SCHEDULE=cron exec unshare --mount --propagation private \
            bash -c 'mount -t tmpfs tmpfs /etc/cron.d && exec bash "$0"' "$PWD/runme.sh"
    fi
    echo "role: SKIPPED: no namespace can be made here, so nothing is scheduled"
    ROLE_SCHEDULE=none
fi

settings=$PWD/../../integration_config.yml
setting() { sed -n "s/^$1: //p" "$settings"; }
checkout=$(setting lab_checkout)
python=$(setting lab_python)
tool=$(setting lab_executable)
readme=$checkout/ansible_collection/README.md
work=$(mktemp -d)
lab() { (cd "$checkout" && "$python" -m tests.support.collection_lab "$@"); }
trap 'lab stop "$work/lab" || true; rm -rf "$work"' EXIT

# The oldest that this ansible-core runs modules with.
oldest=3.8
[ "$(ansible --version | sed -n '1s/.*core 2\.\([0-9]*\).*/\1/p')" -lt 20 ] || oldest=3.9
old=
if "python$oldest" -c '' 2>/dev/null; then
    old=$(command -v "python$oldest")
else
    echo "role: SKIPPED: there is no python$oldest here, so Ansible uses its own Python on the host"
fi

LAB_SERVER=$(setting lab_server) lab start "$work/lab" 1 0 shop.example >"$work/lab.out"
"$python" inventory.py "$work" "${old:-${ANSIBLE_TEST_PYTHON_INTERPRETER:-$(command -v python)}}" "$python" "$tool" \
    "$ROLE_SCHEDULE" >"$work/inventory.json"
"$python" -m pip wheel -qq --disable-pip-version-check --no-deps --wheel-dir "$work" "$checkout"
"$python" block.py "$readme" yaml 1 >"$work/stapling.yml"
"$python" block.py "$readme" yaml 2 >"$work/from-here.yml"

play() { # play NAME PLAYBOOK [ARGUMENT ...]
    echo "role: $1"
    local name=$1 playbook=$2
    shift 2
    ansible-playbook -i "$work/inventory.json" "$work/$playbook" "$@" >"$work/$name.out" 2>&1 || {
        [ -n "${may_fail:-}" ] && return 1
        cat "$work/$name.out"
        echo "role: $name failed" && exit 1
    }
    changed=$(sed -n 's/^web1 .* changed=\([0-9]*\) .*/\1/p' "$work/$name.out")
}
refused() { # refused NAME PLAYBOOK [ARGUMENT ...]: it has to fail
    ! may_fail=yes play "$@" || { cat "$work/$1.out" && echo "role: $1 did not fail" && exit 1; }
}
require() { # require NAME CONDITION ...
    local name=$1
    shift
    "$@" && return
    cat "$work/$name.out"
    echo "role: $name: not so: $*" && exit 1
}
as_found() { find "$work/lab/host0/nginx/sites-available" "$work/lab/host0/nginx/nginx.conf" -type f -exec sha256sum {} +; }
found=$(as_found)

if [ -n "$old" ]; then
    refused too-old stapling.yml -e "stapling_python=$old"
    require too-old grep -q 'needs Python 3.10 or newer' "$work/too-old.out"
    require too-old test ! -e "$work/host"
fi

play foreseen stapling.yml --check --diff
require foreseen test "$changed" -ge 3
require foreseen grep -q 'is not installed on this host yet' "$work/foreseen.out"
require foreseen grep -q '^+schedule = ' "$work/foreseen.out"
require foreseen test ! -e "$work/host"

# How long hunks are depends on lines left out, and how many tasks are skipped on nothing a reader needs.
same() { sed -e 's/^@@ .*/@@/' -e 's/ok=[0-9]* */ok=/; s/skipped=[0-9]* */skipped=/'; }

# What the README shows, with the laboratory's paths as a real host has them.
ANSIBLE_DISPLAY_OK_HOSTS=no ANSIBLE_DISPLAY_SKIPPED_HOSTS=no play printed stapling.yml --check --diff \
    -e stapling_install=false -e "stapling_executable=$tool" -e stapling_schedule=cron
sed -e "s# --state-dir=[^ ]*##; s#$(dirname "$python")/#/opt/staplecfg/bin/#" -e "s#$work/lab/host0/nginx#/etc/nginx#" \
    -e "s#$work/lab/host0/state#/var/lib/staplecfg#; s#$work/host##; s#$work/lab/pki/root.pem#/etc/ssl/private-root.pem#" \
    -e "s#$work/lab/pki#/etc/ssl#; s#after: .*/settings.toml.j2#after: settings.toml.j2#" \
    -e 's#^included: .*/roles/#included: .../roles/#; /^+\(binary\|prefix\|config\|state_dir\) = /d; s/-[0-9a-f]\{8\}\//-1f0c3a5e\//' \
    -e 's/^+[0-9]* \* /+17 * /' -e 's#pki-\(shop.example\)-#ssl-\1-#' \
    "$work/printed.out" | cat -s | sed -e '${/^$/d}' | same >"$work/printed"
"$python" block.py "$readme" console 1 | sed -e 1d | same >"$work/shown"
require printed diff -u "$work/shown" "$work/printed"

play first stapling.yml --diff
require first test "$changed" -ge 4
require first test "$(as_found)" != "$found"
if [ "$ROLE_SCHEDULE" = cron ]; then
    require first grep -q ' warm ' /etc/cron.d/staplecfg
    require first grep -q 'dead-man.sh' /etc/cron.d/staplecfg
fi

play again stapling.yml --diff
require again test "$changed" -eq 0
play again-foreseen stapling.yml --check --diff
require again-foreseen test "$changed" -eq 0

cp "$work/host/etc/staplecfg/staplecfg.toml" "$work/before.toml"
play other stapling.yml --check --diff -e '{"stapling_exclude": ["shop.*"]}'
require other test "$changed" -eq 2
refused nonsense stapling.yml -e '{"stapling_settings": {"misspelt": 1}}'
require nonsense grep -q 'misspelt' "$work/nonsense.out"
require nonsense cmp "$work/before.toml" "$work/host/etc/staplecfg/staplecfg.toml"

# From here on the host asks nobody, and still withdraws by itself.
rm -r "$work/lab/host0/state/store"
asked() { lab tell "$work/lab" asked | tr -dc '0-9'; }
before=$(asked)
play from-here from-here.yml
require from-here test "$(($(asked) - before))" -eq 1
require from-here grep -q '^offline = true' "$work/host/etc/staplecfg/staplecfg.toml"
if [ "$ROLE_SCHEDULE" = cron ]; then
    require from-here grep -q 'dead-man.sh' /etc/cron.d/staplecfg
    require from-here grep -rq '^[0-9]* /' "$work/lab/host0/state/dead-man"
fi

play absent-foreseen stapling.yml --check --diff -e stapling_state=absent
require absent-foreseen test "$changed" -eq 3
require absent-foreseen test "$(as_found)" != "$found"
play absent stapling.yml --diff -e stapling_state=absent
require absent test "$changed" -eq 3
require absent test "$(as_found)" = "$found"
require absent test ! -e "$work/host/opt/staplecfg"
require absent test ! -e /etc/cron.d/staplecfg -o "$ROLE_SCHEDULE" = none
echo "role: all of it, with $("${old:-python}" --version) for Ansible on the host and $("$python" --version) for the tool"
