//! The whole store as plain data: taken at one moment, saved to a file, loaded from one.
//!
//! A snapshot holds what the store holds, its indexes and stored hashes included, so that it can
//! be checked ([`StoreSnapshot::violations`]), compared, and loaded back unchanged. Changes wait
//! while one is taken (see `docs/limitations.md`); lookups do not.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::StmQueueStore;
use super::service_set::{IdSet, Service};
use crate::protocol::{
    AuthKey, CertFingerprint, DhSecret, EntityStatus, IdsHash, LinkId, NotifierId, QueueRec,
    RecipientId, RecipientKeys, Semantics, SenderId, ServiceId, ServiceRec,
};
use crate::queue_store::{QueueFactory, StoreQueue};
use crate::stm::{Snapshot, StmResult, Transaction, atomically};
use crate::store_log::{FsStorage, SnapshotError, SnapshotKind, read_snapshot, write_snapshot};

/// The kind of the frame that holds a queue store's snapshot.
const KIND: SnapshotKind = *b"queuesto";

/// A consistent copy of everything in a store; every list is in ascending order of its first part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreSnapshot {
    /// The semantics of the store that it was taken of.
    pub semantics: Semantics,
    /// The recipient index.
    pub queues: Vec<QueueSnapshot>,
    /// The sender index.
    pub senders: Vec<(SenderId, RecipientId)>,
    /// The notifier index.
    pub notifiers: Vec<(NotifierId, RecipientId)>,
    /// The link index.
    pub links: Vec<(LinkId, RecipientId)>,
    /// The services, by id.
    pub services: Vec<ServiceSnapshot>,
    /// The fingerprint index.
    pub service_certs: Vec<(CertFingerprint, ServiceId)>,
}

/// An entry of the recipient index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueSnapshot {
    /// The key in the index.
    pub id: RecipientId,
    /// The id that the queue object itself carries.
    pub own_id: RecipientId,
    /// The record; `None` in a tombstone.
    pub record: Option<Arc<QueueRec>>,
}

/// A service and its two sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSnapshot {
    /// The key in the map of services.
    pub id: ServiceId,
    /// The service's record.
    pub record: ServiceRec,
    /// The queues of the receiving service.
    pub rcv: ServiceSetSnapshot<RecipientId>,
    /// The notifiers of the notifying service.
    pub ntf: ServiceSetSnapshot<NotifierId>,
}

/// A set of ids and the hash stored with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSetSnapshot<Id> {
    /// The ids in ascending order.
    pub ids: Vec<Id>,
    /// The stored hash, which should be the XOR over the set (SE-50).
    pub hash: IdsHash,
}

impl<Id: AsRef<[u8]>> ServiceSetSnapshot<Id> {
    /// The XOR over the set, computed afresh.
    pub fn hash_of_ids(&self) -> IdsHash {
        self.ids.iter().fold(IdsHash::EMPTY, |hash, id| hash.xor(IdsHash::of_id(id.as_ref())))
    }
}

impl<F: QueueFactory> StmQueueStore<F> {
    /// Copies the whole store as it is at one moment.
    ///
    /// Changes wait while the records are read; copying and sorting the indexes comes after.
    pub fn snapshot(&self) -> StoreSnapshot {
        let (mut queues, maps, mut services) = self.while_frozen(|| {
            let maps = (
                self.senders.snapshot_atomic(),
                self.notifiers.snapshot_atomic(),
                self.links.snapshot_atomic(),
                self.service_certs.snapshot_atomic(),
            );
            (self.queues_snapshot(), maps, self.services_snapshot())
        });
        queues.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        services.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let (senders, notifiers, links, service_certs) = maps;
        StoreSnapshot {
            semantics: self.semantics,
            queues,
            senders: pairs(&senders),
            notifiers: pairs(&notifiers),
            links: pairs(&links),
            services,
            service_certs: service_certs.iter_sorted(),
        }
    }

    fn queues_snapshot(&self) -> Vec<QueueSnapshot> {
        let entry = |(id, queue): (RecipientId, Arc<F::Queue>)| QueueSnapshot {
            id,
            own_id: queue.recipient_id().clone(),
            record: queue.record().read_atomic(),
        };
        self.queues.snapshot_atomic().iter().map(entry).collect()
    }

    fn services_snapshot(&self) -> Vec<ServiceSnapshot> {
        let entry = |(id, service): (ServiceId, Arc<Service>)| ServiceSnapshot {
            id,
            record: service.record.clone(),
            rcv: service.rcv.snapshot(),
            ntf: service.ntf.snapshot(),
        };
        self.services.snapshot_atomic().iter().map(entry).collect()
    }

    /// Saves a snapshot to a file, whole or not at all: written beside it, synced, renamed.
    pub fn save_snapshot(&self, path: &Path) -> Result<(), SnapshotError> {
        write_snapshot(&FsStorage, path, KIND, &self.snapshot()).map(drop)
    }

