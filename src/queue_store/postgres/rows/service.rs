//! Rows of the table `services`.

use std::borrow::Cow;

use super::{Bytes, some};
use crate::db::DbError;
use crate::db::postgres::types::ToSql;
use crate::db::postgres::{Columns, Row};
use crate::protocol::{
    CertChain, CertFingerprint, RoundedDate, Semantics, ServiceId, ServiceRec, ServiceRole,
    TextDecode, TextEncode,
};

const TABLE: &str = "services";

/// The columns that a record fills. The two aggregates are kept by triggers.
pub const SERVICE_COLUMNS: [&str; 5] =
    ["service_id", "service_role", "service_cert", "service_cert_hash", "created_at"];

/// The values of a row of `services`, in the order of [`SERVICE_COLUMNS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRow<'a> {
    service_id: Bytes<'a>,
    service_role: Cow<'a, str>,
    service_cert: Bytes<'a>,
    service_cert_hash: Bytes<'a>,
    created_at: i64,
}

impl<'a> ServiceRow<'a> {
    /// The row of a service.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Row`](crate::db::DbErrorKind::Row) for certificates that the column can't hold:
    /// none, more than 255, or one of more than 65,535 bytes (SE-58, RACE-52).
    pub fn of(service: &'a ServiceRec) -> Result<Self, DbError> {
        let mut certificates = Vec::new();
        let encoded = service.cert_chain.encode_binary(&mut certificates);
        encoded.map_err(|problem| DbError::row(TABLE, "service_cert", problem))?;
        Ok(Self {
            service_id: service.service_id.as_bytes().into(),
            service_role: String::from_utf8_lossy(&service.role.to_text()).into_owned().into(),
            service_cert: certificates.into(),
            service_cert_hash: service.cert_hash.as_bytes()[..].into(),
            created_at: service.created_at.seconds(),
        })
    }

    /// The values to be bound to a statement's parameters.
    pub fn values(&self) -> [&(dyn ToSql + Sync); SERVICE_COLUMNS.len()] {
        [
            &self.service_id,
            &self.service_role,
            &self.service_cert,
            &self.service_cert_hash,
            &self.created_at,
        ]
    }

    /// The row of a query whose columns are [`SERVICE_COLUMNS`].
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Row`](crate::db::DbErrorKind::Row) for other columns, or values of other types.
    pub fn read(row: &'a Row) -> Result<Self, DbError> {
        let mut columns = Columns::of(TABLE, row);
        Ok(Self {
            service_id: columns.next::<&[u8]>("service_id")?.into(),
            service_role: columns.next::<&str>("service_role")?.into(),
            service_cert: columns.next::<&[u8]>("service_cert")?.into(),
            service_cert_hash: columns.next::<&[u8]>("service_cert_hash")?.into(),
            created_at: columns.next("created_at")?,
        })
    }

    /// The service that the row stands for.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Row`](crate::db::DbErrorKind::Row) with the column whose value isn't one.
    pub fn decode(&self) -> Result<ServiceRec, DbError> {
        let id = ServiceId::from_bytes(&self.service_id);
        let hash = CertFingerprint::from_bytes(&self.service_cert_hash);
        // Roles are read alike under both semantics.
        let role = ServiceRole::from_text(self.service_role.as_bytes(), Semantics::Strict);
        Ok(ServiceRec {
            service_id: some(TABLE, "service_id", id, "an id: it is empty")?,
            role: role.map_err(|problem| DbError::row(TABLE, "service_role", problem))?,
            cert_chain: CertChain::decode_binary(&self.service_cert)
                .map_err(|problem| DbError::row(TABLE, "service_cert", problem))?,
            cert_hash: some(TABLE, "service_cert_hash", hash, "a fingerprint of 32 bytes")?,
            created_at: RoundedDate::from_seconds(self.created_at),
        })
    }
}
