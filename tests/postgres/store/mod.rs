//! The queue store on a real server.

mod changes;
mod contract;
mod cuts;
mod damaged;
mod full_disk;
mod items;
mod journal;
mod locked;
mod processes;
mod proxy;
mod restarts;
mod secrecy;
mod sharing;
mod support;
