//! Damage in the middle of a log: reported, kept, and skipped or refused as chosen; nothing is
//! compacted away in silence.

use simplex_stores::store_log::{OnDamage, OpenError};

use crate::support::{
    BACKUP, LOG, TestStore, config, create, disk_with, lines, names, open, workload,
};

/// Seven records, the third unreadable.
fn damaged_log() -> (Vec<u8>, u64) {
    let mut log = lines(&workload());
    let at = lines(&workload()[..2]).len();
    log[at] = b'X';
    (log, at as u64)
}

fn without_the_third() -> TestStore {
    let records = workload();
    let mut left = records[..2].to_vec();
    left.extend_from_slice(&records[3..]);
    TestStore::of(&left)
}

#[test]
fn damage_is_located_and_the_original_stays_beyond_retention() {
    for on_damage in [OnDamage::Skip, OnDamage::RefuseIfProven] {
        let (log, at) = damaged_log();
        let disk = disk_with(log.clone());
        let (journal, report, store) = open(&config(disk.clone()).on_damage(on_damage)).unwrap();
        drop(journal);
        assert_eq!(store.queues, without_the_third().queues);
        assert_eq!((report.replay.damage_total, report.replay.damage_proven), (1, 0));
        let damage = &report.replay.damage[0];
        assert_eq!((damage.line, damage.offset, damage.proven), (3, at, false));
        let kept = format!("{BACKUP}.damaged");
        assert_eq!(report.backup.unwrap().to_str(), Some(&kept[..]));
        assert_eq!(disk.read(&kept).unwrap(), log);
        for _ in 0..5 {
            let later =
                config(disk.clone()).clock(|| crate::support::NOW + time::Duration::days(9999));
            drop(open(&later).unwrap());
        }
        assert_eq!(disk.read(&kept).unwrap(), log);
    }
}

/// A log may be damaged in more places than anybody wants to read of.
#[test]
fn places_beyond_the_limit_are_counted_and_not_listed() {
    let mut log = Vec::new();
    for number in 1..=5 {
        log.extend(b"NO RECORD\n");
        log.extend(lines(&[create(number)]));
    }
    log.extend(b"NO RECORD\n".repeat(3));
    log.extend(lines(&[create(6)]));
    let config = config(disk_with(log)).on_damage(OnDamage::Refuse).max_warnings(2);
    let OpenError::Damaged { damage, total, .. } = open(&config).unwrap_err() else {
        panic!("refused as damaged")
    };
    assert_eq!((damage.len(), total), (2, 8));
}

#[test]
fn refused_damage_changes_nothing_on_disk() {
    let (log, at) = damaged_log();
    let disk = disk_with(log.clone());
    let refuse = config(disk.clone()).on_damage(OnDamage::Refuse);
    for _ in 0..2 {
        let error = open(&refuse).unwrap_err();
        let text = error.to_string();
        let OpenError::Damaged { damage, total, .. } = error else { panic!("{text}") };
        assert_eq!((damage.len(), total), (1, 1));
        assert!(text.contains(&format!("/log/F: 1 damaged place, first at line 3 (offset {at}, ")));
        assert!(!text.contains("WFV1"), "{text}");
        assert_eq!(names(&disk), ["F"]);
        assert_eq!(disk.read(LOG).unwrap(), log);
    }
    drop(open(&refuse.on_damage(OnDamage::Skip)).unwrap());
}

#[test]
fn unreadable_lines_at_the_end_are_no_damage_and_are_kept_too() {
    let mut log = lines(&workload());
    log.extend_from_slice(b"\0\0\0\0\nmore\n");
    let disk = disk_with(log.clone());
    let (_journal, report, store) =
        open(&config(disk.clone()).on_damage(OnDamage::Refuse)).unwrap();
    assert_eq!(store.queues, TestStore::of(&workload()).queues);
    assert_eq!((report.replay.damage_total, report.replay.unreadable), (0, 2));
    assert_eq!(disk.read(format!("{BACKUP}.damaged")).unwrap(), log);
}

#[test]
fn a_torn_tail_alone_is_no_damage() {
    let mut log = lines(&[create(1)]);
    log.extend_from_slice(b"CREATE rid=AAAA");
    let disk = disk_with(log.clone());
    let (_journal, report, _) = open(&config(disk.clone()).on_damage(OnDamage::Refuse)).unwrap();
    assert_eq!(report.replay.torn_tail.unwrap().line, 2);
    assert_eq!(disk.read(BACKUP).unwrap(), log);
}

#[test]
fn damage_in_one_batch_is_recognised_by_a_record_in_a_later_one() {
    let mut log = lines(&[create(1)]);
    log.extend(b"garbage\n".repeat(9_000));
    log.extend(lines(&[create(2)]));
    log.extend(b"garbage\n".repeat(9_000));
    let (_journal, report, store) = open(&config(disk_with(log))).unwrap();
    assert_eq!(store.queues.len(), 2);
    assert_eq!((report.replay.damage_total, report.replay.unreadable), (9_000, 18_000));
}

#[test]
fn damage_at_the_end_of_a_batch_is_recognised_by_a_record_that_begins_the_next() {
    for count in 4090..4100 {
        let mut log = lines(&[create(1)]);
        log.extend(b"garbage\n".repeat(count));
        log.extend(lines(&[create(2)]));
        let (_journal, report, _) = open(&config(disk_with(log))).unwrap();
        assert_eq!(report.replay.damage_total, count as u64);
    }
}
