//! Applying a store log to a store, and writing a store as a compacted log.
//!
//! **The promise.** Under `Reference` a replay does what the reference does, line by line (RP-6 to
//! RP-23). Under `Strict` it loses no queue: a link or notifier that another queue has is dropped
//! from the later queue, not the queue with it (RACE-19); associations are resolved when the whole
//! log is read, whatever the order of its records (RACE-4), and cleared where nothing fits.
//! Everything that was not applied as it stands is reported with its line.
//!
//! **The algorithm.** A batch of records is one transaction, in which maps that nobody else holds
//! are changed in place. Queue objects are made before it, outside. Each record runs the same
//! transaction part as the live operation; a part checks before it writes, so that an error leaves
//! nothing behind and the batch goes on.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::StmQueueStore;
use super::records::{live, replace};
use super::services::role_of;
use crate::protocol::{ErrorType, QueueRec, RecipientId, ServiceId, ServiceParty, ServiceRec};
use crate::queue_store::{QueueFactory, StoreQueue};
use crate::stm::{StmResult, Transaction, TxError, TxResult, abort, atomically};
use crate::store_log::{Line, LogRecord, ReplayTarget, ReplayWarning, WarningKind};

/// Where a record stands in its file.
#[derive(Clone, Copy, Debug)]
struct Place {
    line: u64,
    offset: u64,
}

impl Place {
    fn warning(self, kind: WarningKind) -> ReplayWarning {
        ReplayWarning { line: self.line, offset: self.offset, kind }
    }
}

/// A record ready to be applied: its queue object, if it makes one, exists already.
enum Step<Q> {
    /// With the record that is in its cell: reading the cell would make each new queue a variable
    /// that the transaction depends on.
    Create(Arc<Q>, Arc<QueueRec>),
    Change(LogRecord),
}

/// What a batch found: warnings, and the associations to look at again at the end.
#[derive(Default)]
struct Findings {
    warnings: Vec<ReplayWarning>,
    unresolved: Vec<(RecipientId, Place)>,
}

/// Feeds a store log into a store; made by [`StmQueueStore::replayer`].
pub struct Replayer<'s, F: QueueFactory> {
    store: &'s StmQueueStore<F>,
    /// Queues whose service was not there, or did not fit, when they were associated.
    unresolved: BTreeMap<RecipientId, Place>,
}

impl<F: QueueFactory> StmQueueStore<F> {
    /// A target for [`store_log::replay`](crate::store_log::replay) that fills this store.
    ///
    /// The store should be new and without a journal: nothing is journalled while replaying (QS-11).
    pub fn replayer(&self) -> Replayer<'_, F> {
        Replayer { store: self, unresolved: BTreeMap::new() }
    }

    /// Emits the compacted log: the services, then the live queues, each in ascending order of
    /// ids (CP-6). Changes wait while the state is read.
    pub fn compacted(&self, emit: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        let (services, mut records) = self.while_frozen(|| {
            let queues = self.queues.snapshot_atomic();
            let live = |(id, queue): (RecipientId, Arc<F::Queue>)| {
                Some((id, queue.record().read_atomic()?))
            };
            let records: Vec<_> = queues.iter().filter_map(live).collect();
            (self.services.snapshot_atomic(), records)
        });
        records.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (_, service) in services.iter_sorted() {
            emit(LogRecord::NewService(Box::new(service.record.clone())))?;
        }
        for (id, record) in records {
            emit(LogRecord::CreateQueue(id, record))?;
        }
        Ok(())
    }
}

/// Whether a change to a map copies a path of it, once for each transaction.
const COPIES_PATHS: bool = cfg!(not(native_engine));

/// So many records are one transaction where nothing is copied: enough to share its cost, and so few that what it knows of the
/// maps stays in the processor's cache.
const AT_ONCE: usize = 64;

impl<F: QueueFactory> ReplayTarget for Replayer<'_, F> {
    fn apply(&mut self, batch: Vec<Line>) -> Vec<ReplayWarning> {
        let steps: Vec<_> = batch.into_iter().map(|line| self.prepare(line)).collect();
        let mut warnings = Vec::new();
        for steps in steps.chunks(if COPIES_PATHS { usize::MAX } else { AT_ONCE }) {
            let findings = atomically(|tx| {
                let mut findings = Findings::default();
                for (place, step) in steps {
                    self.store.replay_step(tx, *place, step, &mut findings)?;
                }
                Ok(findings)
            });
            self.unresolved.extend(findings.unresolved);
            warnings.extend(findings.warnings);
        }
        warnings
    }

    fn prefers_large_batches(&self) -> bool {
        COPIES_PATHS
    }

    fn finish(&mut self) -> Vec<ReplayWarning> {
        let unresolved = std::mem::take(&mut self.unresolved);
        atomically(|tx| {
            let mut warnings = Vec::new();
            for (id, place) in &unresolved {
                for kind in self.store.resolve(tx, id)? {
                    warnings.push(place.warning(kind));
                }
            }
            Ok(warnings)
        })
    }

    fn compacted(&self, emit: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        self.store.compacted(emit)
    }
}

