# shellcheck shell=bash
# How the scripts talk: one line per step on stderr, in bold on a terminal. Sourced, not run.

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\033[1m' plain=$'\033[0m'
else
    bold='' plain=''
fi

say() { printf '%s==> %s%s\n' "$bold" "$*" "$plain" >&2; }
give_up() {
    printf '%serror:%s %s\n' "$bold" "$plain" "$1" >&2
    exit "${2:-1}"
}
