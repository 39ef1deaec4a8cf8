//! The operations of the contract.

use std::sync::Arc;

use super::DatabaseQueueStore;
use super::queue_database::{QueueDatabase, Refusal, StatementError};
use crate::db::DbError;
use crate::protocol::{
    AuthKey, BlockingInfo, CountHash, EntityStatus, ErrorType, LinkData, LinkId, NotifierId,
    NtfCreds, QueueLink, QueueRec, RecipientId, RecipientKeys, RoundedDate, ServiceId,
    ServiceParty, ServiceRec,
};
use crate::queue_store::{
    EntityCounts, FoundQueues, NtfServiceGroups, QueueFactory, QueueKey, QueueStore,
    ServiceResults, StoreQueue,
};
use crate::store_log::LogRecord;

/// Dates have whole days (PG-36).
const DAY: i64 = 86_400;

impl<D: QueueDatabase, F: QueueFactory> DatabaseQueueStore<D, F> {
    /// Asks the database something that isn't about one queue.
    pub(super) fn ask<T>(
        &self,
        operation: &'static str,
        question: impl FnOnce(&D) -> Result<T, DbError>,
    ) -> Result<T, ErrorType> {
        let _running = self.control.begin()?;
        question(&self.db).map_err(|error| self.semantics.failed(operation, &error))
    }

    /// Refuses new calls, waits for those under way, then closes journal and database (RACE-27).
    pub(super) fn shut(&self) -> Result<(), ErrorType> {
        self.control.close();
        let closed = self.journal.close();
        self.db.close();
        closed
    }

    fn set_status(
        &self,
        operation: &'static str,
        queue: &F::Queue,
        status: EntityStatus,
        record: impl FnOnce(RecipientId) -> LogRecord,
    ) -> Result<(), ErrorType> {
        let statement = |db: &D, id: &RecipientId| db.set_status(id, &status);
        self.change(
            operation,
            queue,
            statement,
            |record, ()| record.status = status.clone(),
            record,
        )
    }

    fn found_queues(&self, keys: &[QueueKey]) -> Result<FoundQueues<F::Queue>, ErrorType> {
        let found = self.find_each(keys)?;
        Ok(found.into_iter().map(|one| one.map(|(queue, _)| queue)).collect())
    }

    fn now(&self) -> i64 {
        (self.clock)().unix_timestamp()
    }

    /// Under `Reference`, what the object says without asking the database.
    fn present(&self, queue: &F::Queue) -> Result<Option<Arc<QueueRec>>, ErrorType> {
        if self.is_strict() {
            return Ok(None);
        }
        self.control.state_now().check_open()?;
        queue.record().read_atomic().map(Some).ok_or(ErrorType::Auth)
    }
}

impl<D: QueueDatabase, F: QueueFactory> QueueStore for DatabaseQueueStore<D, F> {
    type Queue = F::Queue;

    fn close(&self) -> Result<(), ErrorType> {
        self.shut()
    }

    fn entity_counts(&self) -> Result<EntityCounts, ErrorType> {
        self.ask("count", D::counts)
    }

    /// The queues in the cache; none without one.
    fn loaded_queues(&self) -> Result<Vec<Arc<F::Queue>>, ErrorType> {
        let state = self.control.state_now();
        state.check_open()?;
        Ok(self.cache.as_ref().map(|cache| cache.objects(state)).unwrap_or_default())
    }

    /// Never earlier than the retention says: a row may have no more than the day of its deletion, so each counts
    /// from the end of a day (RACE-45); under `Reference` from its beginning.
    fn purge_deleted(&self) -> Result<u64, ErrorType> {
        let retention = i64::try_from(self.retention.as_secs()).unwrap_or(i64::MAX);
        let rest_of_day = if self.is_strict() { DAY - 1 } else { 0 };
        let before = self.now().saturating_sub(retention).saturating_sub(rest_of_day);
        self.ask("purge", |db| db.purge(before))
    }

    fn add_queue(&self, id: RecipientId, record: QueueRec) -> Result<Arc<F::Queue>, ErrorType> {
        let record = Arc::new(record);
        let queue = Arc::new(self.factory.make_queue(id.clone(), Arc::clone(&record)));
        let _running = self.control.begin()?;
        let held = self.locks().hold(vec![id.clone()]);
        let generation = self.control.state_now().generation;
        if let Err(error) = self.db.insert_queue(&id, &record) {
            return Err(self.refuse("add queue", held, &id, &error));
        }
        let created = LogRecord::CreateQueue(id, Arc::clone(&record));
        self.publish(held, vec![created], |tx| match &self.cache {
            Some(cache) => cache.add(tx, &queue, generation, &record),
            None => Ok(()),
        });
        if let Some(cache) = &self.cache {
            cache.trim(1);
        }
        Ok(queue)
    }

    fn get_queue(&self, key: &QueueKey) -> Result<Arc<F::Queue>, ErrorType> {
        if let Some(queue) = self.find_served(key)? {
            return Ok(queue);
        }
        self.find(key).map(|(queue, _)| queue)
    }

