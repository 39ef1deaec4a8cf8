//! A tiny store, records to put into it, and disks to put those on.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc};

use simplex_stores::{
    protocol::{ErrorType, QueueRec, RecipientId, Semantics},
    store_log::{
        Journal, Line, LogRecord, OpenError, ReplayTarget, ReplayWarning, StartReport,
        StoreLogConfig, WarningKind, start,
    },
    testing::MemStorage,
};
use time::{OffsetDateTime, macros::datetime};

pub(crate) const LOG: &str = "/log/F";
pub(crate) const NOW: OffsetDateTime = datetime!(2025-06-01 12:00:00.5 UTC);
pub(crate) const BACKUP: &str = "/log/F.2025-06-01T12:00:00.5Z";

/// Queues by id, without indexes: enough to see what a replay brought back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TestStore {
    pub(crate) queues: BTreeMap<RecipientId, QueueRec>,
    pub(crate) finished: u32,
}

impl TestStore {
    pub(crate) fn apply_one(&mut self, record: LogRecord) -> Result<(), WarningKind> {
        let operation = record.operation_name();
        let rejected = |id: &RecipientId| WarningKind::Rejected {
            operation,
            entity: id.to_string(),
            error: ErrorType::Auth,
        };
        match record {
            LogRecord::CreateQueue(id, _) if self.queues.contains_key(&id) => {
                return Err(rejected(&id));
            }
            LogRecord::CreateQueue(id, queue) => {
                self.queues.insert(id, Arc::unwrap_or_clone(queue));
            }
            LogRecord::DeleteQueue(id) => {
                self.queues.remove(&id).ok_or_else(|| rejected(&id))?;
            }
            LogRecord::UpdateTime(id, date) => {
                let queue = self.queues.get_mut(&id).ok_or_else(|| rejected(&id))?;
                queue.updated_at = Some(date);
            }
            other => panic!("not used in these tests: {}", other.operation_name()),
        }
        Ok(())
    }

    pub(crate) fn of(records: &[LogRecord]) -> Self {
        let mut store = Self::default();
        for record in records {
            store.apply_one(record.clone()).unwrap();
        }
        store
    }

    pub(crate) fn compacted_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.compacted(&mut |record| {
            bytes.extend(lines(&[record]));
            Ok(())
        })
        .unwrap();
        bytes
    }
}

impl ReplayTarget for TestStore {
    fn apply(&mut self, batch: Vec<Line>) -> Vec<ReplayWarning> {
        let mut warnings = Vec::new();
        for Line { number, offset, record } in batch {
            if let Err(kind) = self.apply_one(record) {
                warnings.push(ReplayWarning { line: number, offset, kind });
            }
        }
        warnings
    }

    fn finish(&mut self) -> Vec<ReplayWarning> {
        self.finished += 1;
        Vec::new()
    }

    fn compacted(&self, emit: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        for (id, queue) in &self.queues {
            emit(LogRecord::CreateQueue(id.clone(), Arc::new(queue.clone())))?;
        }
        Ok(())
    }
}

fn text_id(number: u32) -> String {
    format!("{number:032}")
}

fn parse(line: &str) -> LogRecord {
    LogRecord::parse(line.as_bytes(), Semantics::Strict).unwrap()
}

pub(crate) fn create(number: u32) -> LogRecord {
    parse(&format!(
        "CREATE rid={} rk=MCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w= \
         rdh=WFV1gOHNAQ2R6bm_vIrq8ARYNa0kD15AN6i6DRpQJQ4= sid=s{} sk= queue_mode=M \
         updated_at=1735689600",
        text_id(number),
        &text_id(number)[1..],
    ))
}

pub(crate) fn delete(number: u32) -> LogRecord {
    parse(&format!("DELETE {}", text_id(number)))
}

pub(crate) fn time(number: u32, day: u32) -> LogRecord {
    parse(&format!("TIME {} {}", text_id(number), u64::from(day) * 86_400))
}

/// Records of different lengths that touch each other.
pub(crate) fn workload() -> Vec<LogRecord> {
    vec![create(3), create(1), time(3, 20_000), create(2), delete(1), time(2, 7), create(4)]
}

pub(crate) fn lines(records: &[LogRecord]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        record.encode(&mut bytes);
        bytes.push(b'\n');
    }
    bytes
}

/// The states after each prefix of the records, the empty one first.
pub(crate) fn states(records: &[LogRecord]) -> Vec<TestStore> {
    (0..=records.len()).map(|count| TestStore::of(&records[..count])).collect()
}

pub(crate) fn config(storage: impl simplex_stores::store_log::Storage + 'static) -> StoreLogConfig {
    StoreLogConfig::new(LOG).storage(Arc::new(storage)).clock(|| NOW)
}

pub(crate) fn open(
    config: &StoreLogConfig,
) -> Result<(Journal, StartReport, TestStore), OpenError> {
    let mut store = TestStore::default();
    let (journal, report) = start(config, &mut store)?;
    Ok((journal, report, store))
}

/// A log on a disk in memory.
pub(crate) fn disk_with(log: impl Into<Vec<u8>>) -> MemStorage {
    let disk = MemStorage::new();
    disk.put(LOG, log);
    disk
}

/// The state that a start finds on the disk, whatever it has to recover from.
pub(crate) fn state_on(disk: &MemStorage) -> BTreeMap<RecipientId, QueueRec> {
    open(&config(disk.clone())).unwrap().2.queues
}

pub(crate) fn names(disk: &MemStorage) -> Vec<String> {
    let text = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    disk.names().into_iter().map(text).filter(|name| name != "F.lock").collect()
}

/// What `docs/update-claims.sh` writes down.
#[allow(clippy::print_stdout, reason = "the script reads it there")]
pub(crate) fn count(text: String) {
    println!("claim: {text}");
}
