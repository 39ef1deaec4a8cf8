//! The in-memory queue store on software transactional memory.
//!
//! **The promise.** Every operation of the [contract](crate::queue_store::QueueStore) is one
//! transaction over all the maps it touches; the journal holds the changes in the order in which
//! they were committed; a change that returned success survives as its durability promises.
//!
//! **The algorithm.** Six maps (queues by recipient, sender, notifier and link id; services by id;
//! fingerprints to service ids) and, in each service, a set of ids per party
//! with its hash. An operation is written once, as a *transaction part* (`…_tx`): it checks
//! everything, then writes, and notes the journal records of what it did. [`StmQueueStore::transact`]
//! runs parts as one transaction, which takes the next number of a [`Sequence`] as it commits, and
//! then hands the records to the journal under that number.
//!
//! **Why the order is right.** The numbers of a sequence follow the commits (RACE-1). Every change reads the variable that
//! says whether the store is open: it either commits before
//! [`close`](crate::queue_store::QueueStore::close) reads the last number, and is awaited, or finds
//! the store closed (RACE-27).
//!
//! **The tests that show it.** `tests/queue_store/` (each item of the specification, the sequential
//! model, restarts), `tests/cli/` (the recorded runs of the reference) and `loom-tests/`.

mod control;
mod grouping;
mod invariants;
mod labels;
mod links;
mod lookups;
mod notifiers;
mod operations;
mod queues;
mod records;
mod replay;
mod service_set;
mod services;
mod snapshot;

use std::sync::Arc;

pub use grouping::NtfGrouping;
pub use invariants::{InvariantReport, Violation};
pub use snapshot::{QueueSnapshot, ServiceSetSnapshot, ServiceSnapshot, StoreSnapshot};

use self::control::Control;
use self::service_set::Service;
use super::queue::{BasicFactory, QueueFactory};
use crate::protocol::{
    CertFingerprint, ErrorType, LinkId, NotifierId, QueueRec, RecipientId, Semantics, SenderId,
    ServiceId,
};
use crate::stm::{Label, Sequence, TMap, TVar, Transaction, TxResult, VarId};
use crate::store_log::{
    self, Journal, LogRecord, OpenError, ReplayReport, StartReport, StoreLogConfig,
};

/// The in-memory queue store; see the [module](self) for how it works.
///
/// `F` makes the queue objects. With [`BasicFactory`] they are just an id and a record.
pub struct StmQueueStore<F: QueueFactory = BasicFactory> {
    factory: F,
    semantics: Semantics,
    queues: TMap<RecipientId, Arc<F::Queue>>,
    senders: TMap<SenderId, Arc<F::Queue>>,
    notifiers: TMap<NotifierId, Arc<F::Queue>>,
    links: TMap<LinkId, Arc<F::Queue>>,
    services: TMap<ServiceId, Arc<Service>>,
    service_certs: TMap<CertFingerprint, ServiceId>,
    control: TVar<Control>,
    sequence: Sequence,
    journal: Option<Journal>,
}

impl<F: QueueFactory> StmQueueStore<F> {
    /// An empty store without a journal (OP-1): changes live as long as the store.
    pub fn new(factory: F, semantics: Semantics) -> Self {
        Self {
            factory,
            semantics,
            queues: TMap::new(),
            senders: TMap::new(),
            notifiers: TMap::new(),
            links: TMap::new(),
            services: TMap::new(),
            service_certs: TMap::new(),
            control: TVar::new(Control::default()),
            sequence: Sequence::new(),
            journal: None,
        }
    }

    /// Starts a store on its journal: recovers, replays, compacts, and appends from then on.
    ///
    /// The semantics is the one of `config`. See [`store_log::start`] for what start-up does to the
    /// files, and for the errors.
    pub fn open(config: &StoreLogConfig, factory: F) -> Result<(Self, StartReport), OpenError> {
        let mut store = Self::new(factory, config.chosen_semantics());
        let (journal, report) = store_log::start(config, &mut store.replayer())?;
        store.journal = Some(journal);
        Ok((store, report))
    }

    /// Replays a journal into a new store without changing any file; the store has no journal.
    pub fn replay(config: &StoreLogConfig, factory: F) -> Result<(Self, ReplayReport), OpenError> {
        let store = Self::new(factory, config.chosen_semantics());
        let report = store_log::replay(config, &mut store.replayer())?;
        Ok((store, report))
    }

    /// The semantics that the store was made with.
    pub fn semantics(&self) -> Semantics {
        self.semantics
    }

    /// Makes a queue object with the store's factory, to be added with [`add_queue_tx`](Self::add_queue_tx).
    ///
    /// Until it is added, or when adding it was refused, no other part may be given it: the parts
    /// take every queue object for one of this store's own.
    pub fn make_queue(&self, id: RecipientId, record: QueueRec) -> Arc<F::Queue> {
        Arc::new(self.factory.make_queue(id, Arc::new(record)))
    }

    /// Runs `body` as one transaction and journals the records that its parts noted.
    ///
    /// The parts belong in here: run in a transaction of another kind, they change the store and
    /// nothing is journalled. `body` may run several times: it must have no effect outside the transaction. An abort
    /// discards everything. When the journal fails the change is not acknowledged: the result is
    /// `STORE`, and no later change is accepted (RACE-3).
    pub fn transact<T>(
        &self,
        body: impl FnMut(&mut Transaction<'_>, &mut Vec<LogRecord>) -> TxResult<T, ErrorType>,
    ) -> Result<T, ErrorType> {
        self.transact_as(&labels::TRANSACT, body)
    }

    /// As [`transact`](Self::transact), counted under a label of the caller's.
    pub fn transact_as<T>(
        &self,
        label: &'static Label,
        mut body: impl FnMut(&mut Transaction<'_>, &mut Vec<LogRecord>) -> TxResult<T, ErrorType>,
    ) -> Result<T, ErrorType> {
        self.check_journal()?;
        let numbered = |tx: &mut Transaction<'_>| {
            let mut records = Vec::new();
            let value = body(tx, &mut records)?;
            self.number(tx, &records)?;
            Ok((value, records))
        };
        let ((value, records), number) =
            label.try_atomically_numbered(numbered, |unused| self.skip(unused))?;
        if let Some(number) = number {
            self.append(number, records)?;
        }
        Ok(value)
    }

    /// The names of the store's own maps and variables, to read [`conflicts`](crate::stm::conflicts) by. Records of queues and
    /// sets of services have none.
    pub fn variable_names(&self) -> [(VarId, &'static str); 7] {
        [
            (self.queues.id(), "queues"),
            (self.senders.id(), "senders"),
            (self.notifiers.id(), "notifiers"),
            (self.links.id(), "links"),
            (self.services.id(), "services"),
            (self.service_certs.id(), "service certificates"),
            (self.control.id(), "control"),
        ]
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.semantics == Semantics::Strict
    }
}

impl<F: QueueFactory> std::fmt::Debug for StmQueueStore<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StmQueueStore")
            .field("semantics", &self.semantics)
            .field("queues", &self.queues.len_atomic())
            .field("journal", &self.journal.is_some())
            .finish_non_exhaustive()
    }
}
