#!/bin/sh
# Begins a container: what the template says in GLASSPLATE_SETTINGS becomes the home's config.
set -eu
mkdir -p "$GLASSPLATE_HOME"
[ -z "${GLASSPLATE_SETTINGS-}" ] || printf '%s\n' "$GLASSPLATE_SETTINGS" >"$GLASSPLATE_HOME/config.toml"
unset GLASSPLATE_SETTINGS
# As a function the program is called without words, and asks Lambda for its messages.
[ "$#" -gt 0 ] || set -- worker
exec glassplate "$@"
