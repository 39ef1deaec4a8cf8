//! No secret in any message (RACE-17): recognisable secrets are planted in queues, records, links and
//! logs, everything that makes a message is made to, and what it says is searched for them.
//!
//! Secrets are what two parties agreed on (`rdh`, a notifier's shared secret) and link data; they show
//! nowhere. Keys are public ones and certificates are public: `Debug` shows a key of a value that the
//! caller has in hand, but no report, error or line of the program's log holds one. `dump`, `trace`
//! without `--check` and snapshots give data out on purpose.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod commands;
mod debug;
mod messages;
mod notifications;
mod pending;
mod plants;
