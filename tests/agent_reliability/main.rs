//! What the agent store keeps when its process is killed, its server is stopped, its disk is full, or another
//! process works on the same database.
//!
//! | file | what is there |
//! |---|---|
//! | `steps`, `doing` | random transactions of all areas, and how the store's operations make them |
//! | `state` | what the database has to hold after each, and what it holds |
//! | `worker` | who does steps, and remembers the state |
//! | `child` | the other process: workers that tell each step before it begins and after it returned |
//! | `parent` | who listens, so that it knows the one or two states in which the database may be found |
//! | `kills`, `processes`, `full_disk` | the tests |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;
#[path = "../agent_store/connection_fixture.rs"]
#[allow(dead_code, reason = "what the agent store's own tests need too")]
mod connection_fixture;
mod doing;
/// What the fixture asks of the agent store's own tests; nothing is explained here.
mod explain {
    pub(crate) fn explaining<T>(_: simplex_stores::db::Dialect, work: impl FnOnce() -> T) -> T {
        work()
    }
}
#[path = "../agent_store/fixture.rs"]
#[allow(dead_code, reason = "what the agent store's own tests need too")]
mod fixture;
mod full_disk;
mod kills;
mod parent;
mod processes;
mod state;
mod steps;
mod worker;
