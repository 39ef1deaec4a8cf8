//! Keys of one certain algorithm, as the agent's columns have them (section 1.7): DER for public ones,
//! PKCS#8 for private ones. Keys that may be of several algorithms are
//! [`AuthKey`](crate::protocol::AuthKey) and [`AuthPrivateKey`](crate::protocol::ntf::AuthPrivateKey).

use std::borrow::Cow;
use std::fmt;

use crate::db::{Cell, FromCell, Param, ToParam, Unreadable};
use crate::encoding::base64url;
use crate::encoding::der::{self, KeyAlgorithm};
use crate::protocol::Blob;
use crate::protocol::ntf::X25519KeyPair;

/// A key of this many bytes.
macro_rules! key {
    (
        $(#[$doc:meta])*
        $name:ident, $algorithm:ident, $length:literal, $parse:ident, $prefix:ident, $what:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name([u8; $length]);

        impl $name {
            /// The key with these bytes.
            pub fn new(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// Its bytes, without the DER around them.
            pub fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }

            /// The key with this DER form; `None` for any other algorithm and any other form.
            pub fn from_der(der: &[u8]) -> Option<Self> {
                key_bytes(KeyAlgorithm::$algorithm, der::$parse(der)?).map(Self)
            }

            /// Its DER form.
            pub fn to_der(&self) -> Vec<u8> {
                [&KeyAlgorithm::$algorithm.$prefix()[..], &self.0].concat()
            }
        }

        impl ToParam for $name {
            fn to_param(&self) -> Param<'_> {
                Param::Blob(Cow::Owned(self.to_der()))
            }
        }

        impl FromCell<'_> for $name {
            fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
                let key = Self::from_der(<&[u8]>::from_cell(cell)?);
                key.ok_or_else(|| Unreadable::expected($what))
            }
        }
    };
}
key! {
    /// The public half of a key agreement over Curve25519.
    X25519PublicKey, X25519, 32, parse_public, public_prefix, "a public X25519 key"
}
key! {
    /// A key that checks signatures over Curve25519.
    Ed25519PublicKey, Ed25519, 32, parse_public, public_prefix, "a public Ed25519 key"
}
key! {
    /// A key that signs over Curve25519.
    Ed25519PrivateKey, Ed25519, 32, parse_private, private_prefix, "a private Ed25519 key"
}

key! {
    /// The public half of a key agreement over Curve448, as ratchets begin with.
    X448PublicKey, X448, 56, parse_public, public_prefix, "a public X448 key"
}
key! {
    /// Its private half.
    X448PrivateKey, X448, 56, parse_private, private_prefix, "a private X448 key"
}

/// Public, so shown in full.
macro_rules! shown {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&base64url::to_string(&self.to_der()))
            }
        }
    )*};
}
shown!(X25519PublicKey, Ed25519PublicKey, X448PublicKey);

macro_rules! hidden {
    ($($name:ident, $shown:literal);*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($shown)
            }
        }
    )*};
}
hidden!(
    Ed25519PrivateKey, "<private Ed25519 key>";
    X448PrivateKey, "<private X448 key>"
);

fn key_bytes<const N: usize>(
    algorithm: KeyAlgorithm,
    (found, key): (KeyAlgorithm, &[u8]),
) -> Option<[u8; N]> {
    key.try_into().ok().filter(|_| algorithm == found)
}

/// The private half in its PKCS#8 form; the public one is computed.
impl ToParam for X25519KeyPair {
    fn to_param(&self) -> Param<'_> {
        let prefix = &KeyAlgorithm::X25519.private_prefix()[..];
        Param::Blob(Cow::Owned([prefix, self.private()].concat()))
    }
}

impl FromCell<'_> for X25519KeyPair {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let parsed = der::parse_private(<&[u8]>::from_cell(cell)?);
        let key = parsed.and_then(|parsed| key_bytes(KeyAlgorithm::X25519, parsed));
        key.map(Self::from_private).ok_or_else(|| Unreadable::expected("a private X25519 key"))
    }
}

/// What a short link's data is encrypted with, and what only those who have the link know. Any bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey(pub Vec<u8>);

impl ToParam for LinkKey {
    fn to_param(&self) -> Param<'_> {
        self.0.to_param()
    }
}

impl FromCell<'_> for LinkKey {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        Vec::from_cell(cell).map(Self)
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<link key>")
    }
}

impl ToParam for Blob {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(Cow::Borrowed(self.as_bytes()))
    }
}

impl FromCell<'_> for Blob {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        <&[u8]>::from_cell(cell).map(Self::from)
    }
}
