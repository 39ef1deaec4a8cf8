//! Rows on their way into a database: gathered by table, and sent together.

use super::dice::Value;
use super::tables::Table;
use crate::agent_store::AgentStore;
use crate::db::{DatabaseConfig, DbError, Dialect, Priority, ToParam};
#[cfg(feature = "postgres")]
use {
    super::tables::{Kind, NEXT_NUMBERS},
    crate::db::postgres::{Pool, Statements as _, Transaction, types::Type},
};

/// The rows of each table that aren't sent yet.
pub(super) struct Rows<'s> {
    store: &'s AgentStore,
    waiting: Vec<Vec<Vec<Value>>>,
    #[cfg(feature = "postgres")]
    server: Option<Pool>,
}

impl<'s> Rows<'s> {
    pub(super) fn open(config: &DatabaseConfig, store: &'s AgentStore) -> Result<Self, DbError> {
        #[cfg(not(feature = "postgres"))]
        let _ = config;
        Ok(Self {
            store,
            waiting: vec![Vec::new(); Table::ALL.len()],
            #[cfg(feature = "postgres")]
            server: match config {
                DatabaseConfig::Postgres(config) => {
                    let unlimited = std::time::Duration::ZERO;
                    let config = (**config).clone().pool_size(1).statement_timeout(unlimited);
                    Some(Pool::open(&config)?)
                }
                #[cfg(feature = "sqlite")]
                DatabaseConfig::Sqlite(_) => None,
            },
        })
    }

    pub(super) fn add<const COLUMNS: usize>(&mut self, table: Table, row: [Value; COLUMNS]) {
        if let Some(rows) = self.waiting.get_mut(table as usize) {
            rows.push(row.into());
        }
    }

    /// Sends all rows as one transaction, and says how many they were.
    pub(super) fn flush(&mut self) -> Result<u64, DbError> {
        let tables = || Table::ALL.iter().copied().zip(&self.waiting);
        match self.store.database().dialect() {
            Dialect::Sqlite => {
                self.store.database().transaction(Priority::Ordinary, "filling", |tx| {
                    for (table, rows) in tables() {
                        let insert = table.insert();
                        for row in rows {
                            let row: Vec<&dyn ToParam> = row.iter().map(|one| one as _).collect();
                            tx.execute(&insert, &row)?;
                        }
                    }
                    Ok::<_, DbError>(())
                })?;
            }
            Dialect::Postgres => self.copy()?,
        }
        let sent = tables().map(|(_, rows)| rows.len() as u64).sum();
        self.waiting.iter_mut().for_each(Vec::clear);
        Ok(sent)
    }

    #[cfg(not(feature = "postgres"))]
    fn copy(&self) -> Result<(), DbError> {
        Ok(())
    }

    #[cfg(feature = "postgres")]
    fn copy(&self) -> Result<(), DbError> {
        let Some(server) = &self.server else { return Ok(()) };
        server.transaction("filling", |tx| {
            for (table, rows) in Table::ALL.iter().zip(&self.waiting) {
                copy_table(tx, *table, rows)?;
            }
            Ok(())
        })
    }

    /// Sends what is left, and has a server count what is there.
    pub(super) fn finish(mut self) -> Result<u64, DbError> {
        let sent = self.flush()?;
        #[cfg(feature = "postgres")]
        if let Some(server) = &self.server {
            server.transaction::<_, DbError>("counting", |tx| {
                for next in &NEXT_NUMBERS {
                    tx.query(next, &[])?;
                }
                for table in Table::ALL {
                    tx.execute(&table.analyze(), &[])?;
                }
                Ok(())
            })?;
        }
        Ok(sent)
    }
}

#[cfg(feature = "postgres")]
fn copy_table(tx: &mut Transaction<'_>, table: Table, rows: &[Vec<Value>]) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let types: Vec<Type> = table.kinds().iter().copied().map(column_type).collect();
    tx.copy_rows_in(&table.copy(), &types, |out| {
        rows.iter().try_for_each(|row| out.send_values(row))
    })
    .map(drop)
}

#[cfg(feature = "postgres")]
fn column_type(kind: Kind) -> Type {
    match kind {
        Kind::Int8 => Type::INT8,
        Kind::Int4 => Type::INT4,
        Kind::Int2 => Type::INT2,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
        Kind::Time => Type::TIMESTAMPTZ,
    }
}
