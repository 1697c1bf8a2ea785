#!/bin/sh
# Begins a container: what the template says in GLASSPLATE_SETTINGS becomes the config. It lies
# outside the home, which others may share that have other settings.
set -eu
mkdir -p "$GLASSPLATE_HOME"
# A function of the queue is called without words: it is a worker. One of the gateway is told `serve`.
[ "$#" -gt 0 ] || set -- worker
if [ -n "${GLASSPLATE_SETTINGS-}" ]; then
    config=${TMPDIR:-/tmp}/glassplate.toml
    printf '%s\n' "$GLASSPLATE_SETTINGS" >"$config"
    set -- --config "$config" "$@"
fi
unset GLASSPLATE_SETTINGS
exec glassplate "$@"