impl<F: QueueFactory> Replayer<'_, F> {
    fn prepare(&self, line: Line) -> (Place, Step<F::Queue>) {
        let place = Place { line: line.number, offset: line.offset };
        let step = match line.record {
            LogRecord::CreateQueue(id, record) => {
                let queue = self.store.factory.make_queue(id, Arc::clone(&record));
                Step::Create(Arc::new(queue), record)
            }
            record => Step::Change(record),
        };
        (place, step)
    }
}

impl<F: QueueFactory> StmQueueStore<F> {
    fn replay_step(
        &self,
        tx: &mut Transaction<'_>,
        place: Place,
        step: &Step<F::Queue>,
        findings: &mut Findings,
    ) -> StmResult<()> {
        let outcome = match step {
            Step::Create(queue, record) => self.replay_create(tx, place, queue, record, findings),
            Step::Change(LogRecord::NewService(record)) => {
                return self.replay_service(tx, place, record, findings);
            }
            Step::Change(record) => self.replay_change(tx, place, record, findings),
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(TxError::Stm(error)) => Err(error),
            Err(TxError::Abort(error)) => {
                let (operation, entity) = match step {
                    Step::Create(queue, _) => ("CreateQueue", queue.recipient_id().to_string()),
                    Step::Change(record) => (record.operation_name(), entity(record)),
                };
                let kind = WarningKind::Rejected { operation, entity, error };
                findings.warnings.push(place.warning(kind));
                Ok(())
            }
        }
    }

    fn replay_create(
        &self,
        tx: &mut Transaction<'_>,
        place: Place,
        queue: &Arc<F::Queue>,
        stored: &Arc<QueueRec>,
        findings: &mut Findings,
    ) -> TxResult<(), ErrorType> {
        if !self.is_strict() {
            return self.add_queue_tx(tx, &mut Vec::new(), queue);
        }
        let id = queue.recipient_id();
        if self.queues.contains_key(tx, id)? || self.senders.contains_key(tx, &stored.sender_id)? {
            return abort(ErrorType::Duplicate);
        }
        let record = self.without_taken_ids(tx, place, queue, stored, findings)?;
        self.index_queue(tx, queue, &record)?;
        self.enter_services(tx, id, &record)?;
        self.note_unresolved(tx, place, id, &record, findings)?;
        Ok(())
    }

    /// Drops from a queue's record the link and the notifier that another queue already has.
    fn without_taken_ids(
        &self,
        tx: &mut Transaction<'_>,
        place: Place,
        queue: &F::Queue,
        stored: &Arc<QueueRec>,
        findings: &mut Findings,
    ) -> TxResult<Arc<QueueRec>, ErrorType> {
        let mut record = Arc::clone(stored);
        let entity = || queue.recipient_id().to_string();
        if let Some(link) = &stored.link
            && self.links.contains_key(tx, &link.id)?
        {
            record = replace(tx, queue, &record, |changed| changed.link = None)?;
            let kind = WarningKind::LinkDropped { entity: entity(), link: link.id.to_string() };
            findings.warnings.push(place.warning(kind));
        }
        if let Some(creds) = &stored.notifier
            && self.notifiers.contains_key(tx, &creds.notifier_id)?
        {
            record = replace(tx, queue, &record, |changed| changed.notifier = None)?;
            let notifier = creds.notifier_id.to_string();
            let kind = WarningKind::NotifierDropped { entity: entity(), notifier };
            findings.warnings.push(place.warning(kind));
        }
        Ok(record)
    }

    fn replay_service(
        &self,
        tx: &mut Transaction<'_>,
        place: Place,
        record: &ServiceRec,
        findings: &mut Findings,
    ) -> StmResult<()> {
        let service = record.service_id.to_string();
        let kind = match self.get_or_create_service_tx(tx, &mut Vec::new(), record) {
            Ok(id) if id == record.service_id => return Ok(()),
            Ok(id) => WarningKind::ServiceWrongId { stored: service, existing: id.to_string() },
            Err(TxError::Stm(error)) => return Err(error),
            Err(TxError::Abort(error)) => {
                WarningKind::Rejected { operation: "getCreateService", entity: service, error }
            }
        };
        findings.warnings.push(place.warning(kind));
        Ok(())
    }

