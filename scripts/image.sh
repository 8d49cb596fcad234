#!/usr/bin/env bash
# Builds the container image with whichever builder is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
tag="${TAG:-pynomaly:latest}"
if docker info > /dev/null 2>&1; then exec docker build -f deploy/Dockerfile -t "$tag" .
elif command -v podman > /dev/null; then exec podman build -f deploy/Dockerfile -t "$tag" .
elif command -v buildah > /dev/null; then exec buildah bud ${BUILDAH_FLAGS:-} -f deploy/Dockerfile -t "$tag" .
fi
echo "make image needs docker, podman or buildah" >&2
exit 1
