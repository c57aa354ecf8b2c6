#!/bin/sh
# The steps of deploy/docker/Dockerfile without Docker: a Debian root made by
# debootstrap, what install.sh installs there, then the program in it as the user
# 10001, with the root mounted read-only and /tmp as the only place to write. A
# fit and `serve` of its model have to work; serve answers a prediction.
#
#     sh scripts/image_test.sh [FOLDER for the root, kept for the next time]
#
# Needs root, debootstrap and a network.
set -eu

cd "$(dirname "$0")/.."
SOURCE="$(pwd)"
. scripts/environment.sh
NAME=image_test
. scripts/debian_root.sh
IMAGE="${1:-$SCRATCH/root}"

# ---- FROM debian:bookworm-slim ---------------------------------------------
debian bookworm "$IMAGE"

# ---- ENV, COPY and RUN of the Dockerfile -------------------------------------
step() { grep -q "$1" deploy/docker/Dockerfile || give_up "the Dockerfile has no line \"$1\" any more"; }
step '^COPY \. /opt/patchcore$'
step '^RUN sh /opt/patchcore/deploy/docker/install.sh'
step '^USER 10001:10001$'
step '^WORKDIR /opt/patchcore$'
step '^ENTRYPOINT \["sh", "/opt/patchcore/deploy/docker/patchcore.sh"\]$'
checkout "$IMAGE/opt/patchcore"
environment="DENO_DIR=/opt/deno DENO_WEBGPU_BACKEND=vulkan XDG_RUNTIME_DIR=/tmp HOME=/tmp"
devices "$IMAGE"
# shellcheck disable=SC2086
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  $environment $(network "$IMAGE") chroot "$IMAGE" \
  sh /opt/patchcore/deploy/docker/install.sh mesa >"$SCRATCH/install.log" 2>&1 ||
  give_up "install.sh failed: $(tail -n 5 "$SCRATCH/install.log")"
say "installed $(chroot "$IMAGE" deno --version | head -n 1), $(du -sm "$IMAGE" -x | cut -f 1) MB in all"

# ---- docker run --read-only --tmpfs /tmp -v models:/models --------------------
mkdir -p "$SCRATCH/models" "$IMAGE/models"
chmod 777 "$SCRATCH/models"
chmod a+x "$SCRATCH"
for mount in $MOUNTS; do umount "$mount"; done
MOUNTS=""
mount --bind "$IMAGE" "$IMAGE"
MOUNTS="$IMAGE"
mount -o remount,ro,bind "$IMAGE"
devices "$IMAGE"
mounted tmpfs mode=1777 tmp "$IMAGE/tmp"
mount --bind "$SCRATCH/models" "$IMAGE/models"
MOUNTS="$IMAGE/models $MOUNTS"
contained() { # contained COMMAND…: as the user of the image, with its variables
  # shellcheck disable=SC2086
  env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin $environment \
    chroot --userspec=10001:10001 "$IMAGE" "$@"
}
entry="sh /opt/patchcore/deploy/docker/patchcore.sh"
if contained touch /opt/patchcore/written 2>/dev/null; then
  give_up "the root can be written"
fi
say "user $(contained id -u), read-only root"
deno eval "import { writeDemoFolder } from '$SOURCE/tests/demo_folder.ts';
  await writeDemoFolder('$SCRATCH/models/parts', 6);" || give_up "no images"
chmod -R a+rX "$SCRATCH/models"
# shellcheck disable=SC2086
contained $entry fit /models/parts/good --backbone demo --bundle \
  --square --no-crop --coreset 0.01 --model /models/flange.safetensors --quiet ||
  give_up "the fit failed"
image="$(find "$SCRATCH/models/parts/new" -name '*.png' | sort | head -n 1)"
port=18473
# shellcheck disable=SC2086
contained $entry serve --models /models --port $port >"$SCRATCH/serve.log" 2>&1 &
SERVICE=$!
url="http://127.0.0.1:$port"
for _ in $(seq 120); do
  [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/health" || true)" = 200 ] && break
  sleep 1
done
answer="$(curl -sS -H 'content-type: image/png' --data-binary "@$image" \
  "$url/predict?model=flange&name=first")" || give_up "no answer: $(cat "$SCRATCH/serve.log")"
case "$answer" in
*'"image_path":"first","pred_score":'*) say "answered: $(printf %s "$answer" | cut -c -120)" ;;
*) give_up "not a prediction: $answer; $(cat "$SCRATCH/serve.log")" ;;
esac
say "passed"