    /// Applies a record that changes a queue, under RP-18 when there is no such queue.
    fn replay_change(
        &self,
        tx: &mut Transaction<'_>,
        place: Place,
        record: &LogRecord,
        findings: &mut Findings,
    ) -> TxResult<(), ErrorType> {
        let Some(id) = record.recipient_id() else {
            return Ok(());
        };
        let Some(queue) = self.queues.get(tx, id)? else {
            return abort(ErrorType::Auth);
        };
        if queue.record().with(tx, Option::is_none)? {
            let (operation, entity) = (record.operation_name(), id.to_string());
            let kind = WarningKind::AlreadyDeleted { operation, entity };
            findings.warnings.push(place.warning(kind));
            return Ok(());
        }
        self.apply_change(tx, &queue, record)?;
        if !self.is_strict() {
            return Ok(());
        }
        if let LogRecord::AddNotifier(..) | LogRecord::QueueService(..) = record {
            let record = live(tx, &*queue)?;
            self.note_unresolved(tx, place, id, &record, findings)?;
        }
        Ok(())
    }

    fn apply_change(
        &self,
        tx: &mut Transaction<'_>,
        queue: &F::Queue,
        record: &LogRecord,
    ) -> TxResult<(), ErrorType> {
        let log = &mut Vec::new();
        match record {
            LogRecord::CreateQueue(..) | LogRecord::NewService(_) => Ok(()),
            LogRecord::CreateLink(_, link) => self.add_link_data_tx(tx, log, queue, link),
            LogRecord::DeleteLink(_) => self.delete_link_data_tx(tx, log, queue),
            LogRecord::SecureQueue(_, key) => self.secure_queue_tx(tx, log, queue, key),
            LogRecord::UpdateKeys(_, keys) => self.update_keys_tx(tx, log, queue, keys),
            LogRecord::AddNotifier(_, creds) => self.put_notifier(tx, log, queue, creds).map(drop),
            LogRecord::SuspendQueue(_) => self.suspend_queue_tx(tx, log, queue),
            LogRecord::BlockQueue(_, info) => self.block_queue_tx(tx, log, queue, *info),
            LogRecord::UnblockQueue(_) => self.unblock_queue_tx(tx, log, queue),
            LogRecord::DeleteQueue(_) => self.delete_queue_tx(tx, log, queue).map(drop),
            LogRecord::DeleteNotifier(_) => self.delete_notifier_tx(tx, log, queue).map(drop),
            LogRecord::UpdateTime(_, date) => self.update_time_tx(tx, log, queue, *date).map(drop),
            LogRecord::QueueService(_, party, service) => {
                self.put_queue_service(tx, log, queue, *party, service.as_ref())
            }
        }
    }

    fn note_unresolved(
        &self,
        tx: &mut Transaction<'_>,
        place: Place,
        id: &RecipientId,
        record: &QueueRec,
        findings: &mut Findings,
    ) -> StmResult<()> {
        for (party, service) in associations(record) {
            if self.fitting_service(tx, Some(service), role_of(party))?.is_none() {
                findings.unresolved.push((id.clone(), place));
            }
        }
        Ok(())
    }

    /// Enters a queue in the sets of its services, now that all are known, and clears the
    /// associations that no service fits.
    fn resolve(&self, tx: &mut Transaction<'_>, id: &RecipientId) -> StmResult<Vec<WarningKind>> {
        let Some(queue) = self.queues.get(tx, id)? else {
            return Ok(Vec::new());
        };
        let Some(record) = queue.record().read(tx)? else {
            return Ok(Vec::new());
        };
        let mut dangling = Vec::new();
        for (party, service_id) in associations(&record) {
            match self.fitting_service(tx, Some(service_id), role_of(party))? {
                Some(service) => service.enter_party(tx, party, id, &record)?,
                None => dangling.push((party, service_id.clone())),
            }
        }
        if dangling.is_empty() {
            return Ok(Vec::new());
        }
        let mut cleared = QueueRec::clone(&record);
        for (party, _) in &dangling {
            clear_association(&mut cleared, *party);
        }
        queue.record().write(tx, Some(Arc::new(cleared)))?;
        let warning = |(party, service): (_, ServiceId)| WarningKind::DanglingService {
            entity: id.to_string(),
            party,
            service: service.to_string(),
        };
        Ok(dangling.into_iter().map(warning).collect())
    }
}

/// The services that a record names, with the party of each.
fn associations(record: &QueueRec) -> impl Iterator<Item = (ServiceParty, &ServiceId)> {
    let receiver = record.rcv_service_id.as_ref().map(|id| (ServiceParty::Receiver, id));
    let notifier = record.notifier.as_ref().and_then(|creds| creds.service_id.as_ref());
    receiver.into_iter().chain(notifier.map(|id| (ServiceParty::Notifier, id)))
}

fn clear_association(record: &mut QueueRec, party: ServiceParty) {
    match party {
        ServiceParty::Receiver => record.rcv_service_id = None,
        ServiceParty::Notifier => {
            if let Some(creds) = &mut record.notifier {
                creds.service_id = None;
            }
        }
    }
}

/// The id of the queue that a record is about.
fn entity(record: &LogRecord) -> String {
    record.recipient_id().map_or_else(String::new, ToString::to_string)
}
