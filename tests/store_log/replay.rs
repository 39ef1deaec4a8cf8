//! Reading a log: lines, torn tails, unreadable lines, long lines, progress (RP-1 to RP-5).

use std::sync::Arc;

use simplex_stores::{
    protocol::Semantics,
    store_log::{
        DamageReason, OpenError, OpenStep, Phase, Progress, ReplayReport, StoreLogConfig,
        WarningKind, compact_to, replay,
    },
    sync::Mutex,
    testing::{FailingStorage, Fault, MemStorage, Operation, Plan},
};

use crate::support::{
    LOG, TestStore, config, create, delete, disk_with, lines, names, states, workload,
};

fn read(config: &StoreLogConfig) -> (ReplayReport, TestStore) {
    let mut store = TestStore::default();
    (replay(config, &mut store).unwrap(), store)
}

#[test]
fn rp2_an_empty_file_has_no_lines() {
    let (report, store) = read(&config(disk_with("")));
    assert_eq!((report.lines, report.bytes, report.records), (0, 0, 0));
    assert_eq!(store.finished, 1);
}

#[test]
fn rp5_a_missing_file_is_an_error_of_a_replay() {
    let error = replay(&config(MemStorage::new()), &mut TestStore::default()).unwrap_err();
    let OpenError::Io { step, source, .. } = error else { panic!("{error}") };
    assert_eq!((step, source.kind()), (OpenStep::Read, std::io::ErrorKind::NotFound));
}

#[test]
fn race7_torn_tails_at_every_byte() {
    let records = workload();
    let whole = lines(&records);
    let states = states(&records);
    for cut in 0..=whole.len() {
        let part = &whole[..cut];
        let complete = part.iter().filter(|byte| **byte == b'\n').count();
        let line_end = part.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for semantics in [Semantics::Strict, Semantics::Reference] {
            let (report, store) = read(&config(disk_with(part)).semantics(semantics));
            assert_eq!(store.queues, states[complete].queues, "cut at {cut}");
            assert_eq!(report.lines, complete as u64);
            assert_eq!(report.bytes, cut as u64);
            let torn = report.torn_tail.map(|torn| (torn.line, torn.offset, torn.length));
            let expected = (line_end < cut).then_some((
                complete as u64 + 1,
                line_end as u64,
                (cut - line_end) as u64,
            ));
            assert_eq!(torn, expected, "cut at {cut}");
        }
    }
}

#[test]
fn rp1_unreadable_lines_are_skipped_and_located_without_their_text() {
    let good = lines(&[create(1)]);
    let secret = "CREATE rid=hush rdh=WFV1gOHNAQ2R6bm_vIrq8ARYNa0kD15AN6i6DRpQJQ4=";
    let mut log = good.clone();
    log.extend_from_slice(format!("{secret}\n\n").as_bytes());
    log.extend(lines(&[create(2)]));
    log.extend_from_slice(b"delete lower case\n");
    let (report, store) = read(&config(disk_with(log)));
    assert_eq!(store.queues, TestStore::of(&[create(1), create(2)]).queues);
    assert_eq!((report.lines, report.records, report.unreadable), (5, 2, 3));
    let places: Vec<_> =
        report.warnings.iter().map(|warning| (warning.line, warning.offset)).collect();
    let at = good.len() as u64;
    let second = at + secret.len() as u64 + 1;
    let third = second + 1 + good.len() as u64;
    assert_eq!(places, [(2, at), (3, second), (5, third)]);
    for warning in &report.warnings {
        let text = warning.to_string();
        assert!(matches!(warning.kind, WarningKind::Parse { .. }), "{text}");
        assert!(!text.contains("WFV1") && !text.contains("hush"), "{text}");
    }
    // Valid records follow the first two, not the last.
    assert_eq!(report.damage.iter().map(|damage| damage.line).collect::<Vec<_>>(), [2, 3]);
    assert!(
        report.damage.iter().all(
            |damage| !damage.proven && matches!(damage.reason, DamageReason::Unreadable { .. })
        )
    );
}

#[test]
fn rp18_the_stores_refusals_stand_among_the_warnings_in_order() {
    let mut log = lines(&[create(1), create(1)]);
    log.extend_from_slice(b"nonsense\n");
    log.extend(lines(&[delete(7)]));
    let (report, _) = read(&config(disk_with(log)));
    let lines: Vec<u64> = report.warnings.iter().map(|warning| warning.line).collect();
    assert_eq!(lines, [2, 3, 4]);
    assert_eq!(report.warnings_total, 3);
}

