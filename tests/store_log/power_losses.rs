//! A power loss at every step of a workload, with every subset of what was not synced lost: appends
//! to the log and to its sidecar, cuts, new files, renames and deletions. What a restart then finds
//! is the records of a beginning of the workload, all of those that were acknowledged with `Fsync`
//! among them; or it is refused, naming the offset.
//!
//! Where there are more subsets than `SIMPLEX_STORES_SUBSETS` says, so many random ones are tried,
//! seeded. The default is 4096: all of them while no more than twelve changes are unsynced.

use std::{io::ErrorKind, sync::Arc};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use simplex_stores::{
    store_log::{Durability, Journal, OnDamage, OpenError, Storage, StoreLogConfig},
    sync::Mutex,
    testing::{Crash, FailingStorage, Fault, MemStorage, Operation, Plan},
};

use crate::{
    every_kind::{every_kind, open, sum_of_cases},
    support::{LOG, config, count, disk_with, lines, names},
};

const SEED: u64 = 0x0FF;

fn subsets() -> u64 {
    match std::env::var("SIMPLEX_STORES_SUBSETS") {
        Ok(number) => number.parse().expect("SIMPLEX_STORES_SUBSETS is a number"),
        Err(_) => 4096,
    }
}

/// How much of the workload a log may hold after the process ended.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// How many records were there at first or were submitted since.
    submitted: usize,
    /// How many were there at first, were acknowledged with `Fsync`, or were in a log when it was
    /// closed with success.
    safe: usize,
}

/// Works on a disk that has so many of the workload's records; may be cut off at any operation.
type Run = fn(&StoreLogConfig, usize) -> Known;

const RUNS: [Run; 2] = [starts, appends];

/// How many of the workload's records are in the log of a beginning that has one.
const THERE: usize = 5;

/// A disk to begin with, and how many of the workload's records its log has.
type Beginning = (MemStorage, usize);

fn beginnings() -> [Beginning; 4] {
    let old = lines(&every_kind()[..THERE]);
    let with_backups = disk_with(old.clone());
    for day in 1..=5 {
        with_backups.put(format!("/log/F.2025-01-0{day}T00:00:00Z"), "old");
    }
    let unfinished_start = disk_with("CREATE rid=");
    unfinished_start.put("/log/F.start", old.clone());
    unfinished_start.put("/log/F.bak", "older");
    let torn = disk_with([&old[..], b"SUSPEND AA"].concat());
    [(MemStorage::new(), 0), (with_backups, THERE), (unfinished_start, THERE), (torn, THERE)]
}

/// Submits the next records one by one and closes; false once something fails.
fn submit(journal: &Journal, count: usize, known: &mut Known) -> bool {
    let next = &every_kind()[known.submitted..][..count];
    for (number, record) in (1..).zip(next) {
        known.submitted += 1;
        if journal.submit(number, vec![record.clone()]).wait().is_err() {
            return false;
        }
        if journal.durability() == Durability::Fsync {
            known.safe = known.submitted;
        }
    }
    if journal.close().is_err() {
        return false;
    }
    known.safe = known.submitted;
    true
}

/// Two starts with appends after each; the second compacts what the first left.
fn starts(config: &StoreLogConfig, there: usize) -> Known {
    let mut known = Known { submitted: there, safe: there };
    for count in [6, 5] {
        let Ok((journal, ..)) = open(config) else { return known };
        if !submit(&journal, count, &mut known) {
            return known;
        }
    }
    known
}

/// Appending to the log as it is.
fn appends(config: &StoreLogConfig, there: usize) -> Known {
    let mut known = Known { submitted: there, safe: there };
    if let Ok((journal, _)) = Journal::open_append(config) {
        submit(&journal, 8, &mut known);
    }
    known
}

/// One workload: what it begins with, what it does and how.
#[derive(Clone)]
struct Workload {
    beginning: Beginning,
    run: Run,
    durability: Durability,
    integrity: bool,
}

