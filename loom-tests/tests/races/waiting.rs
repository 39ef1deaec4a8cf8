//! What the races of the waiting notifications share: a store of them beside a queue store, and the bookkeeping.

use crate::whole::{add_with_notifier, store};
use loom_tests::scenario::Store;
use simplex_stores::ntf_store::pending::{DeliveryReport, HandedOver, PendingNtfStore};
use simplex_stores::protocol::{Blob, Semantics};
use simplex_stores::testing::ntf_store::pending::sample::{notifier, ntf};
use std::sync::Arc;

/// A store in which `count` notifications of the time 1 wait for the notifier 1.
pub(crate) fn waiting(semantics: Semantics, count: u16) -> Arc<PendingNtfStore> {
    let store = PendingNtfStore::new(semantics);
    for number in 0..count {
        arrives(&store, number, 1);
    }
    Arc::new(store)
}

/// Notification `number` comes for the notifier 1.
pub(crate) fn arrives(store: &PendingNtfStore, number: u16, at: i64) {
    store.store(&notifier(1), &ntf(number, at));
}

/// A queue store that has the notifier 1, in no service.
pub(crate) fn queues() -> Arc<Store> {
    let queues = store(Semantics::Strict);
    add_with_notifier(&queues, 1, None);
    queues
}

/// A pass whose clients take everything; also gives the messages that they took.
pub(crate) fn deliver(store: &PendingNtfStore, queues: &Store) -> (DeliveryReport, Vec<Blob>) {
    let mut taken = Vec::new();
    let report = store.deliver(queues, |_, entries| {
        let ntfs = entries.iter().flat_map(|entry| &entry.ntfs);
        taken.extend(ntfs.map(|ntf| ntf.message_id.clone()));
        HandedOver::All
    });
    (report.unwrap(), taken)
}
