//! Sample values, told apart by a small number, and a queue store whose notifiers are a few of them.

use crate::protocol::ntf::{Nonce, PendingNtf};
use crate::protocol::{Blob, NotifierId, QueueRec, RoundedSeconds, ServiceId, ServiceRole};
use crate::protocol::{Semantics, ServiceParty};
use crate::queue_store::{BasicFactory, QueueStore, StmQueueStore};
use crate::testing::queue_store::sample;

pub use crate::testing::queue_store::sample::{notifier, service_id};

/// How many notifiers there are to choose from; the last two don't exist in [`queues`].
pub const NOTIFIERS: u8 = 6;

/// A time soon after 1970.
pub fn time(seconds: i64) -> RoundedSeconds {
    RoundedSeconds::from_seconds(seconds)
}

/// The notification of message `number`, which came at this time.
pub fn ntf(number: u16, at: i64) -> PendingNtf {
    PendingNtf {
        message_id: Blob::from(&number.to_be_bytes()[..]),
        at: time(at),
        nonce: Nonce([number as u8; 24]),
        meta: Blob::from(vec![number as u8; 3]),
    }
}

/// The service that a notifier belongs to in [`queues`], if any; `None` if there is no such notifier.
pub fn service_of(id: &NotifierId) -> Option<Option<ServiceId>> {
    let number = (0..NOTIFIERS).find(|number| notifier(*number) == *id)?;
    match number {
        0 | 1 => Some(None),
        2 => Some(Some(service_id(1))),
        3 => Some(Some(service_id(2))),
        _ => None,
    }
}

/// A queue store with the notifiers 0 and 1 in no service, 2 in the service 1 and 3 in the service 2.
///
/// # Panics
/// When the queue store refuses one of them.
#[allow(clippy::expect_used, reason = "the test can't begin without them")]
pub fn queues() -> StmQueueStore {
    let store = StmQueueStore::new(BasicFactory, Semantics::Strict);
    for number in [1, 2] {
        let service = sample::service(number, number, ServiceRole::Notifier);
        store.get_or_create_service(service).expect("a new service");
    }
    for number in 0..NOTIFIERS {
        let Some(service) = service_of(&notifier(number)) else { continue };
        let creds = Some(Box::new(sample::creds(number, None)));
        let record = QueueRec { notifier: creds, ..sample::record(number) };
        let queue = store.add_queue(sample::recipient(number), record).expect("a new queue");
        store.set_queue_service(&queue, ServiceParty::Notifier, service).expect("it is there");
    }
    store
}
