#!/usr/bin/env bash
# Runs what docs/claims.md claims, and writes it anew: docs/update-claims.sh [--release] [CLAIM…]
# Without names all are run; with names the other rows stay as they are (`races` runs nothing: it sums a table). How much is run is set by the variables that
# the tests read (SIMPLEX_STORES_KILLS, …_HISTORIES, …_MODEL_RUNS, …_FUZZ_INPUTS, …_SUBSETS, …_PROGRAMS, …_SCHEDULES, …_IMPORT_QUEUES); the defaults are short. Long campaigns want --release:
#   SIMPLEX_STORES_FUZZ_INPUTS=10000000 docs/update-claims.sh --release parsers logs
#   SIMPLEX_STORES_KILLS=500 docs/update-claims.sh --release kills_fsync kills_flush kills_memory
#   SIMPLEX_STORES_KILLS=300 docs/update-claims.sh --release agent_kills_sqlite agent_kills_postgres
# A row is written only after its tests passed with that count.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PAGE=docs/claims.md
OLD=$(cat "$PAGE" 2>/dev/null || true)
PROFILE=()
if [ "${1:-}" = --release ]; then
  PROFILE=(--release)
  shift
fi
WANTED=" $* "
ROWS=""

claims() {
  # name, binary, test, its variable (or -), default (or: the test prints what it counts), operations in each, unit, unit of operations, claim
  claim sequences queue_store state_machine::store_answers_and_restarts_like_the_sequential_model \
    SIMPLEX_STORES_MODEL_RUNS 300 - "sequences of up to 119 operations" "" \
    "under clean restarts at random places, sequences of random operations satisfy the sequential model: each answer, and the state after each restart"
  claim contract queue_store linearizability::the_store_keeps_the_contract \
    - 100 100 sequences "operations" \
    "without faults, sequences of random operations satisfy the sequential model, and as many histories of three threads it too"
  claim histories queue_store linearizability::concurrent_histories_are_linearizable \
    SIMPLEX_STORES_HISTORIES 400 21 histories "concurrent operations" \
    "without faults, histories of three threads with seven random operations each are linearizable to the sequential model"
  claim order queue_store concurrency::concurrent_operations_keep_the_invariants_and_the_journal_explains_the_state \
    - 2 6000 "histories, with \`Memory\` and with \`Flush\`" "concurrent operations" \
    "without faults, histories of four threads with 1,500 random operations each keep all invariants, and a replay of the journal gives the store's state"
  claim ntf_strict ntf_store state_machine::a_strict_store_answers_like_the_model_and_stays_sound \
    SIMPLEX_STORES_MODEL_RUNS 300 - "sequences of up to 119 operations" "" \
    "without faults, sequences of random operations on a notification server's store satisfy the sequential model: each answer, all maps after each operation, and all invariants"
  claim ntf_reference ntf_store state_machine::a_reference_store_answers_like_the_model \
    SIMPLEX_STORES_MODEL_RUNS 300 - "sequences of up to 119 operations" "" \
    "the same under \`Reference\`, without the invariants"
  claim ntf_both ntf_store state_machine::on_what_a_server_does_both_semantics_answer_alike \
    SIMPLEX_STORES_MODEL_RUNS 300 - "sequences of up to 119 operations" "" \
    "without faults, sequences of random operations that keep a notification server's rules get the same answers under both semantics"
  claim ntf_histories ntf_store linearizability::concurrent_histories_of_a_strict_store_are_linearizable \
    SIMPLEX_STORES_HISTORIES 400 21 histories "concurrent operations" \
    "without faults, histories of three threads with seven random operations each on a notification server's store are linearizable to the sequential model"
  claim ntf_histories_reference ntf_store linearizability::concurrent_histories_of_a_reference_store_are_linearizable \
    SIMPLEX_STORES_HISTORIES 400 21 histories "concurrent operations" "the same under \`Reference\`"
  claim ntf_account ntf_store concurrency::what_was_put_in_is_in_the_store_or_was_given_back_once \
    - 1 6000 "history" "concurrent operations" \
    "without faults, a history of four threads with 1,500 random operations each on a notification server's store keeps all invariants, and each token and subscription that was put in is in the store or was given back once"
  claim transactions stm_stress histories::random_histories_are_strictly_serializable \
    - printed - "" "" \
    "without faults, histories of four threads with fifteen random transactions each over variables, a map and a set (branches, aborts, removals and whole snapshots among them) are strictly serializable, checked for cycles of whole transactions"
  claim semantics stm_semantics sequential::random_programs_give_the_answers_and_the_heap_of_the_semantics \
    SIMPLEX_STORES_PROGRAMS 4000 - "programs of up to five transactions" "" \
    "random programs, with branches, caught parts and operations of maps nested to a depth of four, get the answers that the published semantics of STM gives them, and leave its heap after each transaction"
  claim semantics_threads stm_semantics concurrent::random_threads_come_to_an_outcome_of_the_semantics \
    SIMPLEX_STORES_PROGRAMS 300 3 programs "runs" \
    "random programs of two or three threads, with transactions that wait for other threads, end, and come to an outcome that the published semantics has in some order of the transactions"
  claim kills_fsync queue_store crash::killed_process_keeps_everything_acknowledged_with_fsync \
    SIMPLEX_STORES_KILLS 50 - kills "" \
    "under kills of the process at random moments, with \`Fsync\`, histories of three threads that add, secure, associate and delete keep everything acknowledged and all invariants"
  claim kills_flush queue_store crash::killed_process_keeps_everything_acknowledged_with_flush \
    SIMPLEX_STORES_KILLS 10 - kills "" "the same with \`Flush\`"
  claim kills_memory queue_store crash::killed_process_keeps_a_beginning_of_each_threads_work_without_durability \
    SIMPLEX_STORES_KILLS 10 - kills "" \
    "the same with \`Memory\`, where a beginning of each thread's work is kept"
  claim parsers formats fuzzing::every_entry_point_stands_damaged_input \
    SIMPLEX_STORES_FUZZ_INPUTS 20000 10 inputs "calls" \
    "under seeded damage, valid lines, columns and keys given to each of the ten entry points end in a value or an error, and what each of them checks holds"
  claim logs store_log fuzzing::whole_logs_with_damage_are_accounted_for_and_compacted_once \
    SIMPLEX_STORES_FUZZ_INPUTS 1000 2 logs "replays" \
    "under seeded damage, logs of up to eleven records satisfy what the replay's entry point checks; each is replayed whole and damaged"
  claim pending_sequences ntf_store pending_model::the_store_answers_and_restarts_like_the_sequential_model \
    SIMPLEX_STORES_MODEL_RUNS 300 2 "sequences of up to 119 operations" "runs" \
    "under saves and restores at random places, sequences of random operations on the pending notifications satisfy the sequential model under both semantics"
  claim pending_histories ntf_store pending_concurrency::race63_race65_concurrent_histories_are_linearizable \
    SIMPLEX_STORES_HISTORIES 400 21 histories "concurrent operations" \
    "without faults, histories of three threads with seven random operations each on the pending notifications are linearizable to the sequential model, half of them under each semantics"
  claim pending_files ntf_store pending_hostile::seeded_damage_is_accounted_for \
    SIMPLEX_STORES_FUZZ_INPUTS 2000 2 files "restores" \
    "under seeded damage, files of five pending notifications are restored with every line taken, or told with its number and offset, or refused under \`Reference\`"
  claim flips store_log bit_flips::every_flipped_bit_of_a_log_alone_gives_a_record_or_is_told \
    - printed - "" "" \
    "under each single flipped bit of a log with every kind of record, both semantics and each \`OnDamage\`, a start gives the records of the lines that can be read and tells each other line with its offset, or is refused with the offset and changes nothing"
  claim flips_sidecar store_log bit_flips::every_flipped_bit_of_a_log_with_a_sidecar_is_proven \
    - printed - "" "" \
    "the same with an integrity sidecar, which proves each flip: refused with the offset, or with \`Skip\` set aside"
  claim flips_in_sidecar store_log bit_flips::every_flipped_bit_of_a_sidecar_costs_its_proof_and_nothing_else \
    - printed - "" "" \
    "under each single flipped bit of a sidecar, a start accuses nothing and loses nothing"
  claim flips_snapshot store_log bit_flips::every_flipped_bit_of_a_stores_snapshot_is_refused \
    - printed - "" "" \
    "under each single flipped bit of a store's snapshot, loading is refused"
  claim cuts store_log bit_flips::a_log_cut_at_every_byte_is_a_prefix_and_the_rest_is_told \
    - printed - "" "" \
    "cut at each byte, with and without a sidecar, a log with every kind of record is the exact prefix, its torn end told; with a sidecar what is missing is proven"
  claim power store_log power_losses::cr12_any_subset_of_unsynced_writes_may_be_lost \
    - printed - "" "" \
    "under a power loss at each step of starts, appends and closes, with each durability, with each subset of unsynced appends, cuts and name changes lost and the last append whole or torn, a restart finds the records of a beginning of the workload, all acknowledged with \`Fsync\` among them; without \`Fsync\` it may be refused with the offset where that beginning ends"
  claim failures store_log power_losses::race3_any_operation_may_fail_once \
    - printed - "" "" \
    "under ENOSPC, EIO, a short write or a success reported as EIO in each single file operation of the same workloads, a restart finds the same"
  claim transfers postgres transfer_campaign::pg16_many_queues_come_back_as_the_store_in_memory_has_them \
    SIMPLEX_STORES_IMPORT_QUEUES 10000 - "queues, imported twice and exported" "" \
    "without faults, a journal of random queues and services comes back from a database byte for byte as the store in memory compacts it, with the same counts and hashes of services"
  claim pg_cached postgres store::contract::cached_it_keeps_the_contract \
    SIMPLEX_STORES_HISTORIES 25 100 "sequences, and as many histories of three threads" "operations of the former" \
    "without faults, sequences of random operations on the store in PostgreSQL satisfy the sequential model, and histories of three threads it too, with a cache"
  claim pg_uncached postgres store::contract::uncached_it_keeps_the_contract \
    SIMPLEX_STORES_HISTORIES 25 100 "sequences, and as many histories of three threads" "operations of the former" \
    "the same without a cache"
  claim pg_processes postgres store::contract::among_several_processes_it_keeps_the_contract \
    SIMPLEX_STORES_HISTORIES 25 100 "sequences, and as many histories of three threads" "operations of the former" \
    "the same with a cache that others are told about"
  claim pg_differs postgres differential::under_reference_it_differs_as_documented_and_each_difference_is_met \
    SIMPLEX_STORES_HISTORIES 25 - sequences "" \
    "without faults, sequences of random operations get the same answers in PostgreSQL and in memory under \`Reference\`, but for the documented differences, each of which is met"
  claim agent_kills_sqlite agent_reliability kills::a_killed_process_leaves_a_sqlite_file_whole \
    - printed - "" "" \
    "under kills of the process at random moments, histories of two threads of random transactions in all areas of an agent's store in a SQLite file leave it exactly as the transactions that returned made it, with each that had begun whole or not at all, and its check finds nothing"
  claim agent_kills_postgres agent_reliability kills::a_killed_process_leaves_a_postgresql_database_whole \
    - printed - "" "" \
    "the same in a PostgreSQL database"
  claim agent_crashes agent_reliability kills::a_server_that_crashes_leaves_the_database_whole \
    - printed - "" "" \
    "the same when the server stops as in a crash, where a transaction that is told to have changed nothing is not there"
  claim agent_strict agent_properties agree::under_strict_both_databases_agree_and_hold_together \
    SIMPLEX_STORES_HISTORIES 30 - "histories of about 75 operations" "" \
    "without faults, histories of random operations of an agent, in transactions of which some are taken back, get the same answers in SQLite and in PostgreSQL, leave the same rows in all tables, and what a check finds then is explained by an operation"
  claim agent_reference agent_properties agree::under_reference_both_databases_differ_only_as_documented \
    SIMPLEX_STORES_HISTORIES 30 - "histories of about 75 operations" "" \
    "the same under \`Reference\`, but for the two documented differences"
}

