#!/usr/bin/env bash
# Runs the benches, draws docs/benchmarks/*.svg and rewrites the tables in docs/benchmarks.md, between its two markers.
#
#   benches/report.sh [QUEUES…]           measure with these numbers of queues (10000 100000 1000000), then write
#   benches/report.sh --write [QUEUES…]   write from the last measurements
#
# CRITERION_OPTIONS goes to the benches that criterion runs: "--measurement-time 0.5" makes them shorter.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PAGE=docs/benchmarks.md
PLOTS=docs/benchmarks
BEGIN='<!-- begin: written by benches/report.sh -->'
END='<!-- end: written by benches/report.sh -->'
RESULTS="${CRITERION_HOME:-${CARGO_TARGET_DIR:-target}/criterion}"

# shellcheck source=report/tables.sh
. benches/report/tables.sh
# shellcheck source=report/targets.sh
. benches/report/targets.sh

measure() { # QUEUES
  export SIMPLEX_STORES_BENCH_QUEUES=$1
  measure_engine "$1" native queue_store journal ntf_store stm
  measure_engine "$1" reference queue_store stm --features reference-engine
}

measure_engine() { # QUEUES ENGINE BENCH… [--features FEATURE]
  local queues=$1 engine=$2 bench benches=() features=()
  shift 2
  while [ $# -gt 0 ]; do
    case "$1" in
      --features) features=("$1" "$2"); shift 2 ;;
      *) benches+=(--bench "$1"); shift ;;
    esac
  done
  echo "measuring with $queues queues on the $engine engine" >&2
  # shellcheck disable=SC2086 # several options
  cargo bench "${features[@]}" "${benches[@]}" -- --noplot ${CRITERION_OPTIONS:-}
  for bench in memory snapshot; do
    mkdir -p "$RESULTS/$bench"
    cargo bench "${features[@]}" --bench "$bench" | tee "$RESULTS/$bench/$queues.$engine.txt"
  done
}

plots() { # QUEUES…: one file for each operation of the queue store
  local operation title
  mkdir -p "$PLOTS"
  while read -r operation title; do
    [ -n "$operation" ] || continue
    points "$operation" "$@" | awk -v title="$title" -f benches/report/plot.awk >"$PLOTS/$operation.svg"
  done <<<"$(grep -E '^(add|lookup|batch|mix)[a-z0-9_]* ' <<<"$OPERATIONS" | grep -v ^add_with)"
}

points() { # OPERATION QUEUES…: store, threads, queues, operations a second
  local operation=$1 store threads queues rate
  shift
  for store in stm stm_reference rwlock dashmap scc; do
    for threads in 1 2; do
      for queues in "$@"; do
        rate=$(rate "$operation" "${store}_$threads" "$queues")
        [ -z "$rate" ] || echo "$store $threads $queues $rate"
      done
    done
  done
}

tables() { # QUEUES…
  local queues largest=1
  for queues in "$@"; do [ "$queues" -le "$largest" ] || largest=$queues; done
  printf '\nMeasured on %s, %s CPUs (%s), %s.\n' "$(date -I)" "$(nproc)" "$(cpu)" "$(rustc --version)"
  targets "$largest"
  for queues in "$@"; do
    printf '\n### %s queues\n\n' "$(count "$queues")"
    speed_table "$queues"
    transaction_table "$queues"
    snapshot_table "$queues"
    memory_table "$queues"
  done
  echo
}

cpu() {
  sed -nE 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1 | grep . || uname -m
}

write_page() { # QUEUES…
  local new
  grep -qxF -e "$BEGIN" "$PAGE" && grep -qxF -e "$END" "$PAGE" || {
    echo "$PAGE: the lines '$BEGIN' and '$END' must be there" >&2
    return 1
  }
  new=$(mktemp)
  tables "$@" >"$new"
  awk -v begin="$BEGIN" -v end="$END" -v new="$new" '
    $0 == end { off = 0 }
    !off { print }
    $0 == begin { off = 1; while ((getline line < new) > 0) print line }' "$PAGE" >"$new.page"
  cat "$new.page" >"$PAGE"
  rm -f "$new" "$new.page"
}

run=yes
if [ "${1:-}" = --write ]; then
  run=no
  shift
fi
[ $# -gt 0 ] || set -- 10000 100000 1000000
if [ "$run" = yes ]; then
  for queues in "$@"; do measure "$queues"; done
fi
write_page "$@"
plots "$@"
echo "$PAGE and $PLOTS are written" >&2
