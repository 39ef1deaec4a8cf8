//! Why a store of notifications refuses a change.

use crate::protocol::TokenId;

/// Why an operation was refused. Nothing was changed, and a transaction that it was a part of is
/// aborted, unless the caller catches that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NtfStoreError {
    /// The token is not in the store, or another one has taken its place; only under `Strict`.
    #[error("there is no token {0}: it was deleted or replaced, or never added")]
    UnknownToken(TokenId),
}
