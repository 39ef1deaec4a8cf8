//! Why a part of a transaction stopped before its end.

use std::error::Error;
use std::fmt;

/// Asks the engine to stop this run of the transaction: to wait for a change (see
/// [`retry`](super::retry)) or to run again because of a conflict.
///
/// Pass it on with `?`. To do something else instead of waiting, use
/// [`Transaction::or_else`](super::Transaction::or_else); catching the error by hand keeps the
/// writes that were made before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StmError(pub(super) Reason);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Retry,
    /// The attempt can't succeed any more. An engine that validates while the body runs says so.
    #[allow(dead_code, reason = "only engines that validate at once find a conflict early")]
    Conflict,
}

impl fmt::Display for StmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Reason::Retry => "the transaction waits for a change",
            Reason::Conflict => "the transaction met a conflict and runs again",
        })
    }
}

impl Error for StmError {}

/// Why a part of a transaction that may abort stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxError<E> {
    /// Wait, or run again.
    Stm(StmError),
    /// End the transaction with this error and publish nothing.
    Abort(E),
}

impl<E> TxError<E> {
    /// Turns the error of an abort into another one.
    pub fn map_abort<F>(self, f: impl FnOnce(E) -> F) -> TxError<F> {
        match self {
            TxError::Stm(error) => TxError::Stm(error),
            TxError::Abort(error) => TxError::Abort(f(error)),
        }
    }
}

impl<E> From<StmError> for TxError<E> {
    fn from(error: StmError) -> Self {
        TxError::Stm(error)
    }
}

impl<E: fmt::Display> fmt::Display for TxError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TxError::Stm(error) => error.fmt(f),
            TxError::Abort(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for TxError<E> {}

/// The result of a part of a transaction that can't abort.
pub type StmResult<T> = Result<T, StmError>;

/// The result of a part of a transaction that can end it with an error of type `E`.
pub type TxResult<T, E> = Result<T, TxError<E>>;

/// The two errors that a part of a transaction can have: [`StmError`] and [`TxError`].
///
/// Lets [`Transaction::or_else`](super::Transaction::or_else) join parts of either kind. It can't be
/// implemented elsewhere.
pub trait Stop: From<StmError> + sealed::Sealed {
    /// Whether the part asked to wait, so that an alternative may run instead.
    fn is_retry(&self) -> bool;
}

impl Stop for StmError {
    fn is_retry(&self) -> bool {
        self.0 == Reason::Retry
    }
}

impl<E> Stop for TxError<E> {
    fn is_retry(&self) -> bool {
        matches!(self, TxError::Stm(error) if error.is_retry())
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::StmError {}
    impl<E> Sealed for super::TxError<E> {}
}
