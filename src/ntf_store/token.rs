//! A token as a live object.

use crate::protocol::ntf::{DeviceToken, RegCode, TokenRec, TokenStatus, X25519KeyPair};
use crate::protocol::{AuthKey, DhSecret, RoundedDate, TokenId};
use crate::stm::{StmResult, TVar, Transaction};

/// A device's registration: what is fixed, and a variable with what changes.
#[derive(Debug)]
pub struct Token {
    id: TokenId,
    device: DeviceToken,
    verify_key: AuthKey,
    dh_keys: X25519KeyPair,
    dh_secret: DhSecret,
    reg_code: RegCode,
    state: TVar<TokenState>,
}

/// What changes in a token. A new one is registered, without an interval, and has the date of its day
/// (section 1 of ntf-store.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenState {
    /// How far its registration has come.
    pub status: TokenStatus,
    /// How often to push without a message, in minutes; 0 is never.
    pub cron: u16,
    /// The last day on which it was used (NS-18).
    pub updated_at: Option<RoundedDate>,
}

impl TokenState {
    /// The state of a token that was registered on this day.
    pub fn registered(date: RoundedDate) -> Self {
        Self { status: TokenStatus::Registered, cron: 0, updated_at: Some(date) }
    }
}

impl Token {
    /// The token of a record.
    pub fn new(rec: TokenRec) -> Self {
        let state = TokenState { status: rec.status, cron: rec.cron, updated_at: rec.updated_at };
        Self {
            id: rec.id,
            device: rec.device,
            verify_key: rec.verify_key,
            dh_keys: rec.dh_keys,
            dh_secret: rec.dh_secret,
            reg_code: rec.reg_code,
            state: TVar::new(state),
        }
    }

    /// Its id.
    pub fn id(&self) -> &TokenId {
        &self.id
    }

    /// Where its pushes go.
    pub fn device(&self) -> &DeviceToken {
        &self.device
    }

    /// The key that authorizes commands for it.
    pub fn verify_key(&self) -> &AuthKey {
        &self.verify_key
    }

    /// The server's keys for the agreement on [`dh_secret`](Self::dh_secret).
    pub fn dh_keys(&self) -> &X25519KeyPair {
        &self.dh_keys
    }

    /// The secret under which its pushes are encrypted.
    pub fn dh_secret(&self) -> &DhSecret {
        &self.dh_secret
    }

    /// The code that its device has to send back.
    pub fn reg_code(&self) -> &RegCode {
        &self.reg_code
    }

    /// What changes in it. Its owner changes it directly, alone or as a part of a transaction; no map of the
    /// store depends on it.
    pub fn state(&self) -> &TVar<TokenState> {
        &self.state
    }

    /// The token's record, with the state that this transaction sees.
    pub fn record_tx(&self, tx: &mut Transaction<'_>) -> StmResult<TokenRec> {
        self.state.read(tx).map(|state| self.record_with(state))
    }

    /// The token's record as of now.
    pub fn record(&self) -> TokenRec {
        self.record_with(self.state.read_atomic())
    }

    fn record_with(&self, state: TokenState) -> TokenRec {
        TokenRec {
            id: self.id.clone(),
            device: self.device.clone(),
            status: state.status,
            verify_key: self.verify_key.clone(),
            dh_keys: self.dh_keys.clone(),
            dh_secret: self.dh_secret.clone(),
            reg_code: self.reg_code.clone(),
            cron: state.cron,
            updated_at: state.updated_at,
        }
    }
}
