//! What the scenarios of the race catalogue are made of: a disk in memory, a store on it, a few threads.

use simplex_stores::protocol::{RecipientKeys, Semantics, ServiceId};
use simplex_stores::queue_store::{
    BasicFactory, BasicQueue, QueueKey, QueueStore, StmQueueStore, StoreQueue,
};
use simplex_stores::stm::{StmResult, TVar, Transaction, atomically};
use simplex_stores::store_log::{
    self, Durability, Journal, JournalError, Line, LogRecord, ReplayTarget, ReplayWarning,
    StoreLogConfig,
};
use simplex_stores::sync::Mutex;
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::queue_store::sample;
use simplex_stores::testing::{FailingStorage, MemStorage};
use std::io;
use std::sync::Arc;

/// The store on the model engine, with the plain queue objects.
pub type Store = StmQueueStore<BasicFactory>;

/// Where the log is on every [`Disk`].
pub const LOG: &str = "/folder/store.log";

/// A disk in memory with a log on it. Clones are the same disk.
#[derive(Clone)]
pub struct Disk {
    memory: MemStorage,
    config: StoreLogConfig,
}

impl Disk {
    /// A disk whose log has these records, so that nothing has to be set up while loom looks.
    pub fn new(durability: Durability, records: &[LogRecord]) -> Self {
        let memory = MemStorage::new();
        let mut bytes = Vec::new();
        for record in records {
            record.encode(&mut bytes);
            bytes.push(b'\n');
        }
        memory.put(LOG, bytes);
        let storage = Arc::new(memory.clone());
        let config = StoreLogConfig::new(LOG).durability(durability).storage(storage);
        Self { memory, config }
    }

    /// The same disk, whose operations fail as the plan says that is set on the second value. Each operation is
    /// something more for loom to interleave: only for scenarios that are about failures.
    pub fn failing(self) -> (Self, FailingStorage) {
        let failing = FailingStorage::new(Arc::new(self.memory.clone()));
        let config = self.config.clone().storage(Arc::new(failing.clone()));
        (Self { memory: self.memory, config }, failing)
    }

    /// The same disk, for a store with this semantics.
    pub fn with(self, semantics: Semantics) -> Self {
        Self { config: self.config.semantics(semantics), memory: self.memory }
    }

    /// Another disk, whose log has only the first `lines` lines of this one's.
    pub fn beginning(&self, lines: usize) -> Self {
        let memory = MemStorage::new();
        let kept = self.lines().into_iter().take(lines).map(|line| line + "\n");
        memory.put(LOG, kept.collect::<String>());
        let config = self.config.clone().storage(Arc::new(memory.clone()));
        Self { memory, config }
    }

    /// Starts a store on the log.
    pub fn open(&self) -> Arc<Store> {
        let (store, _) = StmQueueStore::open(&self.config, BasicFactory).expect("the log is good");
        Arc::new(store)
    }

    /// Starts the log's journal without a store; what was in the log is thrown away.
    pub fn start_journal(&self) -> Journal {
        store_log::start(&self.config, &mut Nothing).expect("the log is good").0
    }

    /// What a restart would find, now.
    ///
    /// # Panics
    ///
    /// When the replay warns of anything: what the store itself wrote, it can read.
    pub fn replayed(&self) -> Store {
        let storage = Arc::new(self.memory.clone());
        let config = self.config.clone().storage(storage);
        let (store, report) =
            StmQueueStore::replay(&config, BasicFactory).expect("the log can be read");
        assert!(report.warnings.is_empty(), "the restart warns of {:?}", report.warnings);
        store
    }

