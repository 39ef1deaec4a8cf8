//! Every single bit of a log, of its sidecar and of a snapshot flipped, and the log cut at every
//! byte, under both semantics and each way to treat damage. What comes out is stated exactly: the
//! records of the lines that can be read, each other line told with its offset, or a refusal that
//! leaves the disk as it is.

use std::path::Path;

use simplex_stores::{
    protocol::Semantics,
    queue_store::{BasicFactory, StmQueueStore},
    store_log::{
        DamageReason, Durability, Integrity, OnDamage, OpenError, StartReport, Storage,
        StoreLogConfig,
    },
    testing::MemStorage,
};

use crate::{
    every_kind::{
        Anatomy, History, SEMANTICS, anatomy, every_kind, open, places_told, sum_of_cases,
    },
    support::{BACKUP, LOG, config, count, disk_with, lines, names},
};

const POLICIES: [OnDamage; 3] = [OnDamage::Refuse, OnDamage::Skip, OnDamage::RefuseIfProven];
const SIDECAR: &str = "/log/F.integrity";

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

fn files(disk: &MemStorage) -> Vec<(String, Vec<u8>)> {
    let read = |name: &String| disk.read(Path::new("/log").join(name)).unwrap();
    names(disk).into_iter().map(|name| (name.clone(), read(&name))).collect()
}

fn under(disk: &MemStorage, semantics: Semantics, on_damage: OnDamage) -> StoreLogConfig {
    config(disk.clone()).semantics(semantics).on_damage(on_damage)
}

/// The start went on: what could be read is there, what could not be is told and kept.
fn check_start(disk: &MemStorage, log: &[u8], found: &Anatomy, started: (&StartReport, &History)) {
    let (report, history) = started;
    assert_eq!(history, &found.history);
    let told = places_told(&report.replay);
    assert_eq!(told, (found.unreadable.clone(), found.torn));
    assert_eq!(report.replay.unreadable, found.unreadable.len() as u64);
    assert_eq!(report.replay.records, found.history.records.len() as u64);
    assert_eq!(disk.read(LOG).unwrap(), found.history.bytes());
    assert_eq!(disk.read(report.backup.as_ref().unwrap()).unwrap(), log, "the original is kept");
}

/// Starts on such a log without a sidecar, under each policy.
fn without_sidecar(log: &[u8], semantics: Semantics) -> Anatomy {
    let found = anatomy(log, semantics);
    for on_damage in POLICIES {
        let disk = disk_with(log);
        match open(&under(&disk, semantics, on_damage)) {
            Ok((journal, report, history)) => {
                drop(journal);
                assert!(on_damage != OnDamage::Refuse || found.damaged == 0);
                check_start(&disk, log, &found, (&report, &history));
                let kept = report.backup.unwrap().to_str().unwrap().to_owned();
                let damaged = if found.unreadable.is_empty() { "" } else { ".damaged" };
                assert_eq!(kept, format!("{BACKUP}{damaged}"));
            }
            Err(error) => {
                assert_eq!(on_damage, OnDamage::Refuse);
                let text = error.to_string();
                let OpenError::Damaged { damage, total, .. } = error else { panic!("{text}") };
                let places: Vec<_> =
                    damage.iter().map(|place| (place.line, place.offset, place.length)).collect();
                assert_eq!(places, found.unreadable[..found.damaged]);
                assert_eq!(total, found.damaged as u64);
                assert!(text.contains(&format!("(offset {}, ", places[0].1)), "{text}");
                assert_eq!(files(&disk), [("F".to_owned(), log.to_vec())]);
            }
        }
    }
    found
}

