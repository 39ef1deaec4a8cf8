//! What must hold of any bytes that stand where a log should: see [`fuzz`](super::fuzz).

use std::sync::Arc;

use super::MemStorage;
use crate::{
    protocol::Semantics,
    queue_store::{BasicFactory, QueueStore, StmQueueStore},
    store_log::{OnDamage, ReplayReport, StoreLogConfig},
};

const LOG: &str = "F";

/// Longer lines are walked over; short enough for the fuzzer to find such lines.
const MAX_LINE: usize = 4096;

/// A whole log: every line is accounted for, under both semantics; a start makes a log of it that
/// reads without a fault and that the next start writes again as it is.
pub fn store_log_replay(log: &[u8]) {
    let disk = MemStorage::new();
    disk.put(LOG, log);
    for semantics in [Semantics::Strict, Semantics::Reference] {
        let config = config(&disk).semantics(semantics);
        let replayed = StmQueueStore::replay(&config, BasicFactory);
        assert!(replayed.as_ref().is_ok_and(|(_, report)| accounts_for(report, log)));
    }
    let compacted = start(&disk).1;
    let (report, again) = start(&disk);
    assert_eq!((report.unreadable, report.torn_tail), (0, None));
    assert_eq!(again, compacted, "compacting twice is compacting once");
}

fn config(disk: &MemStorage) -> StoreLogConfig {
    StoreLogConfig::new(LOG)
        .storage(Arc::new(disk.clone()))
        .on_damage(OnDamage::Skip)
        .max_line(MAX_LINE)
        .max_warnings(10)
}

/// Starts and closes a store on the log; gives the report and the log that is there afterwards.
fn start(disk: &MemStorage) -> (ReplayReport, Option<Vec<u8>>) {
    let mut report = ReplayReport::default();
    let opened = StmQueueStore::open(&config(disk), BasicFactory);
    assert!(opened.is_ok());
    if let Ok((store, started)) = opened {
        assert_eq!(store.check_invariants().err(), None);
        assert_eq!(store.close(), Ok(()));
        report = started.replay;
    }
    (report, disk.read(LOG))
}

/// Each byte is in a line, each line is a record or unreadable, and lists are as short as was
/// asked.
fn accounts_for(report: &ReplayReport, log: &[u8]) -> bool {
    let complete = log.iter().filter(|byte| **byte == b'\n').count() as u64;
    let torn = log.iter().rev().take_while(|byte| **byte != b'\n').count() as u64;
    report.lines == complete
        && report.records + report.unreadable == complete
        && report.bytes == log.len() as u64
        && report.torn_tail.map_or(0, |torn| torn.length) == torn
        && report.warnings.len() <= 10
        && report.damage.len() <= 10
        && report.damage_total <= report.unreadable
}
