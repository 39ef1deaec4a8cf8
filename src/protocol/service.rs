//! Services: clients with a certificate that act for many queues (SE-43 to SE-48).

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Blob, RoundedDate, Semantics, ServiceId, TextDecode, TextEncode};
use crate::encoding::binary::{self, LengthPrefix, ReadError, WriteError};
use crate::encoding::{ParseResult, Parser, base64url, certificate, list};

/// What a service does (SE-43).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ServiceRole {
    /// `M`: receives messages.
    Messaging,
    /// `N`: is notified of messages.
    Notifier,
    /// `P`: forwards for others.
    Proxy,
}

/// Which side of a queue a service acts for (SE-47).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ServiceParty {
    /// `R`: the receiving service.
    Receiver,
    /// `N`: the notifying service.
    Notifier,
}

/// A service's certificates, leaf first, exactly as they came; possibly none (SE-44).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CertChain(Arc<[Blob]>);

/// SHA-256 of the whole DER of a service's identity certificate (SE-45, SE-51).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CertFingerprint([u8; 32]);

/// A service as it was registered (SE-46).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRec {
    /// The id that the router gave it.
    pub service_id: ServiceId,
    /// What it does.
    pub role: ServiceRole,
    /// Its certificates.
    pub cert_chain: CertChain,
    /// The fingerprint that it is known by; never compared with the chain (SE-45).
    pub cert_hash: CertFingerprint,
    /// The day of its registration.
    pub created_at: RoundedDate,
}

impl CertChain {
    /// The chain of these certificates, leaf first; `None` when one of them isn't a certificate
    /// by structure (SE-44).
    pub fn new(certificates: Vec<Blob>) -> Option<Self> {
        let sound = certificates.iter().all(|one| certificate::is_certificate(one.as_bytes()));
        sound.then(|| Self(certificates.into()))
    }

    /// The certificates in DER, leaf first.
    pub fn certificates(&self) -> &[Blob] {
        &self.0
    }

    /// Appends the form of the database column (SE-58); fails, with nothing appended, for no
    /// certificates, more than 255, or one longer than 65,535 bytes.
    pub fn encode_binary(&self, out: &mut Vec<u8>) -> Result<(), WriteError> {
        binary::write_list(self.0.iter().map(Blob::as_bytes), LengthPrefix::Two, out)
    }

    /// Reads the form of the database column from the whole of `column` (SE-58).
    pub fn decode_binary(column: &[u8]) -> Result<Self, ReadError> {
        let mut certificates = Vec::new();
        binary::read_list(column, LengthPrefix::Two, |der| {
            certificates.push(Blob::from(der));
            certificate::is_certificate(der)
        })?;
        Ok(Self(certificates.into()))
    }
}

impl<'de> Deserialize<'de> for CertChain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let certificates = Vec::<Blob>::deserialize(deserializer)?;
        Self::new(certificates).ok_or_else(|| D::Error::custom("not a certificate"))
    }
}

impl CertFingerprint {
    /// The fingerprint with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The fingerprint with these bytes; `None` unless there are 32 (SE-54).
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The fingerprint of a certificate, given in DER (SE-45).
    pub fn of_certificate(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// The fingerprint's bytes, which are also its database form (SE-54).
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for CertFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&base64url::to_string(&self.0))
    }
}

impl fmt::Debug for CertFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TextEncode for ServiceRole {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Messaging => b'M',
            Self::Notifier => b'N',
            Self::Proxy => b'P',
        });
    }
}

impl TextDecode for ServiceRole {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        let start = parser.clone();
        match parser.byte("a service role")? {
            b'M' => Ok(Self::Messaging),
            b'N' => Ok(Self::Notifier),
            b'P' => Ok(Self::Proxy),
            _ => Err(start.error("a service role")),
        }
    }
}

impl TextEncode for ServiceParty {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Receiver => b'R',
            Self::Notifier => b'N',
        });
    }
}

impl TextDecode for ServiceParty {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        if parser.skip(b"R") {
            return Ok(Self::Receiver);
        }
        parser.literal(b"N", "a service party")?;
        Ok(Self::Notifier)
    }
}

impl TextEncode for CertChain {
    fn encode_text(&self, out: &mut Vec<u8>) {
        list::write(self.0.iter(), out, |one, out| base64url::write(one.as_bytes(), out));
    }
}

impl TextDecode for CertChain {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        let sound = |one: &Blob| certificate::is_certificate(one.as_bytes());
        let certificates = list::parse_maybe_empty(parser, |parser| {
            base64url::parse_with(parser, "a certificate", |encoded| {
                Blob::decode(encoded).filter(sound)
            })
        })?;
        Ok(Self(certificates.into()))
    }
}

impl TextEncode for CertFingerprint {
    fn encode_text(&self, out: &mut Vec<u8>) {
        base64url::write(&self.0, out);
    }
}

impl TextDecode for CertFingerprint {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        base64url::parse_array(parser, "a fingerprint of 32 bytes").map(Self)
    }
}

impl TextEncode for ServiceRec {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"service_id=");
        self.service_id.encode_text(out);
        out.extend_from_slice(b" role=");
        self.role.encode_text(out);
        out.extend_from_slice(b" cert=");
        self.cert_chain.encode_text(out);
        out.extend_from_slice(b" cert_hash=");
        self.cert_hash.encode_text(out);
        out.extend_from_slice(b" created_at=");
        self.created_at.encode_text(out);
    }
}

impl TextDecode for ServiceRec {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        parser.literal(b"service_id=", "service_id=")?;
        let service_id = ServiceId::decode_text(parser, semantics)?;
        parser.literal(b" role=", " role=")?;
        let role = ServiceRole::decode_text(parser, semantics)?;
        parser.literal(b" cert=", " cert=")?;
        let cert_chain = CertChain::decode_text(parser, semantics)?;
        parser.literal(b" cert_hash=", " cert_hash=")?;
        let cert_hash = CertFingerprint::decode_text(parser, semantics)?;
        parser.literal(b" created_at=", " created_at=")?;
        let created_at = RoundedDate::decode_text(parser, semantics)?;
        Ok(Self { service_id, role, cert_chain, cert_hash, created_at })
    }
}
