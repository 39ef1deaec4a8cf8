//! Addresses of routers, and of the queues there that a notifier watches (NE-5 to NE-7).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::protocol::NotifierId;

/// A router's host (NE-5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServerHost {
    /// An IPv4 address.
    V4(std::net::Ipv4Addr),
    /// An IPv6 address.
    V6(std::net::Ipv6Addr),
    /// An onion name.
    Onion(Arc<str>),
    /// A domain name.
    Domain(Arc<[u8]>),
}

/// A router's address (NE-5); ordered by hosts, port and key hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SmpServer {
    hosts: Arc<[ServerHost]>,
    port: Option<u16>,
    key_hash: [u8; 32],
}

/// A queue as a notification server knows it (NE-7); ordered by server, then notifier id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NotifierQueue {
    /// The router that has the queue.
    pub server: SmpServer,
    /// The id of the queue's notifier there.
    pub notifier_id: NotifierId,
}

impl SmpServer {
    /// The router at these hosts; `None` without a host.
    pub fn new(hosts: &[ServerHost], port: Option<u16>, key_hash: [u8; 32]) -> Option<Self> {
        (!hosts.is_empty()).then(|| Self { hosts: hosts.into(), port, key_hash })
    }

    /// Its hosts, at least one.
    pub fn hosts(&self) -> &[ServerHost] {
        &self.hosts
    }

    /// Its port; `None` means the protocol's own.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The fingerprint of the certificate that it must show.
    pub fn key_hash(&self) -> &[u8; 32] {
        &self.key_hash
    }
}
