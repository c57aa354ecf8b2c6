#!/bin/sh
# From a fresh clone to a first report: gets what is missing, runs the demo.
# Arguments go to the demo, e.g. `sh scripts/quickstart.sh --out report`.
set -eu

cd "$(dirname "$0")/.."
sh scripts/setup.sh
. scripts/environment.sh
deno run -A mod.ts demo "$@"
