//! Connections (section 4.4): making, loading, locking, changing and deleting them, and adding queues.

mod adding;
mod changing;
mod creating;
mod loading;
mod many;
mod ratchet_keys;
