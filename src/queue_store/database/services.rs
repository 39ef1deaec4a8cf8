//! The operations on services, their queues, and notifications for them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::DatabaseQueueStore;
use super::change::edit_record;
use super::queue_database::{QueueDatabase, Refusal, ServiceFound, StatementError};
use crate::protocol::{
    ErrorType, NotifierId, QueueRec, RecipientId, ServiceId, ServiceParty, ServiceRec,
};
use crate::queue_store::{NtfServiceGroups, QueueFactory, ServiceResults, StoreQueue};
use crate::stm::atomically;
use crate::store_log::LogRecord;

/// How many queues a fold reads at a time.
const PAGE: usize = 256;

const ASSOCIATE: &str = "set queue service";

impl<D: QueueDatabase, F: QueueFactory> DatabaseQueueStore<D, F> {
    /// Finds or makes a service (OP-21), one caller for a certificate at a time (PG-15): whoever finds it
    /// afterwards is journalled after it (RACE-4).
    pub(super) fn find_or_create_service(
        &self,
        service: &ServiceRec,
    ) -> Result<ServiceId, ErrorType> {
        let _running = self.control.begin()?;
        let held = self.certificates.hold(vec![service.cert_hash]);
        match self.db.find_or_insert_service(service) {
            Ok(ServiceFound::Known(id)) => Ok(id),
            Ok(ServiceFound::Made(id)) => {
                let record = LogRecord::NewService(Box::new(service.clone()));
                self.publish(held, vec![record], |_| Ok(()));
                Ok(id)
            }
            Err(error) => {
                self.end_journal_if_unclear(&error);
                Err(self.semantics.answer("get or create service", &error))
            }
        }
    }

    /// Associates one queue (OP-22).
    pub(super) fn associate(
        &self,
        queue: &F::Queue,
        party: ServiceParty,
        service: Option<&ServiceId>,
    ) -> Result<(), ErrorType> {
        if !self.is_strict() {
            self.control.state_now().check_open()?;
            let record = queue.record().read_atomic().ok_or(ErrorType::Auth)?;
            // Only here: a batch asks the database all the same (PG-30).
            if service_of(&record, party)? == service {
                return Ok(());
            }
        }
        let results = self.associate_each(party, service, &[queue])?;
        results.into_iter().next().map_or(Err(ErrorType::Auth), |(_, result)| result)
    }

    /// Associates many queues in one transaction, under the locks of all of them (OP-23, RACE-36).
    pub(super) fn associate_each(
        &self,
        party: ServiceParty,
        service: Option<&ServiceId>,
        queues: &[&F::Queue],
    ) -> Result<ServiceResults, ErrorType> {
        let _running = self.control.begin()?;
        let by_id: BTreeMap<&RecipientId, &F::Queue> =
            queues.iter().map(|queue| (queue.recipient_id(), *queue)).collect();
        if by_id.is_empty() {
            return Ok(ServiceResults::new());
        }
        let held = self.locks().hold(by_id.keys().map(|id| (*id).clone()).collect());
        let live = by_id.iter().filter(|(_, queue)| queue.record().with_atomic(Option::is_some));
        let live: Vec<RecipientId> = live.map(|(id, _)| (*id).clone()).collect();
        let done = match self.db.set_services(party, service, &live) {
            Ok(results) => results.into_iter().collect::<HashMap<_, _>>(),
            Err(error) => {
                let error = StatementError::Failed(error);
                self.end_journal_if_unclear(&error);
                atomically(|tx| live.iter().try_for_each(|id| self.doubt(tx, id, &error)));
                return Err(self.semantics.answer(ASSOCIATE, &error));
            }
        };
        let is_done = |id: &RecipientId| matches!(done.get(id), Some(Ok(())));
        let edit = |record: &mut QueueRec| set_service(record, party, service);
        // As the store in memory writes them: in the order given, a repeated queue as often.
        let records = queues.iter().map(|queue| queue.recipient_id()).filter(|id| is_done(id));
        let records = records
            .map(|id| LogRecord::QueueService(id.clone(), party, service.cloned()))
            .collect();
        self.publish(held, records, |tx| {
            for (id, queue) in &by_id {
                match (&self.cache, is_done(id)) {
                    (Some(cache), true) => cache.edit(tx, queue, &edit)?,
                    (None, true) => drop(edit_record(tx, *queue, &edit)?),
                    (_, false) => {}
                }
            }
            Ok(())
        });
        let answer = |id: &RecipientId| match done.get(id) {
            Some(Ok(())) => Ok(()),
            Some(Err(refusal)) => Err(self.semantics.refused(*refusal)),
            None => Err(self.semantics.refused(Refusal::Missing)),
        };
        Ok(by_id.keys().map(|id| ((*id).clone(), answer(id))).collect())
    }

