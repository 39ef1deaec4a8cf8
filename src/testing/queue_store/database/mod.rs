//! A database in memory in which each statement is one step: what the database store is model-checked over.

mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::db::{DbError, DbErrorKind};
use crate::protocol::{
    LinkData, QueueRec, RecipientId, Semantics, ServiceId, ServiceRec, ServiceRole,
};
use crate::queue_store::QueueKey;
use crate::queue_store::database::{CacheEvents, Refusal, StatementError};
use crate::stm::{TSem, atomically};
use crate::sync::Mutex;

/// How the next change fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The connection breaks before the commit: nothing is changed.
    Lost,
    /// The connection breaks after the commit was sent, and the change is made (RACE-70).
    UnclearDone,
    /// The connection breaks after the commit was sent, and the change isn't made.
    UnclearUndone,
}

/// A database in memory. Each method takes one lock once, so under a model checker each statement is one step.
///
/// Clones are connections of other processes to the same database: what one of them changes is announced to
/// the others, and reaches their caches when [`deliver`](Self::deliver) is called.
#[derive(Clone)]
pub struct ModelDatabase {
    shared: Arc<Mutex<Tables>>,
    process: usize,
    semantics: Semantics,
    pool: Option<TSem>,
}

/// A connection of the pool, until it is dropped.
#[derive(Debug)]
pub struct Connection<'d>(Option<&'d TSem>);

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        // A model checker ends the threads of a failed execution by unwinding them.
        if let Some(pool) = self.0.filter(|_| !std::thread::panicking()) {
            atomically(|tx| pool.signal(tx));
        }
    }
}

#[derive(Default)]
struct Tables {
    queues: BTreeMap<RecipientId, Row>,
    services: BTreeMap<ServiceId, ServiceRec>,
    processes: Vec<Process>,
    /// What changes are working on, where they take more than one step.
    changing: BTreeSet<RecipientId>,
    overlaps: usize,
}

#[derive(Clone)]
struct Row {
    record: QueueRec,
    deleted_at: Option<i64>,
}

#[derive(Default)]
struct Process {
    cache: Option<Arc<dyn CacheEvents>>,
    announced: Vec<RecipientId>,
    fails: Option<Outcome>,
    statements: usize,
    closed: bool,
}

impl ModelDatabase {
    /// An empty database.
    pub fn new(semantics: Semantics) -> Self {
        let tables = Tables { processes: vec![Process::default()], ..Tables::default() };
        Self { shared: Arc::new(Mutex::new(tables)), process: 0, semantics, pool: None }
    }

    /// A process that has so many connections. Each statement takes one, waits when there is none, and gives
    /// it back; a change is several steps in between, so others can [overlap](Self::overlaps) it.
    #[must_use]
    pub fn with_connections(self, count: u32) -> Self {
        Self { pool: Some(TSem::new(count.into())), ..self }
    }

