#!/usr/bin/env bash
# Runs the benches and rewrites the tables in docs/benchmarks.md, between its two markers.
#
#   benches/report.sh [QUEUES…]           measure with these numbers of queues (100000), then write
#   benches/report.sh --write [QUEUES…]   write the tables from the last measurements
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PAGE=docs/benchmarks.md
BEGIN='<!-- begin: written by benches/report.sh -->'
END='<!-- end: written by benches/report.sh -->'
RESULTS="${CRITERION_HOME:-${CARGO_TARGET_DIR:-target}/criterion}"

# Name in the benches, what the table says.
OPERATIONS="
add                 add with the four-id check
lookup_by_sender    lookup by sender id
lookup_by_notifier  lookup by notifier id
batch_by_notifier   batch of 100 notifier ids, per id
mix_80_10_10        mix of 80 % lookups, 10 % updates, 10 % adds with delete
add_with_log_memory add with a store log, not waited for
add_with_log_flush  add with a store log, flushed
add_with_log_fsync  add with a store log, synced to disk
replay              replay of a store log
ntf_add_subscription add a notification subscription
ntf_append          append a notification to its token's last
ntf_delete_token    delete a token with 10,000 subscriptions, per subscription
"

# The reference implementation's own figures (GHC 9.0.2, -O2, two cores, measured on like hardware):
# operation, queues, operations a second with one thread and with two.
REFERENCE="
add                100000   94000 112000
add                1000000  38500  56000
lookup_by_sender   100000  456000 865000
lookup_by_sender   1000000 195000 446000
lookup_by_notifier 100000  402000 732000
lookup_by_notifier 1000000 212000 447000
batch_by_notifier  100000  520000 923000
batch_by_notifier  1000000 181000 511000
mix_80_10_10       100000  272000 467000
mix_80_10_10       1000000 151000 264000
add_with_log_flush 100000   38500  43800
add_with_log_flush 1000000  22500  23500
replay             100000   25200
replay             1000000  14700
ntf_add_subscription 100000  127000 162000
ntf_add_subscription 1000000  52300  80300
"

measure() { # QUEUES
  echo "measuring with $1 queues" >&2
  SIMPLEX_STORES_BENCH_QUEUES=$1 cargo bench --bench queue_store --bench journal --bench ntf_store -- --noplot
  mkdir -p "$RESULTS/memory"
  SIMPLEX_STORES_BENCH_QUEUES=$1 cargo bench --bench memory | tee "$RESULTS/memory/$1.txt"
}

rate() { # OPERATION STORE_THREADS QUEUES: operations a second by the median; nothing if not measured
  local folder="$RESULTS/$1/$2/$3/new" elements median
  [ -f "$folder/estimates.json" ] || return 0
  elements=$(sed -E 's/.*"Elements":([0-9]+).*/\1/' "$folder/benchmark.json")
  median=$(sed -E 's/.*"median":\{[^{]*\{[^}]*\},"point_estimate":([0-9.eE+-]+).*/\1/' "$folder/estimates.json")
  awk -v n="$elements" -v ns="$median" 'BEGIN { printf "%.0f", n * 1e9 / ns }'
}

reference() { # OPERATION QUEUES THREADS
  awk -v op="$1" -v n="$2" -v t="$3" '$1 == op && $2 == n { print $(2 + t) }' <<<"$REFERENCE"
}

count() { # a number to three digits, with commas
  awk -v x="$1" 'BEGIN {
    unit = 1; while (x / unit >= 1000) unit *= 10
    text = sprintf("%.0f", int(x / unit + 0.5) * unit)
    while (match(text, /[0-9][0-9][0-9][0-9](,|$)/))
      text = substr(text, 1, RSTART) "," substr(text, RSTART + 1)
    print text
  }'
}

ratio() { # a ratio to two digits, or a dash when one of the two is missing
  if [ -z "$1" ] || [ -z "$2" ]; then echo "–"; return; fi
  awk -v a="$1" -v b="$2" 'BEGIN { r = a / b; printf (r >= 10 ? "%.0f\n" : r >= 1 ? "%.1f\n" : "%.2f\n"), r }'
}

speed_table() { # QUEUES
  local operation title threads ours
  echo "| operation | threads | ours, a second | ours ÷ RwLock | ours ÷ DashMap | ours ÷ reference |"
  echo "|---|---|---|---|---|---|"
  while read -r operation title; do
    [ -n "$operation" ] || continue
    for threads in 1 2; do
      ours=$(rate "$operation" "stm_$threads" "$1")
      [ -n "$ours" ] || continue
      printf '| %s | %s | %s | %s | %s | %s |\n' "$title" "$threads" "$(count "$ours")" \
        "$(ratio "$ours" "$(rate "$operation" "rwlock_$threads" "$1")")" \
        "$(ratio "$ours" "$(rate "$operation" "dashmap_$threads" "$1")")" \
        "$(ratio "$ours" "$(reference "$operation" "$1" "$threads")")"
    done
  done <<<"$OPERATIONS"
}

memory_table() { # QUEUES
  local file="$RESULTS/memory/$1.txt"
  [ -f "$file" ] || return 0
  echo
  echo "| memory | bytes a queue | at the peak |"
  echo "|---|---|---|"
  awk '
    BEGIN {
      name["stm"] = "ours"; name["stm_replayed"] = "ours, after a replay"
      name["rwlock"] = "RwLock"; name["dashmap"] = "DashMap"
    }
    $1 in name { print "| " name[$1] " | " $3 " | " $4 " |" }' "$file"
  # Measured elsewhere as the speeds above; the peak is known for a million queues only.
  case "$1" in
    100000) echo "| the reference, after a replay | 4,000 | – |" ;;
    1000000) echo "| the reference, after a replay | 4,000 | 6,300 |" ;;
  esac
}

tables() { # QUEUES…
  local queues
  echo
  echo "Measured on $(date -I), $(nproc) CPUs ($(cpu)), $(rustc --version)."
  for queues in "$@"; do
    printf '\n### %s queues\n\n' "$(count "$queues")"
    speed_table "$queues"
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
[ $# -gt 0 ] || set -- 100000
if [ "$run" = yes ]; then
  for queues in "$@"; do measure "$queues"; done
fi
write_page "$@"
echo "$PAGE is written" >&2
