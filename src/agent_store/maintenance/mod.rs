//! Looking after an agent's database: which migrations it has, whether it holds together, what is in it.
//!
//! Nothing here changes anything. Each function looks at a database as it is at one moment, on a connection of
//! its own, and waits for nobody.
//!
//! | file | what is there |
//! |---|---|
//! | `status` | [`status`]: migrations, and what lacks |
//! | `check` | [`check`]: running the rules |
//! | `rules` | what has to hold: a table of statements, each of which finds the rows that break one rule |
//! | `readable` | which columns have to be readable as which type |
//! | `services` | counts and hashes of services against their queues (AS-15) |
//! | `stats` | [`stats`]: how much of what |
//! | `failed` | work that was marked as failed (AS-34) |
//!
//! **The tests that show it.** `tests/agent_store/check.rs`: each rule is broken by one row, on both databases.

mod check;
mod failed;
mod finding;
mod readable;
mod rules;
mod services;
mod stats;
mod status;

pub use check::{CheckProgress, CheckReport, check};
pub use failed::{FailedItems, FailedKind};
pub use finding::{Finding, Severity};
pub use stats::{AgentStats, ConnCount, QueueCount, TableRows, stats};
pub use status::{AgentStatus, status};
