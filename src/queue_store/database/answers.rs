//! What a caller is told when the database refused or failed.

use super::queue_database::{Refusal, StatementError};
use crate::db::DbError;
use crate::protocol::{ErrorType, Semantics};

impl Semantics {
    /// The answer to a change that the database refused (PG-22, PG-37, RACE-43).
    pub(super) fn refused(self, refusal: Refusal) -> ErrorType {
        match (refusal, self) {
            (Refusal::Missing | Refusal::NoService, _) => ErrorType::Auth,
            (Refusal::Taken, Self::Strict) => ErrorType::Duplicate,
            (Refusal::Taken, Self::Reference) => ErrorType::Auth,
            (Refusal::WrongRole, _) => ErrorType::Service,
        }
    }

    /// The answer when the database failed: under `Strict` a fixed text, since it reaches clients; under
    /// `Reference` the operation and the error (PG-8), which holds no values of rows (RACE-17).
    pub(super) fn failed(self, operation: &str, error: &DbError) -> ErrorType {
        tracing::error!(operation, %error, "the database failed");
        ErrorType::Store(match self {
            Self::Strict => error.client_text().to_owned(),
            Self::Reference => format!("{operation}: {error}"),
        })
    }

    pub(super) fn answer(self, operation: &str, error: &StatementError) -> ErrorType {
        match error {
            StatementError::Refused(refusal) => self.refused(*refusal),
            StatementError::Failed(error) => self.failed(operation, error),
        }
    }
}
