//! The last notifications of a token, newest first.

use std::sync::Arc;

use super::NtfStore;
use crate::protocol::TokenId;
use crate::protocol::ntf::TokenNtf;
use crate::stm::{StmResult, TVar, Transaction, atomically};

/// A token's notifications, newest first, never empty.
pub(super) type LastNtfs = im::Vector<Arc<TokenNtf>>;

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a notification of an unknown token is not stored"]
pub enum StoredNtf {
    /// It is the token's newest.
    Stored {
        /// The token's oldest, if it had as many as the store keeps.
        dropped: Option<Arc<TokenNtf>>,
    },
    /// There is no such token, and nothing was stored (NS-3).
    UnknownToken,
}

impl NtfStore {
    /// Puts a notification in front of the token's others (NS-4), if there is such a token (NS-3).
    ///
    /// When the token already has as many as the store keeps, its oldest goes and is given back.
    pub fn store_last_ntf_tx(
        &self,
        tx: &mut Transaction<'_>,
        token_id: &TokenId,
        ntf: Arc<TokenNtf>,
    ) -> StmResult<StoredNtf> {
        if let Some(ntfs) = self.last_ntfs.get(tx, token_id)? {
            let limit = self.last_ntf_limit.map_or(usize::MAX, |limit| limit.get());
            let dropped = ntfs.update(tx, |ntfs| {
                ntfs.push_front(ntf);
                if ntfs.len() > limit { ntfs.pop_back() } else { None }
            })?;
            return Ok(StoredNtf::Stored { dropped });
        }
        if !self.tokens.contains_key(tx, token_id)? {
            return Ok(StoredNtf::UnknownToken);
        }
        self.last_ntfs.insert(tx, token_id.clone(), TVar::new(LastNtfs::unit(ntf)))?;
        Ok(StoredNtf::Stored { dropped: None })
    }

    /// [`store_last_ntf_tx`](Self::store_last_ntf_tx) as one transaction.
    pub fn store_last_ntf(&self, token_id: &TokenId, ntf: Arc<TokenNtf>) -> StoredNtf {
        atomically(|tx| self.store_last_ntf_tx(tx, token_id, Arc::clone(&ntf)))
    }

    /// The token's last notifications, newest first.
    pub fn last_ntfs_tx(
        &self,
        tx: &mut Transaction<'_>,
        token_id: &TokenId,
    ) -> StmResult<Vec<Arc<TokenNtf>>> {
        match self.last_ntfs.get(tx, token_id)? {
            Some(ntfs) => ntfs.with(tx, |ntfs| ntfs.iter().cloned().collect()),
            None => Ok(Vec::new()),
        }
    }

    /// [`last_ntfs_tx`](Self::last_ntfs_tx) as one transaction.
    pub fn last_ntfs(&self, token_id: &TokenId) -> Vec<Arc<TokenNtf>> {
        atomically(|tx| self.last_ntfs_tx(tx, token_id))
    }
}
