//! Connections (section 4.4): making, loading and locking them, and adding queues.

mod loading;
mod many;
