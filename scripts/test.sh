#!/bin/sh
# Everything CI checks. The last line is `N passed, N failed`, followed by
# `, N skipped` when tests were skipped; a check that fails counts as one.
set -eu

cd "$(dirname "$0")/.."
sh scripts/setup.sh browser
. scripts/environment.sh
export NO_COLOR=1

failed_checks=0
for check in lock fmt:check lint check check:browser doc:lint web publish:dry \
  test:doc; do
  printf '\n== %s\n' "$check"
  deno task --quiet "$check" 2>&1 || {
    printf '"deno task %s" failed\n' "$check"
    failed_checks=$((failed_checks + 1))
  }
done

printf '\n== test\n'
log="$SCRATCH/test.log"
{
  status=0
  deno task --quiet test 2>&1 || status=$?
  printf '%s\n' "$status" >"$SCRATCH/status"
} | tee "$log"

awk -v status="$(cat "$SCRATCH/status")" -v failed="$failed_checks" '
  # ok | 5 passed (2 steps) | 0 failed (1 step) | 1 ignored (37ms)
  /^(ok|FAILED) \| [0-9]+ passed/ {
    closed = 1
    for (i = 2; i <= NF; i++) {
      if ($i == "passed") passed += $(i - 1)
      if ($i == "failed") tests_failed += $(i - 1)
      if ($i == "ignored") skipped += $(i - 1)
    }
  }
  END {
    failed += tests_failed
    if (!closed || (status != 0 && !tests_failed)) failed++
    printf "\n%d passed, %d failed", passed, failed
    if (skipped) printf ", %d skipped", skipped
    printf "\n"
    exit (failed > 0)
  }
' "$log"
