#!/bin/sh
# write.sh PLUGINS PAGE: writes a page with a section for each plugin folder, from its plugin.json and orchestrate.yaml.
set -eu
plugins=$1
page=$2

# The value of a top-level key, as it is written.
value() { sed -n "s/^$1: *//p" "$2"; }
# The keys below a top-level key, as a list.
keys() {
    awk -v key="$1:" '
        $0 == key { inside = 1; next }
        inside && /^[^ ]/ { exit }
        inside && /^  [a-z_]+:/ { sub(/:.*/, ""); gsub(/ /, ""); printf "%s`%s`", separator, $0; separator = ", " }
    ' "$2"
}
or_nothing() { if [ -n "$1" ]; then printf '%s' "$1"; else printf 'nothing'; fi; }

{
    printf '# What is embedded\n\n'
    printf 'The plugins of the marketplace `builtin`. Each is an ordinary plugin folder with one more file, `orchestrate.yaml`.\n'
    for folder in "$plugins"/*/; do
        spec=$folder/orchestrate.yaml
        [ -f "$spec" ] || continue
        printf '\n## %s\n\n' "$(basename "$folder")"
        sed -n 's/^ *"description": *"\(.*\)",*$/\1/p' "$folder/.claude-plugin/plugin.json" | head -n 1
        printf '\n- Provides: %s\n' "$(value provides "$spec" | tr -d '[]' | sed 's/\([^, ][^,]*\)/`\1`/g')"
        printf -- '- Takes: %s\n' "$(or_nothing "$(keys inputs "$spec")")"
        printf -- '- Makes: %s\n' "$(or_nothing "$(keys outputs "$spec")")"
        printf -- '- Services: %s\n' "$(or_nothing "$(value services "$spec" | tr -d '[]')")"
    done
} > "$page"
