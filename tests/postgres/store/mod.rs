//! The queue store on a real server.

mod contract;
mod support;
