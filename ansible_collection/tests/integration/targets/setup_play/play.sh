# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash

# For a runme.sh to read in: a laboratory with one host, web1, and plays of the README's playbooks on it.
# Ansible's interpreter on the host is Python 3.8 where there is one (3.9 from ansible-core 2.20 on), and
# the tool's own is newer. It sets:
#
#   work      a directory that is gone in the end, with stapling.yml and from-here.yml in it
#   readme    the collection's README.md
#   python    the tool's interpreter, and "tool" its program
#   old       the older one for Ansible, empty where there is none
#   schedule  cron, or none

setup_play=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

# The schedule goes where the machine's cron reads: in a mount namespace, a cron that nobody runs.
if [ -z "${ROLE_SCHEDULE:-}" ]; then
    if [ -d /etc/cron.d ] && unshare --mount --propagation private mount -t tmpfs tmpfs /etc/cron.d 2>/dev/null; then
        # shellcheck disable=SC2016 # the inner shell's
        ROLE_SCHEDULE=cron exec unshare --mount --propagation private \
            bash -c 'mount -t tmpfs tmpfs /etc/cron.d && exec bash "$0"' "$PWD/runme.sh"
    fi
    echo "SKIPPED: no namespace can be made here, so nothing is scheduled"
    ROLE_SCHEDULE=none
fi
schedule=$ROLE_SCHEDULE

setting() { sed -n "s/^$1: //p" "$setup_play/../../integration_config.yml"; }
checkout=$(setting lab_checkout)
python=$(setting lab_python)
tool=$(setting lab_executable)
server=$(setting lab_server)
readme=$checkout/ansible_collection/README.md
work=$(mktemp -d)
lab() { (cd "$checkout" && "$python" -m tests.support.collection_lab "$@"); }
trap 'lab stop "$work/lab" || true; rm -rf "$work"' EXIT
block() { "$python" "$setup_play/block.py" "$readme" "$@"; }

# The oldest that this ansible-core runs modules with.
oldest=3.8
[ "$(ansible --version | sed -n '1s/.*core 2\.\([0-9]*\).*/\1/p')" -lt 20 ] || oldest=3.9
old=
if "python$oldest" -c '' 2>/dev/null; then
    old=$(command -v "python$oldest")
else
    echo "SKIPPED: there is no python$oldest here, so Ansible uses its own Python on the host"
fi

LAB_SERVER=$server lab start "$work/lab" 1 0 shop.example >"$work/lab.out"
mkdir "$work/hosts"
"$python" "$setup_play/inventory.py" "$work" "${old:-${ANSIBLE_TEST_PYTHON_INTERPRETER:-$(command -v python)}}" "$python" \
    "$tool" "$schedule" >"$work/hosts/web.json"
block yaml 1 >"$work/stapling.yml"
block yaml 2 >"$work/from-here.yml"

play() { # play NAME PLAYBOOK [ARGUMENT ...]: sets "changed"
    echo "$1"
    local name=$1 playbook=$2
    shift 2
    (cd "$work" && ansible-playbook -i hosts "$playbook" "$@") >"$work/$name.out" 2>&1 || {
        [ -n "${may_fail:-}" ] && return 1
        cat "$work/$name.out"
        echo "$name failed" && exit 1
    }
    # shellcheck disable=SC2034 # for whoever reads this in
    changed=$(sed -n 's/^web1 .* changed=\([0-9]*\) .*/\1/p' "$work/$name.out")
}
refused() { # refused NAME PLAYBOOK [ARGUMENT ...]: it has to fail
    ! may_fail=yes play "$@" || { cat "$work/$1.out" && echo "$1 did not fail" && exit 1; }
}
require() { # require NAME CONDITION ...: of the play NAME
    local name=$1
    shift
    "$@" && return
    cat "$work/$name.out"
    echo "$name: not so: $*" && exit 1
}

kept() { "$python" -c 'import json, sys; print(*json.load(sys.stdin)["hosts"][0]["kept"], sep="\n")' <"$work/lab/lab.json"; }
as_found() { # the configuration's bytes and links
    local files
    mapfile -t files < <(kept)
    find "${files[@]}" -type f -exec sha256sum {} + -o -type l -printf '%l  %p\n' | sort
}
asked() { lab tell "$work/lab" asked | tr -dc '0-9'; }
