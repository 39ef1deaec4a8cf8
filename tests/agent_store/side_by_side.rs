//! Two transactions at once: the second begins while the first is still open.

use simplex_stores::agent_store::{AgentTx, StoreError, TxResult};
use simplex_stores::sync::thread;

use crate::fixture::{Place, TestStore};

/// How many of this database's sessions wait for a lock.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";

impl TestStore {
    /// Runs `first`, and commits it when `second`, which was begun after it, waits for a lock or is done.
    /// On SQLite, `second` can't even begin before. Gives what `second` returned.
    pub(crate) fn beside<T: Send + 'static>(
        &self,
        first: impl FnOnce(&mut AgentTx<'_>) -> TxResult<()>,
        second: impl FnOnce(&mut AgentTx<'_>) -> TxResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let semantics = self.run(|tx| Ok(tx.semantics())).unwrap();
        let other = self.place.open_with(semantics).unwrap();
        let begun = self.run(|tx| {
            first(tx)?;
            let second = thread::spawn(move || other.transaction("second", second));
            if let Place::Server(database) = &self.place {
                let mut client = database.client().unwrap();
                let mut waiting = || client.query_one(WAITING, &[]).unwrap().get::<_, i64>(0) > 0;
                // Nothing else says what a server's process does.
                while !second.is_finished() && !waiting() {
                    thread::yield_now();
                }
            }
            Ok(second)
        });
        begun.unwrap().join().unwrap()
    }
}
