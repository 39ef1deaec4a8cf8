//! The whole store as plain data: taken at one moment, compared, and made into a store again.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::device::Device;
use super::last_ntfs::LastNtfs;
use super::{NtfStore, Subscription, Token, TokenRegistration};
use crate::protocol::ntf::{
    DeviceToken, NotifierQueue, SmpServer, SubscriptionRec, TokenNtf, TokenRec,
};
use crate::protocol::{Semantics, ServiceId, SubscriptionId, TokenId};
use crate::stm::{Snapshot, StmResult, TMap, TSet, TVar, Transaction, atomically};

/// A consistent copy of everything in a store; every list is in ascending order of its first part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NtfSnapshot {
    /// The semantics of the store that it was taken of.
    pub semantics: Semantics,
    /// How many last notifications the store keeps of a token.
    pub last_ntf_limit: Option<NonZeroUsize>,
    /// The tokens.
    pub tokens: Vec<TokenRec>,
    /// The registrations, by device token.
    pub registrations: Vec<DeviceSnapshot>,
    /// The subscriptions.
    pub subscriptions: Vec<SubscriptionRec>,
    /// The subscriptions of each token that has a set of them, in ascending order.
    pub token_subscriptions: Vec<(TokenId, Vec<SubscriptionId>)>,
    /// The subscription of each queue.
    pub queue_subscriptions: Vec<(NotifierQueue, SubscriptionId)>,
    /// The last notifications of each token that has any, newest first.
    pub last_ntfs: Vec<(TokenId, Vec<Arc<TokenNtf>>)>,
    /// The service's id at each router.
    pub services: Vec<(SmpServer, ServiceId)>,
}

/// What is known of one device token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSnapshot {
    /// The device token.
    pub device: DeviceToken,
    /// Its tokens, in order of key bytes, then ids; possibly none under `Reference` (NS-5).
    pub tokens: Vec<TokenRegistration>,
}

impl NtfStore {
    /// Copies the whole store as it is at one moment.
    pub fn snapshot(&self) -> NtfSnapshot {
        atomically(|tx| self.snapshot_tx(tx))
    }

    fn snapshot_tx(&self, tx: &mut Transaction<'_>) -> StmResult<NtfSnapshot> {
        Ok(NtfSnapshot {
            semantics: self.semantics,
            last_ntf_limit: self.last_ntf_limit,
            tokens: entries(tx, &self.tokens, |tx, _, token| token.record_tx(tx))?,
            registrations: entries(tx, &self.registrations, |_, device, known| {
                let tokens = known.iter().cloned().collect();
                Ok(DeviceSnapshot { device: device.clone(), tokens })
            })?,
            subscriptions: entries(tx, &self.subscriptions, |tx, _, one| one.record_tx(tx))?,
            token_subscriptions: entries(tx, &self.token_subscriptions, |tx, id, set| {
                Ok((id.clone(), set.snapshot(tx)?.iter_sorted()))
            })?,
            queue_subscriptions: entries(tx, &self.queue_subscriptions, pair)?,
            last_ntfs: entries(tx, &self.last_ntfs, |tx, id, ntfs| {
                Ok((id.clone(), ntfs.with(tx, |ntfs| ntfs.iter().cloned().collect())?))
            })?,
            services: entries(tx, &self.services, pair)?,
        })
    }

    /// Makes a store that holds what the snapshot holds. The indexes are taken as they stand:
    /// [`check_invariants`](Self::check_invariants) tells whether they agree.
    pub fn from_snapshot(snapshot: NtfSnapshot) -> Self {
        let store = Self::with_last_ntf_limit(snapshot.semantics, snapshot.last_ntf_limit);
        atomically(|tx| store.fill(tx, &snapshot));
        store
    }

    fn fill(&self, tx: &mut Transaction<'_>, from: &NtfSnapshot) -> StmResult<()> {
        for rec in &from.tokens {
            self.tokens.insert(tx, rec.id.clone(), Arc::new(Token::new(rec.clone())))?;
        }
        for DeviceSnapshot { device, tokens } in &from.registrations {
            self.registrations.insert(tx, device.clone(), Device::new(tokens.clone()))?;
        }
        for rec in &from.subscriptions {
            let subscription = Arc::new(Subscription::new(rec.clone()));
            self.subscriptions.insert(tx, rec.id.clone(), subscription)?;
        }
        for (token_id, ids) in &from.token_subscriptions {
            let set = TSet::new();
            for id in ids {
                set.insert(tx, id.clone())?;
            }
            self.token_subscriptions.insert(tx, token_id.clone(), set)?;
        }
        for (token_id, ntfs) in &from.last_ntfs {
            let ntfs: LastNtfs = ntfs.iter().cloned().collect();
            self.last_ntfs.insert(tx, token_id.clone(), TVar::new(ntfs))?;
        }
        self.queue_subscriptions.union(tx, from.queue_subscriptions.iter().cloned())?;
        self.services.union(tx, from.services.iter().cloned())
    }
}

/// The entries of a map in ascending order of keys, each as `copy` makes it.
fn entries<K: Ord + Hash + Clone + Send + Sync + 'static, V: Clone + Send + Sync + 'static, T>(
    tx: &mut Transaction<'_>,
    map: &TMap<K, V>,
    mut copy: impl FnMut(&mut Transaction<'_>, &K, &V) -> StmResult<T>,
) -> StmResult<Vec<T>> {
    let snapshot: Snapshot<K, V> = map.snapshot(tx)?;
    snapshot.iter_sorted().into_iter().map(|(key, value)| copy(tx, &key, &value)).collect()
}

fn pair<K: Clone, V: Clone>(_: &mut Transaction<'_>, key: &K, value: &V) -> StmResult<(K, V)> {
    Ok((key.clone(), value.clone()))
}
