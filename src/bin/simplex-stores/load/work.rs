//! One thread's work: an operation at a time.

use std::sync::Arc;

use simplex_stores::{
    protocol::{EntityStatus, ErrorType, QueueMode, QueueRec, ServiceId, ServiceParty, ServiceRec},
    queue_store::{BasicQueue, QueueKey, QueueStore, StmQueueStore},
};

use super::{Work, field::Field};
use crate::dice::Dice;

/// How many queues a batch asks for.
const BATCH: usize = 20;

/// How an operation ended.
pub(crate) enum Answer {
    Done,
    /// An answer that the rules allow, given what other threads did.
    Refused,
    /// An answer that only a failing store gives.
    Failed(ErrorType),
}

impl<T> From<Result<T, ErrorType>> for Answer {
    fn from(result: Result<T, ErrorType>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(ErrorType::Auth | ErrorType::Duplicate | ErrorType::Service) => Self::Refused,
            Err(error) => Self::Failed(error),
        }
    }
}

/// A thread's own dice on the shared store and field.
pub(super) struct Worker {
    store: Arc<StmQueueStore>,
    field: Arc<Field>,
    dice: Dice,
}

impl Worker {
    pub(super) fn new(store: Arc<StmQueueStore>, field: Arc<Field>, seed: u64) -> Self {
        Self { store, field, dice: Dice::new(seed) }
    }
}

impl Work for Worker {
    fn operation(&mut self) -> (&'static str, Answer) {
        match self.dice.below(100) {
            0..30 => self.look_up(),
            30..34 => ("getQueues", self.get_queues().into()),
            34..50 => ("addQueue", self.add_queue().into()),
            50..56 => ("deleteQueue", self.on_queue(|it, queue, _| it.delete_queue(queue))),
            56..58 => self.service(),
            58..60 => self.counts(),
            60..64 => ("setQueueServices", self.set_services().into()),
            _ => self.change(),
        }
    }
}

impl Worker {
    fn look_up(&mut self) -> (&'static str, Answer) {
        let Some(spot) = self.field.spot(&mut self.dice) else {
            return ("getQueue", Answer::Refused);
        };
        let key = match self.dice.below(4) {
            0 => QueueKey::Recipient(spot.recipient.clone()),
            1 => QueueKey::Sender(spot.sender.clone()),
            2 => QueueKey::Notifier(spot.notifier.clone()),
            _ => QueueKey::Link(spot.link.clone()),
        };
        ("getQueue", self.store.get_queue_rec(&key).into())
    }

    fn get_queues(&mut self) -> Result<(), ErrorType> {
        let mut ids = Vec::with_capacity(BATCH);
        for _ in 0..BATCH {
            ids.extend(self.field.spot(&mut self.dice).map(|spot| spot.recipient.clone()));
        }
        self.store.get_queues(&ids).map(drop)
    }

    fn add_queue(&mut self) -> Result<(), ErrorType> {
        let dice = &mut self.dice;
        let (Some(spot), Some(other)) = (self.field.spot(dice), self.field.spot_or_neighbour(dice))
        else {
            return Ok(());
        };
        let contact = dice.percent(20);
        let link = dice.percent(30).then(|| {
            let mut link = dice.link();
            link.id = other.link.clone();
            Box::new(link)
        });
        let record = QueueRec {
            recipient_keys: dice.keys(),
            rcv_dh_secret: dice.secret(),
            sender_id: spot.sender.clone(),
            sender_key: None,
            queue_mode: Some(if contact { QueueMode::Contact } else { QueueMode::Messaging }),
            link,
            notifier: None,
            updated_at: Some(dice.day(100)),
            status: EntityStatus::Active,
            rcv_service_id: None,
        };
        self.store.add_queue(spot.recipient.clone(), record).map(drop)
    }

    /// Looks a queue up, then does something to it.
    fn on_queue<T>(
        &mut self,
        act: impl FnOnce(&StmQueueStore, &BasicQueue, &mut Dice) -> Result<T, ErrorType>,
    ) -> Answer {
        let Some(spot) = self.field.spot(&mut self.dice) else {
            return Answer::Refused;
        };
        let queue = self.store.get_queue(&QueueKey::Recipient(spot.recipient.clone()));
        queue.and_then(|queue| act(&self.store, &queue, &mut self.dice)).into()
    }

