//! Files of pending notifications that nobody should trust: damaged, endless, or no text at all.
//!
//! `SIMPLEX_STORES_FUZZ_INPUTS` sets how many damaged files (default 2,000).

use rand::SeedableRng;
use rand::rngs::StdRng;
use simplex_stores::ntf_store::pending::{
    BadLineReason, PendingFileError, PendingNtfStore, RestoreReport,
};
use simplex_stores::protocol::{Semantics, TextEncode};
use simplex_stores::testing::MemStorage;
use simplex_stores::testing::mutate::mutate;
use simplex_stores::testing::ntf_store::pending::sample::{notifier, ntf};

use crate::pending_files::{disk_with, on, restore, some_lines};

/// How many lines a file has, an unfinished one included.
fn lines(bytes: &[u8]) -> u64 {
    let newlines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    newlines + u64::from(bytes.last().is_some_and(|byte| *byte != b'\n'))
}

/// Restores a file under both semantics: every line is accounted for, and places are right.
fn accounted_for(bytes: &[u8]) -> (PendingNtfStore, RestoreReport) {
    let (store, report) = restore(&disk_with(bytes), Semantics::Strict);
    assert_eq!(report.restored + report.skipped, lines(bytes));
    assert_eq!(report.bad_lines.len() as u64, report.skipped);
    assert_eq!(store.counts().ntfs, report.restored);
    assert!(store.check_invariants().is_ok());
    for bad in &report.bad_lines {
        let before = &bytes[..bad.offset as usize];
        assert_eq!(lines(before), bad.number - 1);
        let line = bytes[bad.offset as usize..].split(|byte| *byte == b'\n').next().unwrap();
        assert_eq!(line.len() as u64, bad.length);
    }
    // What Strict can read and Reference can't, or the other way round, is a matter of single lines;
    // either way the restore ends, and says which line.
    match PendingNtfStore::restore(&on(disk_with(bytes)), Semantics::Reference, None) {
        Ok((store, report)) => {
            assert_eq!((report.restored, store.counts().ntfs), (lines(bytes), lines(bytes)));
        }
        Err(PendingFileError::BadLine { line, .. }) => assert!(line.number <= lines(bytes)),
        Err(error) => panic!("{error}"),
    }
    (store, report)
}

#[test]
fn every_byte_of_every_line_may_be_damaged() {
    let good = some_lines();
    let whole = good.concat();
    let mut skipped = 0;
    for at in 0..whole.len() {
        for damage in [0, b'\n', b' ', b'=', 0xff, whole[at] ^ 1] {
            let mut bytes = whole.clone();
            bytes[at] = damage;
            let (_, report) = accounted_for(&bytes);
            assert!(report.restored >= 3, "at most two lines are touched");
            skipped += report.skipped;
        }
    }
    assert!(skipped > 1_000, "damage was hardly noticed: {skipped}");
}

#[test]
fn a_file_may_end_anywhere() {
    let whole = some_lines().concat();
    for length in 0..whole.len() {
        let bytes = &whole[..length];
        let (_, report) = accounted_for(bytes);
        let complete = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(report.restored, complete, "the whole lines, and nothing of the last");
    }
}

#[test]
fn seeded_damage_is_accounted_for() {
    let set = std::env::var("SIMPLEX_STORES_FUZZ_INPUTS").ok().and_then(|n| n.parse().ok());
    let whole = some_lines().concat();
    for seed in 0..set.unwrap_or(2_000) {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut bytes = whole.clone();
        mutate(&mut rng, &mut bytes, &whole);
        accounted_for(&bytes);
    }
}

#[test]
fn a_giant_line_is_walked_over_and_the_others_are_taken() {
    let lines = some_lines();
    let giant = |newline: &[u8]| [&vec![b'x'; 3_000_000][..], newline].concat();
    let bytes = [&lines[0][..], &giant(b"\n"), &lines[1], &giant(b"")].concat();
    let (_, report) = accounted_for(&bytes);
    assert_eq!(report.restored, 2);
    let reasons: Vec<_> = report.bad_lines.iter().map(|bad| (bad.length, bad.reason)).collect();
    let torn = (3_000_000, BadLineReason::Torn);
    assert_eq!(reasons, [(3_000_000, BadLineReason::TooLong), torn]);
    let error = PendingNtfStore::restore(&on(disk_with(bytes)), Semantics::Reference, None);
    assert!(error.unwrap_err().to_string().contains("3000000 bytes"), "and its length is told");
}

#[test]
fn the_longest_line_is_the_one_that_was_set() {
    let line = &some_lines()[0];
    let length = line.len() - 1;
    let restored = |max_line, bytes: &[u8], semantics| {
        let file = on(disk_with(bytes)).max_line(max_line);
        PendingNtfStore::restore(&file, semantics, None).map(|(_, report)| report.restored)
    };
    assert_eq!(restored(length, line, Semantics::Strict).unwrap(), 1);
    assert_eq!(restored(length - 1, line, Semantics::Strict).unwrap(), 0);
    let unfinished = &line[..length];
    assert_eq!(restored(length, unfinished, Semantics::Reference).unwrap(), 1);
    assert!(restored(length - 1, unfinished, Semantics::Reference).is_err());
    assert_eq!(restored(usize::MAX, line, Semantics::Strict).unwrap(), 1);
    assert_eq!(restored(0, line, Semantics::Strict).unwrap(), 0);
}

#[test]
fn more_bad_lines_than_are_listed_are_counted() {
    let bytes = [b"no notification\n".repeat(10_001), some_lines().concat()].concat();
    let (store, report) = restore(&disk_with(bytes), Semantics::Strict);
    assert_eq!((report.skipped, report.bad_lines.len()), (10_001, 10_000));
    assert_eq!(store.counts().ntfs, 5);
}

#[test]
fn what_is_no_text_at_all_restores_nothing() {
    for bytes in [vec![], vec![b'\n'; 100], vec![0xff; 5_000], (0..=255).collect::<Vec<u8>>()] {
        let (_, report) = accounted_for(&bytes);
        assert_eq!(report.restored, 0);
    }
}

#[test]
fn a_message_id_and_metadata_of_any_length_come_back() {
    let store = PendingNtfStore::new(Semantics::Strict);
    for length in [1, 2, 3, 100, 70_000] {
        let mut ntf = ntf(1, 1);
        ntf.meta = vec![7; length].into();
        ntf.message_id = vec![9; length].into();
        store.store(&notifier(1), &ntf);
    }
    let disk = MemStorage::new();
    let report = store.save(&on(disk.clone())).unwrap();
    let (restored, again) = restore(&disk, Semantics::Reference);
    assert_eq!((restored.entries(), again.restored), (store.entries(), report.ntfs));
    assert!(ntf(1, 1).to_text().len() < 100, "so that the sizes above are the test's own");
}
