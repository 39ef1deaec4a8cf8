//! Delivery: a pass over everything that waits (MN-4).
//!
//! **The promise.** What the caller says was handed over is removed, exactly that; everything else stays for
//! the next pass. The caller's function runs outside any transaction and under no lock.
//!
//! **The algorithm.** One snapshot of the store; one grouping by the queue store, at one moment (OP-24); then
//! for each group the caller's function, and for each notifier that was handed over a transaction that removes the
//! notifications of the snapshot that are still there. Between the two anything may happen: what
//! was stored meanwhile is not of the snapshot and stays, what expired meanwhile is counted as gone.
//!
//! **At least once.** A notification is removed after it was handed over, never before: when the process ends
//! between the two, or the function panics, or the store's file is older than the pass, it is handed over
//! again. One pass runs at a time, so two passes never hand over the same one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{PendingEntry, PendingNtfStore};
use crate::protocol::ntf::PendingNtf;
use crate::protocol::{ErrorType, NotifierId, ServiceId};
use crate::queue_store::QueueStore;
use crate::stm::atomically;
use crate::sync::atomic::{AtomicBool, Ordering};

/// What became of a group of notifications: the answer of the caller's function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandedOver {
    /// All of the group is with the client.
    All,
    /// None of it is: the client is gone or its queue is full.
    Nothing,
    /// All that waited for these notifiers is, and nothing else. For the group without a service, whose
    /// notifiers may each have a client of its own. Ids that are not of the group mean nothing.
    Notifiers(BTreeSet<NotifierId>),
}

impl HandedOver {
    fn has(&self, id: &NotifierId) -> bool {
        match self {
            Self::All => true,
            Self::Nothing => false,
            Self::Notifiers(ids) => ids.contains(id),
        }
    }
}

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Notifications that were handed over.
    pub handed_over: u64,
    /// Those of them that were no longer in the store when they were to be removed: they expired or were deleted
    /// meanwhile.
    pub already_gone: u64,
    /// Notifications that were refused, and stay for the next pass.
    pub kept: u64,
    /// Notifiers that don't exist any more.
    pub dead_notifiers: u64,
    /// Notifications that were removed with them.
    pub dead_ntfs: u64,
}

/// Why there was no pass. Nothing was handed over and nothing removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// Another pass is under way, possibly the one whose function made this call.
    #[error("another delivery pass is under way; let it end")]
    Running,
    /// The queue store did not group the notifications.
    #[error("the queue store did not group the notifications: {0}")]
    Grouping(#[from] ErrorType),
}

/// Holds the store's only delivery pass; dropping it ends the pass, also when the caller's function panics.
struct Pass<'a>(&'a AtomicBool);

impl<'a> Pass<'a> {
    fn begin(delivering: &'a AtomicBool) -> Option<Self> {
        // Acquire and release: a pass sees what the one before it removed.
        let begun = delivering.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        begun.is_ok().then(|| Self(delivering))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl PendingNtfStore {
    /// Makes a pass: gives everything that waits to `hand_over`, group by group, and removes what it says
    /// was handed over (MN-4).
    ///
    /// A group is the service that the notifiers belong to, if any, and their notifications by ascending id; groups come in
    /// the order of [`group_by_ntf_service`](QueueStore::group_by_ntf_service), without those for which nothing waits. The function
    /// is called outside any transaction and may use this store, but for a pass of its own.
    ///
    /// Notifiers that the queue store doesn't know any more are removed first, with what waited for them. What is
    /// stored after the pass has begun is left for the next one, whatever becomes of its notifier.
    ///
    /// **The snapshot and the grouping are a moment each, each removal is a transaction**, for one notifier. A panic of
    /// the function is passed on; groups before it are removed, its own and the later ones stay.
    ///
    /// # Errors
    ///
    /// [`DeliveryError`], before anything was done.
    pub fn deliver<S: QueueStore>(
        &self,
        queues: &S,
        mut hand_over: impl FnMut(Option<&ServiceId>, &[PendingEntry]) -> HandedOver,
    ) -> Result<DeliveryReport, DeliveryError> {
        let _pass = Pass::begin(&self.delivering).ok_or(DeliveryError::Running)?;
        let waiting = self.entries().into_iter().map(|entry| (entry.notifier_id, entry.ntfs));
        let groups = queues.group_by_ntf_service(waiting.collect())?;
        let mut report = DeliveryReport::default();
        self.remove_dead(&groups.deleted, &mut report);
        for (service_id, ntfs) in groups.services {
            let entries = non_empty(ntfs);
            if !entries.is_empty() {
                let answer = hand_over(service_id.as_ref(), &entries);
                self.remove_handed_over(&entries, &answer, &mut report);
            }
        }
        Ok(report)
    }

    fn remove_dead(
        &self,
        dead: &[(NotifierId, Vec<Arc<PendingNtf>>)],
        report: &mut DeliveryReport,
    ) {
        for (id, seen) in dead {
            report.dead_notifiers += 1;
            report.dead_ntfs += atomically(|tx| self.remove_dead_tx(tx, id, seen));
        }
    }

    fn remove_handed_over(
        &self,
        entries: &[PendingEntry],
        answer: &HandedOver,
        report: &mut DeliveryReport,
    ) {
        for PendingEntry { notifier_id, ntfs } in entries {
            let count = ntfs.len() as u64;
            if !answer.has(notifier_id) {
                report.kept += count;
                continue;
            }
            let removed = atomically(|tx| self.remove_tx(tx, notifier_id, ntfs));
            report.handed_over += count;
            report.already_gone += count - removed;
        }
    }
}

/// The entries of a group that have notifications.
fn non_empty(ntfs: Vec<(NotifierId, Vec<Arc<PendingNtf>>)>) -> Vec<PendingEntry> {
    let entries = ntfs.into_iter().filter(|(_, ntfs)| !ntfs.is_empty());
    entries.map(|(notifier_id, ntfs)| PendingEntry { notifier_id, ntfs }).collect()
}
