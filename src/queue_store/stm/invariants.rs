//! What must hold between the maps, the records and the services' sets.
//!
//! The check works on a [`StoreSnapshot`], so it can be pointed at any state, and says everything
//! that it finds, not only the first.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::Hash;

use super::StmQueueStore;
use super::services::role_of;
use super::snapshot::{QueueSnapshot, ServiceSetSnapshot, ServiceSnapshot, StoreSnapshot};
use crate::protocol::{QueueRec, RecipientId, Semantics, ServiceId, ServiceParty, ServiceRec};
use crate::queue_store::QueueFactory;

/// How much was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InvariantReport {
    /// Entries of the recipient index, tombstones included.
    pub queues: usize,
    /// Tombstones among them (only under `Semantics::Reference`).
    pub tombstones: usize,
    /// Entries of the sender, notifier and link indexes.
    pub index_entries: usize,
    /// Services.
    pub services: usize,
    /// Ids in the services' sets.
    pub service_ids: usize,
}

/// Something that does not hold. `Display` says it in a sentence, with the ids concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A queue is indexed under an id that is not its own.
    WrongKey {
        /// The key in the recipient index.
        key: RecipientId,
        /// The object's own id.
        own_id: RecipientId,
    },
    /// A deleted queue is still in the recipient index of a `Strict` store.
    Tombstone {
        /// The deleted queue.
        queue: RecipientId,
    },
    /// A live queue's record carries an id that the index does not lead back from.
    NotIndexed {
        /// The index: `sender`, `notifier` or `link`.
        index: &'static str,
        /// The id that is not indexed.
        id: String,
        /// The queue whose record carries it.
        queue: RecipientId,
    },
    /// An index entry leads to a queue that is absent, deleted or carries another id.
    Dangling {
        /// The index: `sender`, `notifier` or `link`.
        index: &'static str,
        /// The id that is indexed.
        id: String,
        /// The queue that it leads to.
        queue: RecipientId,
    },
    /// A record names a service that does not exist.
    UnknownService {
        /// The queue.
        queue: RecipientId,
        /// The party whose service it is.
        party: ServiceParty,
        /// The service that is not there.
        service: ServiceId,
    },
    /// A record names a service whose role does not fit the party.
    WrongRole {
        /// The queue.
        queue: RecipientId,
        /// The party whose service it is.
        party: ServiceParty,
        /// The service.
        service: ServiceId,
    },
    /// A record names a service whose set does not hold it.
    NotInSet {
        /// The queue.
        queue: RecipientId,
        /// The party whose service it is.
        party: ServiceParty,
        /// The service.
        service: ServiceId,
    },
    /// A service's set holds an id of which no live record says so.
    StrayInSet {
        /// The service.
        service: ServiceId,
        /// The party whose set it is.
        party: ServiceParty,
        /// The id in the set.
        id: String,
    },
    /// The hash stored with a set is not the XOR over it (SE-50).
    WrongHash {
        /// The service.
        service: ServiceId,
        /// The party whose set it is.
        party: ServiceParty,
    },
    /// A service and the fingerprint index do not lead to each other.
    CertIndex {
        /// The service.
        service: ServiceId,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKey { key, own_id } => {
                write!(f, "the queue under recipient id {key} calls itself {own_id}")
            }
            Self::Tombstone { queue } => {
                write!(f, "the deleted queue {queue} is still in the recipient index")
            }
            Self::NotIndexed { index, id, queue } => {
                write!(f, "the {index} id {id} of queue {queue} is not in its index")
            }
            Self::Dangling { index, id, queue } => write!(
                f,
                "the {index} index leads from {id} to queue {queue}, which does not carry that id"
            ),
            Self::UnknownService { queue, party, service } => write!(
                f,
                "queue {queue} names the {} service {service}, which does not exist",
                party_name(*party)
            ),
            Self::WrongRole { queue, party, service } => write!(
                f,
                "queue {queue} names the {} service {service}, whose role is another",
                party_name(*party)
            ),
            Self::NotInSet { queue, party, service } => write!(
                f,
                "queue {queue} names the {} service {service}, whose set does not hold it",
                party_name(*party)
            ),
            Self::StrayInSet { service, party, id } => write!(
                f,
                "the {} set of service {service} holds {id}, whose record does not say so",
                party_name(*party)
            ),
            Self::WrongHash { service, party } => write!(
                f,
                "the {} hash of service {service} is not the XOR over its set",
                party_name(*party)
            ),
            Self::CertIndex { service } => {
                write!(f, "service {service} and the fingerprint index do not agree")
            }
        }
    }
}

