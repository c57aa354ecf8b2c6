#!/bin/sh
# The tests of kernels and networks on Dawn and Tint with llvmpipe, and the demo's
# scores. Dawn finds no adapter in the llvmpipe of Debian 12, Mesa 22; this makes
# a root of Debian 13 by debootstrap and runs tests/implementations/main.ts in it.
#
#     sh scripts/dawn_test.sh [FOLDER for the root, kept for the next time] \
#       [arguments of main.ts, "naga dawn" by default]
#
# Needs root, debootstrap and a network. The report goes to bench/results.
set -eu

cd "$(dirname "$0")/.."
. scripts/environment.sh
NAME=dawn_test
. scripts/debian_root.sh
ROOT="${1:-$SCRATCH/root}"
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- naga dawn

debian trixie "$ROOT" mesa-vulkan-drivers,ca-certificates
cp "$(readlink -f "$(command -v deno)")" "$ROOT/usr/bin/deno"
checkout "$ROOT/opt/patchcore"
devices "$ROOT"
mkdir -p "$ROOT/tmp/run"
# shellcheck disable=SC2086,SC2016
env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root XDG_RUNTIME_DIR=/tmp/run \
  VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/lvp_icd.json \
  DENO_WEBGPU_BACKEND=vulkan NO_COLOR=1 $(network "$ROOT") chroot "$ROOT" \
  sh -c 'cd /opt/patchcore && deno run -A --no-lock tests/implementations/main.ts "$@"' \
  dawn_test "$@"
for report in "$ROOT"/opt/patchcore/bench/results/suite-*; do
  [ ! -e "$report" ] || cp "$report" bench/results/
done
