# Sourced by scripts that run programs in another Debian, as root: makes one by
# debootstrap, mounts what programs need, and undoes that at the end. NAME is who
# speaks, SERVICE a shell whose child is to end with the script.

MOUNTS=""
SERVICE=""

say() { printf '%s\n' "$NAME: $*"; }
give_up() {
  say "$*"
  exit 1
}
clean() {
  [ -z "$SERVICE" ] || pkill -P "$SERVICE" || true
  for mount in $MOUNTS; do umount -l "$mount" 2>/dev/null || true; done
  rm -rf "$SCRATCH"
}
trap clean EXIT

[ "$(id -u)" -eq 0 ] || give_up "Cannot make a Debian root: run this as root"
command -v debootstrap >/dev/null || give_up "Cannot find debootstrap: apt-get install debootstrap"

mounted() { # mounted KIND OPTIONS SOURCE TARGET
  [ -d "$4" ] || mkdir -p "$4"
  mount -t "$1" -o "$2" "$3" "$4"
  MOUNTS="$4 $MOUNTS"
}
debian() { # debian SUITE FOLDER [PACKAGES]: a Debian in a folder, unless it is there
  if [ ! -e "$2/etc/debian_version" ]; then
    debootstrap --variant=minbase ${3:+--include="$3"} "$1" "$2" \
      "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$SCRATCH/debootstrap.log" ||
      give_up "debootstrap failed: $(tail -n 3 "$SCRATCH/debootstrap.log")"
  fi
  cp /etc/resolv.conf "$2/etc/resolv.conf"
  say "Debian $(cat "$2/etc/debian_version")"
}
checkout() { # checkout FOLDER: the working tree's files
  rm -rf "$1"
  mkdir -p "$1"
  git ls-files -z --cached --others --exclude-standard |
    tar -c --null --files-from=- | tar -x -C "$1"
}
devices() { # devices FOLDER: what a container has of /proc and /dev
  mounted proc nosuid proc "$1/proc"
  mounted tmpfs mode=755 dev "$1/dev"
  for device in null:3 zero:5 random:8 urandom:9; do
    mknod -m 666 "$1/dev/${device%:*}" c 1 "${device#*:}"
  done
}
network() { # network FOLDER: variables of a proxy, and the certificates that it needs
  cp /etc/ssl/certs/ca-certificates.crt "$1/var/tmp/host.crt"
  env | grep -i '_proxy=\|^NPM_CONFIG\|^DENO_CERT\|^SSL_CERT\|^NODE_EXTRA' || true
  printf '%s\n' NODE_EXTRA_CA_CERTS=/var/tmp/host.crt DENO_CERT=/var/tmp/host.crt
}
