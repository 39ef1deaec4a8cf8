# The table of targets in docs/benchmarks.md: what was measured beside each. Sourced by ../report.sh.

targets() { # QUEUES
  printf '\n### Targets, at %s queues\n\n' "$(count "$1")"
  echo "| what | target | measured | |"
  echo "|---|---|---|---|"
  speed_targets "$1"
  transaction_targets "$1"
  snapshot_targets "$1"
  memory_target "$1"
  journal_targets "$1"
}

target() { # WHAT TARGET-TEXT at-least|under LIMIT VALUE [MEASURED-TEXT]
  local verdict
  if [ -z "$5" ]; then
    echo "| $1 | $2 | not measured | **not met** |"
    return
  fi
  verdict=$(awk -v kind="$3" -v limit="$4" -v value="$5" 'BEGIN {
    met = kind == "under" ? value < limit : value >= limit
    print met ? "met" : "**not met**" }')
  echo "| $1 | $2 | ${6:-$5} | $verdict |"
}

quotient() { # A B: unrounded; nothing when one of the two is missing
  [ -n "$1" ] && [ -n "$2" ] || return 0
  awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", a / b }'
}

against() { # WHAT OPERATION STORE THREADS QUEUES LIMIT PEER-TEXT
  local value
  value=$(quotient "$(rate "$2" "stm_$4" "$5")" "$(rate "$2" "$3_$4" "$5")")
  target "$1, $(threads_text "$4")" "at least $6 × $7" at-least "$6" "$value" "$(times "$value")"
}

threads_text() {
  if [ "$1" = 1 ]; then echo "1 thread"; else echo "$1 threads"; fi
}

times() { # a quotient to two digits
  [ -z "$1" ] || awk -v r="$1" 'BEGIN { printf (r >= 10 ? "%.0f ×" : r >= 1 ? "%.1f ×" : "%.2f ×"), r }'
}

speed_targets() { # QUEUES
  local threads id
  for threads in 1 2; do
    against "adding a queue with the four-id check" add stm_reference "$threads" "$1" 12 "the reference engine"
  done
  against "adding a queue with the four-id check" add rwlock 1 "$1" 0.9 "one RwLock around std maps"
  against "adding a queue with the four-id check" add rwlock 2 "$1" 1.5 "one RwLock around std maps"
  for id in sender notifier link; do
    for threads in 1 2; do
      against "lookup by $id id" "lookup_by_$id" dashmap "$threads" "$1" 0.8 DashMap
    done
  done
  for threads in 1 2; do
    against "80/10/10 mix" mix_80_10_10 stm_reference "$threads" "$1" 10 "the reference engine"
  done
}

transaction_targets() { # QUEUES
  local threads what="4 read-modify-writes in a transaction"
  for threads in 1 2; do
    against "$what" increment stm_crate "$threads" "$1" 2 'the `stm` crate'
    against "$what" increment fast_stm "$threads" "$1" 1.7 '`fast-stm`'
  done
}

snapshot_targets() { # QUEUES
  local engine writers entries median worst without with rate ratio rest what more
  while read -r engine writers entries median worst without with rate ratio rest; do
    [ "$engine" = stm ] || continue
    what="whole-map snapshot beside $writers writer$([ "$writers" = 1 ] || echo s)"
    target "$what" "under 100 µs at the median" under 100 "$median" "$median µs, at worst $worst µs"
    more=$(awk -v a="$with" -v b="$without" 'BEGIN { print a - b }')
    target "$what: aborts of writers" "none" under 0.05 "$more" "$with in a million commits, without snapshots $without"
    target "$what: their throughput in the second after" "at least 0.8 × that before" at-least 0.8 "$ratio" "$ratio ×"
  done <<<"$(snapshots "$1")"
}

memory_target() { # QUEUES
  local bytes
  read -r bytes _ <<<"$(bytes stm plain "$1")"
  target "a queue (four ids, one 44-byte key, notifier)" "under 900 bytes" under 900 "$bytes" "$bytes bytes"
}

journal_targets() { # QUEUES
  local value threads replay
  replay=$(rate replay stm_1 "$1")
  value=$(quotient "$replay" "$(rate replay parsing_1 "$1")")
  target "replay of a store log" "at least 0.5 × parsing alone" at-least 0.5 "$value" \
    "$(times "$value"), $(count "${replay:-0}") records a second"
  for threads in 1 2; do
    value=$(quotient "$(rate add_with_log_flush "stm_$threads" "$1")" "$(rate add_with_log_none "stm_$threads" "$1")")
    target "adding with a journal, flushed, $(threads_text "$threads")" "at least 0.4 × adding without one" \
      at-least 0.4 "$value" "$(times "$value")"
  done
}
