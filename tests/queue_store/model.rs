//! The sequential model: what the queue store means, without its indexes.
//!
//! It holds nothing but records; every question about an index is answered by looking at all of
//! them. That makes it slow, and easy to believe.

use std::collections::BTreeMap;

use simplex_stores::protocol::{
    AuthKey, BlockingInfo, EntityStatus, ErrorType, LinkData, LinkId, NotifierId, NtfCreds,
    QueueLink, QueueRec, RecipientId, RecipientKeys, RoundedDate, ServiceId, ServiceParty,
    ServiceRec, ServiceRole,
};
use simplex_stores::queue_store::{QueueKey, QueueStore, StmQueueStore, StoreQueue};

/// One call of the contract, as data.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Add(RecipientId, Box<QueueRec>),
    Get(QueueKey),
    GetLink(RecipientId, LinkId),
    AddLink(RecipientId, LinkId, LinkData),
    DeleteLink(RecipientId),
    Secure(RecipientId, AuthKey),
    Keys(RecipientId, RecipientKeys),
    AddNotifier(RecipientId, Box<NtfCreds>),
    DeleteNotifier(RecipientId),
    Suspend(RecipientId),
    Block(RecipientId, BlockingInfo),
    Unblock(RecipientId),
    Time(RecipientId, RoundedDate),
    Delete(RecipientId),
    Service(Box<ServiceRec>),
    SetService(RecipientId, ServiceParty, Option<ServiceId>),
    SetServices(Vec<RecipientId>, ServiceParty, Option<ServiceId>),
    Group(Vec<NotifierId>),
    CountHash(ServiceParty, ServiceId),
    Fold(ServiceId),
    Counts,
    /// Close the store and start it again from its journal.
    Restart,
}

/// What a call answered, in a form that can be compared.
pub(crate) type Answer = Result<String, ErrorType>;

/// The state: live queues and services, nothing else.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) queues: BTreeMap<RecipientId, QueueRec>,
    pub(crate) services: BTreeMap<ServiceId, ServiceRec>,
}

/// JSON, because `Debug` leaves secrets out and would make different ones look the same.
fn shown<T: serde::Serialize>(value: T) -> String {
    serde_json::to_string(&value).unwrap()
}

impl Model {
    /// What a `Strict` store answers, and what it does to the state.
    pub(crate) fn apply(&mut self, op: &Op) -> Answer {
        match op {
            Op::Add(id, record) => self.add(id, record),
            Op::Get(key) => self.find(key).map(|(id, record)| shown((id, record))),
            Op::GetLink(id, link) => match &self.live(id)?.link {
                Some(present) if present.id == *link => Ok(shown(&present.data)),
                _ => Err(ErrorType::Auth),
            },
            Op::AddLink(id, link, data) => self.add_link(id, link, data),
            Op::DeleteLink(id) => self.change(id, |record| record.link = None),
            Op::Secure(id, key) => match &self.live(id)?.sender_key {
                Some(present) if present != key => Err(ErrorType::Auth),
                _ => self.change(id, |record| record.sender_key = Some(key.clone())),
            },
            Op::Keys(id, keys) => self.change(id, |record| record.recipient_keys = keys.clone()),
            Op::AddNotifier(id, creds) => self.add_notifier(id, creds),
            Op::DeleteNotifier(id) => {
                let removed = self.live(id)?.notifier.clone();
                self.change(id, |record| record.notifier = None)?;
                Ok(shown(removed.map(|creds| *creds)))
            }
            Op::Suspend(id) => self.change(id, |record| record.status = EntityStatus::Off),
            Op::Block(id, info) => {
                self.change(id, |record| record.status = EntityStatus::Blocked(*info))
            }
            Op::Unblock(id) => self.change(id, |record| record.status = EntityStatus::Active),
            Op::Time(id, date) => {
                self.change(id, |record| record.updated_at = Some(*date))?;
                Ok(shown(self.live(id)?))
            }
            Op::Delete(id) => {
                let record = self.live(id)?.clone();
                self.queues.remove(id);
                Ok(shown(record))
            }
            Op::Service(record) => self.service(record),
            Op::SetService(id, party, service) => self.set_service(id, *party, service.as_ref()),
            Op::SetServices(ids, party, service) => {
                let mut results = BTreeMap::new();
                for id in ids
                    .iter()
                    .filter(|id| self.queues.contains_key(*id))
                    .cloned()
                    .collect::<Vec<_>>()
                {
                    let result = self.set_service(&id, *party, service.as_ref()).map(drop);
                    results.insert(id, result);
                }
                Ok(shown(results.into_iter().collect::<Vec<_>>()))
            }
            Op::Group(ids) => Ok(self.group(ids)),
            Op::CountHash(party, id) => self.count(*party, id),
            Op::Fold(id) => {
                let of_service = |(_, record): &(&RecipientId, &QueueRec)| {
                    record.rcv_service_id.as_ref() == Some(id)
                };
                let folded: Vec<_> = self.queues.iter().filter(of_service).collect();
                Ok(shown(folded))
            }
            Op::Counts => Ok(self.counts()),
            Op::Restart => Ok(shown(())),
        }
    }

