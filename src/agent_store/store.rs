//! The store: an open database, and transactions on it.

use super::error::{StoreError, TxError, TxResult};
use super::schema::{SchemaOptions, migrate};
use crate::db::migrations::{MigrationError, Question};
use crate::db::{Connection, Database, DatabaseConfig, DbError, Priority, Tx};
use crate::protocol::Semantics;

/// An agent's store in a database of either kind; threads share it.
///
/// Operations are methods of [`AgentTx`], so that a caller decides what belongs to one transaction.
#[derive(Debug)]
pub struct AgentStore {
    database: Database,
    semantics: Semantics,
}

/// A transaction of the store. Its methods are the operations, a file of this module for each area.
pub struct AgentTx<'t> {
    pub(super) tx: Tx<'t>,
    pub(super) semantics: Semantics,
}

/// Where the tables are on a server, unless another schema is asked for.
#[cfg(feature = "postgres")]
const SCHEMA: &str = "agent_store";

impl AgentStore {
    /// Reads where a database is: a URL that begins with `postgres://` or `postgresql://`, or the path of a
    /// SQLite file. On a server, the schema is `agent_store`;
    /// `PostgresConfig::schema` changes it.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Settings`](crate::db::DbErrorKind::Settings) for what is neither, or what this program
    /// was built without.
    pub fn config(url_or_path: &str) -> Result<DatabaseConfig, DbError> {
        Ok(match url_or_path.parse()? {
            #[cfg(feature = "postgres")]
            DatabaseConfig::Postgres(config) => {
                DatabaseConfig::Postgres(Box::new(config.schema(SCHEMA.parse()?)))
            }
            #[cfg(feature = "sqlite")]
            file @ DatabaseConfig::Sqlite(_) => file,
        })
    }

    /// Brings the database to the program's version, as far as the options permit, and opens it; `ask` is
    /// called in [`ConfirmMode::Console`](crate::db::migrations::ConfirmMode::Console) only.
    ///
    /// # Errors
    ///
    /// [`MigrationError`]: why it was not migrated, or not opened.
    pub fn open(
        config: &DatabaseConfig,
        options: SchemaOptions,
        semantics: Semantics,
        ask: impl FnMut(&Question<'_>) -> bool,
    ) -> Result<Self, MigrationError> {
        migrate(config, options, ask)?;
        let config = match config {
            #[cfg(feature = "sqlite")]
            DatabaseConfig::Sqlite(config) => {
                &DatabaseConfig::Sqlite(super::schema::with_functions(config))
            }
            #[cfg(feature = "postgres")]
            DatabaseConfig::Postgres(_) => config,
        };
        Ok(Self { database: Database::open(config)?, semantics })
    }

    /// The database, for statements of the caller's own, and for closing and opening it.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Runs `work` on a connection without a transaction: each statement is one by itself (F-213). The label
    /// names it in errors. It is ordinary work, and what is busy is not tried again.
    ///
    /// # Errors
    ///
    /// What `work` answered; [`StoreError::Internal`] or [`StoreError::DatabaseBusy`] when the database
    /// failed.
    pub fn with_connection<T>(
        &self,
        label: &'static str,
        work: impl FnOnce(&mut Connection<'_>) -> TxResult<T>,
    ) -> Result<T, StoreError> {
        let done = self.database.with_connection(label, work);
        done.map_err(|error| error.outside(self.database.dialect()))
    }

    /// Runs `work` as one transaction, which waits for work in a hurry (F-214). The label names it in errors
    /// and logs. `work` runs once at most.
    ///
    /// It is committed when `work` returned a result or an answer of the store, [`TxError::Store`] (AS-1),
    /// and taken back whole when that is [`TxError::Database`]. When a statement failed outside a savepoint,
    /// nothing is committed either: then an answer is still returned, but instead of a result there is the
    /// statement's error.
    ///
    /// # Errors
    ///
    /// The store's answer; [`StoreError::DatabaseBusy`] or [`StoreError::Internal`] when the database failed.
    pub fn transaction<T>(
        &self,
        label: &'static str,
        work: impl FnOnce(&mut AgentTx<'_>) -> TxResult<T>,
    ) -> Result<T, StoreError> {
        self.transaction_priority(Priority::Ordinary, label, work)
    }

    /// The same, for work in a hurry or not (F-215).
    ///
    /// # Errors
    ///
    /// As [`transaction`](Self::transaction).
    pub fn transaction_priority<T>(
        &self,
        priority: Priority,
        label: &'static str,
        work: impl FnOnce(&mut AgentTx<'_>) -> TxResult<T>,
    ) -> Result<T, StoreError> {
        let semantics = self.semantics;
        let ended = self.database.transaction(priority, label, |tx| {
            let result = work(&mut AgentTx { tx: tx.reborrow(), semantics });
            match result {
                Ok(value) => Ok(Ok(value)),
                Err(TxError::Store(answer)) if tx.has_failed() => Err(TxError::Store(answer)),
                Err(TxError::Store(answer)) => Ok(Err(answer)),
                Err(TxError::Database(error)) => Err(TxError::Database(error)),
            }
        });
        match ended {
            Ok(result) => result,
            Err(error) => Err(error.outside(self.database.dialect())),
        }
    }
}

impl<'t> AgentTx<'t> {
    /// Statements of the caller's own, in the same transaction.
    pub fn statements(&mut self) -> &mut Tx<'t> {
        &mut self.tx
    }

    /// Whose answers are given where the reference breaks its own rules.
    pub fn semantics(&self) -> Semantics {
        self.semantics
    }

    /// Runs `work` behind a savepoint (AS-2): when it fails or answers with an error, what it did is taken
    /// back and the rest of the transaction goes on. On both databases alike.
    ///
    /// # Errors
    ///
    /// What `work` returned, or what kept the savepoint from being set or released.
    pub fn savepoint<T>(
        &mut self,
        work: impl FnOnce(&mut AgentTx<'_>) -> TxResult<T>,
    ) -> TxResult<T> {
        let semantics = self.semantics;
        self.tx.savepoint(|tx| work(&mut AgentTx { tx: tx.reborrow(), semantics }))
    }

    /// Runs `work` behind a savepoint and says as its value whether a constraint refused it (AS-13): for
    /// operations that answer with that, on PostgreSQL too.
    pub(super) fn unless_violated<T>(
        &mut self,
        work: impl FnOnce(&mut AgentTx<'_>) -> TxResult<T>,
    ) -> TxResult<Result<T, DbError>> {
        match self.savepoint(work) {
            Ok(value) => Ok(Ok(value)),
            Err(TxError::Database(error)) if error.violation().is_some() => Ok(Err(error)),
            Err(error) => Err(error),
        }
    }
}
