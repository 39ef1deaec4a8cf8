//! The two pools of a store: work in a hurry never waits for ordinary work (AS-8).

use std::fmt;

use super::config::PostgresConfig;
use super::pool::Pool;
use crate::db::{Connection, DbError, DbErrorKind, Priority, Tx};
use crate::sync::{Condvar, Mutex};

/// Two pools of connections to one database, each of the size that the settings say, for ordinary work
/// and for work in a hurry. They can be closed and opened again.
pub struct Pools {
    config: PostgresConfig,
    state: Mutex<State>,
    left: Condvar,
}

struct State {
    /// `None` once they are closed.
    pools: Option<[Pool; 2]>,
    /// How many calls use a pool.
    users: usize,
}

impl Pools {
    /// Connects, twice as often as the settings say.
    ///
    /// # Errors
    ///
    /// As [`Pool::open`].
    pub fn open(config: &PostgresConfig) -> Result<Self, DbError> {
        let state = State { pools: Some(both(config)?), users: 0 };
        Ok(Self { config: config.clone(), state: Mutex::new(state), left: Condvar::new() })
    }

    /// The settings that they were opened with.
    pub fn config(&self) -> &PostgresConfig {
        &self.config
    }

    /// Runs `work` as one transaction: committed when it returns `Ok` and none of its statements failed
    /// outside a savepoint, otherwise taken back whole. The label names it in errors and logs.
    ///
    /// # Errors
    ///
    /// What `work` returned; or why it could not be begun or committed; [`DbErrorKind::Closed`] after
    /// [`close`](Self::close).
    pub fn transaction<T, E: From<DbError>>(
        &self,
        priority: Priority,
        label: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let user = self.enter(priority, label)?;
        user.pool.transaction(label, |tx| work(&mut Tx::on(tx)))
    }

    /// Runs `work` on a connection without a transaction: each statement is one by itself. The label names
    /// it in errors.
    ///
    /// # Errors
    ///
    /// What `work` returned, or why there is no connection; [`DbErrorKind::Closed`] after
    /// [`close`](Self::close).
    pub fn with_connection<T, E: From<DbError>>(
        &self,
        label: &'static str,
        work: impl FnOnce(&mut Connection<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let user = self.enter(Priority::Ordinary, label)?;
        user.pool.session(label, |session| work(&mut Connection::on(session)))
    }

    /// Refuses new work, waits until what runs has ended, and closes all connections. Closed pools stay
    /// closed.
    pub fn close(&self) {
        let mut state = self.state.lock();
        let pools = state.pools.take();
        while state.users > 0 {
            self.left.wait(&mut state);
        }
        drop(state);
        drop(pools);
    }

    /// Opens closed pools again; open ones stay as they are. The schema is never made by it.
    ///
    /// # Errors
    ///
    /// As [`Pool::open`]; then they stay closed.
    pub fn reopen(&self) -> Result<(), DbError> {
        if self.state.lock().pools.is_some() {
            return Ok(());
        }
        let pools = both(&self.config)?;
        // When another thread was faster, its pools stay.
        self.state.lock().pools.get_or_insert(pools);
        Ok(())
    }

    fn enter(&self, priority: Priority, label: &'static str) -> Result<User<'_>, DbError> {
        let mut state = self.state.lock();
        let Some([ordinary, hurried]) = &state.pools else {
            return Err(DbError::new(label, DbErrorKind::Closed, "the database is closed"));
        };
        let pool = match priority {
            Priority::Ordinary => ordinary.clone(),
            Priority::High => hurried.clone(),
        };
        state.users += 1;
        Ok(User { pool, pools: self })
    }
}

fn both(config: &PostgresConfig) -> Result<[Pool; 2], DbError> {
    Ok([Pool::open(config)?, Pool::open(config)?])
}

/// A call that uses a pool; it ends also when its work panics.
struct User<'p> {
    pool: Pool,
    pools: &'p Pools,
}

impl Drop for User<'_> {
    fn drop(&mut self) {
        self.pools.state.lock().users -= 1;
        self.pools.left.notify_all();
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pools").field("config", &self.config).finish_non_exhaustive()
    }
}
