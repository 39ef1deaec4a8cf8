//! Finding tokens and subscriptions by their ids and registrations, and counting.

use std::sync::Arc;

use super::device::RegistrationKey;
use super::{NtfStore, Subscription, Token, TokenRegistration};
use crate::protocol::ntf::DeviceToken;
use crate::protocol::{AuthKey, SubscriptionId, TokenId};
use crate::stm::{StmResult, Transaction, atomically};

/// How many there are of what, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NtfCounts {
    /// Tokens.
    pub tokens: usize,
    /// Device tokens under which there are registrations, or tokens that lost theirs.
    pub devices: usize,
    /// Subscriptions.
    pub subscriptions: usize,
    /// Tokens that have last notifications.
    pub tokens_with_ntfs: usize,
    /// Routers where this server is a service.
    pub services: usize,
}

impl NtfStore {
    /// The token with this id.
    pub fn get_token_tx(
        &self,
        tx: &mut Transaction<'_>,
        id: &TokenId,
    ) -> StmResult<Option<Arc<Token>>> {
        self.tokens.get(tx, id)
    }

    /// The token with this id, as of now.
    pub fn get_token(&self, id: &TokenId) -> Option<Arc<Token>> {
        self.tokens.get_atomic(id)
    }

    /// The subscription with this id.
    pub fn get_subscription_tx(
        &self,
        tx: &mut Transaction<'_>,
        id: &SubscriptionId,
    ) -> StmResult<Option<Arc<Subscription>>> {
        self.subscriptions.get(tx, id)
    }

    /// The subscription with this id, as of now.
    pub fn get_subscription(&self, id: &SubscriptionId) -> Option<Arc<Subscription>> {
        self.subscriptions.get_atomic(id)
    }

    /// The token that is registered under this device token and verification key (NS-1).
    pub fn find_token_tx(
        &self,
        tx: &mut Transaction<'_>,
        device: &DeviceToken,
        verify_key: &AuthKey,
    ) -> StmResult<Option<Arc<Token>>> {
        let Some(device) = self.registrations.get(tx, device)? else {
            return Ok(None);
        };
        match device.registered(&RegistrationKey::from(verify_key)) {
            Some(id) => self.tokens.get(tx, id),
            None => Ok(None),
        }
    }

    /// [`find_token_tx`](Self::find_token_tx) as one transaction.
    pub fn find_token(&self, device: &DeviceToken, verify_key: &AuthKey) -> Option<Arc<Token>> {
        atomically(|tx| self.find_token_tx(tx, device, verify_key))
    }

    /// The tokens of a device, in order of key bytes, then ids; under `Strict` also those that lost
    /// their registration.
    pub fn registrations_tx(
        &self,
        tx: &mut Transaction<'_>,
        device: &DeviceToken,
    ) -> StmResult<Vec<TokenRegistration>> {
        let device = self.registrations.get(tx, device)?.unwrap_or_default();
        Ok(device.iter().cloned().collect())
    }

    /// [`registrations_tx`](Self::registrations_tx), as of now.
    pub fn registrations(&self, device: &DeviceToken) -> Vec<TokenRegistration> {
        let device = self.registrations.get_atomic(device).unwrap_or_default();
        device.iter().cloned().collect()
    }

    /// Counts what there is, at one moment.
    pub fn counts(&self) -> NtfCounts {
        atomically(|tx| {
            Ok(NtfCounts {
                tokens: self.tokens.len(tx)?,
                devices: self.registrations.len(tx)?,
                subscriptions: self.subscriptions.len(tx)?,
                tokens_with_ntfs: self.last_ntfs.len(tx)?,
                services: self.services.len(tx)?,
            })
        })
    }
}
