#!/bin/sh
# Measures everything on this machine's adapter and writes bench/results/.
set -eu
cd "$(dirname "$0")/.."
. scripts/environment.sh
deno run -A --no-check bench/adapter.ts "$@"