    fn get_queue_rec(&self, key: &QueueKey) -> Result<(Arc<F::Queue>, Arc<QueueRec>), ErrorType> {
        if let Some(queue) = self.find_served(key)?
            && let Some(record) = queue.record().read_atomic()
            && key.is_carried_by(&record)
        {
            return Ok((queue, record));
        }
        let (queue, record) = self.find(key)?;
        // Under `Reference` an index may lead to a queue that hasn't that id any more (RACE-35).
        let record = record.filter(|record| key.is_carried_by(record));
        Ok((queue, record.ok_or(ErrorType::Auth)?))
    }

    fn get_queues(&self, ids: &[RecipientId]) -> Result<FoundQueues<F::Queue>, ErrorType> {
        self.found_queues(&ids.iter().cloned().map(QueueKey::from).collect::<Vec<_>>())
    }

    fn get_queues_by_notifier(
        &self,
        ids: &[NotifierId],
    ) -> Result<FoundQueues<F::Queue>, ErrorType> {
        self.found_queues(&ids.iter().cloned().map(QueueKey::from).collect::<Vec<_>>())
    }

    /// Under `Reference` the data are always read from the database (PG-14).
    fn get_link_data(&self, queue: &F::Queue, link_id: &LinkId) -> Result<LinkData, ErrorType> {
        let id = queue.recipient_id();
        if let Some(record) = self.present(queue)?
            && !QueueKey::Link(link_id.clone()).is_carried_by(&record)
        {
            return Err(ErrorType::Auth);
        }
        if self.is_strict() && self.cache.is_some() {
            if queue.record().with_atomic(Option::is_none) {
                return Err(ErrorType::Auth);
            }
            let (_, record) = self.get_queue_rec(&id.clone().into())?;
            let link = record.link.as_ref().filter(|link| link.id == *link_id);
            return link.map(|link| link.data.clone()).ok_or(ErrorType::Auth);
        }
        self.ask("get link data", |db| db.link_data(id, link_id))?.ok_or(ErrorType::Auth)
    }

    fn add_link_data(
        &self,
        queue: &F::Queue,
        link_id: LinkId,
        data: LinkData,
    ) -> Result<(), ErrorType> {
        const OPERATION: &str = "add link data";
        let link = QueueLink { id: link_id, data };
        let taken = std::cell::Cell::new(false);
        let statement = |db: &D, id: &RecipientId| {
            let result = db.set_link(id, &link);
            taken.set(result == Err(StatementError::Refused(Refusal::Taken)));
            result
        };
        let edit = |record: &mut QueueRec, (): &()| record.link = Some(Box::new(link.clone()));
        let created = |id| LogRecord::CreateLink(id, link.clone());
        let result = self.change(OPERATION, queue, statement, edit, created);
        if taken.get() && !self.is_strict() {
            return Err(ErrorType::Store(format!("{OPERATION}: an id is in use")));
        }
        result
    }

    fn delete_link_data(&self, queue: &F::Queue) -> Result<(), ErrorType> {
        if self.present(queue)?.is_some_and(|record| record.link.is_none()) {
            return Err(ErrorType::Auth);
        }
        let edit = |record: &mut QueueRec, (): &()| record.link = None;
        self.change("delete link data", queue, D::delete_link, edit, LogRecord::DeleteLink)
    }

    fn secure_queue(&self, queue: &F::Queue, key: AuthKey) -> Result<(), ErrorType> {
        self.change(
            "secure queue",
            queue,
            |db, id| db.set_sender_key(id, &key),
            |record, ()| record.sender_key = Some(key.clone()),
            |id| LogRecord::SecureQueue(id, key.clone()),
        )
    }

    fn update_keys(&self, queue: &F::Queue, keys: RecipientKeys) -> Result<(), ErrorType> {
        self.change(
            "update keys",
            queue,
            |db, id| db.set_recipient_keys(id, &keys),
            |record, ()| record.recipient_keys = keys.clone(),
            |id| LogRecord::UpdateKeys(id, keys.clone()),
        )
    }

    /// Under `Reference` an id that the cache knows is `DUPLICATE_`, one that only the database knows is
    /// `AUTH` (PG-13).
    fn add_notifier(
        &self,
        queue: &F::Queue,
        creds: NtfCreds,
    ) -> Result<Option<NtfCreds>, ErrorType> {
        if self.present(queue)?.is_some()
            && self.cache.as_ref().is_some_and(|cache| cache.has_notifier(&creds.notifier_id))
        {
            return Err(ErrorType::Duplicate);
        }
        self.change(
            "add notifier",
            queue,
            |db, id| db.set_notifier(id, &creds),
            |record, _| record.notifier = Some(Box::new(creds.clone())),
            |id| LogRecord::AddNotifier(id, Box::new(creds.clone())),
        )
    }

    fn delete_notifier(&self, queue: &F::Queue) -> Result<Option<NtfCreds>, ErrorType> {
        if self.present(queue)?.is_some_and(|record| record.notifier.is_none()) {
            return Ok(None);
        }
        self.change(
            "delete notifier",
            queue,
            D::delete_notifier,
            |record, _| record.notifier = None,
            LogRecord::DeleteNotifier,
        )
    }

