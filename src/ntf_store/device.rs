//! What is known of one device token: the registrations under it, and whose they are.
//!
//! Several tokens may be registered with one device token, told apart by their verification keys (NS-1).
//! Under `Strict` a token whose registration another one took over, or whose registration was
//! removed, stays listed without one: activating a token has to find it (RACE-68).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::protocol::{AuthKey, TokenId};

/// By what registrations of one device token are told apart: the bytes of the verification key without its
/// algorithm, 32 or 57 of them. Keys of two algorithms with the same bytes are one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RegistrationKey(Arc<[u8]>);

impl RegistrationKey {
    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&AuthKey> for RegistrationKey {
    fn from(key: &AuthKey) -> Self {
        Self(key.key_bytes().into())
    }
}

impl fmt::Debug for RegistrationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::encoding::base64url::to_string(&self.0))
    }
}

/// A token of a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TokenRegistration {
    /// What stands for its verification key.
    pub key: RegistrationKey,
    /// The token.
    pub token_id: TokenId,
    /// Whether the registration under the key is this token's; of several with one key, at most one's is.
    pub registered: bool,
}

/// The tokens of a device in order of key, then id. There are few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Device(Arc<[TokenRegistration]>);

impl Device {
    pub(super) fn new(mut registrations: Vec<TokenRegistration>) -> Self {
        registrations.sort_unstable();
        Self(registrations.into())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &TokenRegistration> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The token whose registration this is.
    pub(super) fn registered(&self, key: &RegistrationKey) -> Option<&TokenId> {
        let found = self.iter().find(|one| one.registered && one.key == *key);
        found.map(|one| &one.token_id)
    }

    /// Without the entries that `leaves` says.
    pub(super) fn without(&self, leaves: impl Fn(&TokenRegistration) -> bool) -> Self {
        Self(self.iter().filter(|one| !leaves(one)).cloned().collect())
    }

    /// With the registration under `key` given to this token. The one that had it is listed without it
    /// from then on if `keep_unregistered`, else not at all.
    pub(super) fn with_registered(
        &self,
        key: &RegistrationKey,
        token_id: &TokenId,
        keep_unregistered: bool,
    ) -> Self {
        let rest = self.iter().filter(|one| one.key != *key || one.token_id != *token_id);
        let mut all: Vec<_> = rest
            .filter(|one| one.key != *key || keep_unregistered)
            .map(|one| one.clone().without_key(key))
            .collect();
        let (key, token_id) = (key.clone(), token_id.clone());
        all.push(TokenRegistration { key, token_id, registered: true });
        Self::new(all)
    }

    /// With the registration under `key` given to nobody, and its token still listed.
    pub(super) fn with_unregistered(&self, key: &RegistrationKey) -> Self {
        Self(self.iter().map(|one| one.clone().without_key(key)).collect())
    }
}

impl TokenRegistration {
    fn without_key(self, key: &RegistrationKey) -> Self {
        let registered = self.registered && self.key != *key;
        Self { registered, ..self }
    }
}
