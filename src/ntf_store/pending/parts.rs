//! The operations as parts of transactions: each on one notifier, the lookup included (RACE-63).

use std::sync::Arc;

use super::PendingNtfStore;
use super::list::NtfList;
use crate::protocol::ntf::PendingNtf;
use crate::protocol::{NotifierId, RoundedSeconds};
use crate::stm::{StmResult, Transaction};

impl PendingNtfStore {
    /// Adds a notification to those of its notifier (MN-1); gives how many the notifier has then.
    ///
    /// In one transaction with a lookup of the queue it is for, it is not stored for a notifier that is gone:
    ///
    /// ```
    /// # use simplex_stores::ntf_store::pending::PendingNtfStore;
    /// # use simplex_stores::protocol::{ErrorType, NotifierId};
    /// # use simplex_stores::protocol::ntf::PendingNtf;
    /// # use simplex_stores::queue_store::{QueueKey, StmQueueStore};
    /// fn notify(
    ///     queues: &StmQueueStore,
    ///     pending: &PendingNtfStore,
    ///     id: &NotifierId,
    ///     ntf: &PendingNtf,
    /// ) -> Result<u64, ErrorType> {
    ///     queues.transact(|tx, _| {
    ///         queues.get_queue_rec_tx(tx, &QueueKey::Notifier(id.clone()))?;
    ///         Ok(pending.store_tx(tx, id, ntf)?)
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// None of its own; see [`StmError`](crate::stm::StmError). The same holds for the other parts.
    pub fn store_tx(
        &self,
        tx: &mut Transaction<'_>,
        id: &NotifierId,
        ntf: &PendingNtf,
    ) -> StmResult<u64> {
        let mut list = self.list(tx, id)?;
        list.push(ntf.clone());
        let waiting = list.len();
        self.ntfs.insert(tx, id.clone(), list)?;
        Ok(waiting)
    }

    /// Removes a notifier with all its notifications; gives how many there were, 0 for a notifier
    /// without an entry.
    ///
    /// Belongs into the transaction that deletes a notifier or its queue (MN-5):
    ///
    /// ```
    /// # use simplex_stores::ntf_store::pending::PendingNtfStore;
    /// # use simplex_stores::protocol::ErrorType;
    /// # use simplex_stores::queue_store::{BasicQueue, StmQueueStore};
    /// fn delete_notifier(
    ///     queues: &StmQueueStore,
    ///     pending: &PendingNtfStore,
    ///     queue: &BasicQueue,
    /// ) -> Result<u64, ErrorType> {
    ///     queues.transact(|tx, log| match queues.delete_notifier_tx(tx, log, queue)? {
    ///         Some(creds) => Ok(pending.delete_tx(tx, &creds.notifier_id)?),
    ///         None => Ok(0),
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`store_tx`](Self::store_tx).
    pub fn delete_tx(&self, tx: &mut Transaction<'_>, id: &NotifierId) -> StmResult<u64> {
        Ok(self.ntfs.take(tx, id)?.map_or(0, |list| list.len()))
    }

    /// Removes those of a notifier's notifications that are older than `bound`; gives how many. One that
    /// is exactly as old stays.
    ///
    /// Under `Reference` none goes unless the one that was stored first is older (MN-2).
    ///
    /// # Errors
    ///
    /// As [`store_tx`](Self::store_tx).
    pub fn delete_expired_of_tx(
        &self,
        tx: &mut Transaction<'_>,
        id: &NotifierId,
        bound: RoundedSeconds,
    ) -> StmResult<u64> {
        let list = self.list(tx, id)?;
        if !self.expires(&list, bound) {
            return Ok(0);
        }
        let left = list.unexpired(bound);
        let removed = list.len() - left.len();
        self.leave(tx, id, left)?;
        Ok(removed)
    }

    /// Removes exactly these notifications, which an [entry](super::PendingEntry) or a group of a delivery showed; gives
    /// how many were still there. Others stay, equal ones too.
    ///
    /// # Errors
    ///
    /// As [`store_tx`](Self::store_tx).
    pub fn remove_tx(
        &self,
        tx: &mut Transaction<'_>,
        id: &NotifierId,
        ntfs: &[Arc<PendingNtf>],
    ) -> StmResult<u64> {
        let list = self.list(tx, id)?;
        let left = list.without(ntfs);
        let removed = list.len() - left.len();
        if removed > 0 {
            self.leave(tx, id, left)?;
        }
        Ok(removed)
    }

    /// A notifier's notifications, first the one that was stored first; `None` for a notifier without an
    /// entry.
    ///
    /// # Errors
    ///
    /// As [`store_tx`](Self::store_tx).
    pub fn ntfs_tx(
        &self,
        tx: &mut Transaction<'_>,
        id: &NotifierId,
    ) -> StmResult<Option<Vec<Arc<PendingNtf>>>> {
        Ok(self.ntfs.get(tx, id)?.map(|list| list.to_vec()))
    }

    /// Removes what a pass saw of a notifier that is gone, and under both semantics the key with the last
    /// (MN-4). What was stored since is left for the next pass to judge.
    pub(super) fn remove_dead_tx(
        &self,
        tx: &mut Transaction<'_>,
        id: &NotifierId,
        seen: &[Arc<PendingNtf>],
    ) -> StmResult<u64> {
        let Some(list) = self.ntfs.get(tx, id)? else {
            return Ok(0);
        };
        let left = list.without(seen);
        let removed = list.len() - left.len();
        if left.is_empty() {
            self.ntfs.remove(tx, id)?;
        } else if removed > 0 {
            self.ntfs.insert(tx, id.clone(), left)?;
        }
        Ok(removed)
    }

    /// Whether expiry has something to remove from this list.
    pub(super) fn expires(&self, list: &NtfList, bound: RoundedSeconds) -> bool {
        if self.is_strict() { list.any_expired(bound) } else { list.first_expired(bound) }
    }

    fn list(&self, tx: &mut Transaction<'_>, id: &NotifierId) -> StmResult<NtfList> {
        Ok(self.ntfs.get(tx, id)?.unwrap_or_default())
    }

    /// What is left of a list from which something was removed: under `Strict` no empty one (RACE-65).
    fn leave(&self, tx: &mut Transaction<'_>, id: &NotifierId, left: NtfList) -> StmResult<()> {
        if left.is_empty() && self.is_strict() {
            self.ntfs.remove(tx, id)
        } else {
            self.ntfs.insert(tx, id.clone(), left)
        }
    }
}
