//! Tokens and their registrations: adding, activating, deleting.

use std::sync::Arc;

use super::device::RegistrationKey;
use super::{NtfStore, NtfStoreError, Subscription, Token};
use crate::protocol::TokenId;
use crate::protocol::ntf::NotifierQueue;
use crate::stm::{StmResult, Transaction, TxResult, abort, atomically, try_atomically};

/// What adding a token took the place of.
#[derive(Clone, Debug, Default)]
pub struct AddedToken {
    /// The token that had the same id. Its subscriptions and notifications are the new one's now.
    pub replaced: Option<Arc<Token>>,
    /// The token that had the registration under the same device token and verification key.
    pub displaced: Option<TokenId>,
}

/// A token that is gone, and what went with it.
#[derive(Clone, Debug)]
pub struct RemovedToken {
    /// Its id.
    pub id: TokenId,
    /// The token; `None` when there was none with this id (NS-7).
    pub token: Option<Arc<Token>>,
    /// Its subscriptions, in ascending order of ids. Nobody watches their queues any more, so the
    /// caller unsubscribes them at their routers (NS-8).
    pub subscriptions: Vec<Arc<Subscription>>,
}

impl RemovedToken {
    /// The queues of its subscriptions, in the subscriptions' order.
    pub fn queues(&self) -> impl Iterator<Item = &NotifierQueue> {
        self.subscriptions.iter().map(|subscription| subscription.queue())
    }
}

impl NtfStore {
    /// Adds a token and gives it the registration under its device token and key.
    ///
    /// A token with the same id is replaced; under `Strict` it leaves its registration (NS-13). A token that had
    /// the registration loses it and stays; see [`remove_rivals_tx`](Self::remove_rivals_tx).
    pub fn add_token_tx(
        &self,
        tx: &mut Transaction<'_>,
        token: Arc<Token>,
    ) -> StmResult<AddedToken> {
        let id = token.id();
        let replaced = self.tokens.get(tx, id)?;
        if self.is_strict()
            && let Some(replaced) = &replaced
        {
            self.leave_device(tx, replaced)?;
        }
        let key = RegistrationKey::from(token.verify_key());
        let device = self.registrations.get(tx, token.device())?.unwrap_or_default();
        let displaced = device.registered(&key).filter(|holder| *holder != id).cloned();
        let device = device.with_registered(&key, id, self.is_strict());
        self.registrations.insert(tx, token.device().clone(), device)?;
        self.tokens.insert(tx, id.clone(), token)?;
        Ok(AddedToken { replaced, displaced })
    }

    /// [`add_token_tx`](Self::add_token_tx) as one transaction.
    pub fn add_token(&self, token: Arc<Token>) -> AddedToken {
        atomically(|tx| self.add_token_tx(tx, Arc::clone(&token)))
    }

    /// Removes all other tokens of this token's device, with their subscriptions and notifications,
    /// because this one is active now (NS-2). They come in order of key bytes, then ids.
    ///
    /// Under `Strict`, tokens that lost their registration are removed as well (RACE-68), and this one has its
    /// registration afterwards, also if it had lost it (NS-5). Under `Reference` only those go whose registrations
    /// are there, and this one has its own only if it had it before.
    ///
    /// # Errors
    ///
    /// [`NtfStoreError::UnknownToken`] under `Strict` when this very token is not in the store: it
    /// must not remove the one that lives.
    pub fn remove_rivals_tx(
        &self,
        tx: &mut Transaction<'_>,
        token: &Token,
    ) -> TxResult<Vec<RemovedToken>, NtfStoreError> {
        if self.is_strict() && !self.holds(tx, token)? {
            return abort(NtfStoreError::UnknownToken(token.id().clone()));
        }
        let Some(device) = self.registrations.get(tx, token.device())? else {
            return Ok(Vec::new());
        };
        let mut removed = Vec::new();
        for rival in device.iter().filter(|one| one.token_id != *token.id()) {
            removed.push(self.remove_token(tx, &rival.token_id)?);
        }
        let mut left = device.without(|one| one.token_id != *token.id());
        if self.is_strict() {
            left = left.with_registered(&token.verify_key().into(), token.id(), true);
        }
        if left != device {
            self.registrations.insert(tx, token.device().clone(), left)?;
        }
        Ok(removed)
    }

