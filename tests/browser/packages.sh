#!/bin/sh
# What the browser tests run from: their files and the npm packages of package-lock.json, in the build tree's folder
# `browser`, so that no node_modules comes into the sources. Packages are fetched only when the lock file has changed.
set -eu
from=$CLAWWS_SOURCE_DIR/tests/browser
to=$CLAWWS_BINARY_DIR/browser
mkdir -p "$to"
rm -rf "$to"/*.mjs "$to/support" "$to/vite_page" "$to"/vite-*
cp -R "$from"/*.mjs "$from/support" "$from/vite_page" "$from/package.json" "$from/.npmrc" "$to"
if [ ! -d "$to/node_modules" ] || ! cmp -s "$from/package-lock.json" "$to/package-lock.json"; then
  rm -f "$to/package-lock.json"
  cp "$from/package-lock.json" "$to/package-lock.json.new"
  cd "$to"
  mv package-lock.json.new package-lock.json
  # No package's own script runs, so nothing fetches a browser or anything else.
  npm ci --ignore-scripts || { rm -f package-lock.json; exit 1; }
fi
