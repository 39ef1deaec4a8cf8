//! A database in memory in which each statement is one step: what the database store is model-checked over.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::db::{DbError, DbErrorKind};
use crate::protocol::{
    AuthKey, CountHash, EntityStatus, LinkData, LinkId, NotifierId, NtfCreds, QueueLink, QueueRec,
    RecipientId, RecipientKeys, RoundedDate, Semantics, ServiceId, ServiceParty, ServiceRec,
    ServiceRole,
};
use crate::queue_store::database::{
    CacheEvents, NtfServices, PartyResults, QueueDatabase, QueueRow, ReadRow, Refusal,
    ServiceFound, StatementError,
};
use crate::queue_store::{EntityCounts, QueueKey};
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
}

#[derive(Default)]
struct Tables {
    queues: BTreeMap<RecipientId, Row>,
    services: BTreeMap<ServiceId, ServiceRec>,
    processes: Vec<Process>,
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
}

impl ModelDatabase {
    /// An empty database.
    pub fn new(semantics: Semantics) -> Self {
        let tables = Tables { processes: vec![Process::default()], ..Tables::default() };
        Self { shared: Arc::new(Mutex::new(tables)), process: 0, semantics }
    }

    /// A connection of another process.
    #[must_use]
    pub fn another_process(&self) -> Self {
        let mut tables = self.shared.lock();
        tables.processes.push(Process::default());
        let process = tables.processes.len() - 1;
        Self { shared: Arc::clone(&self.shared), process, semantics: self.semantics }
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

    fn read<T>(&self, look: impl FnOnce(&Tables) -> T) -> T {
        let mut tables = self.shared.lock();
        tables.count(self.process);
        look(&tables)
    }

    /// Runs a change of these queues as a whole or not at all, and announces it.
    fn change<T>(
        &self,
        ids: &[RecipientId],
        change: impl FnOnce(&mut Tables) -> Result<T, StatementError>,
    ) -> Result<T, StatementError> {
        let mut tables = self.shared.lock();
        tables.count(self.process);
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
    StatementError::Failed(DbError::new("model", kind, "connection closed"))
}

impl Tables {
    fn count(&mut self, process: usize) {
        if let Some(process) = self.processes.get_mut(process) {
            process.statements += 1;
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

fn role_of(party: ServiceParty) -> ServiceRole {
    match party {
        ServiceParty::Receiver => ServiceRole::Messaging,
        ServiceParty::Notifier => ServiceRole::Notifier,
    }
}

impl QueueDatabase for ModelDatabase {
    fn insert_queue(&self, id: &RecipientId, record: &QueueRec) -> Result<(), StatementError> {
        let strict = self.is_strict();
        self.change(&[], |tables| {
            tables.free(&id.clone().into(), strict)?;
            tables.free(&record.sender_id.clone().into(), strict)?;
            if let Some(creds) = &record.notifier {
                tables.free(&creds.notifier_id.clone().into(), strict)?;
            }
            if let Some(link) = &record.link {
                tables.free(&link.id.clone().into(), strict)?;
            }
            if strict {
                tables.require(record.rcv_service_id.as_ref(), ServiceRole::Messaging)?;
                let service = record.notifier.as_ref().and_then(|creds| creds.service_id.as_ref());
                tables.require(service, ServiceRole::Notifier)?;
            }
            let row = Row { record: record.clone(), deleted_at: None };
            tables.queues.insert(id.clone(), row);
            Ok(())
        })
    }

    fn find_queue(&self, key: &QueueKey) -> Result<Option<QueueRow>, DbError> {
        Ok(self.read(|tables| {
            let live = |row: &Row| row.deleted_at.is_none();
            let found =
                tables.queues.iter().find(|(id, row)| live(row) && tables.has(key, row, id));
            found.map(|(id, row)| (id.clone(), self.loaded(&row.record)))
        }))
    }

    fn find_queues(&self, ids: &[RecipientId]) -> Result<Vec<ReadRow>, DbError> {
        Ok(self.read(|tables| {
            let rows = ids.iter().filter_map(|id| Some((id, tables.live(id).ok()?)));
            rows.map(|(id, record)| (id.clone(), Ok(self.loaded(record)))).collect()
        }))
    }

    fn find_queues_by_notifier(
        &self,
        ids: &[NotifierId],
    ) -> Result<Vec<(NotifierId, ReadRow)>, DbError> {
        Ok(self.read(|tables| {
            let rows = tables.live_rows().filter_map(|(id, record)| {
                let notifier = &record.notifier.as_ref()?.notifier_id;
                let row = (id.clone(), Ok(self.loaded(record)));
                ids.contains(notifier).then(|| (notifier.clone(), row))
            });
            rows.collect()
        }))
    }

    fn link_data(&self, id: &RecipientId, link: &LinkId) -> Result<Option<LinkData>, DbError> {
        Ok(self.read(|tables| {
            let present = tables.live(id).ok()?.link.as_ref()?;
            (present.id == *link).then(|| present.data.clone())
        }))
    }

    fn set_link(&self, id: &RecipientId, link: &QueueLink) -> Result<(), StatementError> {
        let strict = self.is_strict();
        self.change(std::slice::from_ref(id), |tables| {
            match &tables.live(id)?.link {
                None => tables.free(&link.id.clone().into(), strict)?,
                Some(present) if present.id == link.id && present.data.fixed == link.data.fixed => {
                }
                Some(_) => return Err(Refusal::Missing.into()),
            }
            tables.live_mut(id)?.link = Some(Box::new(link.clone()));
            Ok(())
        })
    }

    fn delete_link(&self, id: &RecipientId) -> Result<(), StatementError> {
        self.edit(id, |record| {
            record.link = None;
            Ok(())
        })
    }

    fn set_sender_key(&self, id: &RecipientId, key: &AuthKey) -> Result<(), StatementError> {
        self.edit(id, |record| match &record.sender_key {
            Some(present) if present != key => Err(Refusal::Missing),
            _ => {
                record.sender_key = Some(key.clone());
                Ok(())
            }
        })
    }

    fn set_recipient_keys(
        &self,
        id: &RecipientId,
        keys: &RecipientKeys,
    ) -> Result<(), StatementError> {
        self.edit(id, |record| {
            record.recipient_keys = keys.clone();
            Ok(())
        })
    }

    fn set_status(&self, id: &RecipientId, status: &EntityStatus) -> Result<(), StatementError> {
        self.edit(id, |record| {
            record.status = status.clone();
            Ok(())
        })
    }

    fn set_date(&self, id: &RecipientId, date: RoundedDate) -> Result<QueueRec, StatementError> {
        self.edit(id, |record| {
            record.updated_at = Some(date);
            Ok(self.loaded(record))
        })
    }

    fn set_notifier(
        &self,
        id: &RecipientId,
        creds: &NtfCreds,
    ) -> Result<Option<NtfCreds>, StatementError> {
        let strict = self.is_strict();
        self.change(std::slice::from_ref(id), |tables| {
            let replaced = tables.live(id)?.notifier.as_deref().cloned();
            if strict {
                tables.require(creds.service_id.as_ref(), ServiceRole::Notifier)?;
            }
            let own = replaced.as_ref().is_some_and(|old| old.notifier_id == creds.notifier_id);
            if strict || !own {
                tables.free(&creds.notifier_id.clone().into(), strict)?;
            }
            let mut creds = creds.clone();
            creds.service_id = creds.service_id.filter(|_| strict);
            tables.live_mut(id)?.notifier = Some(Box::new(creds));
            Ok(replaced)
        })
    }

    fn delete_notifier(&self, id: &RecipientId) -> Result<Option<NtfCreds>, StatementError> {
        self.edit(id, |record| Ok(record.notifier.take().map(|creds| *creds)))
    }

    fn delete_queue(&self, id: &RecipientId, at: i64) -> Result<QueueRec, StatementError> {
        self.change(std::slice::from_ref(id), |tables| {
            let record = tables.live(id)?.clone();
            if let Some(row) = tables.queues.get_mut(id) {
                row.deleted_at = Some(at);
            }
            Ok(record)
        })
    }

    fn purge(&self, before: i64) -> Result<u64, DbError> {
        let mut tables = self.shared.lock();
        let present = tables.queues.len();
        tables.queues.retain(|_, row| row.deleted_at.is_none_or(|at| at >= before));
        Ok((present - tables.queues.len()) as u64)
    }

    fn find_or_insert_service(&self, service: &ServiceRec) -> Result<ServiceFound, StatementError> {
        self.change(&[], |tables| {
            let known = tables.services.values().find(|one| one.cert_hash == service.cert_hash);
            if let Some(known) = known {
                let fits = known.role == service.role;
                let id = known.service_id.clone();
                return if fits {
                    Ok(ServiceFound::Known(id))
                } else {
                    Err(Refusal::WrongRole.into())
                };
            }
            if tables.services.contains_key(&service.service_id) {
                return Err(Refusal::Taken.into());
            }
            tables.services.insert(service.service_id.clone(), service.clone());
            Ok(ServiceFound::Made(service.service_id.clone()))
        })
    }

    fn set_services(
        &self,
        party: ServiceParty,
        service: Option<&ServiceId>,
        ids: &[RecipientId],
    ) -> Result<PartyResults, DbError> {
        let strict = self.is_strict();
        let changed = self.change(ids, |tables| {
            let allowed = tables.require(service, role_of(party));
            if !strict && allowed == Err(Refusal::NoService) {
                let violation = DbError::new("model", DbErrorKind::Other, "foreign key violation");
                return Err(StatementError::Failed(violation));
            }
            let mut results = Vec::new();
            for id in ids {
                let result = match (tables.live_mut(id), party) {
                    (Err(missing), _) => Err(missing),
                    (Ok(record), ServiceParty::Notifier) if record.notifier.is_none() => {
                        Err(Refusal::Missing)
                    }
                    (Ok(_), _) if strict && allowed.is_err() => allowed,
                    (Ok(record), ServiceParty::Receiver) => {
                        record.rcv_service_id = service.cloned();
                        Ok(())
                    }
                    (Ok(record), ServiceParty::Notifier) => {
                        if let Some(creds) = &mut record.notifier {
                            creds.service_id = service.cloned();
                        }
                        Ok(())
                    }
                };
                results.push((id.clone(), result));
            }
            Ok(results)
        });
        changed.map_err(|error| match error {
            StatementError::Failed(error) => error,
            refused @ StatementError::Refused(_) => {
                DbError::new("model", DbErrorKind::Other, refused)
            }
        })
    }

    fn ntf_services(&self, notifiers: &[NotifierId]) -> Result<NtfServices, DbError> {
        Ok(self.read(|tables| {
            let creds = tables.live_rows().filter_map(|(_, record)| record.notifier.as_ref());
            let asked = creds.filter(|creds| notifiers.contains(&creds.notifier_id));
            NtfServices {
                services: tables.services.keys().cloned().collect(),
                notifiers: asked
                    .map(|creds| (creds.notifier_id.clone(), creds.service_id.clone()))
                    .collect(),
            }
        }))
    }

    fn count_hash(
        &self,
        party: ServiceParty,
        service: &ServiceId,
    ) -> Result<Option<CountHash>, DbError> {
        Ok(self.read(|tables| {
            let known = tables.services.get(service)?;
            let mut kept = CountHash::default();
            let mut count = |id: &[u8]| kept = kept.add(CountHash::of_id(id));
            for (id, record) in tables.live_rows() {
                let creds = record.notifier.as_ref();
                match party {
                    ServiceParty::Receiver if record.rcv_service_id.as_ref() == Some(service) => {
                        count(id.as_bytes());
                    }
                    ServiceParty::Notifier => {
                        if let Some(creds) =
                            creds.filter(|c| c.service_id.as_ref() == Some(service))
                        {
                            count(creds.notifier_id.as_bytes());
                        }
                    }
                    ServiceParty::Receiver => {}
                }
            }
            Some(if known.role == role_of(party) { kept } else { CountHash::default() })
        }))
    }

    fn counts(&self) -> Result<EntityCounts, DbError> {
        Ok(self.read(|tables| {
            let with_role =
                |role| tables.services.values().filter(|s| s.role == role).count() as u64;
            let mut counts = EntityCounts {
                rcv_services: with_role(ServiceRole::Messaging),
                ntf_services: with_role(ServiceRole::Notifier),
                ..EntityCounts::default()
            };
            for (_, record) in tables.live_rows() {
                let creds = record.notifier.as_ref();
                counts.queues += 1;
                counts.notifiers += u64::from(creds.is_some());
                counts.rcv_service_queues += u64::from(record.rcv_service_id.is_some());
                let of_service = creds.is_some_and(|creds| creds.service_id.is_some());
                counts.ntf_service_queues += u64::from(of_service);
            }
            counts
        }))
    }

    fn service_queues(&self, service: &ServiceId) -> Result<Vec<RecipientId>, DbError> {
        Ok(self.read(|tables| {
            let of_service = |record: &QueueRec| record.rcv_service_id.as_ref() == Some(service);
            let rows = tables.live_rows().filter(|(_, record)| of_service(record));
            rows.map(|(id, _)| id.clone()).collect()
        }))
    }

    fn watch(&self, cache: Arc<dyn CacheEvents>) -> Result<(), DbError> {
        if let Some(process) = self.shared.lock().processes.get_mut(self.process) {
            process.cache = Some(cache);
        }
        Ok(())
    }

    fn close(&self) {
        let mut tables = self.shared.lock();
        let cache = tables.processes.get_mut(self.process).and_then(|one| one.cache.take());
        drop(tables);
        drop(cache);
    }
}