impl std::error::Error for Violation {}

fn party_name(party: ServiceParty) -> &'static str {
    match party {
        ServiceParty::Receiver => "receiving",
        ServiceParty::Notifier => "notifying",
    }
}

impl<F: QueueFactory> StmQueueStore<F> {
    /// Checks the whole store, as it is at one moment: maps and records agree both ways, the
    /// services' sets agree with the records, each hash is the XOR over its set, nothing dangles.
    ///
    /// Everything holds under `Semantics::Strict` at all times. Under `Semantics::Reference` the
    /// defects that the reference can bring about (RACE-19 to RACE-24) show here.
    pub fn check_invariants(&self) -> Result<InvariantReport, Vec<Violation>> {
        let snapshot = self.snapshot();
        let violations = snapshot.violations();
        if violations.is_empty() { Ok(snapshot.report()) } else { Err(violations) }
    }
}

impl StoreSnapshot {
    fn report(&self) -> InvariantReport {
        InvariantReport {
            queues: self.queues.len(),
            tombstones: self.queues.iter().filter(|queue| queue.record.is_none()).count(),
            index_entries: self.senders.len() + self.notifiers.len() + self.links.len(),
            services: self.services.len(),
            service_ids: self.services.iter().map(|s| s.rcv.ids.len() + s.ntf.ids.len()).sum(),
        }
    }

    /// Everything that does not hold; see [`StmQueueStore::check_invariants`].
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for queue in &self.queues {
            self.check_entry(queue, &mut found);
        }
        self.check_index("sender", &self.senders, &mut found, |record| Some(&record.sender_id));
        self.check_index("notifier", &self.notifiers, &mut found, |record| {
            Some(&record.notifier.as_ref()?.notifier_id)
        });
        self.check_index("link", &self.links, &mut found, |record| Some(&record.link.as_ref()?.id));
        self.check_services(&mut found);
        self.check_certs(&mut found);
        found
    }

    fn check_entry(&self, queue: &QueueSnapshot, found: &mut Vec<Violation>) {
        if queue.id != queue.own_id {
            found.push(Violation::WrongKey { key: queue.id.clone(), own_id: queue.own_id.clone() });
        }
        if queue.record.is_none() && self.semantics == Semantics::Strict {
            found.push(Violation::Tombstone { queue: queue.id.clone() });
        }
    }

    fn live(&self) -> impl Iterator<Item = (&RecipientId, &QueueRec)> {
        self.queues.iter().filter_map(|queue| Some((&queue.id, queue.record.as_deref()?)))
    }

    /// Index entries and the ids in live records are the same pairs.
    fn check_index<Id: Hash + Eq + ToString>(
        &self,
        name: &'static str,
        index: &[(Id, RecipientId)],
        found: &mut Vec<Violation>,
        id_of: impl Fn(&QueueRec) -> Option<&Id>,
    ) {
        let mut unseen: HashMap<&Id, &RecipientId> =
            index.iter().map(|(id, to)| (id, to)).collect();
        for (queue, record) in self.live() {
            let Some(id) = id_of(record) else {
                continue;
            };
            if unseen.get(id) == Some(&queue) {
                unseen.remove(id);
                continue;
            }
            let (id, queue) = (id.to_string(), queue.clone());
            found.push(Violation::NotIndexed { index: name, id, queue });
        }
        for (id, queue) in index {
            if unseen.contains_key(id) {
                let (id, queue) = (id.to_string(), queue.clone());
                found.push(Violation::Dangling { index: name, id, queue });
            }
        }
    }

    fn check_services(&self, found: &mut Vec<Violation>) {
        let services: BTreeMap<_, _> = self.services.iter().map(|s| (&s.id, s)).collect();
        let mut rcv = PartySets::new(ServiceParty::Receiver, &services, |service| &service.rcv);
        let mut ntf = PartySets::new(ServiceParty::Notifier, &services, |service| &service.ntf);
        for (queue, record) in self.live() {
            if let Some(service) = &record.rcv_service_id {
                rcv.claim(queue, service, queue, found);
            }
            if let Some(creds) = &record.notifier
                && let Some(service) = &creds.service_id
            {
                ntf.claim(queue, service, &creds.notifier_id, found);
            }
        }
        rcv.finish(found);
        ntf.finish(found);
    }

    fn check_certs(&self, found: &mut Vec<Violation>) {
        let index: HashMap<_, _> = self.service_certs.iter().map(|(cert, id)| (cert, id)).collect();
        let known: HashSet<_> = self.services.iter().map(|service| &service.id).collect();
        for service in &self.services {
            let ServiceRec { service_id, cert_hash, .. } = &service.record;
            if index.get(cert_hash) != Some(&&service.id) || service_id != &service.id {
                found.push(Violation::CertIndex { service: service.id.clone() });
            }
        }
        for (_, id) in self.service_certs.iter().filter(|(_, id)| !known.contains(id)) {
            found.push(Violation::CertIndex { service: id.clone() });
        }
    }
}

