#!/usr/bin/env bash
# Everything that is checked before a change is taken, on a Debian machine with Rust.
# `./test.sh` runs all steps in order, `./test.sh STEP…` only those named, `./test.sh --help` lists them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
# Code under a model checker is compiled with another cfg: directories of their own keep the normal builds.
LOOM_TARGET_DIR="${CARGO_TARGET_DIR%/}-loom"
SHUTTLE_TARGET_DIR="${CARGO_TARGET_DIR%/}-shuttle"
if [ ! -t 1 ]; then
  export CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never
fi

STEPS=(setup fmt clippy features test test_lean sqlcipher reference benches examples doctest rustdoc loom shuttle)

# Debian packages: the command or file that shows that one is there, then the package. Later stores add lines here.
PACKAGES=(
  "cc build-essential"
  "pkg-config pkg-config"
  "/usr/include/openssl/crypto.h libssl-dev"
  "initdb postgresql"
)
# Programs that stand outside of PATH: Debian has a folder for each version of the server.
POSTGRESQL="/usr/lib/postgresql/*/bin"

step_setup() { # install what is missing: Debian packages, rustfmt and clippy
  local entry missing=()
  for entry in "${PACKAGES[@]}"; do
    installed "${entry%% *}" || missing+=("${entry#* }")
  done
  if [ "${#missing[@]}" -gt 0 ]; then
    echo "installing: ${missing[*]}"
    as_root apt-get update
    without_main_cluster env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
  fi
  if ! { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1; then
    rustup component add rustfmt clippy
  fi
}

step_fmt() { # every file is formatted
  cargo fmt --all --check
}

step_clippy() { # no warnings anywhere, with all features on either engine and with none
  cargo clippy --workspace --all-targets --features "$(features)" -- -D warnings
  cargo clippy --all-features -- -D warnings
  cargo clippy --workspace --all-targets --no-default-features -- -D warnings
}

step_features() { # the crate compiles with each feature alone, and never with a peer of the benches that deny.toml bans
  local feature tree
  tree=$(cargo tree --all-features --edges normal,build --prefix none)
  if grep '^fast-stm ' <<<"$tree"; then
    echo "fast-stm is for benches only: see deny.toml" >&2
    return 1
  fi
  for feature in $(manifest_features); do
    echo "feature $feature"
    cargo clippy --no-default-features --features "$feature" -- -D warnings
  done
}

step_test() { # all tests, all features
  run_tests --workspace --features "$(features)"
}

step_test_lean() { # the library's tests again, without features
  run_tests --no-default-features
}

step_sqlcipher() { # what runs on SQLite again on SQLCipher, and what only that can do
  run_tests --features testing,sqlcipher --test sqlite
  run_tests --features testing,postgres,sqlcipher --test agent_store messages::
}

step_reference() { # the laws, the semantics and the stores on the STM's other engine
  run_tests --features testing,reference-engine --lib --test stm_laws --test stm_semantics --test stm_stress --test queue_store --test ntf_store
}

step_benches() { # every bench runs once on few queues; nothing is timed
  cargo test --features "$(features)" --benches
}

step_examples() { # the example's race is caught, or it fails; under the model checkers it is one of their tests
  cargo run --quiet --features "$(features)" --example quota
}

step_doctest() { # the examples of the documentation
  cargo test --workspace --features "$(features)" --doc
}

step_rustdoc() { # the documentation builds without warnings
  RUSTDOCFLAGS="${RUSTDOCFLAGS:-} -D warnings" cargo doc -p simplex-stores --features "$(features)" --no-deps
}

step_loom() { # the races and the laws of the STM under the model checker, and the inside of the native engine
  loom_cargo test --release -p loom-tests
  CARGO_TARGET_DIR="${CARGO_TARGET_DIR%/}-native-loom" \
    RUSTFLAGS="${RUSTFLAGS:-} --cfg loom --cfg native_engine" cargo test --release -p loom-tests \
    --test stm_native --test stm_maps
}

step_shuttle() { # the same and larger programs, and the native engine's maps, in random schedules; SIMPLEX_STORES_SCHEDULES says how many
  shuttle_cargo test --release -p loom-tests
  CARGO_TARGET_DIR="${CARGO_TARGET_DIR%/}-native-shuttle" \
    RUSTFLAGS="${RUSTFLAGS:-} --cfg shuttle --cfg native_engine" cargo test --release -p loom-tests \
    --test random_maps
}

# ---- helpers ----

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "needs root or sudo: $*" >&2
    return 1
  fi
}

installed() {
  [ -e "$1" ] || command -v "$1" >/dev/null || compgen -G "$POSTGRESQL/$1" >/dev/null
}

without_main_cluster() { # runs a command as root; the server's package would make a cluster of the system's and start it
  local folder=/etc/postgresql-common/createcluster.d status=0
  local file=$folder/simplex-stores.conf
  as_root mkdir -p "$folder"
  echo "create_main_cluster = false" | as_root tee "$file" >/dev/null
  as_root "$@" || status=$?
  as_root rm -f "$file"
  return "$status"
}

manifest_features() { # the names under [features], except the default set
  awk '/^\[/ { on = ($0 == "[features]"); next }
       on && /^[A-Za-z0-9_-]+ *=/ && $1 != "default" { print $1 }' Cargo.toml
}

features() { # all but the other engine and the other SQLite, with commas
  manifest_features | grep -vxE "reference-engine|sqlcipher" | paste -sd,
}

run_tests() {
  if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run "$@"
  else
    cargo test "$@" --lib --bins --tests # doc tests have a step of their own
  fi
}

loom_cargo() {
  CARGO_TARGET_DIR="$LOOM_TARGET_DIR" RUSTFLAGS="${RUSTFLAGS:-} --cfg loom" cargo "$@"
}

shuttle_cargo() {
  CARGO_TARGET_DIR="$SHUTTLE_TARGET_DIR" RUSTFLAGS="${RUSTFLAGS:-} --cfg shuttle" cargo "$@"
}

usage() {
  echo "usage: ./test.sh [STEP…]      without a step: all of them, in this order"
  local name
  for name in "${STEPS[@]}"; do
    printf '  %-10s %s\n' "$name" "$(sed -n "s/^step_$name() { # //p" "${BASH_SOURCE[0]}")"
  done
}

running=""
summary=()

report() {
  local status=$? line
  [ "${#summary[@]}" -gt 0 ] || [ -n "$running" ] || return 0
  echo
  echo "summary"
  for line in "${summary[@]}"; do echo "  $line"; done
  if [ -n "$running" ]; then
    printf '  %-10s FAILED\n' "$running"
    echo "test.sh: step '$running' failed; run it alone with ./test.sh $running"
  elif [ "$status" -eq 0 ]; then
    echo "test.sh: all ${#summary[@]} steps passed in ${SECONDS} s"
  fi
}

run_step() {
  local started=$SECONDS took
  running=$1
  echo "== $1"
  "step_$1"
  took=$((SECONDS - started))
  echo "== $1: passed in $took s"
  summary+=("$(printf '%-10s passed  %4d s' "$1" "$took")")
  running=""
}

main() {
  local name
  for name in "$@"; do
    case "$name" in
      -h | --help | help) usage; return 0 ;;
    esac
    if ! declare -F "step_$name" >/dev/null; then
      echo "test.sh: no step '$name'" >&2
      usage >&2
      return 2
    fi
  done
  trap report EXIT
  [ $# -gt 0 ] || set -- "${STEPS[@]}"
  for name in "$@"; do run_step "$name"; done
}

main "$@"
