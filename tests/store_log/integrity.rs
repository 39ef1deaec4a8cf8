//! The sidecar: proves what is damage, and never takes a torn tail, a power loss or another
//! program's file for it.

use simplex_stores::{
    protocol::Semantics,
    store_log::{
        DamageReason, Durability, Integrity, LogRecord, OnDamage, OpenError, ReplayReport,
        StoreLogConfig, WarningKind, replay,
    },
    testing::{Crash, MemStorage},
};

use crate::support::{
    LOG, TestStore, config, create, lines, names, open, state_on, time, workload,
};

const SIDECAR: &str = "/log/F.integrity";

fn with_sidecar(disk: &MemStorage) -> StoreLogConfig {
    config(disk.clone()).integrity(true)
}

/// A log with a sidecar that covers all of it.
fn covered() -> MemStorage {
    let disk = MemStorage::new();
    let (journal, ..) = open(&with_sidecar(&disk).durability(Durability::Fsync)).unwrap();
    for (number, record) in (1..).zip(workload()) {
        journal.submit(number, vec![record]).wait().unwrap();
    }
    journal.close().unwrap();
    disk
}

fn look(disk: &MemStorage) -> ReplayReport {
    replay(&with_sidecar(disk), &mut TestStore::default()).unwrap()
}

#[test]
fn a_log_as_it_was_written_is_intact() {
    let disk = covered();
    let length = disk.read(LOG).unwrap().len() as u64;
    assert_eq!(look(&disk).integrity, Integrity::Intact { covered: length });
    let (journal, report, _) = open(&with_sidecar(&disk)).unwrap();
    drop(journal);
    assert_eq!(report.replay.integrity, Integrity::Intact { covered: length });
    // The compacted log has a sidecar of its own.
    let length = disk.read(LOG).unwrap().len() as u64;
    assert_eq!(look(&disk).integrity, Integrity::Intact { covered: length });
}

#[test]
fn every_changed_byte_is_proven_and_refused() {
    let disk = covered();
    for at in 0..disk.read(LOG).unwrap().len() {
        for bit in [0x01, 0x80] {
            disk.damage(LOG, |bytes| bytes[at] ^= bit);
            let error = open(&with_sidecar(&disk)).unwrap_err();
            let OpenError::Damaged { damage, .. } = error else { panic!("{error}") };
            assert!(damage.iter().any(|damage| damage.proven), "byte {at}");
            assert_eq!(names(&disk), ["F", "F.integrity"]);
            disk.damage(LOG, |bytes| bytes[at] ^= bit);
        }
    }
    drop(open(&with_sidecar(&disk)).unwrap());
}

#[test]
fn a_changed_record_that_still_reads_is_found_and_kept_when_skipped() {
    let disk = covered();
    let at = disk.read(LOG).unwrap().windows(6).position(|text| text == b"\nTIME ").unwrap() + 7;
    disk.damage(LOG, |bytes| bytes[at + 34] = b'9');
    let changed = disk.read(LOG).unwrap();
    let skip = with_sidecar(&disk).on_damage(OnDamage::Skip);
    let (_journal, report, _) = open(&skip).unwrap();
    assert_eq!((report.replay.unreadable, report.replay.damage_proven), (0, 1));
    assert_eq!(report.replay.damage[0].reason, DamageReason::Changed);
    let kept = report.backup.unwrap();
    assert!(kept.to_str().unwrap().ends_with(".damaged"));
    assert_eq!(disk.read(kept).unwrap(), changed);
}

/// A log of five blocks; the second and the fourth are one long line each. Gives the blocks' ends.
fn five_blocks() -> (MemStorage, [usize; 5]) {
    let disk = MemStorage::new();
    let (journal, ..) = open(&with_sidecar(&disk).durability(Durability::Fsync)).unwrap();
    let long = format!("LINK AAAA AAAA {} AAAA", "A".repeat(20_000));
    let long = LogRecord::parse(long.as_bytes(), Semantics::Strict).unwrap();
    let many = |from: u32| (from..from + 100).map(create).collect::<Vec<_>>();
    let blocks = [many(0), vec![long.clone()], many(100), vec![long], many(200)];
    let mut end = 0;
    let ends = blocks.each_ref().map(|records| {
        end += lines(records).len();
        end
    });
    for (number, records) in (1..).zip(blocks) {
        journal.submit(number, records).wait().unwrap();
    }
    journal.close().unwrap();
    (disk, ends)
}

/// Makes another date of the one that ends the last line before `end`: it can still be read.
fn change_date(disk: &MemStorage, end: usize) {
    disk.damage(LOG, |bytes| bytes[end - 2] ^= 1);
}

#[test]
fn only_what_is_unreadable_inside_a_changed_block_is_proven_with_it() {
    let (disk, ends) = five_blocks();
    disk.damage(LOG, |bytes| bytes[ends[1]] = b'X');
    let short_lines_only = with_sidecar(&disk).max_line(1000);
    let report = replay(&short_lines_only, &mut TestStore::default()).unwrap();
    let found: Vec<_> = report.damage.iter().map(|d| (d.offset as usize, d.proven)).collect();
    // The first long line; the changed block, and the line in it; the second long line.
    assert_eq!(found, [(ends[0], false), (ends[1], true), (ends[1], true), (ends[2], false)]);
    assert_eq!((report.damage_total, report.damage_proven), (4, 2));
}

#[test]
fn changed_blocks_beyond_the_limit_are_counted_and_not_listed() {
    let (disk, ends) = five_blocks();
    for block in [0, 2, 4] {
        change_date(&disk, ends[block]);
    }
    let listing_one = with_sidecar(&disk).max_warnings(1).max_line(1000);
    let report = replay(&listing_one, &mut TestStore::default()).unwrap();
    // The two long lines are damage too, and not proven.
    assert_eq!((report.damage.len(), report.damage_total, report.damage_proven), (1, 5, 3));
}

