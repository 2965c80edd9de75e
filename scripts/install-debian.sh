#!/usr/bin/env bash
# Installs the Debian packages named, without starting any service; says plainly what is missing where it may not.
set -euo pipefail
[ $# -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null || ! { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }; then
  echo "missing: $*" >&2
  echo "install with: sudo apt-get install --no-install-recommends $*" >&2
  exit 1
fi

# Debian starts a server as soon as it is installed, unless this file says no. An existing one is left as it is.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
fi

echo "installing: $*"
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null >/dev/null
}
apt update
apt install -y --no-install-recommends "$@"