/// No checksum protects the text alone: a flip that leaves a record is read as that record. Each
/// other flip is told with line and offset, and costs no record but those of the bytes told.
#[test]
fn every_flipped_bit_of_a_log_alone_gives_a_record_or_is_told() {
    let records = every_kind();
    let log = lines(&records);
    let bits = log.len() * 8;
    let case = move |bit: usize| {
        let flipped = flipped(&log, bit);
        let mut sums = [0; 3];
        for semantics in SEMANTICS {
            let found = without_sidecar(&flipped, semantics);
            let told = found.unreadable.len() + usize::from(found.torn.is_some());
            let there = &found.history.records;
            let changed = there.iter().filter(|(.., record)| !records.contains(record)).count();
            // A flip changes a line, makes two of one, or joins two.
            let missing = records.len() - (there.len() - changed);
            assert!(missing <= 2 && (missing == 0 || told + changed >= 1), "bit {bit}");
            assert!(missing <= 1 || told == 1, "bit {bit}");
            sums[0] += 1;
            sums[1] += u64::from(told > 0);
            sums[2] += u64::from(told == 0 && changed > 0);
        }
        sums
    };
    let [all, told, changed] = sum_of_cases(bits, case);
    assert_eq!(all, 2 * bits as u64);
    assert!(told > all / 2 && changed > 0, "{told} of {all} told, {changed} read as another");
    let starts = all * POLICIES.len() as u64;
    count(format!("{bits} bits, {starts} starts"));
}

/// The same, with the queue store behind it: it takes what could be read, and its invariants hold.
#[test]
fn every_flipped_bit_leaves_a_store_of_the_readable_lines() {
    let log = lines(&every_kind());
    let bits = log.len() * 8;
    let case = move |bit: usize| {
        let flipped = flipped(&log, bit);
        for semantics in SEMANTICS {
            let replayed = |log: &[u8]| {
                let config = under(&disk_with(log), semantics, OnDamage::Skip);
                StmQueueStore::replay(&config, BasicFactory).unwrap()
            };
            let (store, report) = replayed(&flipped);
            let (readable, _) = replayed(&anatomy(&flipped, semantics).history.bytes());
            if semantics == Semantics::Strict {
                assert_eq!(store.check_invariants().err(), None, "bit {bit}");
            }
            assert_eq!(store.snapshot(), readable.snapshot(), "bit {bit}");
            assert_eq!(report.lines, flipped.iter().filter(|byte| **byte == b'\n').count() as u64);
        }
        [1]
    };
    assert_eq!(sum_of_cases(bits, case), [bits as u64]);
}

/// A log with a sidecar that covers all of it, in two blocks: one of a compaction, one of appends.
fn covered() -> MemStorage {
    let disk = MemStorage::new();
    let records = every_kind();
    for half in [&records[..8], &records[8..]] {
        let config = config(disk.clone()).integrity(true).durability(Durability::Fsync);
        let (journal, ..) = open(&config).unwrap();
        for (number, record) in (1..).zip(half) {
            journal.submit(number, vec![record.clone()]).wait().unwrap();
        }
        journal.close().unwrap();
    }
    disk.remove(Path::new(BACKUP)).unwrap();
    assert_eq!(disk.read(LOG).unwrap(), lines(&records));
    disk
}

/// Starts on a log that its sidecar proves to be another than was written, or cut, at `at`.
fn with_sidecar(disk: &MemStorage, semantics: Semantics, at: u64) {
    let log = disk.read(LOG).unwrap();
    for on_damage in POLICIES {
        let disk = disk.copy();
        let before = files(&disk);
        match open(&under(&disk, semantics, on_damage).integrity(true)) {
            Ok((journal, report, history)) => {
                drop(journal);
                assert_eq!(on_damage, OnDamage::Skip, "byte {at}");
                check_start(&disk, &log, &anatomy(&log, semantics), (&report, &history));
                assert_eq!(report.replay.integrity, Integrity::Damaged);
                assert_eq!(report.backup.unwrap(), Path::new(&format!("{BACKUP}.damaged")));
            }
            Err(error) => {
                assert_ne!(on_damage, OnDamage::Skip, "byte {at}");
                let text = error.to_string();
                let OpenError::Damaged { damage, .. } = error else { panic!("{text}") };
                let proof = damage.iter().find(|place| {
                    place.proven
                        && place.reason != DamageReason::Missing
                        && (place.offset..place.offset + place.length).contains(&at)
                        || place.reason == DamageReason::Missing && place.offset == at
                });
                assert!(proof.is_some(), "byte {at}: {text}");
                let first = format!("(offset {}, ", damage[0].offset);
                assert!(text.contains(&first), "{text}");
                assert_eq!(files(&disk), before);
            }
        }
    }
}

