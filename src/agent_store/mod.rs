//! Everything that a messaging agent must not lose on restart: users, routers, connections and their
//! queues, messages and deliveries, ratchets, commands, notification tokens and subscriptions, files,
//! statistics; in a SQLite file or in a PostgreSQL database, as the user chooses when the program runs.
//!
//! **The promise.** The reference's tables, so that each side takes the other's database for its own, and
//! its answers wherever it keeps its own rules. An operation is a part of a transaction that the caller
//! opens; what belongs together is done whole or not at all, on both databases alike.
//!
//! | file | what is there |
//! |---|---|
//! | `store` | [`AgentStore`]: opening, transactions |
//! | `schema`, [`migrations`] | the tables, and how a database gets them |
//! | `error` | [`StoreError`], what an operation answers instead of a result; [`TxError`] |
//! | [`maintenance`] | which migrations a database has, whether it holds together, what is in it |
//! | [`types`] | ids, and an enumeration for every status |
//! | `users`, `servers` | operations, a file for each area: methods of [`AgentTx`] |
//! | `connections`, `queues` | operations of two areas; `queues::rows` reads both from rows, for all areas |
//! | `messages` | operations on messages, their deliveries, and bodies that they share |
//! | `client_services`, `subscriptions` | services of clients, and what is subscribed to |
//! | `notices` | notices that routers attach to queues |
//! | `stats` | statistics of routers |
//! | `ntf_tokens` | the device's token for notifications |
//! | `confirmations`, `invitations`, `short_links` | what is kept while two agents connect |
//! | `ratchets`, `commands` | ratchets and their keys; asynchronous commands |
//! | `snd_files`, `deleted_replicas` | sent files, and their replicas that are to be deleted on routers |
//! | `rcv_files` | files that are received |
//! | `ntf_subscriptions` | subscriptions for notifications, and the work on them |
//! | `random_ids` | ids that nobody has |
//! | `work_items` | handing out work so that a bad row doesn't block it |
//!
//! Numbers in parentheses are items of the specification: F- for operations, AS- for behaviours, Q- for
//! open questions; the ledger, `docs/conformance/agent.md`, says which tests show them.
//!
//! **The tests that show it.** `tests/agent_store/`, each on SQLite and on a real PostgreSQL server.

mod client_services;
mod commands;
mod confirmations;
mod connections;
mod deleted_replicas;
mod error;
#[cfg(feature = "sqlite")]
mod functions;
mod invitations;
pub mod maintenance;
mod messages;
pub mod migrations;
mod notices;
mod ntf_subscriptions;
mod ntf_tokens;
mod queues;
mod random_ids;
mod ratchets;
mod rcv_files;
mod schema;
mod servers;
mod short_links;
mod snd_files;
mod stats;
mod store;
mod subscriptions;
pub mod types;
mod users;
mod work_items;

pub use commands::CommandServer;
pub use error::{AgentError, StoreError, TxError, TxResult};
pub use rcv_files::{NewRcvFile, NewRcvFileRedirect};
pub use schema::{SchemaOptions, migrate};
pub use store::{AgentStore, AgentTx};
pub use subscriptions::SubsFilter;
pub use work_items::{WorkError, get_work_item, get_work_items};
