#!/bin/sh
# Bundles entry.mjs with Preact and htm from npm as preact.js, and copies their licenses.
set -eu
cd "$(dirname "$0")"
PREACT=11.2.0 HTM=3.1.1 ESBUILD=0.28.2
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
npm install --silent --ignore-scripts --prefix "$packages" "preact@$PREACT" "htm@$HTM"
banner="/*! Preact $PREACT (MIT), htm $HTM (Apache-2.0). See LICENSE-preact, LICENSE-htm and README.md. */"
NODE_PATH="$packages/node_modules" npx --yes "esbuild@$ESBUILD" entry.mjs --log-level=warning \
  --bundle --minify --format=esm --target=es2022 --banner:js="$banner" --outfile=preact.js
cp "$packages/node_modules/preact/LICENSE" LICENSE-preact
cp "$packages/node_modules/htm/LICENSE" LICENSE-htm
