//! DER forms of keys (SE-21 to SE-31).
//!
//! A key of one of the four algorithms has exactly one canonical DER form: a fixed prefix, then
//! the key's bytes. Comparing the prefix is therefore the whole check: algorithm, length,
//! absent parameters, zero unused bits and minimal lengths at once, and nothing can throw
//! (RACE-18). The point itself is not checked: key bytes that no curve has are kept and written
//! again as they came (SE-30).

/// The algorithm of a key, named by the object identifier in its DER form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// Key agreement over Curve25519, 32 bytes (SE-21, SE-25).
    X25519,
    /// Key agreement over Curve448, 56 bytes (SE-22, SE-26).
    X448,
    /// Signatures over Curve25519, 32 bytes (SE-23, SE-27).
    Ed25519,
    /// Signatures over Curve448, 57 bytes (SE-24, SE-28).
    Ed448,
}

impl KeyAlgorithm {
    /// Every algorithm that has a DER form here.
    pub const ALL: [Self; 4] = [Self::Ed25519, Self::X25519, Self::Ed448, Self::X448];

    /// The bytes before the key in a `SubjectPublicKeyInfo` without parameters.
    pub const fn public_prefix(self) -> &'static [u8; 12] {
        match self {
            Self::X25519 => b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00",
            Self::X448 => b"\x30\x42\x30\x05\x06\x03\x2b\x65\x6f\x03\x39\x00",
            Self::Ed25519 => b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
            Self::Ed448 => b"\x30\x43\x30\x05\x06\x03\x2b\x65\x71\x03\x3a\x00",
        }
    }

    /// The bytes before the key in a PKCS#8 private key of version 0 without a public part.
    pub const fn private_prefix(self) -> &'static [u8; 16] {
        match self {
            Self::X25519 => b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20",
            Self::X448 => b"\x30\x46\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6f\x04\x3a\x04\x38",
            Self::Ed25519 => b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20",
            Self::Ed448 => b"\x30\x47\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x71\x04\x3b\x04\x39",
        }
    }

    /// How many bytes a key has, public or private.
    pub const fn key_length(self) -> usize {
        match self {
            Self::X25519 | Self::Ed25519 => 32,
            Self::X448 => 56,
            Self::Ed448 => 57,
        }
    }
}

/// The longest canonical DER form of a public key, in bytes (SE-24).
pub const MAX_PUBLIC_DER: usize = 69;

/// The longest canonical DER form of a private key, in bytes (SE-28).
pub const MAX_PRIVATE_DER: usize = 73;

/// Splits the canonical DER of a public key into its algorithm and its bytes; `None` for
/// anything else (SE-21 to SE-24, SE-31).
pub fn parse_public(der: &[u8]) -> Option<(KeyAlgorithm, &[u8])> {
    KeyAlgorithm::ALL.into_iter().find_map(|algorithm| {
        let key = der.strip_prefix(algorithm.public_prefix())?;
        (key.len() == algorithm.key_length()).then_some((algorithm, key))
    })
}

/// Splits the canonical DER of a private key into its algorithm and its bytes; `None` for
/// anything else (SE-25 to SE-28, SE-31).
pub fn parse_private(der: &[u8]) -> Option<(KeyAlgorithm, &[u8])> {
    KeyAlgorithm::ALL.into_iter().find_map(|algorithm| {
        let key = der.strip_prefix(algorithm.private_prefix())?;
        (key.len() == algorithm.key_length()).then_some((algorithm, key))
    })
}
