#!/usr/bin/env bash
# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# How the role's tool comes and goes: from wheels alone, from an index, to another version and back, mended.
set -eu
# shellcheck source-path=SCRIPTDIR source=../setup_play/play.sh
. ../setup_play/play.sh
venv=$work/host/opt/staplecfg
cp tool.yml "$work"

"$python" -m pip wheel -qq --disable-pip-version-check --wheel-dir "$work/wheels" "$checkout"
altered() { # altered VERSION SCRIPT: the tool's wheel under another version, its package edited with sed; prints its path
    local from=staplecfg-0.1.0 to=staplecfg-$1 tree=$work/$1
    "$python" -m zipfile -e "$work/wheels/$from-py3-none-any.whl" "$tree"
    sed -i "$2" "$tree/staplecfg/__init__.py"
    [ "$from" = "$to" ] || mv "$tree/$from.dist-info" "$tree/$to.dist-info"
    sed -i "s/^Version: .*/Version: $1/" "$tree/$to.dist-info/METADATA"
    sed -i "s#^$from#$to#" "$tree/$to.dist-info/RECORD"
    (cd "$tree" && "$python" -m zipfile -c "$work/$to-py3-none-any.whl" ./*)
    echo "$work/$to-py3-none-any.whl"
}
other=$(altered 0.1.0 "\$a # altered")
newer=$(altered 0.1.1 's/0\.1\.0/0.1.1/')

# An index (PEP 503) is no more than directories with the projects' names.
mkdir "$work/simple"
for each in "$work"/wheels/*.whl "$newer"; do
    project=$(basename "${each%%-*}" | tr '[:upper:]._' '[:lower:]--')
    mkdir -p "$work/simple/$project"
    cp "$each" "$work/simple/$project"
done
"$python" -u -m http.server --bind 127.0.0.1 --directory "$work" 0 >"$work/index.out" 2>&1 &
trap 'kill %1; lab stop "$work/lab" || true; rm -rf "$work"' EXIT
until index=$(grep -o 'http://[^/]*' "$work/index.out"); do sleep 0.1; done

# What pip would ask is not there.
export PIP_INDEX_URL=http://127.0.0.1:9/simple PIP_RETRIES=0
version() { "$venv/bin/staplecfg" --version; }
by() { # by NAME VERSION [ARGUMENT ...]: install that one, and see it
    local name=$1 wanted=$2
    shift 2
    play "$name" tool.yml "$@"
    require "$name" test "$changed" -ge 1
    require "$name" test "$(version)" = "staplecfg $wanted"
}
again() { # again NAME [ARGUMENT ...]: nothing is left to do
    local name=$1-again
    shift
    play "$name" tool.yml "$@"
    require "$name" test "$changed" -eq 0
}
from_index=(-e "{\"stapling_pip_arguments\": [\"--no-compile\", \"--index-url\", \"$index/simple\"]}")

mkdir -p "$venv"
echo precious >"$venv/somebodys"
refused not-ours tool.yml -e "stapling_wheelhouse=$work/wheels"
require not-ours grep -q 'was not made by this role' "$work/not-ours.out"
require not-ours grep -q precious "$venv/somebodys"
rm "$venv/somebodys"

by wheels 0.1.0 -e "stapling_wheelhouse=$work/wheels"
again wheels -e "stapling_wheelhouse=$work/wheels"

# As after an upgrade of the system's Python.
rm "$venv"/bin/python*
by mended 0.1.0 -e "stapling_wheelhouse=$work/wheels"

by altered 0.1.0 -e "stapling_wheel=$other" -e "stapling_wheelhouse=$work/wheels"
require altered grep -rq '^# altered' "$venv" --include=__init__.py
again altered -e "stapling_wheel=$other" -e "stapling_wheelhouse=$work/wheels"

by newer 0.1.1 -e stapling_version=0.1.1 "${from_index[@]}"

# What cannot be had leaves what is there at work.
refused not-to-be-had tool.yml -e stapling_version=0.1.2 "${from_index[@]}"
require not-to-be-had test "$(version)" = "staplecfg 0.1.1"
again newer -e stapling_version=0.1.1 "${from_index[@]}"

by pinned 0.1.0 "${from_index[@]}"

echo "role_tool: all of it, with $("${old:-python}" --version) for Ansible on the host and $("$python" --version) for the tool"
