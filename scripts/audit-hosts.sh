#!/usr/bin/env bash
# Fails if a committed file names a package registry: where packages come from is the machine's setting.
set -euo pipefail
cd "$(dirname "$0")/.."

# Brackets keep the patterns from finding themselves.
patterns=(
  'pyp[i]\.org' 'pythonhoste[d]\.org' 'npmj[s]\.(org|com)' 'proxy\.golan[g]\.org' 'crate[s]\.io/api'
  'https?://[^ ]*/simpl[e](/|$)' '(extra-)?inde[x]-url *=' 'default-inde[x] *=' 'find-link[s] *='
)
# The registries of this machine, whatever they are called; a name without a dot (localhost) says nothing.
settings=$(env | grep -E '^(PIP|UV|NPM_CONFIG)_.*=.*://' || true)
settings+=$'\n'$(python3 -m pip config list 2>/dev/null || true)
while read -r host; do
  case $host in *.*) patterns+=("$(sed -E 's/[][\\.^$*+?(){}|]/\\&/g' <<<"$host")") ;; esac
done < <(grep -oE '://[^/ "'\'']+' <<<"$settings" | sed -E 's#^://([^@]*@)?##; s/:[0-9]+$//' | sort -u)

# 1 is none found. What is above could not look, and that is no leave.
lines() { git grep -n "$@" || [ $? -eq 1 ]; }
found=$(lines -IE "$(IFS='|'; echo "${patterns[*]}")" -- .)
found+=$(lines '://' -- requirements.lock)
if [ -n "$found" ]; then
  echo "these lines name a package registry:" >&2
  echo "$found" >&2
  exit 1
fi
echo "no committed file names a package registry"
