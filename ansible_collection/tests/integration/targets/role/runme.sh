#!/usr/bin/env bash
# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The role from nothing to nothing, as a reader of the README gets it: by its commands and its playbooks.
set -eu
# shellcheck source-path=SCRIPTDIR source=../setup_play/play.sh
. ../setup_play/play.sh
found=$(as_found)
host=$work/host

# What is not public yet is cloned from what would be: all that git would take of the checkout.
mkdir "$work/upstream"
(
    cd "$checkout"
    git ls-files --cached --others --exclude-standard -z |
        while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
        tar --null --create --files-from -
) | tar --extract --directory "$work/upstream"
(cd "$work/upstream" && git init -q && git add -A && git -c user.name=- -c user.email=- commit -qm published)
export ANSIBLE_COLLECTIONS_PATH=$work/collections
(
    cd "$work"
    export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=url.$work/upstream.insteadOf GIT_CONFIG_VALUE_0=https://github.com/staplecfg/staplecfg
    block sh 1 | bash -eu
) >"$work/pasted.out" 2>&1 || { cat "$work/pasted.out" && exit 1; }

if [ -n "$old" ]; then
    refused too-old stapling.yml -e "stapling_python=$old"
    require too-old grep -q 'needs Python 3.10 or newer' "$work/too-old.out"
    require too-old test ! -e "$host"
fi

play foreseen stapling.yml --check --diff
require foreseen test "$changed" -ge 3
require foreseen grep -q 'is not installed on this host yet' "$work/foreseen.out"
require foreseen grep -q '^+schedule = ' "$work/foreseen.out"
require foreseen test ! -e "$host"

# How long hunks are depends on lines left out, and how many tasks are skipped on nothing a reader needs.
same() { sed -e 's/^@@ .*/@@/' -e 's/ok=[0-9]* */ok=/; s/skipped=[0-9]* */skipped=/'; }

# What the README shows, with the laboratory's paths as a real host has them.
if [ "$server" = nginx ]; then
    ANSIBLE_DISPLAY_OK_HOSTS=no ANSIBLE_DISPLAY_SKIPPED_HOSTS=no play printed stapling.yml --check --diff \
        -e stapling_install=false -e "stapling_executable=$tool" -e stapling_schedule=cron
    sed -e "s# --state-dir=[^ ]*##; s#$(dirname "$python")/#/opt/staplecfg/bin/#" -e "s#$work/lab/host0/nginx#/etc/nginx#" \
        -e "s#$work/lab/host0/state#/var/lib/staplecfg#; s#$host##; s#$work/lab/pki/root.pem#/etc/ssl/private-root.pem#" \
        -e "s#$work/lab/pki#/etc/ssl#; s#after: .*/settings.toml.j2#after: settings.toml.j2#" \
        -e 's#^included: .*/roles/#included: .../roles/#; /^+\(binary\|prefix\|config\|state_dir\) = /d; s/-[0-9a-f]\{8\}\//-1f0c3a5e\//' \
        -e 's/^+[0-9]* \* /+17 * /' -e 's#pki-\(shop.example\)-#ssl-\1-#' \
        "$work/printed.out" | cat -s | sed -e '${/^$/d}' | same >"$work/printed"
    block console 1 | sed -e 1d | same >"$work/shown"
    require printed diff -u "$work/shown" "$work/printed"
fi

play first stapling.yml --diff
require first test "$changed" -ge 4
require first test "$(as_found)" != "$found"
if [ "$schedule" = cron ]; then
    require first grep -q ' warm ' /etc/cron.d/staplecfg
    require first grep -q 'dead-man.sh' /etc/cron.d/staplecfg
fi

play again stapling.yml --diff
require again test "$changed" -eq 0
play again-foreseen stapling.yml --check --diff
require again-foreseen test "$changed" -eq 0

cp "$host/etc/staplecfg/staplecfg.toml" "$work/before.toml"
play other stapling.yml --check --diff -e '{"stapling_exclude": ["shop.*"]}'
require other test "$changed" -eq 2
refused nonsense stapling.yml -e '{"stapling_settings": {"misspelt": 1}}'
require nonsense grep -q 'misspelt' "$work/nonsense.out"
require nonsense cmp "$work/before.toml" "$host/etc/staplecfg/staplecfg.toml"

# From here on the host asks nobody, and still withdraws by itself.
rm -r "$work/lab/host0/state/store"
before=$(asked)
play from-here from-here.yml
require from-here test "$(($(asked) - before))" -eq 1
require from-here grep -q '^offline = true' "$host/etc/staplecfg/staplecfg.toml"
if [ "$schedule" = cron ]; then
    require from-here grep -q 'dead-man.sh' /etc/cron.d/staplecfg
    # Apache has it from the local responder, which gives out nothing that has ended.
    [ "$server" = apache ] || require from-here grep -rq '^[0-9]* /' "$work/lab/host0/state/dead-man"
fi

# Who lost the tool is not told that all is gone.
mv "$host/opt/staplecfg" "$host/opt/elsewhere"
refused toolless stapling.yml -e stapling_state=absent
require toolless test -e "$host/etc/staplecfg/staplecfg.toml"
mv "$host/opt/elsewhere" "$host/opt/staplecfg"

play absent-foreseen stapling.yml --check --diff -e stapling_state=absent
absences=$changed
require absent-foreseen test "$(as_found)" != "$found"
play absent stapling.yml --diff -e stapling_state=absent
require absent test "$changed" -eq "$absences"
require absent test "$(as_found)" = "$found"
require absent test ! -e "$host/opt/staplecfg"
require absent test ! -e "$host/etc/staplecfg"
require absent test ! -e /etc/cron.d/staplecfg -o "$schedule" = none
play absent-again stapling.yml --diff -e stapling_state=absent
require absent-again test "$changed" -eq 0

# Written and tested, and nobody is told: what runs goes on as it was.
served() { "$tool" probe --settings "$host/etc/staplecfg/staplecfg.toml" --format=json; }
play unannounced stapling.yml -e stapling_reload=false
require unannounced test "$changed" -ge 4
require unannounced test "$(as_found)" != "$found"
served >"$work/unannounced.probe" || true
require unannounced grep -q '"verdict": *"missing"' "$work/unannounced.probe"
play unannounced-again stapling.yml -e stapling_reload=false
require unannounced-again test "$changed" -eq 0
play announced stapling.yml
require announced grep -q 'See what visitors get' "$work/announced.out"
served >"$work/announced.probe" || true
require announced grep -q '"verdict": *"served"' "$work/announced.probe"

echo "role: all of it on $server, with $("${old:-python}" --version) for Ansible on the host and $("$python" --version) for the tool"
