#!/bin/sh
# What the checker of a corpus of hostile inputs calls: `adapter.sh KIND INPUT REPO DO`, in the repository, with HOME set.
# It does with INPUT what DO says, by the commands that a person would use, and exits as they do.
# ORCHESTRATE names the program; the checker clears the environment, so it may also be the one on the PATH, or what was built last.
set -u
built=$(ls -t "$(dirname "$0")"/../../target/*/orchestrate 2>/dev/null | head -n 1)
orchestrate=${ORCHESTRATE:-$(command -v orchestrate || echo "$built")}
kind=$1 input=$2 repo=$3 does=$4

run() { "$orchestrate" -C "$repo" "$@" || exit $?; }

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
*)
    echo "error: no command for $kind yet" >&2
    exit 64
    ;;
esac