#[test]
fn lists_are_bounded_and_counts_are_not() {
    let mut log = b"x\n".repeat(10_000);
    log.extend(lines(&[create(1)]));
    let (report, _) = read(&config(disk_with(log)).max_warnings(5));
    assert_eq!((report.warnings.len(), report.damage.len()), (5, 5));
    assert_eq!((report.warnings_total, report.damage_total), (10_000, 10_000));
}

#[test]
fn lines_longer_than_the_maximum_are_walked_over() {
    let longest = lines(&[create(1)]).len() - 1;
    for extra in [1, 2, 100, 1_000_000] {
        let mut log = lines(&[create(1)]);
        let start = log.len() as u64;
        log.extend(vec![b'x'; longest + extra]);
        log.push(b'\n');
        log.extend(lines(&[create(2)]));
        let (report, store) = read(&config(disk_with(log)).max_line(longest));
        assert_eq!(store.queues.len(), 2);
        let [warning] = &report.warnings[..] else { panic!("one warning expected") };
        assert_eq!((warning.line, warning.offset), (2, start));
        assert_eq!(warning.kind, WarningKind::TooLong { length: (longest + extra) as u64 });
    }
}

#[test]
fn a_long_line_without_newline_is_a_torn_tail() {
    for length in [50, 51, 52, 53, 70_000] {
        let (report, _) = read(&config(disk_with(vec![b'x'; length])).max_line(51));
        assert_eq!(report.torn_tail.unwrap().length, length as u64);
        assert_eq!(report.unreadable, 0);
    }
}

#[test]
fn a_replay_changes_nothing_on_disk() {
    let disk = disk_with(&lines(&workload())[..300]);
    read(&config(disk.clone()).integrity(true));
    assert_eq!(disk.names().len(), 1);
    assert_eq!(disk.read(LOG).unwrap(), lines(&workload())[..300]);
}

#[test]
fn a_replay_reads_what_an_unfinished_start_set_aside() {
    let disk = disk_with("");
    disk.put("/log/F.start", lines(&workload()));
    let (report, store) = read(&config(disk.clone()));
    assert_eq!(store.queues, TestStore::of(&workload()).queues);
    assert_eq!(report.source, std::path::Path::new("/log/F.start"));
    assert_eq!(names(&disk), ["F", "F.start"]);
}

#[test]
fn rp3_progress_is_told_up_to_the_end() {
    let log = lines(&(1..=10_000).map(create).collect::<Vec<_>>());
    let total = log.len() as u64;
    let told = Arc::new(Mutex::new(Vec::new()));
    let config = {
        let told = Arc::clone(&told);
        config(disk_with(log)).progress(move |progress| told.lock().push(progress))
    };
    read(&config);
    let told = told.lock();
    assert!(told.len() > 2);
    assert!(told.is_sorted_by_key(|progress| progress.bytes));
    let last =
        Progress { phase: Phase::Replaying, lines: 10_000, bytes: total, total_bytes: total };
    assert_eq!(told.last(), Some(&last));
}

#[test]
fn an_unreadable_disk_is_an_error_with_its_step() {
    let failing = FailingStorage::new(Arc::new(disk_with(lines(&workload()))));
    failing.plan(Plan::NthOf(Operation::OpenRead, 1, Fault::Error(std::io::ErrorKind::Other)));
    let error = replay(&config(failing), &mut TestStore::default()).unwrap_err();
    assert!(matches!(error, OpenError::Io { step: OpenStep::Read, .. }), "{error}");
}

#[test]
fn cp6_compaction_to_another_file_leaves_the_log_alone() {
    let disk = disk_with(lines(&workload()));
    let config = config(disk.clone());
    let (_, store) = read(&config);
    let output = std::path::Path::new("/log/out");
    let report = compact_to(&config, output, &store).unwrap();
    assert_eq!(report.records, store.queues.len() as u64);
    assert_eq!(disk.read(output).unwrap(), store.compacted_bytes());
    assert_eq!(disk.read_synced(output).unwrap(), store.compacted_bytes());
    assert_eq!(names(&disk), ["F", "out"]);
    assert_eq!(disk.read(LOG).unwrap(), lines(&workload()));
    let again = compact_to(&config, output, &store).unwrap_err();
    assert!(again.to_string().contains("already there"), "{again}");
}
