//! Moving queues between a journal and a database takes memory for a few of them, however many there are.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};
use simplex_stores::db::migrations::ConfirmMode;
use simplex_stores::db::postgres::CreateSchema;
use simplex_stores::protocol::{NotifierId, QueueRec, RecipientId, SenderId};
use simplex_stores::queue_store::postgres::maintenance::check;
use simplex_stores::queue_store::postgres::transfer::{
    ExportOptions, ImportOptions, export, import,
};
use simplex_stores::queue_store::postgres::{SchemaOptions, migrate};
use simplex_stores::store_log::{LogRecord, StoreLogConfig};
use simplex_stores::testing::postgres::Cluster;

use crate::{MIB, alone, assert_below, peak_of};

/// A number as an id of 24 bytes.
fn id<Id: From<simplex_stores::protocol::EntityId>>(number: u64) -> Id {
    let bytes = [number.to_be_bytes(); 3].concat();
    simplex_stores::protocol::EntityId::from_bytes(&bytes).unwrap().into()
}

fn write_queues(log: &StoreLogConfig, queues: u64) {
    let mut source = Gen::from_size_and_seed(20, 1);
    let mut file = BufWriter::new(File::create(log.path()).unwrap());
    let mut line = Vec::new();
    for number in 0..queues {
        let mut record = QueueRec::arbitrary(&mut source);
        record.sender_id = id::<SenderId>(number);
        (record.link, record.rcv_service_id) = (None, None);
        if let Some(notifier) = &mut record.notifier {
            (notifier.notifier_id, notifier.service_id) = (id::<NotifierId>(number), None);
        }
        line.clear();
        LogRecord::CreateQueue(id::<RecipientId>(number), Arc::new(record)).encode(&mut line);
        line.push(b'\n');
        file.write_all(&line).unwrap();
    }
    file.flush().unwrap();
}

/// A batch of the journal is about a megabyte, and some are read ahead.
const BOUND: usize = 16 * MIB;

#[test]
fn moving_queues_takes_the_same_memory_however_many_there_are() {
    let _alone = alone();
    for queues in [2_000, 45_000] {
        let folder = tempfile::tempdir().unwrap();
        let database = Cluster::shared().unwrap().database().unwrap();
        let config = database.config().unwrap();
        let options =
            SchemaOptions { create: CreateSchema::IfMissing, confirm: ConfirmMode::YesUp };
        migrate(&config, options, |_| false).unwrap();
        let log = StoreLogConfig::new(folder.path().join("store.log"));
        write_queues(&log, queues);
        let length = std::fs::metadata(log.path()).unwrap().len();
        assert!(queues < 10_000 || length > BOUND as u64, "{length} bytes would fit");
        let imported = || {
            let report = import(&log, &config, &ImportOptions::default()).unwrap();
            assert!(report.streamed && report.content.queues == queues);
        };
        assert_below("an import", peak_of(imported), BOUND);
        let exported = || {
            let log = StoreLogConfig::new(folder.path().join("exported.log"));
            export(&config, &log, &ExportOptions::default()).unwrap();
        };
        assert_below("an export", peak_of(exported), BOUND / 4);
        let checked = || assert!(check(&config).unwrap().holds());
        assert_below("a check", peak_of(checked), BOUND / 4);
    }
}
