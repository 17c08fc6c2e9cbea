#!/bin/sh
# What the checker of a corpus of hostile inputs calls: `adapter.sh KIND INPUT REPO DO`, in the repository, with HOME set.
# It does with INPUT what DO says, by the commands that a person would use, and exits as they do.
# ORCHESTRATE names the program; the checker clears the environment, so it may also be the one on the PATH, or what was built last.
set -u
built=$(ls -t "$(dirname "$0")"/../../target/*/orchestrate 2>/dev/null | head -n 1)
orchestrate=${ORCHESTRATE:-$(command -v orchestrate || echo "$built")}
kind=$1 input=$2 repo=$3 does=$4

run() {
    said=$("$orchestrate" -C "$repo" "$@" 2>&1)
    code=$?
    # What the corpus calls `run` is an action of ours.
    printf '%s\n' "$said" | sed 's/: action/& (its run)/'
    [ $code = 0 ] || exit $code
}

case $kind in
marketplace | plugin | skill)
    case $kind:$does in
    plugin:*audit*) run plugin validate "$input" ;;
    *)
        # Into the person's own settings: the checker wants the repository left as it is.
        run marketplace add --user "$input"
        run plugin list
        run plugin list --json
        run plugin search "skill plugin"
        case $does in *plan*) run --plan-only --offline "Build a REST API with JWT authentication and Redis caching" ;; esac
        ;;
    esac
    ;;
plan | plan+approval | plugin+lock | lock)
    work=$HOME/work
    mkdir -p "$work/corpus/p"
    case $kind in
    plugin+lock | lock)
        run marketplace add --user "$input" >/dev/null
        plugin=p@m file=$input/plan.yaml
        ;;
    *)
        # A plugin that does nothing, so that a plan can be about its attack.
        cat >"$work/corpus/p/orchestrate.yaml" <<END
schema: 1
provides: [hostile.corpus]
step: {id: s1, title: Do it, doing: Doing it}
runner: template
inputs: {name: {type: string, default: x}}
checks: [{id: done, command: {argv: ["true"]}}]
END
        mkdir -p "$work/corpus/.claude-plugin"
        echo '{"name":"m","owner":{"name":"corpus"},"plugins":[{"name":"p","source":"./p"}]}' >"$work/corpus/.claude-plugin/marketplace.json"
        run marketplace add --user "$work/corpus" >/dev/null
        plugin=p@m file=$input
        ;;
    esac
    ours() { python3 "$(dirname "$0")/ours.py" "$1" $plugin "$2"; }
    folder=$repo/.orchestrate/plans/hostile
    # The lock says the same as the corpus's: the digest of its plugin, a wrong one, or none.
    lock() {
        mkdir -p "$repo/.orchestrate/lock"
        printf 'schema: 1\nplugins:\n  p:\n    digest: %s\n' "$1" >"$repo/.orchestrate/lock/m.yaml"
    }
    case $kind in
    plan)
        ours "$file" blank >"$work/$(basename "$file")"
        case $does in
        run) run plan --from "$work/$(basename "$file")" && run --no-merge --execute 20 ;;
        *)
            # A plan that is written down as it stands is refused for the same reason when it is run.
            mkdir -p "$folder" && cp "$work/$(basename "$file")" "$folder/plan.yaml"
            "$orchestrate" -C "$repo" --execute hostile
            # A plan that could be taken up would be refused by now; what is left is to say where the fault is.
            run plan check "$work/$(basename "$file")"
            ;;
        esac
        ;;
    plan+approval)
        ours "$input/plan.approved.yaml" blank >"$work/plan.yaml"
        run plan --from "$work/plan.yaml" && run approve 20
        digest=$(sed -n "s/.*sha256:\([0-9a-f]*\).*/\1/p" "$repo"/.orchestrate/plans/20*/plan.yaml | head -n 1)
        ours "$input/plan.yaml" "$digest" >"$(ls -d "$repo"/.orchestrate/plans/20*)/plan.yaml"
        run --execute 20
        ;;
    plugin+lock)
        digest=$(sed -n 's/.*"tree_sha256": "\(.*\)".*/\1/p' "$input/plugins.lock.json")
        mkdir -p "$folder" && ours "$file" "$digest" >"$folder/plan.yaml"
        lock "sha256:$digest"
        run --execute hostile
        ;;
    lock)
        # Each way to leave the hash out, on its own; the last one decides.
        mkdir -p "$folder" && ours "$file" "$(printf x | sha256sum | cut -d ' ' -f 1)" >"$folder/plan.yaml"
        for digest in '""' '~' 'md5:d41d8cd98f00b204e9800998ecf8427e'; do
            lock "$digest"
            "$orchestrate" -C "$repo" --execute hostile && exit 0
        done
        printf 'schema: 1\nplugins:\n  p: {}\n' >"$repo/.orchestrate/lock/m.yaml"
        run --execute hostile
        ;;
    esac
    ;;
pattern)
    # Statistics are computed from records and stored nowhere: a pattern that brings its own is refused, and so is a record without measure.
    mkdir -p "$repo/.orchestrate/patterns/rest-api-jwt"
    sed -n 's/.*"uses":\([0-9]*\).*/schema: 1\nuses: \1\nsteps: []/p' "$input" >"$repo/.orchestrate/patterns/rest-api-jwt/pattern.yaml"
    run check
    ;;
constraint)
    # Every line is a task; one that is taken up would be planned.
    while IFS= read -r line; do
        "$orchestrate" -C "$repo" --plan-only "$line" && exit 0
    done <"$input"
    exit 2
    ;;
*)
    echo "error: no command for $kind yet" >&2
    exit 64
    ;;
esac
