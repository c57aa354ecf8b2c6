#!/bin/sh
# What the Dockerfile installs, on Debian as root: Deno from npm, a Vulkan driver
# (mesa, or nvidia: only what the container toolkit's driver asks for), and the
# program's dependencies, so that nothing is fetched when it runs.
set -eu

DENO_VERSION=2.9.6
case "${1:-mesa}" in
mesa) driver="mesa-vulkan-drivers" ;;
nvidia) driver="libegl1 libgl1 libx11-6 libxext6" ;;
*)
  echo "install.sh: unknown driver \"$1\", expected mesa or nvidia" >&2
  exit 2
  ;;
esac

export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# Word splitting is wanted: $driver may be several packages.
# shellcheck disable=SC2086
apt-get -qq -y install --no-install-recommends \
  ca-certificates npm libvulkan1 $driver >/dev/null
npm install --global --no-fund --no-audit --loglevel=error "deno@$DENO_VERSION"

export DENO_DIR="${DENO_DIR:-/opt/deno}"
cd "$(dirname "$0")/../.."
deno install --frozen --quiet
# Workers are modules of their own: what they import has to be there as well.
deno cache --quiet --frozen mod.ts src/cli/image_reader_worker.ts \
  src/cli/serve/engine_worker.ts src/cli/serve/image_worker.ts
chmod -R a+rX "$DENO_DIR" .

apt-get -qq clean
rm -rf /var/lib/apt/lists/* /root/.npm
