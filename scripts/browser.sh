#!/usr/bin/env bash
# Makes sure that a Chromium is there for the browser tests.
set -euo pipefail
venv_python="$(dirname "$0")/../.venv/bin/python"

found() {
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" > /dev/null && return 0
  done
  "$venv_python" - <<'PY' 2> /dev/null
import sys
from pathlib import Path
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    sys.exit(not Path(p.chromium.executable_path).exists())
PY
}

found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing Chromium for the browser tests …"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium > /dev/null && found && exit 0
fi
"$venv_python" -m playwright install chromium && found && exit 0
echo "No Chromium for the browser tests: install one (Debian: apt-get install chromium) and run make test again." >&2
exit 1
