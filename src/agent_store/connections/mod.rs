//! Connections (section 4.4): making, loading, locking, changing and deleting them, and adding queues.

mod changing;
mod loading;
mod many;
mod ratchet_keys;