    fn suspend_queue(&self, queue: &F::Queue) -> Result<(), ErrorType> {
        self.set_status("suspend queue", queue, EntityStatus::Off, LogRecord::SuspendQueue)
    }

    fn block_queue(&self, queue: &F::Queue, info: BlockingInfo) -> Result<(), ErrorType> {
        let record = |id| LogRecord::BlockQueue(id, info);
        self.set_status("block queue", queue, EntityStatus::Blocked(info), record)
    }

    fn unblock_queue(&self, queue: &F::Queue) -> Result<(), ErrorType> {
        self.set_status("unblock queue", queue, EntityStatus::Active, LogRecord::UnblockQueue)
    }

    fn update_time(&self, queue: &F::Queue, date: RoundedDate) -> Result<Arc<QueueRec>, ErrorType> {
        let is_set = |record: &QueueRec| record.updated_at == Some(date);
        if let Some(record) = self.present(queue)?.filter(|record| is_set(record)) {
            return Ok(record);
        }
        let looks_set = queue.record().with_atomic(|record| record.as_deref().is_some_and(is_set));
        if self.is_strict() && looks_set {
            let (_, record) = self.get_queue_rec(&queue.recipient_id().clone().into())?;
            if is_set(&record) {
                return Ok(record);
            }
        }
        let strict = self.is_strict();
        let edit = |record: &mut QueueRec, row: &QueueRec| match strict {
            true => *record = row.clone(),
            false => record.updated_at = Some(date),
        };
        let statement = |db: &D, id: &RecipientId| db.set_date(id, date);
        let updated = |id| LogRecord::UpdateTime(id, date);
        let row = self.change("update time", queue, statement, edit, updated)?;
        let record = if strict { None } else { queue.record().read_atomic() };
        Ok(record.unwrap_or_else(|| Arc::new(row)))
    }

    /// The time of deletion is the present second, under `Reference` the present day (PG-36, RACE-45).
    fn delete_queue(&self, queue: &F::Queue) -> Result<Arc<QueueRec>, ErrorType> {
        let _running = self.control.begin()?;
        let id = queue.recipient_id();
        let now = self.now();
        let at = if self.is_strict() { now } else { now - now.rem_euclid(DAY) };
        let held = self.locks().hold(vec![id.clone()]);
        let present = queue.record().read_atomic().ok_or(ErrorType::Auth)?;
        let last = match self.db.delete_queue(id, at) {
            Ok(row) => {
                if self.is_strict() {
                    Arc::new(row)
                } else {
                    present
                }
            }
            Err(error) => return Err(self.refuse("delete queue", held, id, &error)),
        };
        self.publish(held, vec![LogRecord::DeleteQueue(id.clone())], |tx| match &self.cache {
            Some(cache) => cache.delete(tx, queue),
            None => queue.record().write(tx, None),
        });
        Ok(last)
    }

    fn get_or_create_service(&self, service: ServiceRec) -> Result<ServiceId, ErrorType> {
        self.find_or_create_service(&service)
    }

    fn set_queue_service(
        &self,
        queue: &F::Queue,
        party: ServiceParty,
        service_id: Option<ServiceId>,
    ) -> Result<(), ErrorType> {
        self.associate(queue, party, service_id.as_ref())
    }

    /// One transaction for all of them; when it fails, nothing has changed.
    fn set_queue_services(
        &self,
        party: ServiceParty,
        service_id: Option<ServiceId>,
        queues: &[Arc<F::Queue>],
    ) -> Result<ServiceResults, ErrorType> {
        let queues: Vec<&F::Queue> = queues.iter().map(|queue| &**queue).collect();
        self.associate_each(party, service_id.as_ref(), &queues)
    }

    /// Under `Strict` each service has a group, in descending order of ids; under `Reference` only those with
    /// notifications, in ascending order (PG-38).
    fn group_by_ntf_service<T>(
        &self,
        ntfs: Vec<(NotifierId, T)>,
    ) -> Result<NtfServiceGroups<T>, ErrorType> {
        self.group(ntfs)
    }

    /// Of an unknown service `AUTH`; under `Reference` zero and the empty hash (PG-19, RACE-54).
    fn service_count_hash(
        &self,
        party: ServiceParty,
        service_id: &ServiceId,
    ) -> Result<CountHash, ErrorType> {
        let kept = self.ask("count queues of service", |db| db.count_hash(party, service_id))?;
        match kept {
            Some(kept) => Ok(kept),
            None if self.is_strict() => Err(ErrorType::Auth),
            None => Ok(CountHash::default()),
        }
    }

    /// The set is read at one moment, the queues in pages shortly before their turn. No connection is held
    /// while `step` runs (RACE-46, RACE-47).
    fn fold_service_queues<B>(
        &self,
        service_id: &ServiceId,
        init: B,
        step: impl FnMut(B, &RecipientId, Arc<QueueRec>) -> B,
    ) -> Result<B, ErrorType> {
        self.fold(service_id, init, step)
    }
}
