//! Timed backups: names (CP-8, CP-10), retention (CP-9), and that a failed deletion fails nothing
//! (CP-11).

use std::{io::ErrorKind, path::Path, sync::Arc};

use simplex_stores::{
    encoding::timestamp,
    store_log::StoreLogConfig,
    testing::{FailingStorage, Fault, MemStorage, Operation, Plan},
};

use crate::support::{LOG, NOW, config, disk_with, lines, names, open, workload};

/// Backups of so many days ago, and one started now.
fn after_start(days: &[i64]) -> (MemStorage, Vec<i64>) {
    let disk = disk_with(lines(&workload()));
    let name = |days: i64| {
        let seconds = NOW.unix_timestamp() - days * 86_400;
        format!("/log/F.{}", timestamp::format(seconds, NOW.nanosecond()).unwrap())
    };
    for days in days {
        disk.put(name(*days), "");
    }
    let (_journal, report, _) = open(&config(disk.clone())).unwrap();
    let left: Vec<i64> =
        days.iter().copied().filter(|days| disk.read(name(*days)).is_some()).collect();
    assert_eq!(report.removed_backups.len(), days.len() - left.len());
    assert!(report.retention_errors.is_empty());
    (disk, left)
}

#[test]
fn cp9_retention_as_probed() {
    let days = [1, 2, 5, 10, 20, 22, 23, 24, 25, 30];
    assert_eq!(after_start(&days).1, [1, 2, 5, 10, 20]);
}

#[test]
fn cp9_three_old_ones_stay() {
    assert_eq!(after_start(&[100, 200, 300]).1, [100, 200, 300]);
    assert_eq!(after_start(&[100, 200, 300, 400]).1, [100, 200, 300]);
}

#[test]
fn cp9_young_ones_do_not_count_among_the_three() {
    assert_eq!(after_start(&[0, 1, 30, 31, 32, 33]).1, [0, 1, 30, 31, 32]);
}

#[test]
fn cp9_exactly_a_day_and_exactly_21_days_stay() {
    assert_eq!(after_start(&[1, 2, 3, 4, 21, 22]).1, [1, 2, 3, 4, 21]);
}

#[test]
fn cp9_other_files_are_never_deleted() {
    let others = [
        "F.bak",
        "F.torn.2020-01-01T00:00:00Z",
        "F.2020-01-01T00:00:00Z.damaged",
        "F.2020-01-01T00:00:00",
        "F.2020-01-01 00:00:00Z",
        "F.20200101T000000Z",
        "F2020-01-01T00:00:00Z",
        "G.2020-01-01T00:00:00Z",
        "F.old.2020-01-01T00:00:00Z",
    ];
    let disk = disk_with(lines(&workload()));
    for name in others {
        disk.put(Path::new("/log").join(name), "");
    }
    drop(open(&config(disk.clone())).unwrap());
    for name in others {
        assert!(names(&disk).contains(&name.to_owned()), "{name}");
    }
}

#[test]
fn cp10_other_spellings_of_old_backups_are_deleted_by_their_own_name() {
    let spellings = [
        "2019-01-01T00:00:00.100Z",
        "2019-01-02T00:00:00,5Z",
        "2016-12-31T23:59:60Z",
        "2019-01-03T00:00:00.1234567890123456Z",
    ];
    let disk = disk_with(lines(&workload()));
    for name in spellings {
        disk.put(format!("/log/F.{name}"), "");
    }
    for day in 1..=3 {
        disk.put(format!("/log/F.2020-01-0{day}T00:00:00Z"), "");
    }
    let (_journal, report, _) = open(&config(disk.clone())).unwrap();
    assert_eq!(report.removed_backups.len(), spellings.len());
    for name in spellings {
        assert!(disk.read(format!("/log/F.{name}")).is_none(), "{name}");
    }
}

#[test]
fn cp11_a_failed_deletion_is_reported_and_the_others_go_on() {
    let disk = disk_with(lines(&workload()));
    for day in 1..=5 {
        disk.put(format!("/log/F.2025-01-0{day}T00:00:00Z"), "");
    }
    let failing = FailingStorage::new(Arc::new(disk.clone()));
    let denied = Fault::Error(ErrorKind::PermissionDenied);
    failing.plan(Plan::NthOf(Operation::Remove, 1, denied));
    let (_journal, report, _) = open(&config(failing)).unwrap();
    assert_eq!(report.removed_backups, [Path::new("/log/F.2025-01-02T00:00:00Z")]);
    let [error] = &report.retention_errors[..] else { panic!("one error expected") };
    assert_eq!(error.path, Path::new("/log/F.2025-01-01T00:00:00Z"));
    assert_eq!(error.error.kind(), ErrorKind::PermissionDenied);
}

#[test]
fn cp11_a_folder_that_cannot_be_listed_fails_nothing() {
    let failing = FailingStorage::new(Arc::new(disk_with(lines(&workload()))));
    failing.plan(Plan::NthOf(Operation::List, 1, Fault::Error(ErrorKind::PermissionDenied)));
    let (_journal, report, _) = open(&config(failing)).unwrap();
    assert_eq!(report.retention_errors.len(), 1);
}

#[test]
fn cp8_no_backup_replaces_another() {
    let disk = disk_with(lines(&workload()));
    disk.put("/log/F.2025-06-01T12:00:00.5Z", "earlier");
    disk.put("/log/F.2025-06-01T12:00:00.500000001Z", "earlier");
    let (_journal, report, _) = open(&config(disk.clone())).unwrap();
    assert_eq!(report.backup.unwrap(), Path::new("/log/F.2025-06-01T12:00:00.500000002Z"));
    assert_eq!(disk.read("/log/F.2025-06-01T12:00:00.5Z").unwrap(), b"earlier");
    assert!(disk.read(LOG).is_some());
}

/// The state of CR-12 that a reference router may leave: no log, and its only copy is a backup.
#[test]
fn cr12_an_empty_log_beside_backups_is_told() {
    let disk = MemStorage::new();
    disk.put("/log/F.2025-05-01T00:00:00Z", "older");
    disk.put("/log/F.2025-05-02T00:00:00Z", "newer");
    let (_journal, report, _) = open(&config(disk)).unwrap();
    assert!(report.created);
    let [warning] = &report.replay.warnings[..] else { panic!("one warning expected") };
    assert!(warning.to_string().contains("/log/F.2025-05-02T00:00:00Z"), "{warning}");
    let (_journal, report, _) = open(&config(MemStorage::new())).unwrap();
    assert!(report.created && report.replay.warnings.is_empty());
}

#[cfg(unix)]
#[test]
fn a_log_keeps_its_access_rights_when_it_is_rewritten() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("F");
    for mode in [0o600, 0o640] {
        fs::write(&log, lines(&workload())).unwrap();
        fs::set_permissions(&log, fs::Permissions::from_mode(mode)).unwrap();
        drop(open(&StoreLogConfig::new(&log)).unwrap());
        assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, mode);
    }
}