    fn live(&self, id: &RecipientId) -> Result<&QueueRec, ErrorType> {
        self.queues.get(id).ok_or(ErrorType::Auth)
    }

    fn change(&mut self, id: &RecipientId, change: impl FnOnce(&mut QueueRec)) -> Answer {
        change(self.queues.get_mut(id).ok_or(ErrorType::Auth)?);
        Ok(shown(()))
    }

    fn find(&self, key: &QueueKey) -> Result<(&RecipientId, &QueueRec), ErrorType> {
        let carries = |(id, record): &(&RecipientId, &QueueRec)| match key {
            QueueKey::Recipient(wanted) => *id == wanted,
            QueueKey::Sender(wanted) => record.sender_id == *wanted,
            QueueKey::Notifier(wanted) => {
                record.notifier.as_ref().is_some_and(|creds| creds.notifier_id == *wanted)
            }
            QueueKey::Link(wanted) => record.link.as_ref().is_some_and(|link| link.id == *wanted),
        };
        self.queues.iter().find(carries).ok_or(ErrorType::Auth)
    }

    fn is_taken(&self, key: impl Into<QueueKey>) -> bool {
        self.find(&key.into()).is_ok()
    }

    fn require(&self, service: Option<&ServiceId>, role: ServiceRole) -> Result<(), ErrorType> {
        let Some(id) = service else {
            return Ok(());
        };
        let known = self.services.get(id).ok_or(ErrorType::Auth)?;
        if known.role == role { Ok(()) } else { Err(ErrorType::Service) }
    }

    fn add(&mut self, id: &RecipientId, record: &QueueRec) -> Answer {
        let taken = self.is_taken(id.clone())
            || self.is_taken(record.sender_id.clone())
            || record.notifier.as_ref().is_some_and(|c| self.is_taken(c.notifier_id.clone()))
            || record.link.as_ref().is_some_and(|link| self.is_taken(link.id.clone()));
        if taken {
            return Err(ErrorType::Duplicate);
        }
        self.require(record.rcv_service_id.as_ref(), ServiceRole::Messaging)?;
        let ntf_service = record.notifier.as_ref().and_then(|creds| creds.service_id.as_ref());
        self.require(ntf_service, ServiceRole::Notifier)?;
        self.queues.insert(id.clone(), record.clone());
        Ok(shown((id, record)))
    }

    fn add_link(&mut self, id: &RecipientId, link: &LinkId, data: &LinkData) -> Answer {
        match &self.live(id)?.link {
            None if self.is_taken(link.clone()) => return Err(ErrorType::Duplicate),
            None => {}
            Some(present) if present.id == *link && present.data.fixed == data.fixed => {}
            Some(_) => return Err(ErrorType::Auth),
        }
        let link = QueueLink { id: link.clone(), data: data.clone() };
        self.change(id, |record| record.link = Some(Box::new(link)))
    }