    /// Takes a connection, as each statement does.
    pub fn connection(&self) -> Connection<'_> {
        if let Some(pool) = &self.pool {
            atomically(|tx| pool.wait(tx));
        }
        Connection(self.pool.as_ref())
    }

    /// How often a change of a queue began while another one was under way.
    pub fn overlaps(&self) -> usize {
        self.shared.lock().overlaps
    }

    /// A connection of another process.
    #[must_use]
    pub fn another_process(&self) -> Self {
        let mut tables = self.shared.lock();
        tables.processes.push(Process::default());
        let process = tables.processes.len() - 1;
        Self { shared: Arc::clone(&self.shared), process, semantics: self.semantics, pool: None }
    }

    /// Makes the next change of this process fail.
    pub fn fail_next(&self, outcome: Outcome) {
        if let Some(process) = self.shared.lock().processes.get_mut(self.process) {
            process.fails = Some(outcome);
        }
    }

    /// Gives this process what others have announced since the last time.
    pub fn deliver(&self) {
        let (cache, ids) = {
            let mut tables = self.shared.lock();
            let Some(process) = tables.processes.get_mut(self.process) else { return };
            (process.cache.clone(), std::mem::take(&mut process.announced))
        };
        if let Some(cache) = cache.filter(|_| !ids.is_empty()) {
            cache.changed(&ids);
        }
    }

    /// What this process tells its cache, to say that it lost sight of the others.
    pub fn events(&self) -> Option<Arc<dyn CacheEvents>> {
        self.shared.lock().processes.get(self.process)?.cache.clone()
    }

    /// The record of a live queue.
    pub fn record(&self, id: &RecipientId) -> Option<QueueRec> {
        self.shared.lock().live(id).ok().cloned()
    }

    /// How many statements this process has run.
    pub fn statements(&self) -> usize {
        self.shared.lock().processes.get(self.process).map_or(0, |process| process.statements)
    }

    fn is_strict(&self) -> bool {
        self.semantics == Semantics::Strict
    }

    fn read<T>(&self, look: impl FnOnce(&Tables) -> T) -> Result<T, DbError> {
        let _connection = self.connection();
        let mut tables = self.shared.lock();
        tables.count(self.process)?;
        Ok(look(&tables))
    }

    /// The steps of a change before the one that makes it.
    fn begin_change(&self, ids: &[RecipientId]) {
        if self.pool.is_some() {
            let mut tables = self.shared.lock();
            for id in ids {
                if !tables.changing.insert(id.clone()) {
                    tables.overlaps += 1;
                }
            }
        }
    }

    /// Runs a change of these queues as a whole or not at all, and announces it.
    fn change<T>(
        &self,
        ids: &[RecipientId],
        change: impl FnOnce(&mut Tables) -> Result<T, StatementError>,
    ) -> Result<T, StatementError> {
        let _connection = self.connection();
        self.begin_change(ids);
        let mut tables = self.shared.lock();
        for id in ids {
            tables.changing.remove(id);
        }
        tables.count(self.process)?;
        let fails = tables.processes.get_mut(self.process).and_then(|one| one.fails.take());
        match fails {
            Some(Outcome::Lost) => return Err(broken(DbErrorKind::Lost)),
            Some(Outcome::UnclearUndone) => return Err(broken(DbErrorKind::Unclear)),
            Some(Outcome::UnclearDone) | None => {}
        }
        let value = change(&mut tables)?;
        for (number, process) in tables.processes.iter_mut().enumerate() {
            if number != self.process && process.cache.is_some() {
                process.announced.extend_from_slice(ids);
            }
        }
        match fails {
            Some(_) => Err(broken(DbErrorKind::Unclear)),
            None => Ok(value),
        }
    }

    /// Runs a change of one live queue.
    fn edit<T>(
        &self,
        id: &RecipientId,
        edit: impl FnOnce(&mut QueueRec) -> Result<T, Refusal>,
    ) -> Result<T, StatementError> {
        self.change(std::slice::from_ref(id), |tables| Ok(edit(tables.live_mut(id)?)?))
    }

    /// A row as a lookup gives it: under `Reference` without the data of its link.
    fn loaded(&self, record: &QueueRec) -> QueueRec {
        let mut record = record.clone();
        if let (false, Some(link)) = (self.is_strict(), &mut record.link) {
            link.data = LinkData { fixed: Default::default(), user: Default::default() };
        }
        record
    }
}

fn broken(kind: DbErrorKind) -> StatementError {
    StatementError::Failed(connection_closed(kind))
}

fn connection_closed(kind: DbErrorKind) -> DbError {
    DbError::new("model", kind, "connection closed")
}

impl Tables {
    /// Counts a statement, which a process that has closed its connections can't make.
    fn count(&mut self, process: usize) -> Result<(), DbError> {
        match self.processes.get_mut(process) {
            Some(process) if process.closed => Err(connection_closed(DbErrorKind::Lost)),
            Some(process) => {
                process.statements += 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn live(&self, id: &RecipientId) -> Result<&QueueRec, Refusal> {
        let row = self.queues.get(id).filter(|row| row.deleted_at.is_none());
        row.map(|row| &row.record).ok_or(Refusal::Missing)
    }

    fn live_mut(&mut self, id: &RecipientId) -> Result<&mut QueueRec, Refusal> {
        let row = self.queues.get_mut(id).filter(|row| row.deleted_at.is_none());
        row.map(|row| &mut row.record).ok_or(Refusal::Missing)
    }

    fn live_rows(&self) -> impl Iterator<Item = (&RecipientId, &QueueRec)> {
        self.queues
            .iter()
            .filter(|(_, row)| row.deleted_at.is_none())
            .map(|(id, row)| (id, &row.record))
    }

    fn has(&self, key: &QueueKey, row: &Row, id: &RecipientId) -> bool {
        let record = &row.record;
        match key {
            QueueKey::Recipient(wanted) => id == wanted,
            QueueKey::Sender(wanted) => record.sender_id == *wanted,
            QueueKey::Notifier(wanted) => {
                record.notifier.as_ref().is_some_and(|creds| creds.notifier_id == *wanted)
            }
            QueueKey::Link(wanted) => record.link.as_ref().is_some_and(|link| link.id == *wanted),
        }
    }

    /// Makes sure that no row has this id; under `Strict` a deleted one gives it up.
    fn free(&mut self, key: &QueueKey, strict: bool) -> Result<(), Refusal> {
        let having = self.queues.iter().find(|(id, row)| self.has(key, row, id));
        match having.map(|(id, row)| (id.clone(), row.deleted_at.is_some())) {
            None => Ok(()),
            Some((id, true)) if strict => {
                self.queues.remove(&id);
                Ok(())
            }
            Some(_) => Err(Refusal::Taken),
        }
    }

    fn require(&self, service: Option<&ServiceId>, role: ServiceRole) -> Result<(), Refusal> {
        let Some(id) = service else { return Ok(()) };
        let known = self.services.get(id).ok_or(Refusal::NoService)?;
        if known.role == role { Ok(()) } else { Err(Refusal::WrongRole) }
    }
}
