//! Programs that loom can't reach, in random schedules: four to eight threads, drawn anew for each schedule from its seed.
//!
//! **The promise.** However many threads work on one store, its answers are those of some order of the calls; its invariants hold; and the
//! journal, replayed, gives what memory had, whatever the durability, at the end and at each snapshot. What the journal answered is on the disk.
//!
//! **The twins.** A lookup in two steps, numbers taken after the transaction, an answer before the sync, a snapshot of two
//! moments and a journal closed at once: each fails, and its seed makes it fail again.
#![cfg(shuttle)]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use loom_tests::record;
use loom_tests::scenario::{Disk, LOG, Numbered, Store, Taken, created};
use quickcheck::{Arbitrary, Gen};
use simplex_stores::protocol::{ErrorType, Semantics};
use simplex_stores::queue_store::stm::StoreSnapshot;
use simplex_stores::queue_store::{QueueStore, StoreQueue};
use simplex_stores::stm::{TVar, atomically};
use simplex_stores::store_log::{Durability, Journal, LogRecord, StoreLogConfig};
use simplex_stores::sync::Tally;
use simplex_stores::sync::thread::{spawn, yield_now};
use simplex_stores::testing::history::{Recorder, SequentialModel, check};
use simplex_stores::testing::model_check::{Checker, seed};
use simplex_stores::testing::queue_store::{Answer, QueueModel, QueueOp, RouterOps, run, sample};
use simplex_stores::testing::{FailingStorage, Fault, MemStorage, Operation, Plan};
use std::io;
use std::sync::Arc;

/// Runs `scenario` in so many schedules, and notes how many there were.
fn explore(name: &str, schedules: u64, scenario: fn()) {
    record(name, Checker::new().schedules(schedules).check(scenario));
}

/// Runs the twin until it fails, and once more by its seed.
fn must_fail_and_again(text: &str, twin: fn()) {
    let failure = Checker::new().must_fail(text, twin);
    let again = Checker::replay(failure.seed.unwrap(), twin).unwrap_err();
    assert_eq!(again.text, failure.text, "the seed gave another failure");
}

/// What decides the program of this schedule.
fn draw() -> Gen {
    Gen::from_size_and_seed(60, seed())
}

fn below(g: &mut Gen, bound: u64) -> u64 {
    u64::arbitrary(g) % bound
}

fn durability(g: &mut Gen) -> Durability {
    *g.choose(&[Durability::Memory, Durability::Flush, Durability::Fsync]).unwrap()
}

/// So many calls of those that are kept, as a router makes them.
fn calls(g: &mut Gen, count: usize, keep: fn(&QueueOp) -> bool) -> Vec<QueueOp> {
    let mut calls = Vec::new();
    while calls.len() < count {
        calls.extend(RouterOps::arbitrary(g).0.into_iter().filter(keep));
    }
    calls.truncate(count);
    calls
}

/// A batch and a fold are several steps by contract (QS-20, QS-28), and nobody restarts a store that others use.
fn one_step(op: &QueueOp) -> bool {
    !matches!(op, QueueOp::Restart | QueueOp::SetServices(..) | QueueOp::Fold(_))
}

fn not_a_restart(op: &QueueOp) -> bool {
    *op != QueueOp::Restart
}

