//! The finished operations, and looks at the whole store.

use std::sync::Arc;

use super::PendingNtfStore;
use crate::protocol::ntf::PendingNtf;
use crate::protocol::{NotifierId, RoundedSeconds};
use crate::stm::atomically;

/// How much is waiting, counted at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingCounts {
    /// Notifiers that have an entry; under `Semantics::Reference` also those with an empty list (MN-3).
    pub notifiers: u64,
    /// Notifications.
    pub ntfs: u64,
}

/// A notifier and what waits for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingEntry {
    /// The notifier.
    pub notifier_id: NotifierId,
    /// Its notifications, first the one that was stored first. Each is the stored one itself:
    /// [`remove_tx`](PendingNtfStore::remove_tx) knows it again.
    pub ntfs: Vec<Arc<PendingNtf>>,
}

impl PendingNtfStore {
    /// Adds a notification to those of its notifier (MN-1), in one transaction; gives how many the notifier has then.
    ///
    /// Nothing limits the number, and nothing is merged: two with the same message id are two.
    pub fn store(&self, id: &NotifierId, ntf: &PendingNtf) -> u64 {
        atomically(|tx| self.store_tx(tx, id, ntf))
    }

    /// Removes a notifier with all its notifications (MN-5), in one transaction; gives how many there were, 0 for a
    /// notifier without an entry.
    pub fn delete(&self, id: &NotifierId) -> u64 {
        atomically(|tx| self.delete_tx(tx, id))
    }

    /// Removes notifications that are older than `bound`; gives how many (MN-2). Those exactly as old stay.
    ///
    /// **Each notifier is a transaction of its own**, over a snapshot of the notifiers: others may see some
    /// lists expired and some not yet. What was in the store when the call was made and is older than the
    /// bound is gone when it returns; a notification that is stored meanwhile may stay, whatever its
    /// age. A notifier with nothing to remove costs no transaction. Under `Reference` a list whose
    /// first notification isn't older is left alone.
    pub fn delete_expired(&self, bound: RoundedSeconds) -> u64 {
        let snapshot = self.ntfs.snapshot_atomic();
        let expiring = snapshot.iter().filter(|(_, list)| self.expires(list, bound));
        expiring.map(|(id, _)| atomically(|tx| self.delete_expired_of_tx(tx, &id, bound))).sum()
    }

    /// A notifier's notifications at one moment, first the one that was stored first; `None` for a
    /// notifier without an entry. Under `Strict` there is no entry without notifications.
    #[must_use]
    pub fn ntfs(&self, id: &NotifierId) -> Option<Vec<Arc<PendingNtf>>> {
        self.ntfs.get_atomic(id).map(|list| list.to_vec())
    }

    /// How much is waiting, at one moment. Walks over the notifiers; waits for nobody.
    #[must_use]
    pub fn counts(&self) -> PendingCounts {
        let snapshot = self.ntfs.snapshot_atomic();
        PendingCounts {
            notifiers: snapshot.len() as u64,
            ntfs: snapshot.iter().map(|(_, list)| list.len()).sum(),
        }
    }

    /// The whole store at one moment, by ascending id. Waits for nobody.
    ///
    /// The notifications are shared with the store, the lists are copied.
    #[must_use]
    pub fn entries(&self) -> Vec<PendingEntry> {
        let snapshot = self.ntfs.snapshot_atomic();
        let entry = |(notifier_id, list): (NotifierId, super::NtfList)| PendingEntry {
            notifier_id,
            ntfs: list.to_vec(),
        };
        snapshot.iter_sorted().into_iter().map(entry).collect()
    }
}