    fn add_notifier(&mut self, id: &RecipientId, creds: &NtfCreds) -> Answer {
        let replaced = self.live(id)?.notifier.as_deref().cloned();
        self.require(creds.service_id.as_ref(), ServiceRole::Notifier)?;
        if self.is_taken(creds.notifier_id.clone()) {
            return Err(ErrorType::Duplicate);
        }
        self.change(id, |record| record.notifier = Some(Box::new(creds.clone())))?;
        Ok(shown(replaced))
    }

    fn service(&mut self, record: &ServiceRec) -> Answer {
        if let Some(known) = self.services.values().find(|s| s.cert_hash == record.cert_hash) {
            let fits = known.role == record.role;
            return if fits { Ok(shown(&known.service_id)) } else { Err(ErrorType::Service) };
        }
        if self.services.contains_key(&record.service_id) {
            return Err(ErrorType::Duplicate);
        }
        self.services.insert(record.service_id.clone(), record.clone());
        Ok(shown(&record.service_id))
    }

    fn set_service(
        &mut self,
        id: &RecipientId,
        party: ServiceParty,
        service: Option<&ServiceId>,
    ) -> Answer {
        let has_notifier = self.live(id)?.notifier.is_some();
        match party {
            ServiceParty::Receiver => {
                self.require(service, ServiceRole::Messaging)?;
                self.change(id, |record| record.rcv_service_id = service.cloned())
            }
            ServiceParty::Notifier if !has_notifier => Err(ErrorType::Auth),
            ServiceParty::Notifier => {
                self.require(service, ServiceRole::Notifier)?;
                self.change(id, |record| {
                    record.notifier.as_mut().unwrap().service_id = service.cloned();
                })
            }
        }
    }

    fn notifier_service(&self, id: &NotifierId) -> Option<Option<ServiceId>> {
        let (_, record) = self.find(&QueueKey::Notifier(id.clone())).ok()?;
        Some(record.notifier.as_ref()?.service_id.clone())
    }

    fn group(&self, ids: &[NotifierId]) -> String {
        let keys = std::iter::once(None).chain(self.services.keys().rev().cloned().map(Some));
        let members = |key: &Option<ServiceId>| -> Vec<(NotifierId, usize)> {
            let belongs = |id: &NotifierId| self.notifier_service(id).as_ref() == Some(key);
            numbered(ids).filter(|(id, _)| belongs(id)).collect()
        };
        let groups: Vec<_> = keys.map(|key| (key.clone(), members(&key))).collect();
        let gone = |id: &NotifierId| self.notifier_service(id).is_none();
        let deleted: Vec<_> = numbered(ids).filter(|(id, _)| gone(id)).collect();
        shown((groups, deleted))
    }

    fn members(&self, party: ServiceParty, service: &ServiceId) -> Vec<Vec<u8>> {
        let member = |(id, record): (&RecipientId, &QueueRec)| match party {
            ServiceParty::Receiver => {
                (record.rcv_service_id.as_ref() == Some(service)).then(|| id.as_bytes().to_vec())
            }
            ServiceParty::Notifier => record
                .notifier
                .as_ref()
                .filter(|creds| creds.service_id.as_ref() == Some(service))
                .map(|creds| creds.notifier_id.as_bytes().to_vec()),
        };
        self.queues.iter().filter_map(member).collect()
    }

    fn count(&self, party: ServiceParty, service: &ServiceId) -> Answer {
        if !self.services.contains_key(service) {
            return Err(ErrorType::Auth);
        }
        let members = self.members(party, service);
        let mut hash = [0u8; 16];
        for id in &members {
            let digest = <md5::Md5 as md5::Digest>::digest(id);
            hash.iter_mut().zip(digest).for_each(|(byte, other)| *byte ^= other);
        }
        Ok(shown((members.len() as i64, hash)))
    }