    /// [`remove_rivals_tx`](Self::remove_rivals_tx) as one transaction.
    ///
    /// # Errors
    ///
    /// As of the part.
    pub fn remove_rivals(&self, token: &Token) -> Result<Vec<RemovedToken>, NtfStoreError> {
        try_atomically(|tx| self.remove_rivals_tx(tx, token))
    }

    /// Takes the registration from this token if it has it, and says whether it had: a token that was
    /// registered under the same device token and key meanwhile keeps it (NS-6). The token itself stays.
    ///
    /// Under `Strict` "this token" is this very object; under `Reference` any with its id.
    pub fn remove_registration_tx(
        &self,
        tx: &mut Transaction<'_>,
        token: &Token,
    ) -> StmResult<bool> {
        if self.is_strict() && !self.holds(tx, token)? {
            return Ok(false);
        }
        let Some(device) = self.registrations.get(tx, token.device())? else {
            return Ok(false);
        };
        let key = RegistrationKey::from(token.verify_key());
        if device.registered(&key) != Some(token.id()) {
            return Ok(false);
        }
        let device = match self.is_strict() {
            true => device.with_unregistered(&key),
            false => device.without(|one| one.key == key),
        };
        self.registrations.insert(tx, token.device().clone(), device)?;
        Ok(true)
    }

    /// [`remove_registration_tx`](Self::remove_registration_tx) as one transaction.
    pub fn remove_registration(&self, token: &Token) -> bool {
        atomically(|tx| self.remove_registration_tx(tx, token))
    }

    /// Deletes the token with its registration, its subscriptions and its notifications.
    ///
    /// Under `Strict` a registration that belongs to another token stays (RACE-67). Under `Reference` it goes
    /// with the token, and without a token the subscriptions under its id go all the same (NS-7).
    pub fn delete_token_tx(
        &self,
        tx: &mut Transaction<'_>,
        id: &TokenId,
    ) -> StmResult<RemovedToken> {
        let removed = self.remove_token(tx, id)?;
        if let Some(token) = &removed.token {
            self.leave_device(tx, token)?;
        }
        Ok(removed)
    }

    /// [`delete_token_tx`](Self::delete_token_tx) as one transaction.
    pub fn delete_token(&self, id: &TokenId) -> RemovedToken {
        atomically(|tx| self.delete_token_tx(tx, id))
    }

    /// Whether the store has this very object.
    fn holds(&self, tx: &mut Transaction<'_>, token: &Token) -> StmResult<bool> {
        let stored = self.tokens.get(tx, token.id())?;
        Ok(stored.is_some_and(|stored| std::ptr::eq(&*stored, token)))
    }

    /// Removes a token from every map but that of registrations.
    fn remove_token(&self, tx: &mut Transaction<'_>, id: &TokenId) -> StmResult<RemovedToken> {
        let token = self.tokens.take(tx, id)?;
        self.last_ntfs.remove(tx, id)?;
        let subscriptions = self.drop_subscriptions(tx, id)?;
        Ok(RemovedToken { id: id.clone(), token, subscriptions })
    }

    /// Takes a token off its device's list, and the list away when it is empty then.
    fn leave_device(&self, tx: &mut Transaction<'_>, token: &Token) -> StmResult<()> {
        let Some(device) = self.registrations.get(tx, token.device())? else {
            return Ok(());
        };
        let device = match self.is_strict() {
            true => device.without(|one| one.token_id == *token.id()),
            false => {
                let key = RegistrationKey::from(token.verify_key());
                device.without(|one| one.key == key)
            }
        };
        match device.is_empty() {
            true => self.registrations.remove(tx, token.device()),
            false => self.registrations.insert(tx, token.device().clone(), device),
        }
    }
}
