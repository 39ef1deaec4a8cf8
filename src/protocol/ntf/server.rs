//! Addresses of routers, and of the queues there that a notifier watches (NE-5 to NE-7).

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ServerHost;
use crate::encoding::{ParseResult, Parser, base64url, number};
use crate::protocol::{NotifierId, Semantics, TextDecode, TextEncode};

/// A router's address (NE-5); ordered by hosts, port and key hash, ports as texts, none first: so
/// 10000 comes before 5223. `Debug` and `Display` show its text.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct SmpServer {
    hosts: Arc<[ServerHost]>,
    port: Option<u16>,
    key_hash: [u8; 32],
}

/// What serde holds of an address.
#[derive(Deserialize)]
struct Parts {
    hosts: Vec<ServerHost>,
    port: Option<u16>,
    key_hash: [u8; 32],
}

/// A queue as a notification server knows it (NE-7); ordered by server, then notifier id.
///
/// Reading one completes the hosts of its server: where the only host is the domain name of one of
/// the provider's routers, its onion host is added, and written from then on (NE-6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NotifierQueue {
    /// The router that has the queue.
    pub server: SmpServer,
    /// The id of the queue's notifier there.
    pub notifier_id: NotifierId,
}

impl SmpServer {
    /// The router at these hosts; `None` without a host, and with one that could not be read from
    /// its text ([`ServerHost::is_readable`]).
    pub fn new(hosts: &[ServerHost], port: Option<u16>, key_hash: [u8; 32]) -> Option<Self> {
        let sound = !hosts.is_empty() && hosts.iter().all(ServerHost::is_readable);
        sound.then(|| Self { hosts: hosts.into(), port, key_hash })
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

    /// The router, with its onion host if its only host is a preset one's domain name (NE-6).
    fn completed(self) -> Self {
        let [only] = &*self.hosts else { return self };
        let Some(onion) = only.preset_onion() else { return self };
        Self { hosts: [only.clone(), onion].into(), ..self }
    }
}

impl TryFrom<Parts> for SmpServer {
    type Error = &'static str;

    fn try_from(Parts { hosts, port, key_hash }: Parts) -> Result<Self, Self::Error> {
        Self::new(&hosts, port, key_hash).ok_or("a router has one host or more, each with a text")
    }
}

impl Ord for SmpServer {
    fn cmp(&self, other: &Self) -> Ordering {
        let hosts = self.hosts.cmp(&other.hosts);
        let ports = || port_rank(self.port).cmp(&port_rank(other.port));
        hosts.then_with(ports).then_with(|| self.key_hash.cmp(&other.key_hash))
    }
}

impl PartialOrd for SmpServer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A number that orders ports like their texts, where none is the empty text.
fn port_rank(port: Option<u16>) -> Option<(u32, u32)> {
    let port = u32::from(port?);
    // Filled up with zeros to five digits, texts of the same length compare as numbers; of those
    // that then are the same, the shorter text comes first.
    let length = port.checked_ilog10().unwrap_or(0) + 1;
    Some((port * 10u32.pow(5 - length), length))
}

impl fmt::Display for SmpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(&self.to_text()))
    }
}

impl fmt::Debug for SmpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TextEncode for SmpServer {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"smp://");
        base64url::write(&self.key_hash, out);
        out.push(b'@');
        let Some((last, others)) = self.hosts.split_last() else { return };
        for host in others {
            host.encode_text(out);
            out.push(b',');
        }
        let Some(port) = self.port else { return last.encode_text(out) };
        // Without brackets, the port would be read as the last part of the address.
        let bracket = matches!(last, ServerHost::V6(_));
        out.extend_from_slice(if bracket { b"[" } else { b"" });
        last.encode_text(out);
        out.extend_from_slice(if bracket { b"]:" } else { b":" });
        number::write_u64(port.into(), out);
    }
}

impl TextDecode for SmpServer {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        parser.literal(b"smp://", "smp://")?;
        let key_hash = base64url::parse_array(parser, "a key hash of 32 bytes")?;
        parser.literal(b"@", "@")?;
        let mut hosts = vec![ServerHost::decode_text(parser, semantics)?];
        while parser.skip(b",") {
            hosts.push(ServerHost::decode_text(parser, semantics)?);
        }
        let port = if parser.skip(b":") { Some(number::parse_u16(parser)?) } else { None };
        Ok(Self { hosts: hosts.into(), port, key_hash })
    }
}

impl TextEncode for NotifierQueue {
    fn encode_text(&self, out: &mut Vec<u8>) {
        self.server.encode_text(out);
        out.push(b'/');
        self.notifier_id.encode_text(out);
    }
}

impl TextDecode for NotifierQueue {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let server = SmpServer::decode_text(parser, semantics)?.completed();
        parser.literal(b"/", "/")?;
        let notifier_id = NotifierId::decode_text(parser, semantics)?;
        Ok(Self { server, notifier_id })
    }
}
