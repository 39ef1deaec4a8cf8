//! Who does steps, one after the other, and knows what the database has to hold.

use std::time::Duration;

use simplex_stores::agent_store::types::UserId;
use simplex_stores::agent_store::{AgentStore, AgentTx, StoreError, TxResult};
use simplex_stores::db::DatabaseConfig;
use simplex_stores::protocol::Semantics;

use super::connection_fixture::smp_server;
use super::doing::ntf_server;
use super::fixture::UP;
use super::state::State;
use super::steps::{Chooser, Habit, Step};

/// How many users there are: one for each worker.
pub(crate) const WORKERS: u8 = 4;

/// A worker of one store.
pub(crate) struct Worker {
    pub(crate) number: u8,
    pub(crate) state: State,
    user: UserId,
    chooser: Chooser,
}

/// How long waiting for others may take in all says the machine's load, and not a test.
const PATIENCE: Duration = Duration::from_secs(600);

/// Opens a store that waits for others as long as it takes.
pub(crate) fn open(config: &DatabaseConfig) -> AgentStore {
    let config = match config.clone() {
        DatabaseConfig::Sqlite(config) => {
            DatabaseConfig::Sqlite(config.busy_limit(PATIENCE).migration_lock_limit(PATIENCE))
        }
        config => config,
    };
    AgentStore::open(&config, UP, Semantics::Strict, |_| panic!("nobody is to be asked")).unwrap()
}

/// What workers need: users, and the routers that queues and subscriptions refer to.
pub(crate) fn prepare(config: &DatabaseConfig) -> AgentStore {
    let store = open(config);
    let prepare = |tx: &mut AgentTx<'_>| -> TxResult<()> {
        tx.create_server(&smp_server())?;
        tx.create_ntf_server(&ntf_server())?;
        (0..WORKERS).try_for_each(|_| tx.create_user_record().map(drop))
    };
    store.transaction("prepare", prepare).unwrap();
    store
}

/// What the database holds of this worker.
pub(crate) fn load(store: &AgentStore, worker: u8) -> State {
    store.transaction("loading", |tx| Ok(State::load(tx, worker)?)).unwrap()
}

impl Worker {
    /// Goes on where this worker, perhaps in another process, was stopped.
    pub(crate) fn resume(store: &AgentStore, number: u8, habit: Habit) -> Self {
        let mut users = store.transaction("users", |tx| tx.get_user_ids()).unwrap();
        users.sort_unstable();
        Self {
            number,
            state: load(store, number),
            user: users[usize::from(number)],
            chooser: Chooser::new(number, habit, rand::random()),
        }
    }

    /// One step, whichever is possible.
    pub(crate) fn step(&mut self, store: &AgentStore) -> Result<(), StoreError> {
        let step = self.choose();
        self.take(store, &step)
    }

    pub(crate) fn user(&self) -> UserId {
        self.user
    }

    pub(crate) fn choose(&mut self) -> Step {
        self.chooser.choose(&self.state)
    }

    pub(crate) fn take(&mut self, store: &AgentStore, step: &Step) -> Result<(), StoreError> {
        self.take_and(store, step, || ())
    }

    /// The same, with something at the end of the transaction, before it is committed.
    pub(crate) fn take_and(
        &mut self,
        store: &AgentStore,
        step: &Step,
        at_the_end: impl FnOnce(),
    ) -> Result<(), StoreError> {
        store.transaction("a worker's step", |tx| {
            step.run(tx, self.user)?;
            at_the_end();
            Ok(())
        })?;
        step.apply(&mut self.state);
        Ok(())
    }
}
