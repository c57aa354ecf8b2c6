#!/bin/sh
# Gets ready what the project needs and this machine lacks: Deno, and a Vulkan
# driver for WebGPU. Says nothing when all is there; may be run again any time.
# With the word `browser` also Chromium, for the tests of the inspection page.
set -eu

DENO_VERSION=2.9.6
cd "$(dirname "$0")/.."
. scripts/environment.sh

say() { printf '%s\n' "setup: $*" >&2; }
give_up() {
  say "$*"
  exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }
has() { command -v "$1" >/dev/null 2>&1; }

# Runs a command, showing what it wrote only when it fails.
quietly() {
  "$@" >"$SCRATCH/log" 2>&1 || {
    cat "$SCRATCH/log" >&2
    return 1
  }
}

apt_install() {
  for name in http_proxy https_proxy no_proxy; do
    upper="$(printf %s "$name" | tr '[:lower:]' '[:upper:]')"
    eval "value=\${$name:-\${$upper:-}}"
    [ -z "$value" ] || export "$name=$value"
  done
  quietly apt-get -qq -o DPkg::Lock::Timeout=300 update
  quietly env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
    -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
}

deno_is_there() {
  has deno && deno eval --no-config --no-lock '
    const [major, minor] = Deno.version.deno.split(".").map(Number);
    Deno.exit(major > 2 || major === 2 && minor >= 9 ? 0 : 1);
  ' >/dev/null 2>&1
}

install_deno() {
  if ! has npm; then
    if is_root && has apt-get; then
      say "installing npm with apt-get"
      apt_install npm || give_up "Cannot install npm with apt-get"
    else
      give_up "Cannot install Deno: npm is not on PATH; install Deno $DENO_VERSION or later from https://deno.com, or Node.js with npm"
    fi
  fi
  if has deno; then
    say "$(deno --version | head -n 1) is too old, installing Deno $DENO_VERSION from npm"
  else
    say "installing Deno $DENO_VERSION from npm"
  fi
  set -- install --global --no-fund --no-audit --loglevel=error
  if ! is_root; then
    set -- "$@" --prefix "${NPM_BIN%/bin}"
  fi
  quietly npm "$@" "deno@$DENO_VERSION" ||
    give_up "Cannot install Deno from npm: see the lines above"
  hash -r
  deno_is_there || give_up "Deno was installed, but the first \"deno\" on PATH is not version 2.9 or later: put $(npm prefix --global)/bin or $NPM_BIN first"
  if ! is_root; then
    say "to have deno in your own shell: export PATH=\"\$PATH:$NPM_BIN\""
  fi
}

adapter_is_there() {
  deno eval --no-config --no-lock '
    Deno.exit(await navigator.gpu?.requestAdapter() ? 0 : 1);
  ' >/dev/null 2>&1
}

install_driver() {
  if [ "$(uname -s)" != Linux ]; then
    give_up "Cannot find a WebGPU adapter: update the graphics driver of this machine"
  fi
  if ! is_root || ! has apt-get; then
    give_up "Cannot find a Vulkan driver: install your GPU's, or Mesa's for the CPU (Debian, Ubuntu: sudo apt-get install mesa-vulkan-drivers; Fedora: sudo dnf install mesa-vulkan-drivers; Arch: sudo pacman -S vulkan-swrast), then run this again"
  fi
  say "installing Mesa's Vulkan driver with apt-get"
  apt_install libvulkan1 mesa-vulkan-drivers ||
    give_up "Cannot install mesa-vulkan-drivers with apt-get: see the lines above"
  adapter_is_there ||
    give_up "Cannot find a WebGPU adapter although mesa-vulkan-drivers is installed: look at \"vulkaninfo\""
}

install_browser() {
  if ! is_root || ! has apt-get; then
    say "there is no Chromium: tests of the inspection page are skipped"
    return
  fi
  say "installing Chromium with apt-get, for the tests of the inspection page"
  apt_install chromium ||
    say "Cannot install Chromium: tests of the inspection page are skipped"
}

deno_is_there || install_deno
adapter_is_there || install_driver
if [ "${1:-}" = browser ]; then
  has chromium || has chromium-browser || has google-chrome || install_browser
fi
