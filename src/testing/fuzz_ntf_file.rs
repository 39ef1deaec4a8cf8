//! What must hold of any bytes that stand where a file of notifications should: see
//! [`fuzz`](super::fuzz).

use std::sync::Arc;

use super::MemStorage;
use crate::ntf_store::{NtfFile, NtfFileConfig, NtfLoadReport, NtfStore};
use crate::protocol::Semantics;

const FILE: &str = "F";

/// Longer lines are walked over; short enough for the fuzzer to find such lines.
const MAX_LINE: usize = 4096;

/// A whole file: it is refused, or every line is accounted for, under both semantics, and a strict store is sound.
/// What is saved then is read without a fault, and saved again as it is.
pub fn ntf_file(bytes: &[u8]) {
    let disk = MemStorage::new();
    disk.put(FILE, bytes);
    for semantics in [Semantics::Strict, Semantics::Reference] {
        if let Ok((_, report)) = NtfStore::load(&config(&disk).semantics(semantics)) {
            assert!(accounts_for(&report, bytes));
        }
    }
    let Some(lost) = open_and_save(&disk) else { return };
    let saved = disk.read(FILE);
    let kept = disk.names().len() > 2;
    assert_eq!(kept, lost > 0, "a file with lost records is kept, another is not");
    assert_eq!(open_and_save(&disk), Some(0));
    assert_eq!(disk.read(FILE), saved, "saving twice is saving once");
}

fn config(disk: &MemStorage) -> NtfFileConfig {
    NtfFileConfig::new(FILE)
        .storage(Arc::new(disk.clone()))
        .max_line(MAX_LINE)
        .max_warnings(10)
        .last_ntf_limit(None)
}

/// Loads a file and saves it; how many records were lost, or nothing if it is refused.
fn open_and_save(disk: &MemStorage) -> Option<u64> {
    let (mut file, store, report) = NtfFile::open(&config(disk)).ok()?;
    assert_eq!(store.check_invariants().err(), None);
    assert!(file.save(&store).is_ok());
    Some(report.lost)
}

/// Each byte is in a line, each line reached the store or is lost, and lists are as short as was asked.
fn accounts_for(report: &NtfLoadReport, bytes: &[u8]) -> bool {
    let complete = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    let torn = u64::from(bytes.last().is_some_and(|last| *last != b'\n'));
    let reached = report.tokens + report.subscriptions + report.last_ntfs;
    let text = report.lines == complete && reached + report.lost >= complete + torn;
    let binary = report.lines == 0 && report.lost == 0;
    report.bytes == bytes.len() as u64 && report.warnings.len() <= 10 && (text || binary)
}
