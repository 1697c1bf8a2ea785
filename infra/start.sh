#!/bin/sh
# Begins a container: what the template says in GLASSPLATE_SETTINGS becomes the config. It lies
# outside the home, which others may share that have other settings.
set -eu
mkdir -p "$GLASSPLATE_HOME"
# A function from a zip is called without words: its handler says what it is, and the program lies
# beside this.
if [ "$#" -eq 0 ]; then
    set -- "${_HANDLER:?say what to run, such as worker or serve}"
    PATH=$PATH:${LAMBDA_TASK_ROOT:-.}
fi
if [ -n "${GLASSPLATE_SETTINGS-}" ]; then
    # A name of its own: others may begin at the same moment.
    config=${TMPDIR:-/tmp}/glassplate-$$.toml
    printf '%s\n' "$GLASSPLATE_SETTINGS" >"$config"
    set -- --config "$config" "$@"
fi
unset GLASSPLATE_SETTINGS
exec glassplate "$@"
