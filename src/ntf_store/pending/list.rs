//! A notifier's list.

use std::collections::HashSet;
use std::sync::Arc;

use crate::protocol::RoundedSeconds;
use crate::protocol::ntf::PendingNtf;

/// A notifier's notifications in the order in which they were stored; a clone shares them.
///
/// Each has an allocation of its own, made when it was stored. Its address tells it from every other
/// that is still held, also from one with the same content.
#[derive(Clone, Default)]
pub(super) struct NtfList(im::Vector<Arc<PendingNtf>>);

impl NtfList {
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, ntf: PendingNtf) {
        self.0.push_back(Arc::new(ntf));
    }

    /// The notifications, the one that was stored first to begin with.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<PendingNtf>> {
        self.0.iter()
    }

    pub(super) fn to_vec(&self) -> Vec<Arc<PendingNtf>> {
        self.0.iter().cloned().collect()
    }

    /// Whether the notification that was stored first is older than `bound`.
    pub(super) fn first_expired(&self, bound: RoundedSeconds) -> bool {
        self.0.front().is_some_and(|ntf| ntf.at < bound)
    }

    /// Whether any notification is older than `bound`.
    pub(super) fn any_expired(&self, bound: RoundedSeconds) -> bool {
        self.0.iter().any(|ntf| ntf.at < bound)
    }

    /// The list without those that are older than `bound`.
    pub(super) fn unexpired(&self, bound: RoundedSeconds) -> Self {
        Self(self.0.iter().filter(|ntf| ntf.at >= bound).cloned().collect())
    }

    /// The list without these very notifications; equal ones stay.
    pub(super) fn without(&self, these: &[Arc<PendingNtf>]) -> Self {
        let these: HashSet<_> = these.iter().map(Arc::as_ptr).collect();
        Self(self.0.iter().filter(|ntf| !these.contains(&Arc::as_ptr(ntf))).cloned().collect())
    }
}