    /// A change of a queue.
    fn change(&mut self) -> (&'static str, Answer) {
        let field = Arc::clone(&self.field);
        match self.dice.below(14) {
            0 | 1 => ("secureQueue", self.on_queue(|it, q, dice| it.secure_queue(q, dice.key()))),
            2 => ("updateKeys", self.on_queue(|it, q, dice| it.update_keys(q, dice.keys()))),
            3 | 4 => (
                "addNotifier",
                self.on_queue(|it, q, dice| {
                    let mut creds = dice.notifier(None);
                    if let Some(spot) = field.spot_or_neighbour(dice) {
                        creds.notifier_id = spot.notifier.clone();
                    }
                    it.add_notifier(q, creds)
                }),
            ),
            5 => ("deleteNotifier", self.on_queue(|it, q, _| it.delete_notifier(q))),
            6 => (
                "addLinkData",
                self.on_queue(|it, q, dice| {
                    let link = field.spot_or_neighbour(dice).map(|spot| spot.link.clone());
                    let new = dice.link();
                    it.add_link_data(q, link.unwrap_or(new.id), new.data)
                }),
            ),
            7 => ("deleteLinkData", self.on_queue(|it, q, _| it.delete_link_data(q))),
            8 => ("suspendQueue", self.on_queue(|it, q, _| it.suspend_queue(q))),
            9 => (
                "blockQueue",
                self.on_queue(|it, q, dice| {
                    let notice = dice.percent(50);
                    it.block_queue(q, dice.blocking(notice))
                }),
            ),
            10 => ("unblockQueue", self.on_queue(|it, q, _| it.unblock_queue(q))),
            11 => ("updateTime", self.on_queue(|it, q, dice| it.update_time(q, dice.day(100)))),
            _ => (
                "setQueueService",
                self.on_queue(|it, q, dice| {
                    let (party, service) = association(&field, dice);
                    it.set_queue_service(q, party, service)
                }),
            ),
        }
    }

    fn service(&mut self) -> (&'static str, Answer) {
        let party = self.dice.pick(&[&self.field.receivers, &self.field.notifiers]).copied();
        let service = party.and_then(|party| self.dice.pick(party));
        let result = service.map(|service| self.store.get_or_create_service(service.clone()));
        ("getOrCreateService", result.map_or(Answer::Refused, Answer::from))
    }

    fn counts(&mut self) -> (&'static str, Answer) {
        let Some(service) = self.dice.pick(&self.field.receivers) else {
            return ("serviceCountHash", Answer::Refused);
        };
        let id = &service.service_id;
        match self.dice.below(4) {
            0 => ("entityCounts", self.store.entity_counts().into()),
            1 => {
                ("foldServiceQueues", self.store.fold_service_queues(id, 0, |n, _, _| n + 1).into())
            }
            2 => ("groupByNtfService", self.group().into()),
            _ => (
                "serviceCountHash",
                self.store.service_count_hash(ServiceParty::Receiver, id).into(),
            ),
        }
    }

    fn group(&mut self) -> Result<(), ErrorType> {
        let mut ntfs = Vec::with_capacity(BATCH);
        for number in 0..BATCH {
            let spot = self.field.spot(&mut self.dice);
            ntfs.extend(spot.map(|spot| (spot.notifier.clone(), number)));
        }
        self.store.group_by_ntf_service(ntfs).map(drop)
    }

    fn set_services(&mut self) -> Result<(), ErrorType> {
        let mut ids = Vec::with_capacity(BATCH);
        for _ in 0..BATCH {
            ids.extend(self.field.spot(&mut self.dice).map(|spot| spot.recipient.clone()));
        }
        let queues: Vec<_> = self.store.get_queues(&ids)?.into_iter().flatten().collect();
        let (party, service) = association(&self.field, &mut self.dice);
        self.store.set_queue_services(party, service, &queues).map(drop)
    }
}

/// A party with a service of its role, or with none.
fn association(field: &Field, dice: &mut Dice) -> (ServiceParty, Option<ServiceId>) {
    let (party, services): (_, &[ServiceRec]) = match dice.percent(50) {
        true => (ServiceParty::Receiver, &field.receivers),
        false => (ServiceParty::Notifier, &field.notifiers),
    };
    let service = dice.pick(services).map(|service| service.service_id.clone());
    (party, if dice.percent(70) { service } else { None })
}
