//! The store on files that fail, or that hold what is not checked (CP-, RP-, QS-).

use simplex_stores::protocol::Semantics;
use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore};
use simplex_stores::store_log::{LogRecord, StoreLogConfig};

use crate::sample::{
    BOTH, MESSAGING, NOTIFIER, Running, STRICT, creds, finds, full_rec, rec, rid, service, vid,
};

fn lines(records: &[LogRecord]) -> Vec<u8> {
    let mut text = Vec::new();
    for record in records {
        record.encode(&mut text);
        text.push(b'\n');
    }
    text
}

/// The store that a log makes, and how many warnings it gave.
fn replay(semantics: Semantics, text: &[u8]) -> (StmQueueStore, u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    std::fs::write(&path, text).unwrap();
    let config = StoreLogConfig::new(path).semantics(semantics);
    let (store, report) = StmQueueStore::replay(&config, BasicFactory).unwrap();
    (store, report.warnings_total)
}

#[cfg(feature = "testing")]
#[test]
fn qs4_qs29_cp5_race3_a_failed_write_is_store_ends_changes_and_is_gone_after_a_restart() {
    use simplex_stores::protocol::{EntityStatus, ErrorType};
    use simplex_stores::testing::{FailingStorage, Fault, MemStorage, Operation, Plan};
    use std::io::ErrorKind;
    use std::sync::Arc;

    for semantics in BOTH {
        let disk = FailingStorage::new(Arc::new(MemStorage::new()));
        let config =
            StoreLogConfig::new("/log/F").semantics(semantics).storage(Arc::new(disk.clone()));
        let (store, _) = StmQueueStore::open(&config, BasicFactory).unwrap();
        store.add_queue(rid(1), rec(1)).unwrap();
        disk.plan(Plan::NthOf(Operation::Write, 1, Fault::Error(ErrorKind::StorageFull)));
        let failed = store.add_queue(rid(2), rec(2)).err();
        let text = ErrorType::Store("journal write failed".into());
        assert_eq!(failed, Some(text.clone()), "a fixed text, also for adding a queue");
        let queue = store.get_queue(&rid(1).into()).unwrap();
        assert_eq!(store.suspend_queue(&queue), Err(text), "the disk is fine, the journal is not");
        let (_, record) = store.get_queue_rec(&rid(1).into()).expect("lookups go on");
        assert_eq!(record.status, EntityStatus::Active, "a later change does not even begin");
        assert!(store.close().is_err());
        drop(store);
        let (again, _) = StmQueueStore::open(&config, BasicFactory).unwrap();
        assert!(finds(&again, rid(1)) && !finds(&again, rid(2)));
    }
}

#[test]
fn cp2_cp12_a_start_never_reads_bak_and_a_replay_never_writes() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        running.store.add_queue(rid(1), rec(1)).unwrap();
        running.store.close().unwrap();
        let mut bak = running.path().into_os_string();
        bak.push(".bak");
        let other = lines(&[LogRecord::CreateQueue(rid(2), rec(2).into())]);
        std::fs::write(&bak, &other).unwrap();
        let config = StoreLogConfig::new(running.path()).semantics(semantics);
        let before = running.text();
        let (read, _) = StmQueueStore::replay(&config, BasicFactory).unwrap();
        read.add_queue(rid(3), rec(3)).unwrap();
        assert_eq!(running.text(), before);
        let (store, _) = StmQueueStore::open(&config, BasicFactory).unwrap();
        assert!(finds(&store, rid(1)) && !finds(&store, rid(2)));
        assert_eq!(std::fs::read(&bak).unwrap(), other);
    }
}

#[test]
fn cp4_closing_twice_gives_the_same_answer_and_frees_the_log() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        running.store.add_queue(rid(1), rec(1)).unwrap();
        let config = StoreLogConfig::new(running.path()).semantics(semantics);
        assert!(StmQueueStore::open(&config, BasicFactory).is_err(), "CP-13: in use");
        assert_eq!((running.store.close(), running.store.close()), (Ok(()), Ok(())));
        assert!(StmQueueStore::open(&config, BasicFactory).is_ok());
    }
}

#[test]
fn rp23_chains_dates_and_lengths_of_ids_are_not_checked() {
    let text = b"NEW_SERVICE service_id=AQ== role=P cert= \
        cert_hash=AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE= created_at=-1\n";
    for semantics in BOTH {
        let (store, warnings) = replay(semantics, text);
        assert_eq!((store.snapshot().services.len(), warnings), (1, 0));
        let mut log = lines(&[LogRecord::CreateQueue(rid(1), rec(1).into())]);
        log.extend_from_slice(b"TIME ");
        log.extend_from_slice(rid(1).to_string().as_bytes());
        log.extend_from_slice(b" 17\n");
        let (store, warnings) = replay(semantics, &log);
        let (_, record) = store.get_queue_rec(&rid(1).into()).unwrap();
        assert_eq!((record.updated_at.map(|date| date.seconds()), warnings), (Some(17), 0));
    }
}

#[test]
fn rp24_the_order_between_queues_does_not_matter() {
    let services = [(1, MESSAGING), (2, NOTIFIER)]
        .map(|(number, role)| LogRecord::NewService(Box::new(service(number, number, role))));
    let of_queue = |number: u8| {
        let mut record = full_rec(number);
        record.rcv_service_id = Some(vid(1));
        record.notifier = Some(Box::new(creds(number, Some(2))));
        [
            LogRecord::CreateQueue(rid(number), record.into()),
            LogRecord::SuspendQueue(rid(number)),
            LogRecord::DeleteLink(rid(number)),
        ]
    };
    let ([a1, a2, a3], [b1, b2, b3]) = (of_queue(1), of_queue(2));
    let one_by_one = [&a1, &a2, &a3, &b1, &b2, &b3];
    let woven = [&b1, &a1, &b2, &b3, &a2, &a3];
    for semantics in BOTH {
        let state = |order: [&LogRecord; 6]| {
            let records: Vec<_> = services.iter().chain(order).cloned().collect();
            replay(semantics, &lines(&records)).0.snapshot()
        };
        assert_eq!(state(one_by_one), state(woven));
        let services_last: Vec<_> = one_by_one.into_iter().chain(&services).cloned().collect();
        let late = replay(semantics, &lines(&services_last)).0.snapshot();
        assert_eq!(late == state(woven), semantics == STRICT, "RP-20");
    }
}
