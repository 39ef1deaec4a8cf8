//! Queues, notifiers and services.

use serde::{Deserialize, Serialize};
use simplex_stores::protocol::{LinkData, NtfCreds, QueueRec, RecipientId, ServiceRec};

use super::{base64, text};

/// A queue and its record; no record: deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueueForm {
    pub(crate) rid: String,
    pub(crate) rec: Option<RecForm>,
}

/// A queue record. `text` is what its `CREATE` line says after the recipient id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecForm {
    rk: Vec<String>,
    rdh: String,
    sid: String,
    sk: Option<String>,
    queue_mode: Option<String>,
    pub(crate) link_id: Option<String>,
    queue_data: Option<(String, String)>,
    notifier: Option<NtfForm>,
    updated_at: Option<i64>,
    status: String,
    rsrv: Option<String>,
    pub(crate) text: String,
}

/// A queue's notifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NtfForm {
    nid: String,
    nkey: String,
    ndh: String,
    nsrv: Option<String>,
    pub(crate) text: String,
}

/// A service. `text` is its `NEW_SERVICE` line without the tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SvcForm {
    service_id: String,
    role: String,
    cert: String,
    cert_hash: String,
    created_at: i64,
    pub(crate) text: String,
}

impl QueueForm {
    pub(crate) fn new(id: &RecipientId, record: Option<&QueueRec>) -> Self {
        Self { rid: id.to_string(), rec: record.map(RecForm::from) }
    }
}

impl From<&QueueRec> for RecForm {
    fn from(record: &QueueRec) -> Self {
        let link = record.link.as_deref();
        let data = link.map(|link| &link.data);
        let parts = |data: &LinkData| (base64(data.fixed.as_bytes()), base64(data.user.as_bytes()));
        Self {
            rk: record.recipient_keys.iter().map(text).collect(),
            rdh: text(&record.rcv_dh_secret),
            sid: record.sender_id.to_string(),
            sk: record.sender_key.as_ref().map(text),
            queue_mode: record.queue_mode.as_ref().map(text),
            link_id: link.map(|link| link.id.to_string()),
            queue_data: data.map(parts),
            notifier: record.notifier.as_deref().map(NtfForm::from),
            updated_at: record.updated_at.map(|date| date.seconds()),
            status: text(&record.status),
            rsrv: record.rcv_service_id.as_ref().map(ToString::to_string),
            text: text(record),
        }
    }
}

impl From<&NtfCreds> for NtfForm {
    fn from(creds: &NtfCreds) -> Self {
        Self {
            nid: creds.notifier_id.to_string(),
            nkey: text(&creds.key),
            ndh: text(&creds.dh_secret),
            nsrv: creds.service_id.as_ref().map(ToString::to_string),
            text: text(creds),
        }
    }
}

impl From<&ServiceRec> for SvcForm {
    fn from(service: &ServiceRec) -> Self {
        Self {
            service_id: service.service_id.to_string(),
            role: text(&service.role),
            cert: text(&service.cert_chain),
            cert_hash: service.cert_hash.to_string(),
            created_at: service.created_at.seconds(),
            text: text(service),
        }
    }
}
