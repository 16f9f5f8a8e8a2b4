#!/usr/bin/env bash
# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Many hosts that share few certificates: the control node asks once for each, and never again.
# Every host is a web server of its own on this machine.
set -eu

settings=$PWD/../../integration_config.yml
setting() { sed -n "s/^$1: //p" "$settings"; }
checkout=$(setting lab_checkout)
python=$(setting lab_python)
hosts=$(setting fleet_hosts)
certificates=$(setting fleet_certificates)
work=$(mktemp -d)
lab() { (cd "$checkout" && "$python" -m tests.support.collection_lab "$@"); }
trap 'lab stop "$work/lab" || true; rm -rf "$work"' EXIT

sites=()
for ((number = 0; number < certificates; number++)); do sites+=("site$number.example"); done
LAB_SERVER=$(setting lab_server) lab start "$work/lab" "$hosts" 2 "${sites[@]}" >"$work/lab.out"

# What hosts take is told from what the control node takes by what their interpreter takes.
cat >"$work/python" <<WRAPPER
#!/usr/bin/env bash
"${ANSIBLE_TEST_PYTHON_INTERPRETER:-$(command -v python)}" "\$@"
status=\$?
times >>"$work/host-times" # two lines: the shell itself, and what it ran
exit \$status
WRAPPER
chmod +x "$work/python"
"$python" inventory.py "$work" "$(setting lab_executable)" >"$work/inventory.json"

asked() { lab tell "$work/lab" asked | tr -dc '0-9'; }
recap() { awk '/ ok=/ { for (i = 1; i <= NF; i++) if (split($i, pair, "=") == 2) sum[pair[1]] += pair[2] }
    END { print sum["changed"], sum["failed"] + sum["unreachable"] }' "$1"; }

play() { # play NAME PLAYBOOK: run it, and tell what it took
    : >"$work/host-times"
    local before after wall
    before=$(asked)
    wall=$(date +%s.%N)
    TIMEFORMAT='%U %S'
    { time ansible-playbook -i "$work/inventory.json" --forks 10 "$2" >"$work/$1.out" 2>&1; } 2>"$work/$1.time" || {
        cat "$work/$1.out"
        return 1
    }
    wall=$(echo "$(date +%s.%N) $wall" | awk '{ print $1 - $2 }')
    after=$(asked)
    requests=$((after - before))
    read -r changed failed <<<"$(recap "$work/$1.out")"
    awk -v name="$1" -v hosts="$hosts" -v wall="$wall" -v requests="$requests" -v changed="$changed" '
        NR == FNR { all = $1 + $2; next }
        FNR % 2 { next }
        { gsub("m", " "); gsub("s", ""); host += $1 * 60 + $2 + $3 * 60 + $4 }
        END { printf "%s: %d hosts, %d requests, %d changed; wall %.1f s (%.2f s per host); CPU per host: control node %.2f s, host %.2f s\n",
              name, hosts, requests, changed, wall, wall / hosts, (all - host) / hosts, host / hosts }' \
        "$work/$1.time" "$work/host-times"
    [ "$failed" -eq 0 ]
}

require() { # require NAME CONDITION ...: of the run NAME
    local name=$1
    shift
    "$@" && return
    cat "$work/$name.out"
    echo "fleet: $name: not so: $*" && exit 1
}

play first fleet.yml
require first [ "$requests" -eq "$certificates" ]
require first [ "$changed" -eq $((hosts * 3)) ] # the settings, the staples, the configuration

play second fleet.yml
require second [ "$requests" -eq 0 ]
require second [ "$changed" -eq 0 ]

play served served.yml
require served [ "$requests" -eq 0 ]
