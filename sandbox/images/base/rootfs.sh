#!/bin/bash
# Makes the base image's file system: a small Debian or Ubuntu by debootstrap, as a tar file.
# usage (root): rootfs.sh <suite> <mirror> <components> <packages to add, or ''> <folder to lay over it> <tar file>
set -euo pipefail

# In a mount namespace of its own, so that debootstrap's mounts and the tmpfs end with us however we end.
if [ "${1-}" != --inside ] && unshare --mount true 2>/dev/null; then
  exec unshare --mount --propagation private bash "$0" --inside "$@"
fi
[ "${1-}" = --inside ] && inside=1 && shift || inside=
suite=$1 mirror=$2 components=$3 packages=$4 overlay=$5 out=$6

root=$(mktemp -d)
trap '[ -z "$inside" ] || umount -R "$root" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT

# dpkg syncs after every step: in memory that costs nothing (half the time is saved), where there is memory enough.
available_kb=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
if [ -n "$inside" ] && [ "$available_kb" -gt 1500000 ]; then
  mount -t tmpfs -o size=1g,mode=755 tmpfs "$root" || true
fi
chmod 755 "$root"

# Laid down first, so that dpkg already keeps to it while it unpacks.
cp -r "$overlay/." "$root/"
debootstrap --variant=minbase --components="$components" ${packages:+--include="$packages"} "$suite" "$root" "$mirror"
cp -r "$overlay/." "$root/"

# Packages that apt in the builds cannot do without are in; what no container needs goes.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/var/cache/debconf/*-old \
  "$root"/usr/share/{doc,man,info,locale}/* "$root"/tmp/*
mkdir -p "$root"/var/cache/apt/archives/partial "$root"/var/lib/apt/lists/partial "$root"/var/log/apt
# The host's name and resolver were copied in; a container gets its own.
: >"$root/etc/resolv.conf"
echo localhost >"$root/etc/hostname"

tar --numeric-owner --one-file-system -C "$root" -cf "$out" .