    /// Groups notifications by the services that their notifiers belong to (OP-24).
    pub(super) fn group<T>(
        &self,
        ntfs: Vec<(NotifierId, T)>,
    ) -> Result<NtfServiceGroups<T>, ErrorType> {
        let ids: Vec<NotifierId> = ntfs.iter().map(|(id, _)| id.clone()).collect();
        let found = self.ask("group notifications", |db| db.ntf_services(&ids))?;
        let service_of: HashMap<_, _> = found.notifiers.into_iter().collect();
        let mut groups: BTreeMap<Option<ServiceId>, Vec<_>> = BTreeMap::new();
        if self.is_strict() {
            groups.insert(None, Vec::new());
            groups.extend(found.services.into_iter().map(|id| (Some(id), Vec::new())));
        }
        let mut deleted = Vec::new();
        for ntf in ntfs {
            match service_of.get(&ntf.0) {
                Some(service) => groups.entry(service.clone()).or_default().push(ntf),
                None => deleted.push(ntf),
            }
        }
        let no_service = groups.remove(&None).map(|group| (None, group));
        let mut of_services: Vec<_> = groups.into_iter().collect();
        if self.is_strict() {
            of_services.reverse();
        }
        Ok(NtfServiceGroups {
            services: no_service.into_iter().chain(of_services).collect(),
            deleted,
        })
    }

    /// Folds over a service's queues (OP-26). A row that can't be read is passed over, with an error in the
    /// log (RACE-16).
    pub(super) fn fold<B>(
        &self,
        service: &ServiceId,
        init: B,
        mut step: impl FnMut(B, &RecipientId, Arc<QueueRec>) -> B,
    ) -> Result<B, ErrorType> {
        const OPERATION: &str = "fold queues of service";
        let ids = self.ask(OPERATION, |db| db.service_queues(service))?;
        let mut folded = init;
        for page in ids.chunks(PAGE) {
            let rows = self.ask(OPERATION, |db| db.find_queues(page))?;
            let mut rows: HashMap<_, _> = rows.into_iter().collect();
            for id in page {
                match rows.remove(id) {
                    Some(Ok(record)) => folded = step(folded, id, Arc::new(record)),
                    Some(Err(error)) => {
                        tracing::error!(%error, "a queue of a service is passed over")
                    }
                    None => {}
                }
            }
        }
        Ok(folded)
    }
}

/// The service of a queue, or of its notifier; `AUTH` when it has none.
fn service_of(record: &QueueRec, party: ServiceParty) -> Result<Option<&ServiceId>, ErrorType> {
    match party {
        ServiceParty::Receiver => Ok(record.rcv_service_id.as_ref()),
        ServiceParty::Notifier => {
            let creds = record.notifier.as_ref().ok_or(ErrorType::Auth)?;
            Ok(creds.service_id.as_ref())
        }
    }
}

fn set_service(record: &mut QueueRec, party: ServiceParty, service: Option<&ServiceId>) {
    match party {
        ServiceParty::Receiver => record.rcv_service_id = service.cloned(),
        ServiceParty::Notifier => {
            if let Some(creds) = &mut record.notifier {
                creds.service_id = service.cloned();
            }
        }
    }
}