#[test]
fn a_missing_end_is_proven_where_it_had_been_synced() {
    let disk = covered();
    let whole = disk.read(LOG).unwrap();
    for cut in 0..whole.len() {
        disk.damage(LOG, |bytes| *bytes = whole[..cut].to_vec());
        let report = look(&disk);
        let missing =
            report.damage.iter().find(|damage| damage.reason == DamageReason::Missing).unwrap();
        assert_eq!((missing.offset, missing.length), (cut as u64, (whole.len() - cut) as u64));
        assert!(open(&with_sidecar(&disk)).is_err());
    }
}

#[test]
fn a_torn_append_is_not_damage() {
    let disk = covered();
    let torn = lines(&[create(77)]);
    for cut in 1..torn.len() {
        disk.damage(LOG, |bytes| bytes.extend_from_slice(&torn[..cut]));
        let report = look(&disk);
        assert_eq!(report.damage_total, 0, "cut at {cut}");
        assert!(report.torn_tail.is_some());
        disk.damage(LOG, |bytes| bytes.truncate(bytes.len() - cut));
    }
}

/// Under `Flush` a power loss may take the log's end and leave the sidecar's.
#[test]
fn bytes_lost_by_a_power_loss_before_a_sync_are_not_damage() {
    let disk = MemStorage::new();
    let (journal, ..) = open(&with_sidecar(&disk)).unwrap();
    for number in 1..=2000 {
        journal.submit(number, vec![time(1, number as u32)]).wait().unwrap();
    }
    let sidecar = disk.read(SIDECAR).unwrap();
    assert!(sidecar.len() > 64 * 3, "several blocks were written");
    disk.crash(Crash::PowerSyncedOnly);
    drop(journal);
    disk.put(SIDECAR, sidecar);
    let report = look(&disk);
    assert_eq!((report.damage_total, report.records), (0, 0));
    assert!(matches!(report.integrity, Integrity::Intact { .. }), "{:?}", report.integrity);
}

#[test]
fn another_programs_file_is_not_judged() {
    let disk = covered();
    disk.put(LOG, lines(&[create(5)]));
    let (_journal, report, store) = open(&with_sidecar(&disk)).unwrap();
    assert_eq!(store.queues.len(), 1);
    assert_eq!(report.replay.integrity, Integrity::Unusable);
    assert!(matches!(report.replay.warnings[0].kind, WarningKind::SidecarUnusable { .. }));
    assert_eq!(report.replay.damage_total, 0);
}

#[test]
fn what_another_program_appended_is_not_judged() {
    let disk = covered();
    let covered = disk.read(LOG).unwrap().len() as u64;
    disk.damage(LOG, |bytes| bytes.extend(lines(&[create(70), create(71)])));
    let report = look(&disk);
    assert_eq!(report.integrity, Integrity::Intact { covered });
    assert_eq!(report.damage_total, 0);
}

#[test]
fn a_damaged_or_cut_sidecar_never_accuses_a_good_log() {
    let disk = covered();
    let sidecar = disk.read(SIDECAR).unwrap();
    for at in 0..sidecar.len() {
        for damage in [|bytes: &mut Vec<u8>, at: usize| bytes[at] ^= 0x10, Vec::truncate] {
            disk.damage(SIDECAR, |bytes| damage(bytes, at));
            let report = look(&disk);
            assert_eq!(report.damage_total, 0, "byte {at}");
            disk.put(SIDECAR, sidecar.clone());
        }
    }
}

#[test]
fn an_interrupted_compaction_keeps_the_sidecar_of_the_file_that_counts() {
    let disk = covered();
    let length = disk.read(LOG).unwrap().len() as u64;
    let failing = simplex_stores::testing::FailingStorage::new(std::sync::Arc::new(disk.clone()));
    let full = simplex_stores::testing::Fault::Error(std::io::ErrorKind::StorageFull);
    failing.plan(simplex_stores::testing::Plan::NthOf(
        simplex_stores::testing::Operation::Write,
        1,
        full,
    ));
    open(&config(failing).integrity(true)).unwrap_err();
    assert_eq!(look(&disk).integrity, Integrity::Intact { covered: length });
    let (_journal, report, _) = open(&with_sidecar(&disk)).unwrap();
    assert_eq!(report.replay.integrity, Integrity::Intact { covered: length });
}

#[test]
fn a_sidecar_that_cannot_be_written_does_not_stop_the_journal() {
    let disk = MemStorage::new();
    let failing = simplex_stores::testing::FailingStorage::new(std::sync::Arc::new(disk.clone()));
    let rehearsal = open(&config(failing.clone()).integrity(true)).unwrap();
    drop(rehearsal);
    let create_sidecar =
        failing.done().iter().position(|done| done.path == std::path::Path::new(SIDECAR)).unwrap();
    for offset in 0..3 {
        let disk = MemStorage::new();
        let failing =
            simplex_stores::testing::FailingStorage::new(std::sync::Arc::new(disk.clone()));
        let fault = simplex_stores::testing::Fault::Error(std::io::ErrorKind::StorageFull);
        let at = create_sidecar as u64 + offset;
        failing.plan(simplex_stores::testing::Plan::Once(at, fault));
        let (journal, ..) = open(&config(failing).integrity(true)).unwrap();
        journal.submit(1, vec![create(1)]).wait().unwrap();
        journal.close().unwrap();
        assert_eq!(state_on(&disk).len(), 1);
    }
}
