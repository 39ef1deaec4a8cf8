//! The agent store, each test on SQLite and on a real PostgreSQL server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod catalogue;
mod command_text;
mod commands;
mod confirmations;
mod connection_changes;
mod connection_fixture;
mod connections;
mod connections_loading;
mod fixture;
mod handshake_types;
mod invitations;
mod messages;
mod migrations;
mod ntf_subscriptions;
mod ntf_tokens;
mod queue_types;
mod queues;
mod random_ids;
mod ratchet_keys;
mod ratchets;
mod rcv_files;
mod schema;
mod servers;
mod short_links;
mod side_by_side;
mod snd_files;
mod spec_columns;
mod spec_keys;
mod stats;
mod transactions;
mod triggers;
mod types;
mod users;
mod work_items;
