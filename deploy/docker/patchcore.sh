#!/bin/sh
# The program in a container: all that it needs is there, nothing is fetched.
exec deno run --cached-only --no-prompt -A "${0%/*}/../../mod.ts" "$@"
