#!/usr/bin/env bash
# Renews requirements/*.txt from pyproject.toml: for every platform, with hashes, naming no package index.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v uv > /dev/null || { echo "make lock needs uv on the PATH" >&2; exit 1; }
compile() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
    --custom-compile-command "make lock" "$@"
}
compile pyproject.toml --group build --group dev --group bench --extra postgres --extra excel --extra oidc -o requirements/bench.txt "$@"
compile pyproject.toml --group build --group dev --extra postgres --extra excel --extra oidc -c requirements/bench.txt -o requirements/dev.txt
compile pyproject.toml --group build --extra postgres --extra excel --extra oidc -c requirements/bench.txt -o requirements/base.txt
# PyTorch itself is not locked: its wheel for CPUs differs from place to place, and it must not pull GPU packages
compile pyproject.toml --group build --group dev --group torch --extra postgres --extra excel --extra oidc --extra tensorflow --extra pyod \
  -c requirements/bench.txt -o requirements/extras.txt
compile --group node -o requirements/node.txt
