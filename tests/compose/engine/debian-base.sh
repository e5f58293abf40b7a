#!/bin/bash
# debian-base.sh SUITE TAG [DEBIAN_PACKAGE ...]: a minimal Debian image with the packages named, imported under TAG.
# It stands in for an image that cannot be pulled. What was fetched is kept in $DEBIAN_BASES, when that is set, and used
# again for a day.
set -euo pipefail
SUITE=$1 TAG=$2; shift 2
SOURCES=/etc/apt/sources.list.d/debian.sources; [ -e "$SOURCES" ] || SOURCES=/etc/apt/sources.list
PACKAGES=$(IFS=,; echo "ca-certificates${*:+,$*}")
KEPT=${DEBIAN_BASES:-$(mktemp -d)}/$SUITE-$(echo "$PACKAGES" | md5sum | cut -c1-12).tar
mkdir -p "$(dirname "$KEPT")"
if [ -z "$(find "$KEPT" -mtime -1 2>/dev/null)" ]; then
  OWN=$(mktemp --suffix=".${SOURCES##*.}")
  sed "s/\b$(. /etc/os-release; echo "$VERSION_CODENAME")\b/$SUITE/g" "$SOURCES" > "$OWN"
  mmdebstrap --quiet --variant=minbase --include="$PACKAGES" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='cp /usr/local/share/ca-certificates/*.crt "$1"/usr/local/share/ca-certificates/ 2>/dev/null || true; chroot "$1" update-ca-certificates >/dev/null 2>&1' \
    --customize-hook='rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED; [ ! -e "$1"/usr/bin/python3 ] || ln -sf python3 "$1"/usr/bin/python' \
    "$SUITE" "$KEPT.part" "$OWN" --format=tar
  mv "$KEPT.part" "$KEPT"
fi
docker import -c 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PIP_CERT=/etc/ssl/certs/ca-certificates.crt' "$KEPT" "$TAG" >/dev/null
[ -n "${DEBIAN_BASES:-}" ] || rm -r "$(dirname "$KEPT")"