impl ServiceSnapshot {
    fn fits(&self, party: ServiceParty) -> bool {
        self.record.role == role_of(party)
    }
}

/// The sets of all services for one party, from which the ids that records claim are crossed off.
struct PartySets<'s, Id> {
    party: ServiceParty,
    services: &'s BTreeMap<&'s ServiceId, &'s ServiceSnapshot>,
    set: fn(&ServiceSnapshot) -> &ServiceSetSnapshot<Id>,
    unclaimed: BTreeSet<(&'s ServiceId, &'s Id)>,
}

impl<'s, Id: Ord + ToString + AsRef<[u8]>> PartySets<'s, Id> {
    fn new(
        party: ServiceParty,
        services: &'s BTreeMap<&'s ServiceId, &'s ServiceSnapshot>,
        set: fn(&ServiceSnapshot) -> &ServiceSetSnapshot<Id>,
    ) -> Self {
        let ids = services.iter().flat_map(|(id, s)| set(s).ids.iter().map(|member| (*id, member)));
        Self { party, services, set, unclaimed: ids.collect() }
    }

    fn claim(
        &mut self,
        queue: &RecipientId,
        service_id: &'s ServiceId,
        member: &'s Id,
        found: &mut Vec<Violation>,
    ) {
        let party = self.party;
        let (queue, service) = (queue.clone(), service_id.clone());
        let Some(known) = self.services.get(service_id) else {
            return found.push(Violation::UnknownService { queue, party, service });
        };
        if !known.fits(party) {
            found.push(Violation::WrongRole {
                queue: queue.clone(),
                party,
                service: service.clone(),
            });
        }
        if !self.unclaimed.remove(&(service_id, member)) {
            found.push(Violation::NotInSet { queue, party, service });
        }
    }

    fn finish(self, found: &mut Vec<Violation>) {
        let party = self.party;
        for (service, id) in self.unclaimed {
            let (service, id) = (service.clone(), id.to_string());
            found.push(Violation::StrayInSet { service, party, id });
        }
        for (id, service) in self.services {
            let set = (self.set)(service);
            if set.hash != set.hash_of_ids() {
                found.push(Violation::WrongHash { service: (*id).clone(), party });
            }
        }
    }
}
