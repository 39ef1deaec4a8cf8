//! RACE-3: a failed write is not undone.
//!
//! **The race.** Thread A adds a queue; the disk is full and its record is not written. A's client is told so, but the
//! queue is there; thread B changes it, the disk has room again, and B's client is told that all is well. A restart
//! knows no such queue: the change that was acknowledged is lost, and its record refers to nothing.
//!
//! ```text
//! A   commit   write fails
//! B                          commit   write
//! ```
//!
//! **What the library does.** The first failure ends all change: the file is cut back to the last good record, every
//! ticket that waits and every later one has the error, and no transaction is begun. So what is acknowledged is in the
//! journal, and what is told to have failed is not.
//!
//! The twin is a journal that forgets its failure.

use loom_tests::scenario::{Disk, FullOnce, Store, created, keys, queue, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{EntityStatus, ErrorType};
use simplex_stores::queue_store::{QueueStore, StoreQueue};
use simplex_stores::store_log::{Durability, LogRecord};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use simplex_stores::testing::{Fault, Operation, Plan};
use std::io::ErrorKind;
use std::sync::Arc;

#[test]
fn witness_a_change_is_built_on_one_that_was_never_written() {
    must_find_steps("race_03/witness", 2, |steps| {
        let queue_is_there = Arc::new(Mutex::new(false));
        let journal = Arc::new(FullOnce::new(false));
        let a = {
            let (there, journal) = (queue_is_there.clone(), journal.clone());
            let steps = steps.clone();
            move || {
                {
                    let mut there = there.lock();
                    *there = true;
                    steps.take("A", "commits: the queue is there");
                }
                match journal.append("CREATE") {
                    Ok(()) => steps.take("A", "writes its record"),
                    Err(_) => steps.take("A", "can't write its record: the disk is full"),
                }
            }
        };
        let (_, acknowledged) = two(a, || {
            {
                let there = queue_is_there.lock();
                if !*there {
                    return false;
                }
                steps.take("B", "finds the queue and secures it");
            }
            let written = journal.append("SECURE").is_ok();
            steps.take(
                "B",
                if written { "writes its record: there is room again" } else { "can't" },
            );
            written
        });
        steps.take("restart", "finds B's record, and no queue that it speaks of");
        acknowledged && journal.records() == ["SECURE"]
    });
}

/// Two threads change memory and append; what is acknowledged must rest on what is written.
fn what_is_acknowledged_rests_on_what_is_written(remembers: bool) {
    let there = Arc::new(Mutex::new(false));
    let journal = Arc::new(FullOnce::new(remembers));
    let (set, log) = (there.clone(), journal.clone());
    let a = move || {
        *set.lock() = true;
        log.append("CREATE").is_ok()
    };
    let (_, acknowledged) = two(a, || {
        let found = *there.lock();
        found && journal.append("SECURE").is_ok()
    });
    let written = journal.records();
    assert!(
        !acknowledged || written.contains(&"CREATE"),
        "an acknowledged change rests on one that is not written"
    );
}

#[test]
fn proof_a_journal_that_remembers_its_failure_accepts_nothing_built_on_it() {
    explore("race_03/remembers", 3, || what_is_acknowledged_rests_on_what_is_written(true));
}

#[test]
fn twin_a_journal_that_forgets_its_failure_does() {
    must_fail("race_03/forgets", 3, "rests on one that is not written", || {
        what_is_acknowledged_rests_on_what_is_written(false);
    });
}

fn replaced(n: u8) -> LogRecord {
    LogRecord::UpdateKeys(sample::recipient(n), sample::keys(n + 7))
}

/// Two threads change a queue each while a write fails, and one of them goes on after its answer.
fn the_restart_has_what_was_acknowledged(plan: Plan) {
    let (disk, storage) = Disk::new(Durability::Flush, &[created(0), created(1)]).failing();
    let store = disk.open();
    storage.plan(plan);
    let change = |store: &Store, n| store.update_keys(&queue(store, n), sample::keys(n + 7));
    let shared = store.clone();
    let (a, b) = two(move || change(&shared, 0), || change(&store, 1));
    let broken = a.is_err() || b.is_err();
    let suspended = queue(&store, 0);
    let later = store.suspend_queue(&suspended);
    let status = suspended.record().read_atomic().unwrap().status.clone();
    let begun = status != EntityStatus::Active;
    assert!(begun || later.is_err());
    assert!(!(begun && broken), "a change was begun on a broken journal");
    let closed = store.close();
    assert_eq!(later.is_err(), closed.is_err(), "accepted after a failure, or refused before one");
    assert!(closed.is_err() || !broken, "the failure is not told of");
    let replayed = disk.replayed();
    for (n, answer) in [(0, a), (1, b)] {
        let kept = keys(&replayed, n) == sample::keys(n + 7);
        assert_eq!(kept, answer.is_ok(), "the restart and the answer of thread {n} differ");
        assert_eq!(disk.holds(&replaced(n)), usize::from(kept));
        assert!(answer.is_ok() || matches!(answer, Err(ErrorType::Store(_))));
    }
    let record = LogRecord::SuspendQueue(sample::recipient(0));
    assert_eq!(disk.holds(&record), usize::from(later.is_ok()));
}

#[test]
fn proof_the_first_write_finds_the_disk_full() {
    let full = Fault::Error(ErrorKind::StorageFull);
    explore("race_03/first_write", 3, move || {
        the_restart_has_what_was_acknowledged(Plan::NthOf(Operation::Write, 1, full));
    });
}

#[test]
fn proof_the_second_write_stops_half_way() {
    let short = Fault::ShortWrite(20, ErrorKind::StorageFull);
    explore("race_03/second_write", 3, move || {
        the_restart_has_what_was_acknowledged(Plan::NthOf(Operation::Write, 2, short));
    });
}
