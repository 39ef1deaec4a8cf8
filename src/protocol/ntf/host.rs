//! Hosts of routers, and the onion hosts of the provider's own (NE-5, NE-6).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::encoding::{ParseResult, Parser};
use crate::protocol::{Semantics, TextDecode, TextEncode};

/// A router's host (NE-5); ordered by kind, then value. `Debug` shows its text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServerHost {
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
    /// An onion name, which ends in `.onion`.
    Onion(Arc<str>),
    /// A domain name: any other text without `:#,;/`, spaces, tabs and line ends.
    Domain(Arc<[u8]>),
}

impl ServerHost {
    /// Whether the host is what is read from its text. It is not when a variant holds what another
    /// one stands for (a domain `1.2.3.4`), or what no host has (nothing, or a comma).
    pub fn is_readable(&self) -> bool {
        Self::from_text(&self.to_text(), Semantics::Strict).as_ref() == Ok(self)
    }

    /// The onion host of a preset router, of which this is the domain name (NE-6).
    pub(super) fn preset_onion(&self) -> Option<Self> {
        let Self::Domain(name) = self else { return None };
        let (_, onion) = PRESETS.iter().find(|(domain, _)| domain.as_bytes() == &**name)?;
        Some(Self::Onion((*onion).into()))
    }

    /// The host that a name stands for.
    fn of_name(name: &[u8]) -> Self {
        match std::str::from_utf8(name) {
            Ok(text) if text.ends_with(".onion") => Self::Onion(text.into()),
            Ok(text) => text.parse().map_or_else(|_| Self::Domain(name.into()), Self::V4),
            Err(_) => Self::Domain(name.into()),
        }
    }
}

/// The provider's routers: domain names, and the onion hosts that belong to them (NE-6).
const PRESETS: [(&str, &str); 6] = [
    ("smp4.simplex.im", "o5vmywmrnaxalvz6wi3zicyftgio6psuvyniis6gco6bp6ekl4cqj4id.onion"),
    ("smp5.simplex.im", "jjbyvoemxysm7qxap7m5d5m35jzv5qq6gnlv7s4rsn7tdwwmuqciwpid.onion"),
    ("smp6.simplex.im", "bylepyau3ty4czmn77q4fglvperknl4bi2eb2fdy2bh4jxtf32kf73yd.onion"),
    ("smp8.simplex.im", "beccx4yfxxbvyhqypaavemqurytl6hozr47wfc7uuecacjqdvwpw2xid.onion"),
    ("smp9.simplex.im", "jssqzccmrcws6bhmn77vgmhfjmhwlyr3u7puw4erkyoosywgl67slqqd.onion"),
    ("smp10.simplex.im", "rb2pbttocvnbrngnwziclp2f4ckjq65kebafws6g4hy22cdaiv5dwjqd.onion"),
];

impl fmt::Display for ServerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => address.fmt(f),
            Self::Onion(name) => f.pad(name),
            Self::Domain(name) => f.pad(&String::from_utf8_lossy(name)),
        }
    }
}

impl fmt::Debug for ServerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An IPv6 address is written without brackets, in the form of RFC 5952.
impl TextEncode for ServerHost {
    fn encode_text(&self, out: &mut Vec<u8>) {
        match self {
            Self::V4(address) => out.extend_from_slice(address.to_string().as_bytes()),
            Self::V6(address) => out.extend_from_slice(address.to_string().as_bytes()),
            Self::Onion(name) => out.extend_from_slice(name.as_bytes()),
            Self::Domain(name) => out.extend_from_slice(name),
        }
    }
}

impl TextDecode for ServerHost {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        if let Some(address) = parse_v6(parser) {
            return Ok(Self::V6(address));
        }
        match parser.take_while(is_name_byte) {
            b"" => Err(parser.error("a host")),
            name => Ok(Self::of_name(name)),
        }
    }
}

/// Reads an IPv6 address, in brackets or not, if one comes next; without brackets, everything that
/// can belong to it does.
fn parse_v6(parser: &mut Parser<'_>) -> Option<Ipv6Addr> {
    let mut ahead = parser.clone();
    let bracket = ahead.skip(b"[");
    let text = ahead.take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
    let address = std::str::from_utf8(text).ok()?.parse().ok()?;
    if bracket && !ahead.skip(b"]") {
        return None;
    }
    *parser = ahead;
    Some(address)
}

fn is_name_byte(byte: u8) -> bool {
    !matches!(byte, b':' | b'#' | b',' | b';' | b'/' | b' ' | b'\t' | b'\n' | b'\r')
}
