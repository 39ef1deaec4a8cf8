//! Routers (section 3.2): hosts, a port and the fingerprint of a certificate, of a protocol.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::ServerHost;
use crate::db::{Cell, FromCell, Param, ToParam, Unreadable};
use crate::encoding::{ParseResult, Parser, base64url};
use crate::protocol::{Semantics, TextDecode, TextEncode};

/// What a router speaks.
pub trait Protocol: Copy + fmt::Debug + Eq + Ord + std::hash::Hash + Send + Sync + 'static {
    /// How its URIs begin, and what the column `protocol` holds.
    const SCHEME: &'static str;
}

macro_rules! protocol {
    ($(#[$doc:meta])* $name:ident, $scheme:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {}

        impl Protocol for $name {
            const SCHEME: &'static str = $scheme;
        }
    };
}
protocol! {
    /// Messages.
    Smp, "smp"
}
protocol! {
    /// Notifications.
    Ntf, "ntf"
}
protocol! {
    /// Files.
    Xftp, "xftp"
}

/// A router of messages.
pub type SmpServer = Server<Smp>;
/// A router of notifications.
pub type NtfServer = Server<Ntf>;
/// A router of files.
pub type XftpServer = Server<Xftp>;

/// A router: where it is, and which certificate it must show.
///
/// `Display` and `Debug` show its URI.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Server<P> {
    /// The names and addresses under which it is reached.
    pub hosts: ServerHosts,
    /// Its port.
    pub port: Port,
    /// The fingerprint of its certificate.
    pub key_hash: KeyHash,
    protocol: PhantomData<P>,
}

impl<P: Protocol> Server<P> {
    /// The router there.
    pub fn new(hosts: ServerHosts, port: Port, key_hash: KeyHash) -> Self {
        Self { hosts, port, key_hash, protocol: PhantomData }
    }

    /// Reads the router's URI; `None` when it isn't one of this protocol.
    pub fn from_uri(uri: &str) -> Option<Self> {
        let uri = uri.strip_prefix(P::SCHEME)?.strip_prefix("://")?;
        let read = Parser::whole(uri.as_bytes(), |parser| {
            let key_hash = base64url::parse(parser, "a fingerprint")?;
            parser.literal(b"@", "@")?;
            let hosts = ServerHosts::parse(parser)?;
            let port = if parser.skip(b":") { Port::parse(parser)? } else { Port(String::new()) };
            Ok(Self::new(hosts, port, KeyHash(key_hash)))
        });
        read.ok()
    }

    /// Whether the other has the same hosts and port, whatever its certificate.
    pub fn same_address(&self, other: &Self) -> bool {
        self.hosts == other.hosts && self.port == other.port
    }
}

impl<P: Protocol> fmt::Display for Server<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hosts, port, key_hash, .. } = self;
        write!(f, "{}://{}@", P::SCHEME, base64url::to_string(&key_hash.0))?;
        match (hosts.0.split_last(), port.0.is_empty()) {
            // Without brackets, the port would be read as the last part of the address.
            (Some((ServerHost::V6(last), others)), false) => {
                others.iter().try_for_each(|host| write!(f, "{host},"))?;
                write!(f, "[{last}]:{}", port.0)
            }
            (_, false) => write!(f, "{}:{}", hosts.to_text(), port.0),
            (_, true) => f.write_str(&hosts.to_text()),
        }
    }
}

impl<P: Protocol> fmt::Debug for Server<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hosts of one router, at least one. The database keeps them joined by commas.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerHosts(Vec<ServerHost>);

impl ServerHosts {
    /// These hosts; `None` without any, and with one that can't be read from its text.
    pub fn new(hosts: Vec<ServerHost>) -> Option<Self> {
        let sound = !hosts.is_empty() && hosts.iter().all(ServerHost::is_readable);
        sound.then_some(Self(hosts))
    }

    /// Reads what the database keeps.
    pub fn from_text(text: &str) -> Option<Self> {
        Parser::whole(text.as_bytes(), Self::parse).ok()
    }

    fn parse(parser: &mut Parser<'_>) -> ParseResult<Self> {
        let mut hosts = vec![ServerHost::decode_text(parser, Semantics::Strict)?];
        while parser.skip(b",") {
            hosts.push(ServerHost::decode_text(parser, Semantics::Strict)?);
        }
        Ok(Self(hosts))
    }

    /// What the database keeps.
    pub fn to_text(&self) -> String {
        let hosts: Vec<Vec<u8>> = self.0.iter().map(ServerHost::to_text).collect();
        String::from_utf8_lossy(&hosts.join(&b","[..])).into_owned()
    }

    /// The hosts, at least one.
    pub fn as_slice(&self) -> &[ServerHost] {
        &self.0
    }
}

impl fmt::Debug for ServerHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl ToParam for ServerHosts {
    fn to_param(&self) -> Param<'_> {
        Param::Text(Cow::Owned(self.to_text()))
    }
}

impl FromCell<'_> for ServerHosts {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let read = Self::from_text(<&str>::from_cell(cell)?);
        read.ok_or_else(|| Unreadable::expected("hosts of a router, with commas between them"))
    }
}

/// A router's port, as a text; empty for the protocol's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub String);

impl Port {
    /// Digits, at least one: how a port stands in a URI.
    fn parse(parser: &mut Parser<'_>) -> ParseResult<Self> {
        match parser.take_while(|byte| byte.is_ascii_digit()) {
            b"" => Err(parser.error("a port")),
            digits => Ok(Self(String::from_utf8_lossy(digits).into_owned())),
        }
    }
}

impl ToParam for Port {
    fn to_param(&self) -> Param<'_> {
        self.0.to_param()
    }
}

impl FromCell<'_> for Port {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        String::from_cell(cell).map(Self)
    }
}

/// The fingerprint of a router's certificate. The database keeps its base64url text, as bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(pub Vec<u8>);

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::to_string(&self.0))
    }
}

impl ToParam for KeyHash {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(Cow::Owned(base64url::to_string(&self.0).into_bytes()))
    }
}

impl FromCell<'_> for KeyHash {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let text = <&[u8]>::from_cell(cell)?;
        let read = Parser::whole(text, |parser| base64url::parse(parser, "a fingerprint"));
        read.map(Self).map_err(|_| Unreadable::expected("a fingerprint in base64url"))
    }
}