/// Runs `work` on so many threads, each with what `draw` gives it, and gives their answers in the order of the threads.
fn on_threads<I: Send + 'static, T: Send + 'static>(
    inputs: impl IntoIterator<Item = I>,
    work: impl Fn(I) -> T + Clone + Send + 'static,
) -> Vec<T> {
    let start = |input| {
        let work = work.clone();
        spawn(move || work(input))
    };
    let threads: Vec<_> = inputs.into_iter().map(start).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// The store holds together, and its journal says the same.
fn assert_explained(disk: &Disk, store: &Store) {
    store.check_invariants().unwrap();
    let state = store.snapshot();
    store.close().unwrap();
    assert!(disk.replayed().snapshot() == state, "the journal does not explain the state");
}

/// Five threads of eight calls, on a store in which something is already.
fn history_of_five(make: fn(&Store, &QueueOp) -> Answer) {
    let mut g = draw();
    let disk = Disk::new(durability(&mut g), &[]);
    let store = disk.open();
    let mut model = QueueModel::default();
    for op in calls(&mut g, 15, one_step) {
        assert_eq!(run(&*store, &op), model.apply(&op), "one thread alone, {op:?}");
    }
    let programs: Vec<_> = (0..5).map(|_| calls(&mut g, 8, one_step)).collect();
    let (shared, recorder) = (store.clone(), Arc::new(Recorder::new()));
    let history = on_threads(programs, move |program| {
        let call = |op| recorder.record(op, |op| make(&shared, op));
        program.into_iter().map(call).collect::<Vec<_>>()
    });
    if let Err(error) = check(&model, &history.concat()) {
        panic!("{error}");
    }
    assert_explained(&disk, &store);
}

#[test]
fn histories_of_five_threads_are_linearizable() {
    explore("random/histories", 1_000, || history_of_five(|store, op| run(store, op)));
}

/// Looks up in the index first and reads the record then.
fn in_two_steps(store: &Store, op: &QueueOp) -> Answer {
    let QueueOp::Get(key) = op else { return run(store, op) };
    let queue = store.get_queue(key)?;
    run(store, &QueueOp::Get(queue.recipient_id().clone().into()))
}

#[test]
fn twin_a_lookup_in_two_steps_is_not() {
    must_fail_and_again("no order of the calls explains", || history_of_five(in_two_steps));
}

/// Eight threads of twenty calls, batches and folds among them.
fn long_programs_of_eight() {
    let mut g = draw();
    let disk = Disk::new(durability(&mut g), &[]);
    let store = disk.open();
    let programs: Vec<_> = (0..8).map(|_| calls(&mut g, 20, not_a_restart)).collect();
    let shared = store.clone();
    on_threads(programs, move |program| {
        for op in program {
            let answer = run(&*shared, &op);
            assert!(!matches!(answer, Err(ErrorType::Store(_) | ErrorType::Internal)), "{op:?}");
        }
    });
    assert_explained(&disk, &store);
}

#[test]
fn long_programs_of_eight_threads_are_explained_by_their_journal() {
    explore("random/long_programs", 300, long_programs_of_eight);
}

/// Six threads change what three queues hold; the last record of each must be what memory has.
fn keys_of_three_queues(taken: Taken) {
    let mut g = draw();
    let disk = Disk::new(durability(&mut g), &[created(0), created(1), created(2)]);
    let numbered = Arc::new(Numbered::start(&disk, taken));
    let memory = [(); 3].map(|()| TVar::new(0_u8));
    let change =
        |queue: u8, value: u8| LogRecord::UpdateKeys(sample::recipient(queue), sample::keys(value));
    let programs: Vec<Vec<(u8, u8)>> = (0..6)
        .map(|thread| (1..=6).map(|n| (below(&mut g, 3) as u8, 6 * thread + n)).collect())
        .collect();
    let (shared, cells) = (numbered.clone(), memory.clone());
    on_threads(programs.clone(), move |program| {
        for (queue, value) in program {
            shared.transact(|tx| {
                cells[usize::from(queue)].write(tx, value)?;
                Ok(((), change(queue, value)))
            });
        }
    });
    numbered.close().unwrap();
    for (queue, value) in programs.concat() {
        let newest = memory[usize::from(queue)].read_atomic();
        let (place, last) = (disk.place(&change(queue, value)), disk.place(&change(queue, newest)));
        assert!(place.is_some() && place <= last, "the last record is not what memory has");
    }
}

#[test]
fn records_of_six_threads_stand_in_the_order_of_commits() {
    explore("random/order", 1_000, || keys_of_three_queues(Taken::Inside));
}

#[test]
fn twin_with_numbers_taken_after_the_transaction_they_do_not() {
    must_fail_and_again("not what memory has", || keys_of_three_queues(Taken::After));
}

fn line(number: u64) -> LogRecord {
    LogRecord::parse(format!("TIME AAAA {number}").as_bytes(), Semantics::Strict).unwrap()
}

fn text(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let line = |number| format!("TIME AAAA {number}\n").into_bytes();
    numbers.into_iter().flat_map(line).collect()
}

fn open(disk: &MemStorage, durability: Durability) -> (Arc<Journal>, FailingStorage) {
    let failing = FailingStorage::new(Arc::new(disk.clone()));
    let storage = Arc::new(failing.clone());
    let config = StoreLogConfig::new(LOG).storage(storage).durability(durability);
    (Arc::new(Journal::open_append(&config).unwrap().0), failing)
}

/// Eight threads submit four records each, with numbers as they come; `answered` looks after each success. Gives the numbers that were answered with
/// success, in order.
fn eight_submit(
    journal: &Arc<Journal>,
    answered: impl Fn(u64) + Clone + Send + 'static,
) -> Vec<u64> {
    let (journal, last) = (journal.clone(), TVar::new(0_u64));
    let succeeded = on_threads(0..8, move |_| {
        let next = |n: &mut u64| {
            *n += 1;
            *n
        };
        let mut succeeded = Vec::new();
        for _ in 0..4 {
            let number = atomically(|tx| last.update(tx, next));
            if journal.submit(number, vec![line(number)]).wait().is_ok() {
                answered(number);
                succeeded.push(number);
            }
        }
        succeeded
    });
    let mut succeeded = succeeded.concat();
    succeeded.sort_unstable();
    succeeded
}

fn an_answer_outlives_a_power_loss(durability: Durability) {
    let disk = MemStorage::new();
    let (journal, _) = open(&disk, durability);
    let after_a_loss = disk.clone();
    let succeeded = eight_submit(&journal, move |number| {
        let left = after_a_loss.read_synced(LOG).unwrap_or_default();
        assert!(left.starts_with(&text(1..=number)), "answered, and a power loss takes it");
    });
    journal.close().unwrap();
    assert_eq!(succeeded, (1..=32).collect::<Vec<_>>());
    assert_eq!(disk.read(LOG).unwrap(), text(1..=32));
}

#[test]
fn what_eight_submitters_were_answered_outlives_a_power_loss() {
    explore("random/group_commit", 1_000, || an_answer_outlives_a_power_loss(Durability::Fsync));
}

#[test]
fn twin_without_a_sync_it_does_not() {
    must_fail_and_again("a power loss takes it", || {
        an_answer_outlives_a_power_loss(Durability::Flush);
    });
}

/// One of the writes or syncs fails, and from then on no submitter may be told of success.
fn a_failure_beside_eight_submitters(told: &Tally) {
    let mut g = draw();
    let disk = MemStorage::new();
    let (journal, failing) = open(&disk, Durability::Fsync);
    let operation = *g.choose(&[Operation::Write, Operation::SyncFile]).unwrap();
    let fault = match operation {
        Operation::Write => {
            Fault::ShortWrite(below(&mut g, 30) as usize, io::ErrorKind::StorageFull)
        }
        _ => Fault::Error(io::ErrorKind::Other),
    };
    failing.plan(Plan::NthOf(operation, 1 + below(&mut g, 6), fault));
    let succeeded = eight_submit(&journal, |_| ());
    let failed = succeeded.len() < 32;
    told.add(failed.into());
    assert_eq!(journal.close().is_err(), failed, "the failure is not told of");
    assert_eq!(disk.read(LOG).unwrap(), text(succeeded), "the answers and the journal differ");
}

#[test]
fn a_failed_write_or_sync_divides_what_eight_submitters_are_answered() {
    static TOLD: Tally = Tally::new();
    explore("random/failed_write", 1_000, || a_failure_beside_eight_submitters(&TOLD));
    assert!(TOLD.sum() > 0, "no write or sync failed");
}

/// Four threads change a store while two take snapshots of it, each of which must be what a beginning of the journal gives.
fn snapshots_beside_changes(take: fn(&Store) -> StoreSnapshot) {
    let mut g = draw();
    let disk = Disk::new(Durability::Memory, &[created(0), created(1)]);
    let store = disk.open();
    let programs: Vec<_> = (0..4).map(|_| calls(&mut g, 6, not_a_restart)).collect();
    let shared = store.clone();
    let observers: Vec<_> = (0..2)
        .map(|_| {
            let store = store.clone();
            spawn(move || [take(&store), take(&store)])
        })
        .collect();
    on_threads(programs, move |program| {
        program.into_iter().for_each(|op| drop(run(&*shared, &op)));
    });
    let mut taken: Vec<_> = observers.into_iter().flat_map(|o| o.join().unwrap()).collect();
    store.close().unwrap();
    for lines in 0..=disk.lines().len() {
        let state = disk.beginning(lines).replayed().snapshot();
        taken.retain(|snapshot| *snapshot != state);
    }
    assert!(taken.is_empty(), "a snapshot that no beginning of the journal gives");
}

#[test]
fn a_snapshot_beside_changes_is_what_a_beginning_of_the_journal_gives() {
    explore("random/snapshots", 300, || snapshots_beside_changes(|store| store.snapshot()));
}

#[test]
fn twin_a_snapshot_of_two_moments_is_not() {
    must_fail_and_again("no beginning of the journal", || {
        snapshots_beside_changes(|store| {
            let queues = store.snapshot().queues;
            StoreSnapshot { queues, ..store.snapshot() }
        });
    });
}

/// A router that is stopped and started while five threads work on it: each time all that was acknowledged is there.
fn restarts_under_load(refused: &'static Tally) {
    let mut g = draw();
    let disk = Disk::new(durability(&mut g), &[]);
    let mut acknowledged = Vec::new();
    for life in 0..3_u8 {
        let store = disk.open();
        let found = |n: &u8| store.get_queue(&sample::recipient(*n).into()).is_ok();
        assert!(acknowledged.iter().all(found), "acknowledged in an earlier life, and lost");
        let (shared, wait) = (store.clone(), below(&mut g, 40));
        let closer = spawn(move || {
            (0..wait).for_each(|_| yield_now());
            shared.close().unwrap();
        });
        let shared = store.clone();
        let numbers = (0..5).map(|thread| (1..=6).map(move |n| 50 * life + 6 * thread + n));
        acknowledged.extend(
            on_threads(numbers, move |numbers| {
                let add = |n: &u8| shared.add_queue(sample::recipient(*n), sample::record(*n));
                let mut added = Vec::new();
                for n in numbers {
                    match add(&n) {
                        Ok(_) => added.push(n),
                        Err(error) => {
                            assert_eq!(error, ErrorType::Store("closed".into()));
                            refused.add(1);
                        }
                    }
                }
                added
            })
            .concat(),
        );
        closer.join().unwrap();
        let state = store.snapshot();
        assert_eq!(state.queues.len(), acknowledged.len(), "refused, and there");
        drop(store);
        assert!(disk.replayed().snapshot() == state, "the journal does not explain the state");
    }
}

#[test]
fn a_router_that_is_restarted_under_load_keeps_what_it_acknowledged() {
    static REFUSED: Tally = Tally::new();
    explore("random/restarts", 500, || restarts_under_load(&REFUSED));
    assert!(REFUSED.sum() > 0, "no store was closed before its threads were done");
}

/// Six threads change and submit while the journal is closed, after the last number that was taken or at once.
fn closed_beside_six(waits: bool) {
    let disk = Disk::new(Durability::Flush, &[]);
    let shared = Arc::new((disk.start_journal(), TVar::new((false, 0_u8))));
    let workers = {
        let shared = shared.clone();
        spawn(move || {
            on_threads(0..6, move |_| {
                let (journal, control) = &*shared;
                let number = atomically(|tx| {
                    control.update(tx, |(closed, last)| {
                        *last += u8::from(!*closed);
                        (!*closed).then_some(*last)
                    })
                });
                let number = number?;
                let record = LogRecord::UpdateKeys(sample::recipient(0), sample::keys(number));
                let _answer = journal.submit(number.into(), vec![record]).wait();
                Some(number)
            })
        })
    };
    let (journal, control) = &*shared;
    let last = atomically(|tx| {
        control.update(tx, |(closed, last)| {
            *closed = true;
            *last
        })
    });
    let closed = if waits { journal.close_after(last.into()) } else { journal.close() };
    assert!(closed.is_ok() || !waits, "{closed:?}");
    let committed = workers.join().unwrap().into_iter().flatten().count();
    assert_eq!(disk.lines().len(), committed, "a committed change is not in the journal");
}

#[test]
fn a_journal_closed_after_the_last_number_has_every_record_of_six_threads() {
    explore("random/close_after", 1_000, || closed_beside_six(true));
}

#[test]
fn twin_a_journal_closed_at_once_has_not() {
    must_fail_and_again("is not in the journal", || closed_beside_six(false));
}
