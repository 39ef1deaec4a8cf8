#!/usr/bin/env bash
# Runs every loom test and writes anew how many executions each took, the steps of the witnesses in
# docs/races/steps/, and what docs/races/ makes of both. Look at the difference before keeping it: a number that fell is a scenario that has lost
# interleavings.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

target="${CARGO_TARGET_DIR:-$PWD/../target}"
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT

UPDATE_EXECUTIONS="$counts" UPDATE_STEPS=1 CARGO_TARGET_DIR="${target%/}-loom" \
  RUSTFLAGS="${RUSTFLAGS:-} --cfg loom" cargo test -p loom-tests --release
UPDATE_EXECUTIONS="$counts" CARGO_TARGET_DIR="${target%/}-native-loom" \
  RUSTFLAGS="${RUSTFLAGS:-} --cfg loom --cfg native_engine" cargo test -p loom-tests --release --test stm_native \
  --test stm_maps
LC_ALL=C sort "$counts" > executions.tsv
UPDATE_RACES=1 cargo test -p simplex-stores --test races_docs # the pictures and tables that are made from them
../docs/update-claims.sh races # only the sum
git --no-pager diff --stat -- executions.tsv ../docs/races ../docs/claims.md
