//! What operations answered, so that two answers can be compared.

use std::any::Any;
use std::fmt;

use crate::agent_store::{StoreError, TxError, TxResult};
use crate::db::{DbError, DbErrorKind, UtcTime, ViolationKind};

use super::sample;

/// A value that an operation gave, of any type. It is compared whole, with the secrets that its `Debug` leaves
/// out.
pub trait Value: fmt::Debug + Send {
    #[doc(hidden)]
    fn as_any(&self) -> &dyn Any;
    #[doc(hidden)]
    fn equals(&self, other: &dyn Value) -> bool;
}

impl<T: Any + fmt::Debug + PartialEq + Send> Value for T {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn equals(&self, other: &dyn Value) -> bool {
        other.as_any().downcast_ref::<T>() == Some(self)
    }
}

/// What one operation, or the end of a transaction, answered.
#[derive(Debug)]
pub enum Answer {
    /// A value.
    Value(Box<dyn Value>),
    /// The store's answer, without words that come from a database.
    Refused(StoreError),
    /// The database's refusal.
    Failed(Failure),
}

/// Why a statement failed, as far as both databases have to agree on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A constraint refused the change.
    Violation(ViolationKind),
    /// Anything else.
    Other(DbErrorKind),
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(one), Self::Value(other)) => one.equals(&**other),
            (Self::Refused(one), Self::Refused(other)) => one == other,
            (Self::Failed(one), Self::Failed(other)) => one == other,
            _ => false,
        }
    }
}

impl Answer {
    /// Whether it is a value.
    pub fn is_value(&self) -> bool {
        matches!(self, Self::Value(_))
    }
}

impl From<TxResult<Box<dyn Value>>> for Answer {
    fn from(result: TxResult<Box<dyn Value>>) -> Self {
        match result {
            Ok(value) => Self::Value(value),
            Err(TxError::Store(error)) => Self::Refused(worded(error)),
            Err(TxError::Database(error)) => Self::Failed(Failure::of(&error)),
        }
    }
}

impl Failure {
    fn of(error: &DbError) -> Self {
        match error.violation() {
            Some(violation) => Self::Violation(violation.kind),
            None => Self::Other(error.kind().clone()),
        }
    }
}

/// An error without the words of a database.
pub(super) fn worded(error: StoreError) -> StoreError {
    match error {
        StoreError::Internal(_) => StoreError::Internal(String::new()),
        StoreError::WorkItem(_) => StoreError::WorkItem(String::new()),
        error => error,
    }
}

/// The same, for each of many.
pub(super) fn each_worded<T>(found: Vec<Result<T, StoreError>>) -> Vec<Result<T, StoreError>> {
    found.into_iter().map(|one| one.map_err(worded)).collect()
}

/// A list that has no order, in one.
pub(super) fn unordered<T: fmt::Debug>(mut list: Vec<T>) -> Vec<T> {
    list.sort_by_key(|one| format!("{one:?}"));
    list
}

/// A time that an operation was given; any that the clock gave is the same as any other.
pub(super) fn given(time: UtcTime) -> UtcTime {
    time.min(sample::time(u8::MAX))
}
