//! What must hold in the store at every moment.

use std::fmt;

use super::PendingNtfStore;
use crate::protocol::NotifierId;

/// How much was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingInvariants {
    /// Notifiers with an entry.
    pub notifiers: u64,
    /// Those of them with an empty list (only under `Semantics::Reference`).
    pub empty: u64,
    /// Notifications.
    pub ntfs: u64,
}

/// Something that does not hold. `Display` says it in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PendingViolation {
    /// A `Strict` store keeps a notifier for which nothing waits (RACE-65).
    EmptyList {
        /// The notifier.
        notifier_id: NotifierId,
    },
}

impl fmt::Display for PendingViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyList { notifier_id } => {
                write!(f, "the notifier {notifier_id} has an entry without notifications")
            }
        }
    }
}

impl PendingNtfStore {
    /// Checks the store as it is at one moment; gives how much was checked. Waits for nobody.
    ///
    /// # Errors
    ///
    /// Everything that does not hold, by ascending id.
    pub fn check_invariants(&self) -> Result<PendingInvariants, Vec<PendingViolation>> {
        let snapshot = self.ntfs.snapshot_atomic();
        let empty = || snapshot.iter().filter(|(_, list)| list.is_empty()).map(|(id, _)| id);
        if self.is_strict() {
            let mut found: Vec<_> = empty().collect();
            found.sort_unstable();
            let violation = |notifier_id| PendingViolation::EmptyList { notifier_id };
            let violations: Vec<_> = found.into_iter().map(violation).collect();
            if !violations.is_empty() {
                return Err(violations);
            }
        }
        Ok(PendingInvariants {
            notifiers: snapshot.len() as u64,
            empty: empty().count() as u64,
            ntfs: snapshot.iter().map(|(_, list)| list.len()).sum(),
        })
    }
}
