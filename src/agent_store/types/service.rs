//! Services of clients (section 3.14): certificates with which many queues are subscribed to at once.

use std::fmt;

use super::{KeyHash, ServiceId};
use crate::db::{Cell, FromCell, Param, ToParam, Unreadable};
use crate::encoding::certificate;
use crate::protocol::CertChain;

/// What a client shows a router to be a service there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCredentials {
    /// The fingerprint of its certificate.
    pub cert_hash: KeyHash,
    /// Its certificates.
    pub cert_chain: CertChain,
    /// The key of the first of them.
    pub private_key: ServicePrivateKey,
}

/// A client's service, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientService {
    /// What it shows.
    pub credentials: ServiceCredentials,
    /// The id that the router gave it, once that is known.
    pub service_id: Option<ServiceId>,
}

/// The private key of a certificate, of any algorithm: its PKCS#8 form. It doesn't show in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServicePrivateKey(Vec<u8>);

impl ServicePrivateKey {
    /// The key with this PKCS#8 form in DER; `None` when it isn't one by structure.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        certificate::is_private_key(der).then(|| Self(der.to_vec()))
    }

    /// Its PKCS#8 form in DER.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ServicePrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<private key>")
    }
}

impl ToParam for ServicePrivateKey {
    fn to_param(&self) -> Param<'_> {
        self.0.to_param()
    }
}

impl FromCell<'_> for ServicePrivateKey {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let key = Self::from_der(<&[u8]>::from_cell(cell)?);
        key.ok_or_else(|| Unreadable::expected("a private key in PKCS#8"))
    }
}