wanted() { [ "$WANTED" = "  " ] || [[ "$WANTED" == *" $1 "* ]]; }

grouped() { sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta' <<<"$1"; }

kept() { # the rows of the page as it was that begin so
  local rows
  rows=$(grep -E "^$1" <<<"$OLD" || true)
  if [ -n "$rows" ]; then ROWS+="$rows"$'\n'; fi
}

claim() {
  local name=$1 binary=$2 test=$3 variable=$4 count=$5 each=$6 unit=$7 operations=$8 text=$9
  if ! wanted "$name"; then
    kept "\| $name \|"
    return
  fi
  [ "$variable" = - ] || count=${!variable:-$count}
  echo "$name${unit:+: $count $unit}"
  local setting=() features=testing
  [ "$binary" != postgres ] || features+=,postgres
  [ "$binary" != agent_reliability ] || features+=,postgres,sqlite
  [ "$binary" != agent_properties ] || features+=,postgres,sqlite
  [ "$variable" = - ] || setting=("$variable=$count")
  env "${setting[@]}" cargo test -q "${PROFILE[@]}" --features "$features" --test "$binary" -- --exact "$test" --nocapture | tee "$LOG"
  grep -qE 'test result: ok\. [1-9]' "$LOG" || { echo "$name: no test ran" >&2; return 1; }
  local last
  if [ "$count" = printed ]; then
    last=$(sed -n 's/^.*claim: //p' "$LOG" | sed -E ':a; s/([0-9])([0-9]{3})([^0-9]|$)/\1,\2\3/; ta')
    [ -n "$last" ] || { echo "$name: the test printed no count" >&2; return 1; }
  else
    last="$(grouped "$count") $unit"
  fi
  [ "$each" = - ] || last+=", $(grouped $((count * each))) $operations"
  local file=${test%::*}
  file=tests/$binary/${file//:://}
  if [ -e "$file.rs" ]; then file+=.rs; else file+=/mod.rs; fi
  ROWS+="| $name | $text | \`$file::${test##*::}\` | $last |"$'\n'
}

# Everything in loom-tests in random schedules: what loom explores too, and the programs that it can't.
schedules() {
  if ! wanted schedules; then
    kept '\| (schedules|programs) \|'
    return
  fi
  local counts=$LOG.counts target
  target="${CARGO_TARGET_DIR:-$PWD/target}"
  : > "$counts"
  echo "schedules: ${SIMPLEX_STORES_SCHEDULES:-as many as each test says}"
  UPDATE_EXECUTIONS="$counts" CARGO_TARGET_DIR="${target%/}-shuttle" RUSTFLAGS="${RUSTFLAGS:-} --cfg shuttle" \
    cargo test -q --release -p loom-tests
  ROWS+="| schedules | under random schedules, the scenarios of the races, of the journal and of the STM's laws keep what they assert under loom | \`loom-tests/tests/\` | $(scheduled "$counts" -v) |"$'\n'
  ROWS+="| programs | under random schedules, power losses, failed writes, closes and restarts among them, programs of four to eight threads satisfy the sequential model (histories), keep all invariants, and a replay of the journal gives the store's state, at the end and at each snapshot | \`loom-tests/tests/random.rs\` | $(scheduled "$counts") |"$'\n'
  rm "$counts"
}

# How many scenarios and schedules a file of counts has: those of random.rs, or with -v all others.
scheduled() {
  local scenarios executions
  read -r scenarios executions < <(grep "${@:2}" '^random/' "$1" | awk -F'\t' '{ n += $2 } END { print NR, n }')
  echo "$(grouped "$scenarios") scenarios, $(grouped "$executions") schedules"
}

# The executions of the race catalogue's proofs: loom-tests/executions.tsv says how many, and a test fails when there are fewer.
races() {
  awk -F'\t' '/^race_/ && $1 !~ /\/witness/ { scenarios++; executions += $2 }
    END { print scenarios, executions }' loom-tests/executions.tsv
}

LOG=$(mktemp)
trap 'rm -f "$LOG"' EXIT
claims
schedules
read -r scenarios executions < <(races)
cat > "$PAGE" <<PAGE_END
# Claims

What the tests show, each as "under these faults, histories of this workload satisfy this model", with the count of the last run that is written down here.
Written by \`docs/update-claims.sh\`, which runs the tests; the variables in it make the campaigns longer.

| name | claim | test | last count |
|---|---|---|---|
${ROWS%$'\n'}
| races | under every interleaving up to the bound that each scenario states, the library's own operations never go the way of the documented race | \`loom-tests/tests/races/\` | $(grouped "$scenarios") scenarios, $(grouped "$executions") executions |

The last row's figures are the sums of \`loom-tests/executions.tsv\` without the witnesses; [races/README.md](races/README.md) has them race by race. Counts of the power
losses vary a little from run to run, as \`Memory\` groups records as it comes. Other faults that are tried one by one have no count: see
\`tests/store_log/faults.rs\` and \`tests/store_log/crash_points.rs\`.
PAGE_END
