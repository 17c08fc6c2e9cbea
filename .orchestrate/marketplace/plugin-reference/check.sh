#!/bin/sh
# check.sh PLUGINS PAGE: fails unless the page has a section, with a capability, for each plugin and for nothing else.
set -eu
ls -d "$1"/*/ | xargs -n 1 basename | sort > "$TMPDIR/plugins"
sed -n 's/^## //p' "$2" | sort > "$TMPDIR/sections"
cmp "$TMPDIR/plugins" "$TMPDIR/sections"
sections=$(wc -l < "$TMPDIR/sections")
test "$(grep -c '^- Provides: `[a-z]*\.[a-z0-9-]*`' "$2")" -eq "$sections"
printf '{"Plugins described": %d}\n' "$sections"