    fn counts(&self) -> String {
        let with_role = |role| self.services.values().filter(|s| s.role == role).count();
        let in_sets =
            |party| -> usize { self.services.keys().map(|id| self.members(party, id).len()).sum() };
        shown((
            self.queues.len(),
            self.queues.values().filter(|record| record.notifier.is_some()).count(),
            with_role(ServiceRole::Messaging),
            with_role(ServiceRole::Notifier),
            in_sets(ServiceParty::Receiver),
            in_sets(ServiceParty::Notifier),
        ))
    }
}

fn numbered(ids: &[NotifierId]) -> impl Iterator<Item = (NotifierId, usize)> + '_ {
    ids.iter().cloned().enumerate().map(|(number, id)| (id, number))
}

/// Makes the same call on the real store and shows the answer in the model's form.
pub(crate) fn call(store: &StmQueueStore, op: &Op) -> Answer {
    let queue = |id: &RecipientId| store.get_queue(&QueueKey::Recipient(id.clone()));
    match op {
        Op::Add(id, record) => {
            store.add_queue(id.clone(), (**record).clone())?;
            Ok(shown((id, &**record)))
        }
        Op::Get(key) => {
            let (queue, record) = store.get_queue_rec(key)?;
            assert_eq!(store.get_queue(key)?.recipient_id(), queue.recipient_id());
            Ok(shown((queue.recipient_id(), record)))
        }
        Op::GetLink(id, link) => store.get_link_data(&*queue(id)?, link).map(shown),
        Op::AddLink(id, link, data) => {
            store.add_link_data(&*queue(id)?, link.clone(), data.clone()).map(shown)
        }
        Op::DeleteLink(id) => store.delete_link_data(&*queue(id)?).map(shown),
        Op::Secure(id, key) => store.secure_queue(&*queue(id)?, key.clone()).map(shown),
        Op::Keys(id, keys) => store.update_keys(&*queue(id)?, keys.clone()).map(shown),
        Op::AddNotifier(id, creds) => {
            store.add_notifier(&*queue(id)?, (**creds).clone()).map(shown)
        }
        Op::DeleteNotifier(id) => store.delete_notifier(&*queue(id)?).map(shown),
        Op::Suspend(id) => store.suspend_queue(&*queue(id)?).map(shown),
        Op::Block(id, info) => store.block_queue(&*queue(id)?, *info).map(shown),
        Op::Unblock(id) => store.unblock_queue(&*queue(id)?).map(shown),
        Op::Time(id, date) => store.update_time(&*queue(id)?, *date).map(shown),
        Op::Delete(id) => store.delete_queue(&*queue(id)?).map(shown),
        Op::Service(record) => store.get_or_create_service((**record).clone()).map(shown),
        Op::SetService(id, party, service) => {
            store.set_queue_service(&*queue(id)?, *party, service.clone()).map(shown)
        }
        Op::SetServices(ids, party, service) => {
            let queues: Vec<_> = ids.iter().filter_map(|id| queue(id).ok()).collect();
            store.set_queue_services(*party, service.clone(), &queues).map(shown)
        }
        Op::Group(ids) => {
            let groups = store.group_by_ntf_service(numbered(ids).collect())?;
            Ok(shown((groups.services, groups.deleted)))
        }
        Op::CountHash(party, id) => {
            let pair = store.service_count_hash(*party, id)?;
            Ok(shown((pair.count, pair.hash.as_bytes())))
        }
        Op::Fold(id) => {
            let folded = store.fold_service_queues(id, Vec::new(), |mut list, id, record| {
                list.push((id.clone(), record));
                list
            })?;
            Ok(shown(folded))
        }
        Op::Counts => {
            let c = store.entity_counts()?;
            let services = (c.rcv_services, c.ntf_services);
            let in_sets = (c.rcv_service_queues, c.ntf_service_queues);
            Ok(shown((c.queues, c.notifiers, services.0, services.1, in_sets.0, in_sets.1)))
        }
        Op::Restart => Ok(shown(())),
    }
}
