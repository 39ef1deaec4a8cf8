# Reading the results of the last runs, and the tables of docs/benchmarks.md. Sourced by ../report.sh.

# Name in the benches, what the table says.
OPERATIONS="
add                 add with the four-id check
lookup_by_sender    lookup by sender id
lookup_by_notifier  lookup by notifier id
lookup_by_link      lookup by link id
batch_by_notifier   batch of 100 notifier ids, per id
mix_80_10_10        mix of 80 % lookups, 10 % updates, 10 % adds with delete
add_with_log_none   add without a store log
add_with_log_memory add with a store log, not waited for
add_with_log_flush  add with a store log, flushed
add_with_log_fsync  add with a store log, synced to disk
replay              replay of a store log
ntf_add_subscription add a notification subscription
ntf_append          append a notification to its token's last
ntf_delete_token    delete a token with 10,000 subscriptions, per subscription
"
TRANSACTIONS="
increment           read and write four variables of the thread's own
increment_shared    read and write four variables that all threads use
sum                 read four variables
insert_and_remove   insert into a map of that size, then remove
"

# simplexmq's own figures (GHC 9.0.2, -O2, two cores, measured on like hardware):
# operation, queues, operations a second with one thread and with two.
SIMPLEXMQ="
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

rate() { # OPERATION STORE_THREADS QUEUES: operations a second by the median; nothing if not measured
  local folder="$RESULTS/$1/$2/$3/new" elements median
  [ -f "$folder/estimates.json" ] || return 0
  elements=$(sed -E 's/.*"Elements":([0-9]+).*/\1/' "$folder/benchmark.json")
  median=$(sed -E 's/.*"median":\{[^{]*\{[^}]*\},"point_estimate":([0-9.eE+-]+).*/\1/' "$folder/estimates.json")
  awk -v n="$elements" -v ns="$median" 'BEGIN { printf "%.0f", n * 1e9 / ns }'
}

simplexmq() { # OPERATION QUEUES THREADS
  awk -v op="$1" -v n="$2" -v t="$3" '$1 == op && $2 == n { print $(2 + t) }' <<<"$SIMPLEXMQ"
}

bytes() { # STORE SHAPE QUEUES: bytes a queue, then at the peak; nothing if not measured
  cat "$RESULTS/memory/$3".*.txt 2>/dev/null |
    awk -v store="$1" -v shape="$2" '$1 == store && $2 == shape { print $4, $5 }'
}

snapshots() { # QUEUES: the lines of both engines
  cat "$RESULTS/snapshot/$1".*.txt 2>/dev/null | awk -v n="$1" '$3 == n'
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
  echo "| operation | threads | ours, a second | ÷ reference engine | ÷ RwLock | ÷ DashMap | ÷ scc | ÷ simplexmq |"
  echo "|---|---|---|---|---|---|---|---|"
  while read -r operation title; do
    [ -n "$operation" ] || continue
    for threads in 1 2; do
      ours=$(rate "$operation" "stm_$threads" "$1")
      [ -n "$ours" ] || continue
      printf '| %s | %s | %s | %s | %s | %s | %s | %s |\n' "$title" "$threads" "$(count "$ours")" \
        "$(ratio "$ours" "$(rate "$operation" "stm_reference_$threads" "$1")")" \
        "$(ratio "$ours" "$(rate "$operation" "rwlock_$threads" "$1")")" \
        "$(ratio "$ours" "$(rate "$operation" "dashmap_$threads" "$1")")" \
        "$(ratio "$ours" "$(rate "$operation" "scc_$threads" "$1")")" \
        "$(ratio "$ours" "$(simplexmq "$operation" "$1" "$threads")")"
    done
  done <<<"$OPERATIONS"
}

transaction_table() { # QUEUES
  local operation title threads ours
  [ -d "$RESULTS/increment" ] || return 0
  printf '\n| small transaction | threads | ours, a second | ÷ reference engine | ÷ `stm` crate | ÷ `fast-stm` |\n'
  echo "|---|---|---|---|---|---|"
  while read -r operation title; do
    [ -n "$operation" ] || continue
    for threads in 1 2; do
      ours=$(rate "$operation" "stm_$threads" "$1")
      [ -n "$ours" ] || continue
      printf '| %s | %s | %s | %s | %s | %s |\n' "$title" "$threads" "$(count "$ours")" \
        "$(ratio "$ours" "$(rate "$operation" "stm_reference_$threads" "$1")")" \
        "$(ratio "$ours" "$(rate "$operation" "stm_crate_$threads" "$1")")" \
        "$(ratio "$ours" "$(rate "$operation" "fast_stm_$threads" "$1")")"
    done
  done <<<"$TRANSACTIONS"
}

snapshot_table() { # QUEUES
  [ -n "$(snapshots "$1")" ] || return 0
  printf '\n| snapshot of a map of that size | writers | median, µs | worst, µs | runs again in a million commits: without | with | commits a second after ÷ before | worst |\n'
  echo "|---|---|---|---|---|---|---|---|"
  snapshots "$1" | awk '
    BEGIN { name["stm"] = "ours"; name["stm_reference"] = "reference engine" }
    { printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", name[$1], $2, $4, $5, $6, $7, $9, $10 }'
}

memory_table() { # QUEUES
  local store title plain plain_peak full full_peak
  [ -n "$(bytes stm plain "$1")" ] || return 0
  printf '\n| memory, bytes | a plain queue | at the peak | a full queue | at the peak |\n'
  echo "|---|---|---|---|---|"
  while read -r store title; do
    read -r plain plain_peak <<<"$(bytes "$store" plain "$1")"
    read -r full full_peak <<<"$(bytes "$store" full "$1")"
    [ -n "$plain" ] || continue
    echo "| $title | $plain | $plain_peak | $full | $full_peak |"
  done <<'END'
stm ours
stm_replayed ours, after a replay
stm_reference reference engine
stm_reference_replayed reference engine, after a replay
rwlock RwLock
dashmap DashMap
scc scc
END
  # Measured elsewhere as its speeds; the peak is known for a million queues only.
  case "$1" in
    100000) echo "| simplexmq, after a replay | – | – | 4,000 | – |" ;;
    1000000) echo "| simplexmq, after a replay | – | – | 4,000 | 6,300 |" ;;
  esac
}