    /// Loads a snapshot into a new store without a journal.
    ///
    /// A file that is damaged in any way is refused with an error that says what is wrong with it.
    /// The indexes are taken as they stand: [`check_invariants`](Self::check_invariants) tells
    /// whether they agree.
    pub fn load_snapshot(path: &Path, factory: F) -> Result<Self, SnapshotError> {
        let snapshot: StoreSnapshot = read_snapshot(&FsStorage, path, KIND)?;
        Ok(Self::from_snapshot(snapshot, factory))
    }

    /// Makes a store, without a journal, that holds what the snapshot holds.
    pub fn from_snapshot(snapshot: StoreSnapshot, factory: F) -> Self {
        let store = Self::new(factory, snapshot.semantics);
        let revive = |entry: &QueueSnapshot| (entry.id.clone(), store.revive(entry));
        let queues: HashMap<RecipientId, Arc<F::Queue>> =
            snapshot.queues.iter().map(revive).collect();
        let senders = store.indexed_queues(&queues, &snapshot.senders);
        let notifiers = store.indexed_queues(&queues, &snapshot.notifiers);
        let links = store.indexed_queues(&queues, &snapshot.links);
        let services: Vec<_> = snapshot
            .services
            .iter()
            .map(|entry| Arc::new(Service::new(entry.record.clone())))
            .collect();
        atomically(|tx| {
            store.queues.union(tx, queues.clone())?;
            for (entry, service) in snapshot.services.iter().zip(&services) {
                service.rcv.restore(tx, &entry.rcv)?;
                service.ntf.restore(tx, &entry.ntf)?;
                store.services.insert(tx, entry.id.clone(), Arc::clone(service))?;
            }
            store.senders.union(tx, senders.iter().cloned())?;
            store.notifiers.union(tx, notifiers.iter().cloned())?;
            store.links.union(tx, links.iter().cloned())?;
            store.service_certs.union(tx, snapshot.service_certs.iter().cloned())
        });
        store
    }

    /// A queue object for an entry; a tombstone's is made with a stand-in record that is removed at once.
    fn revive(&self, entry: &QueueSnapshot) -> Arc<F::Queue> {
        let record = entry.record.clone().unwrap_or_else(|| stand_in(&entry.own_id));
        let queue = Arc::new(self.factory.make_queue(entry.own_id.clone(), record));
        if entry.record.is_none() {
            atomically(|tx| queue.record().write(tx, None));
        }
        queue
    }

    /// The entries of an index with the queues that they lead to; a tombstone where there is none.
    fn indexed_queues<Id: Clone>(
        &self,
        queues: &HashMap<RecipientId, Arc<F::Queue>>,
        index: &[(Id, RecipientId)],
    ) -> Vec<(Id, Arc<F::Queue>)> {
        let tombstone = |id: &RecipientId| {
            self.revive(&QueueSnapshot { id: id.clone(), own_id: id.clone(), record: None })
        };
        let queue = |id: &RecipientId| queues.get(id).cloned().unwrap_or_else(|| tombstone(id));
        index.iter().map(|(id, recipient_id)| (id.clone(), queue(recipient_id))).collect()
    }
}

/// The entries of an index in ascending order, each with the recipient id of the queue it leads to.
fn pairs<Id, Q>(index: &Snapshot<Id, Arc<Q>>) -> Vec<(Id, RecipientId)>
where
    Id: Ord + Hash + Clone,
    Q: StoreQueue,
{
    let pair = |(id, queue): (Id, Arc<Q>)| (id, queue.recipient_id().clone());
    index.iter_sorted().into_iter().map(pair).collect()
}

/// Any record at all, for an object that is made only to be a tombstone.
fn stand_in(id: &RecipientId) -> Arc<QueueRec> {
    Arc::new(QueueRec {
        recipient_keys: RecipientKeys::one(AuthKey::Ed25519([0; 32])),
        rcv_dh_secret: DhSecret::new([0; 32]),
        sender_id: SenderId::from(id.entity().clone()),
        sender_key: None,
        queue_mode: None,
        link: None,
        notifier: None,
        updated_at: None,
        status: EntityStatus::Off,
        rcv_service_id: None,
    })
}

impl<Id> IdSet<Id>
where
    Id: AsRef<[u8]> + Ord + Hash + Clone + Send + Sync + 'static,
{
    fn snapshot(&self) -> ServiceSetSnapshot<Id> {
        ServiceSetSnapshot {
            ids: self.ids.snapshot_atomic().iter_sorted(),
            hash: self.hash.read_atomic(),
        }
    }

    fn restore(&self, tx: &mut Transaction<'_>, from: &ServiceSetSnapshot<Id>) -> StmResult<()> {
        for id in &from.ids {
            self.ids.insert(tx, id.clone())?;
        }
        self.hash.write(tx, from.hash)
    }
}