#[test]
fn every_flipped_bit_of_a_log_with_a_sidecar_is_proven() {
    let disk = covered();
    let log = disk.read(LOG).unwrap();
    let bits = log.len() * 8;
    let case = move |bit: usize| {
        let disk = disk.copy();
        disk.damage(LOG, |bytes| *bytes = flipped(&log, bit));
        SEMANTICS.into_iter().for_each(|semantics| with_sidecar(&disk, semantics, bit as u64 / 8));
        [SEMANTICS.len() as u64 * POLICIES.len() as u64]
    };
    let [starts] = sum_of_cases(bits, case);
    count(format!("{bits} bits, {starts} starts"));
}

/// A sidecar covers the log up to its first entry that is not as it was written, and accuses
/// nothing.
#[test]
fn every_flipped_bit_of_a_sidecar_costs_its_proof_and_nothing_else() {
    let disk = covered();
    let sidecar = disk.read(SIDECAR).unwrap();
    assert_eq!(sidecar.len(), 3 * 64);
    let first_block = lines(&every_kind()[..8]).len() as u64;
    let bits = sidecar.len() * 8;
    let case = move |bit: usize| {
        for on_damage in POLICIES {
            let disk = disk.copy();
            disk.damage(SIDECAR, |bytes| *bytes = flipped(&sidecar, bit));
            let config = under(&disk, Semantics::Strict, on_damage).integrity(true);
            let (journal, report, history) = open(&config).unwrap();
            drop(journal);
            assert_eq!(history.bytes(), lines(&every_kind()));
            let integrity = match bit / 8 {
                0..64 => Integrity::Unusable,
                64..128 => Integrity::Intact { covered: 0 },
                _ => Integrity::Intact { covered: first_block },
            };
            assert_eq!(report.replay.integrity, integrity, "bit {bit}");
            assert_eq!(report.replay.damage_total, 0);
            let warnings = report.replay.warnings;
            assert_eq!(warnings.len(), usize::from(integrity == Integrity::Unusable));
            assert_eq!(report.backup.unwrap(), Path::new(BACKUP));
        }
        [POLICIES.len() as u64]
    };
    let [starts] = sum_of_cases(bits, case);
    count(format!("{bits} bits, {starts} starts"));
}

#[test]
fn a_log_cut_at_every_byte_is_a_prefix_and_the_rest_is_told() {
    let (whole, records, covered) = (lines(&every_kind()), every_kind(), covered());
    let cuts = whole.len() + 1;
    let case = move |cut: usize| {
        for semantics in SEMANTICS {
            let found = without_sidecar(&whole[..cut], semantics);
            let complete = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            let there: Vec<_> = found.history.records.iter().map(|(.., record)| record).collect();
            assert_eq!(there, records[..complete].iter().collect::<Vec<_>>(), "cut at {cut}");
            let tail = (cut - lines(&records[..complete]).len()) as u64;
            assert_eq!(found.torn.map_or(0, |(.., length)| length), tail);
            if cut < whole.len() {
                let disk = covered.copy();
                disk.damage(LOG, |bytes| bytes.truncate(cut));
                with_sidecar(&disk, semantics, cut as u64);
            }
        }
        [2 * SEMANTICS.len() as u64 * POLICIES.len() as u64]
    };
    let [starts] = sum_of_cases(cuts, case);
    count(format!("{cuts} cuts, {starts} starts"));
}

#[test]
fn every_flipped_bit_of_a_stores_snapshot_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(disk_with(lines(&every_kind())));
    let (store, _) = StmQueueStore::replay(&config, BasicFactory).unwrap();
    let path = folder.path().join("snapshot");
    store.save_snapshot(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let loaded = StmQueueStore::load_snapshot(&path, BasicFactory).unwrap();
    assert_eq!(loaded.snapshot(), store.snapshot());
    for bit in 0..whole.len() * 8 {
        std::fs::write(&path, flipped(&whole, bit)).unwrap();
        assert!(StmQueueStore::load_snapshot(&path, BasicFactory).is_err(), "bit {bit}");
    }
    count(format!("{} bits", whole.len() * 8));
}