    /// The lines of the log without their newlines.
    pub fn lines(&self) -> Vec<String> {
        let bytes = self.memory.read(LOG).unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    /// How often the log has exactly this record.
    pub fn holds(&self, record: &LogRecord) -> usize {
        let line = text(record);
        self.lines().iter().filter(|found| **found == line).count()
    }

    /// The number of the first line, from 0, that is this record.
    pub fn place(&self, record: &LogRecord) -> Option<usize> {
        let line = text(record);
        self.lines().iter().position(|found| *found == line)
    }
}

fn text(record: &LogRecord) -> String {
    let mut line = Vec::new();
    record.encode(&mut line);
    String::from_utf8_lossy(&line).into_owned()
}

/// The record that makes queue `number`.
pub fn created(number: u8) -> LogRecord {
    LogRecord::CreateQueue(sample::recipient(number), Arc::new(sample::record(number)))
}

/// The queue `number` of a store, which has it.
pub fn queue(store: &Store, number: u8) -> Arc<BasicQueue> {
    store.get_queue(&QueueKey::Recipient(sample::recipient(number))).expect("the queue is there")
}

/// The recipient keys of queue `number`.
pub fn keys(store: &Store, number: u8) -> RecipientKeys {
    let record = queue(store, number).record().read_atomic().expect("the queue is live");
    record.recipient_keys.clone()
}

/// The service that queue `number` says it is received by.
pub fn rcv_service(store: &Store, number: u8) -> Option<ServiceId> {
    queue(store, number).record().read_atomic()?.rcv_service_id.clone()
}

/// Runs `a` on a thread of its own and `b` on this one, and waits for both.
pub fn two<A: Send + 'static, B>(
    a: impl FnOnce() -> A + Send + 'static,
    b: impl FnOnce() -> B,
) -> (A, B) {
    let thread = spawn(a);
    let b = b();
    (thread.join().expect("the thread ended well"), b)
}

/// Runs `change(1)` on a thread of its own and `change(2)` on this one, and waits for both.
pub fn both(change: impl Fn(u8) + Clone + Send + 'static) {
    let other = change.clone();
    two(move || other(1), move || change(2));
}

/// Stands for a store whose state doesn't matter.
struct Nothing;

impl ReplayTarget for Nothing {
    fn apply(&mut self, _: Vec<Line>) -> Vec<ReplayWarning> {
        Vec::new()
    }

    fn finish(&mut self) -> Vec<ReplayWarning> {
        Vec::new()
    }

    fn compacted(&self, _: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        Ok(())
    }
}

/// When a [`Numbered`] store takes the number of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// In the transaction, as the library does.
    Inside,
    /// After it: the guard is taken out.
    After,
}

/// The way of a change into the journal, without a store: the real journal, and the number of the last record.
pub struct Numbered {
    journal: Journal,
    last: TVar<u64>,
    taken: Taken,
}

impl Numbered {
    /// Starts the journal of the disk, whose records are thrown away.
    pub fn start(disk: &Disk, taken: Taken) -> Self {
        Self { journal: disk.start_journal(), last: TVar::new(0), taken }
    }

    /// Runs `body` as one transaction, and writes the record that it gives.
    pub fn transact<T>(
        &self,
        mut body: impl FnMut(&mut Transaction<'_>) -> StmResult<(T, LogRecord)>,
    ) -> T {
        let (value, record, number) = atomically(|tx| {
            let (value, record) = body(tx)?;
            let inside = self.taken == Taken::Inside;
            Ok((value, record, if inside { self.next(tx)? } else { 0 }))
        });
        let number = if number > 0 { number } else { atomically(|tx| self.next(tx)) };
        self.journal.submit(number, vec![record]).wait().expect("the journal is open");
        value
    }

    fn next(&self, tx: &mut Transaction<'_>) -> StmResult<u64> {
        self.last.update(tx, |number| {
            *number += 1;
            *number
        })
    }

    /// Waits for what was submitted, and closes the journal.
    ///
    /// # Errors
    ///
    /// Those of the journal.
    pub fn close(&self) -> Result<(), JournalError> {
        self.journal.close()
    }
}

/// The answer of a journal that could not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskFull;

/// A journal in short, whose first append finds the disk full.
pub struct FullOnce {
    appended: Mutex<(bool, Vec<&'static str>)>,
    remembers: bool,
}

impl FullOnce {
    /// One that, if it `remembers`, accepts nothing after the failure.
    pub fn new(remembers: bool) -> Self {
        Self { appended: Mutex::new((false, Vec::new())), remembers }
    }

    /// Appends a record, if it can.
    ///
    /// # Errors
    ///
    /// The first time; with a memory, every time after it as well.
    pub fn append(&self, record: &'static str) -> Result<(), DiskFull> {
        let mut appended = self.appended.lock();
        let failed = std::mem::replace(&mut appended.0, true);
        if !failed || self.remembers {
            return Err(DiskFull);
        }
        appended.1.push(record);
        Ok(())
    }

    /// What a restart finds.
    pub fn records(&self) -> Vec<&'static str> {
        self.appended.lock().1.clone()
    }
}
