//! A service, and the set of ids that each party associates with it.

use std::hash::Hash;

use crate::protocol::{
    IdsHash, NotifierId, QueueRec, RecipientId, ServiceParty, ServiceRec, ServiceRole,
};
use crate::stm::{StmResult, TSet, TVar, Transaction};

/// A registered service with its two sets (QS-25: both, whatever its role).
pub(crate) struct Service {
    pub(crate) record: ServiceRec,
    pub(crate) rcv: IdSet<RecipientId>,
    pub(crate) ntf: IdSet<NotifierId>,
}

impl Service {
    pub(crate) fn new(record: ServiceRec) -> Self {
        Self { record, rcv: IdSet::new(), ntf: IdSet::new() }
    }

    pub(crate) fn has_role(&self, role: ServiceRole) -> bool {
        self.record.role == role
    }
}

impl Service {
    /// Enters a queue, or its notifier, in the set of a party; entering again changes nothing.
    pub(crate) fn enter_party(
        &self,
        tx: &mut Transaction<'_>,
        party: ServiceParty,
        id: &RecipientId,
        record: &QueueRec,
    ) -> StmResult<()> {
        match (party, &record.notifier) {
            (ServiceParty::Receiver, _) => {
                self.rcv.change(tx, SetChange::Enter, id, HashRule::Membership)
            }
            (ServiceParty::Notifier, Some(creds)) => {
                self.ntf.change(tx, SetChange::Enter, &creds.notifier_id, HashRule::Membership)
            }
            (ServiceParty::Notifier, None) => Ok(()),
        }
    }
}

/// What happens to an id in a set.
#[derive(Clone, Copy)]
pub(crate) enum SetChange {
    Enter,
    Leave,
}

/// Whether a set's hash follows membership, or is changed blindly as the reference does (QS-3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashRule {
    /// XOR only when membership changed (RACE-22).
    Membership,
    /// XOR at every entering and leaving.
    Blind,
}

/// A set of ids and the XOR of their hashes (SE-50), changed in one transaction.
pub(crate) struct IdSet<Id> {
    pub(crate) ids: TSet<Id>,
    pub(crate) hash: TVar<IdsHash>,
}

impl<Id> IdSet<Id>
where
    Id: AsRef<[u8]> + Ord + Hash + Clone + Send + Sync + 'static,
{
    fn new() -> Self {
        Self { ids: TSet::new(), hash: TVar::new(IdsHash::EMPTY) }
    }

    pub(crate) fn change(
        &self,
        tx: &mut Transaction<'_>,
        change: SetChange,
        id: &Id,
        rule: HashRule,
    ) -> StmResult<()> {
        let changed = match change {
            SetChange::Enter => self.ids.insert(tx, id.clone())?,
            SetChange::Leave => self.ids.remove(tx, id)?,
        };
        if !changed && rule == HashRule::Membership {
            return Ok(());
        }
        let of_id = IdsHash::of_id(id.as_ref());
        self.hash.update(tx, |hash| *hash = hash.xor(of_id))
    }

    /// The size of the set and its stored hash.
    pub(crate) fn count_hash(&self, tx: &mut Transaction<'_>) -> StmResult<(usize, IdsHash)> {
        Ok((self.ids.len(tx)?, self.hash.read(tx)?))
    }
}