impl Workload {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for beginning in beginnings() {
            for run in RUNS {
                for durability in [Durability::Memory, Durability::Flush, Durability::Fsync] {
                    for integrity in [false, true] {
                        let beginning = (beginning.0.copy(), beginning.1);
                        all.push(Self { beginning, run, durability, integrity });
                    }
                }
            }
        }
        all
    }

    fn config(&self, storage: impl Storage + 'static) -> StoreLogConfig {
        config(storage).durability(self.durability).integrity(self.integrity)
    }

    /// Cuts the power at each operation in turn. Gives how many operations, and how many states of
    /// the disk, there were.
    fn lose_power_at_each_step(&self, rng: &mut StdRng) -> [u64; 2] {
        let mut tried = [0; 2];
        for number in 1.. {
            let disk = self.beginning.0.copy();
            let failing = FailingStorage::new(Arc::new(disk.clone()));
            failing.plan(Plan::From(number, Fault::Error(ErrorKind::Other)));
            let known = (self.run)(&self.config(failing.clone()), self.beginning.1);
            let cut_off = failing.done().into_iter().nth(number as usize - 1);
            if cut_off.as_ref().is_none_or(|done| done.operation.changes()) {
                tried[0] += 1;
                tried[1] += self.lose_every_subset(&disk, known, rng);
            }
            if cut_off.is_none() {
                break;
            }
        }
        tried
    }

    /// Lets each operation in turn fail once, and ends the process, or cuts the power, at the end.
    /// Gives how many operations were made to fail.
    fn fail_each_operation(&self, fault: Fault) -> u64 {
        for number in 1.. {
            let disk = self.beginning.0.copy();
            let failing = FailingStorage::new(Arc::new(disk.clone()));
            failing.plan(Plan::Once(number, fault));
            let known = (self.run)(&self.config(failing.clone()), self.beginning.1);
            for crash in [Crash::Process, Crash::PowerSyncedOnly] {
                let disk = disk.copy();
                disk.crash(crash);
                self.check(&disk, known);
            }
            if failing.done().iter().all(|done| !done.failed) {
                return number - 1;
            }
        }
        0
    }

    fn lose_every_subset(&self, disk: &MemStorage, known: Known, rng: &mut StdRng) -> u64 {
        let unsynced = disk.unsynced() as u32;
        assert!(unsynced < u64::BITS);
        let all = (1 << unsynced) - 1;
        let subsets: Vec<u64> = match all < subsets() {
            true => (0..=all).collect(),
            false => (2..subsets()).map(|_| rng.random_range(0..=all)).chain([0, all]).collect(),
        };
        for kept in &subsets {
            for torn in [false, true] {
                let disk = disk.copy();
                disk.crash(Crash::PowerKept { kept: *kept, torn });
                self.check(&disk, known);
            }
        }
        2 * subsets.len() as u64
    }

    /// A beginning of the workload that has everything safe, or a refusal that names the offset
    /// where such a beginning ends.
    fn check(&self, disk: &MemStorage, known: Known) {
        let records = every_kind();
        let case = format!("{known:?}, {:?}, {:?}", self.durability, names(disk));
        let possible = known.safe..=known.submitted;
        let config = self.config(disk.clone());
        match open(&config.clone().on_damage(OnDamage::Refuse)) {
            Ok((journal, report, history)) => {
                drop(journal);
                let there = history.records.len();
                assert!(possible.contains(&there), "{there} records, {case}");
                assert_eq!(history.bytes(), lines(&records[..there]), "{case}");
                assert_eq!(disk.read(LOG).unwrap(), history.bytes());
                assert_eq!(report.replay.damage_total, 0);
            }
            Err(error) => {
                let text = error.to_string();
                assert_ne!(self.durability, Durability::Fsync, "{text}, {case}");
                let OpenError::Damaged { damage, .. } = error else { panic!("{text}, {case}") };
                assert!(damage.iter().all(|place| !place.proven), "{text}, {case}");
                assert!(text.contains(&format!("(offset {}, ", damage[0].offset)), "{text}");
                let log = disk.read(LOG).unwrap();
                let before = &log[..damage[0].offset as usize];
                let there = possible.clone().find(|there| before == lines(&records[..*there]));
                assert!(there.is_some(), "{text}, {case}");
                let (_journal, report, skipped) = open(&config.on_damage(OnDamage::Skip)).unwrap();
                let mut rest = records.iter();
                for (.., record) in &skipped.records {
                    assert!(rest.any(|other| other == record), "out of order, {case}");
                }
                let kept = report.backup.unwrap();
                assert!(kept.to_str().unwrap().ends_with(".damaged"));
                assert_eq!(disk.read(kept).unwrap(), log);
            }
        }
    }
}

/// All workloads, for several threads to take one each.
fn each_alone() -> Vec<Mutex<Workload>> {
    Workload::all().into_iter().map(Mutex::new).collect()
}

#[test]
fn cr12_any_subset_of_unsynced_writes_may_be_lost() {
    let workloads = each_alone();
    let case = move |number: usize| {
        let workload = workloads[number].lock().clone();
        workload.lose_power_at_each_step(&mut StdRng::seed_from_u64(SEED + number as u64))
    };
    let [steps, states] = sum_of_cases(Workload::all().len(), case);
    assert!(steps > 1000 && states > 10 * steps, "{steps}, {states}");
    count(format!("{steps} steps, {states} states of the disk"));
}

#[test]
fn race3_any_operation_may_fail_once() {
    const FAULTS: [Fault; 5] = [
        Fault::Error(ErrorKind::StorageFull),
        Fault::Error(ErrorKind::Other),
        Fault::After(ErrorKind::Other),
        Fault::ShortWrite(0, ErrorKind::StorageFull),
        Fault::ShortWrite(30, ErrorKind::Other),
    ];
    let workloads = each_alone();
    let case = move |number: usize| {
        let workload = workloads[number].lock().clone();
        [FAULTS.into_iter().map(|fault| workload.fail_each_operation(fault)).sum()]
    };
    let [failed] = sum_of_cases(Workload::all().len(), case);
    count(format!("{failed} failed operations, each then without and with a power loss"));
}

/// The check finds out a disk that says that it has synced and has not.
fn on_a_disk_that_pretends(operation: Operation) {
    let disk = MemStorage::new();
    let failing = FailingStorage::new(Arc::new(disk.clone()));
    failing.plan(Plan::EachOf(operation, Fault::Pretence));
    let beginning = (MemStorage::new(), 0);
    let workload =
        Workload { beginning, run: starts, durability: Durability::Fsync, integrity: false };
    let known = starts(&workload.config(failing), 0);
    workload.lose_every_subset(&disk, known, &mut StdRng::seed_from_u64(SEED));
}

#[test]
#[should_panic(expected = "records, Known")]
fn twin_a_disk_that_does_not_sync_files_is_found_out() {
    on_a_disk_that_pretends(Operation::SyncFile);
}

#[test]
#[should_panic(expected = "records, Known")]
fn twin_a_disk_that_does_not_sync_folders_is_found_out() {
    on_a_disk_that_pretends(Operation::SyncDir);
}
