# Sourced by the other scripts: where Deno may be, and quiet, reliable WebGPU.

NPM_BIN="${HOME:-/root}/.local/bin"
case ":$PATH:" in
*":$NPM_BIN:"*) ;;
*) PATH="$PATH:$NPM_BIN" ;;
esac
export PATH

SCRATCH="$(mktemp -d "${TMPDIR:-/tmp}/patchcore.XXXXXX")"
trap 'rm -rf "$SCRATCH"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Vulkan loaders complain on every start when this is not a folder.
if [ ! -d "${XDG_RUNTIME_DIR:-}" ]; then
  export XDG_RUNTIME_DIR="$SCRATCH"
fi

# Without a Vulkan driver wgpu would silently use OpenGL, which lacks features.
if [ "$(uname -s)" = Linux ]; then
  export DENO_WEBGPU_BACKEND="${DENO_WEBGPU_BACKEND:-vulkan}"
fi
