//! Rows of the table `msg_queues`.

use std::borrow::Cow;
use std::fmt;

use super::{Bytes, some, status};
use crate::db::DbError;
use crate::db::postgres::types::ToSql;
use crate::db::postgres::{Columns, Row};
use crate::protocol::{
    AuthKey, Blob, DhSecret, EntityId, LinkData, LinkId, NotifierId, NtfCreds, QueueLink,
    QueueMode, QueueRec, RecipientId, RecipientKeys, RoundedDate, Semantics, SenderId, ServiceId,
    TextDecode, TextEncode,
};

const TABLE: &str = "msg_queues";

/// The columns that a record fills, in the order of the reference's bulk insert. The time of deletion
/// is the store's, and three further columns are a message store's.
pub const QUEUE_COLUMNS: [&str; 16] = [
    "recipient_id",
    "recipient_keys",
    "rcv_dh_secret",
    "sender_id",
    "sender_key",
    "queue_mode",
    "notifier_id",
    "notifier_key",
    "rcv_ntf_dh_secret",
    "ntf_service_id",
    "status",
    "updated_at",
    "link_id",
    "rcv_service_id",
    "fixed_data",
    "user_data",
];

/// The values of a row of `msg_queues`, in the order of [`QUEUE_COLUMNS`].
///
/// `Debug` shows the recipient's id only.
#[derive(Clone, PartialEq, Eq)]
pub struct QueueRow<'a> {
    recipient_id: Bytes<'a>,
    recipient_keys: Bytes<'a>,
    rcv_dh_secret: Bytes<'a>,
    sender_id: Bytes<'a>,
    sender_key: Option<Bytes<'a>>,
    queue_mode: Option<Cow<'a, str>>,
    notifier_id: Option<Bytes<'a>>,
    notifier_key: Option<Bytes<'a>>,
    rcv_ntf_dh_secret: Option<Bytes<'a>>,
    ntf_service_id: Option<Bytes<'a>>,
    status: Cow<'a, str>,
    updated_at: Option<i64>,
    link_id: Option<Bytes<'a>>,
    rcv_service_id: Option<Bytes<'a>>,
    fixed_data: Option<Bytes<'a>>,
    user_data: Option<Bytes<'a>>,
}

impl<'a> QueueRow<'a> {
    /// The row of a queue.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Row`](crate::db::DbErrorKind::Row) for recipient keys that the column can't hold:
    /// more than 255 (SE-56).
    pub fn of(id: &'a RecipientId, record: &'a QueueRec) -> Result<Self, DbError> {
        let recipient_keys = keys(&record.recipient_keys)?;
        let link = record.link.as_deref();
        let notifier = record.notifier.as_deref();
        let ntf_service_id = notifier.and_then(|notifier| notifier.service_id.as_ref());
        Ok(Self {
            recipient_id: id.as_bytes().into(),
            recipient_keys: recipient_keys.into(),
            rcv_dh_secret: record.rcv_dh_secret.as_bytes()[..].into(),
            sender_id: record.sender_id.as_bytes().into(),
            sender_key: record.sender_key.as_ref().map(|key| key.to_der().into()),
            queue_mode: record.queue_mode.map(|mode| text(&mode).into()),
            notifier_id: notifier.map(|notifier| notifier.notifier_id.as_bytes().into()),
            notifier_key: notifier.map(|notifier| notifier.key.to_der().into()),
            rcv_ntf_dh_secret: notifier.map(|one| one.dh_secret.as_bytes()[..].into()),
            ntf_service_id: ntf_service_id.map(|id| id.as_bytes().into()),
            status: text(&record.status).into(),
            updated_at: record.updated_at.map(RoundedDate::seconds),
            link_id: link.map(|link| link.id.as_bytes().into()),
            rcv_service_id: record.rcv_service_id.as_ref().map(|id| id.as_bytes().into()),
            fixed_data: link.map(|link| link.data.fixed.as_bytes().into()),
            user_data: link.map(|link| link.data.user.as_bytes().into()),
        })
    }

    /// The values to be bound to a statement's parameters.
    pub fn values(&self) -> [&(dyn ToSql + Sync); QUEUE_COLUMNS.len()] {
        [
            &self.recipient_id,
            &self.recipient_keys,
            &self.rcv_dh_secret,
            &self.sender_id,
            &self.sender_key,
            &self.queue_mode,
            &self.notifier_id,
            &self.notifier_key,
            &self.rcv_ntf_dh_secret,
            &self.ntf_service_id,
            &self.status,
            &self.updated_at,
            &self.link_id,
            &self.rcv_service_id,
            &self.fixed_data,
            &self.user_data,
        ]
    }

    /// The bytes of each column as a server sends them in binary form, in the order of
    /// [`QUEUE_COLUMNS`].
    pub(crate) fn columns_bytes(&self) -> [Option<Bytes<'_>>; QUEUE_COLUMNS.len()] {
        fn given<'b>(bytes: &'b Bytes<'_>) -> Option<Bytes<'b>> {
            Some(Cow::Borrowed(bytes))
        }
        fn perhaps<'b>(bytes: &'b Option<Bytes<'_>>) -> Option<Bytes<'b>> {
            bytes.as_deref().map(Cow::Borrowed)
        }
        [
            given(&self.recipient_id),
            given(&self.recipient_keys),
            given(&self.rcv_dh_secret),
            given(&self.sender_id),
            perhaps(&self.sender_key),
            self.queue_mode.as_deref().map(|mode| mode.as_bytes().into()),
            perhaps(&self.notifier_id),
            perhaps(&self.notifier_key),
            perhaps(&self.rcv_ntf_dh_secret),
            perhaps(&self.ntf_service_id),
            Some(self.status.as_bytes().into()),
            self.updated_at.map(|date| date.to_be_bytes().to_vec().into()),
            perhaps(&self.link_id),
            perhaps(&self.rcv_service_id),
            perhaps(&self.fixed_data),
            perhaps(&self.user_data),
        ]
    }

    /// The queue's id, which is empty in a row that can't be read for that.
    pub(crate) fn recipient_id(&self) -> &[u8] {
        &self.recipient_id
    }

    /// The notifier's id, where there is one, also in a row that can't be read.
    pub(crate) fn notifier_id(&self) -> Option<&[u8]> {
        self.notifier_id.as_deref()
    }

    /// The row of a query whose columns are [`QUEUE_COLUMNS`].
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Row`](crate::db::DbErrorKind::Row) for other columns, or values of other types.
    pub fn read(row: &'a Row) -> Result<Self, DbError> {
        let mut columns = Columns::of(TABLE, row);
        Ok(Self {
            recipient_id: columns.next::<&[u8]>("recipient_id")?.into(),
            recipient_keys: columns.next::<&[u8]>("recipient_keys")?.into(),
            rcv_dh_secret: columns.next::<&[u8]>("rcv_dh_secret")?.into(),
            sender_id: columns.next::<&[u8]>("sender_id")?.into(),
            sender_key: optional(&mut columns, "sender_key")?,
            queue_mode: columns.next::<Option<&str>>("queue_mode")?.map(Cow::from),
            notifier_id: optional(&mut columns, "notifier_id")?,
            notifier_key: optional(&mut columns, "notifier_key")?,
            rcv_ntf_dh_secret: optional(&mut columns, "rcv_ntf_dh_secret")?,
            ntf_service_id: optional(&mut columns, "ntf_service_id")?,
            status: columns.next::<&str>("status")?.into(),
            updated_at: columns.next("updated_at")?,
            link_id: optional(&mut columns, "link_id")?,
            rcv_service_id: optional(&mut columns, "rcv_service_id")?,
            fixed_data: optional(&mut columns, "fixed_data")?,
            user_data: optional(&mut columns, "user_data")?,
        })
    }

    /// The queue that the row stands for.
    ///
    /// Unless all three columns of a notifier are set, there is none, and its service is passed over
    /// (PG-32). A part of the link data that isn't there is empty (RACE-59).
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Row`](crate::db::DbErrorKind::Row) with the column whose value isn't one.
    pub fn decode(&self, semantics: Semantics) -> Result<(RecipientId, QueueRec), DbError> {
        let keys = RecipientKeys::decode_binary(&self.recipient_keys);
        let mode =
            self.queue_mode.as_deref().map(|mode| QueueMode::from_text(mode.as_bytes(), semantics));
        let record = QueueRec {
            recipient_keys: keys.map_err(|problem| unreadable("recipient_keys", problem))?,
            rcv_dh_secret: secret("rcv_dh_secret", &self.rcv_dh_secret)?,
            sender_id: id("sender_id", &self.sender_id).map(SenderId::from)?,
            sender_key: self.sender_key.as_deref().map(|der| key("sender_key", der)).transpose()?,
            queue_mode: mode.transpose().map_err(|problem| unreadable("queue_mode", problem))?,
            link: self.link()?.map(Box::new),
            notifier: self.notifier()?.map(Box::new),
            updated_at: self.updated_at.map(RoundedDate::from_seconds),
            status: status::read(&self.status, semantics)
                .map_err(|problem| unreadable("status", problem))?,
            rcv_service_id: service("rcv_service_id", self.rcv_service_id.as_deref())?,
        };
        Ok((id("recipient_id", &self.recipient_id)?.into(), record))
    }

    fn link(&self) -> Result<Option<QueueLink>, DbError> {
        let Some(link_id) = &self.link_id else { return Ok(None) };
        let part = |part: &Option<Bytes<'_>>| part.as_deref().map(Blob::from).unwrap_or_default();
        let data = LinkData { fixed: part(&self.fixed_data), user: part(&self.user_data) };
        Ok(Some(QueueLink { id: LinkId::from(id("link_id", link_id)?), data }))
    }

    fn notifier(&self) -> Result<Option<NtfCreds>, DbError> {
        let (Some(notifier_id), Some(notifier_key), Some(dh_secret)) =
            (&self.notifier_id, &self.notifier_key, &self.rcv_ntf_dh_secret)
        else {
            return Ok(None);
        };
        creds(notifier_id, notifier_key, dh_secret, self.ntf_service_id.as_deref()).map(Some)
    }
}

/// The notifier of a query whose columns are its id, key, secret and service (PG-32).
pub(in crate::queue_store::postgres) fn read_notifier(
    row: &Row,
) -> Result<Option<NtfCreds>, DbError> {
    let mut columns = Columns::of(TABLE, row);
    let notifier_id: Option<&[u8]> = columns.next("notifier_id")?;
    let notifier_key: Option<&[u8]> = columns.next("notifier_key")?;
    let dh_secret: Option<&[u8]> = columns.next("rcv_ntf_dh_secret")?;
    let service_id: Option<&[u8]> = columns.next("ntf_service_id")?;
    match (notifier_id, notifier_key, dh_secret) {
        (Some(id), Some(key), Some(secret)) => creds(id, key, secret, service_id).map(Some),
        _ => Ok(None),
    }
}

fn creds(
    notifier_id: &[u8],
    notifier_key: &[u8],
    dh_secret: &[u8],
    service_id: Option<&[u8]>,
) -> Result<NtfCreds, DbError> {
    Ok(NtfCreds {
        notifier_id: NotifierId::from(id("notifier_id", notifier_id)?),
        key: key("notifier_key", notifier_key)?,
        dh_secret: secret("rcv_ntf_dh_secret", dh_secret)?,
        service_id: service("ntf_service_id", service_id)?,
    })
}

impl fmt::Debug for QueueRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = EntityId::from_bytes(&self.recipient_id);
        f.debug_struct("QueueRow").field("recipient_id", &id).finish_non_exhaustive()
    }
}

/// The recipient's keys as the column holds them (SE-56).
pub(in crate::queue_store::postgres) fn keys(keys: &RecipientKeys) -> Result<Vec<u8>, DbError> {
    let mut bytes = Vec::new();
    let encoded = keys.encode_binary(&mut bytes);
    encoded.map_err(|problem| unreadable("recipient_keys", problem)).map(|()| bytes)
}

/// The text of an enumeration, which is ASCII (SE-59).
pub(in crate::queue_store::postgres) fn text(value: &impl TextEncode) -> String {
    String::from_utf8_lossy(&value.to_text()).into_owned()
}

fn optional<'a>(
    columns: &mut Columns<'a>,
    column: &'static str,
) -> Result<Option<Bytes<'a>>, DbError> {
    Ok(columns.next::<Option<&[u8]>>(column)?.map(Cow::from))
}

fn unreadable(column: &'static str, problem: impl fmt::Display) -> DbError {
    DbError::row(TABLE, column, problem)
}

fn id(column: &'static str, bytes: &[u8]) -> Result<EntityId, DbError> {
    some(TABLE, column, EntityId::from_bytes(bytes), "an id: it is empty")
}

fn service(column: &'static str, bytes: Option<&[u8]>) -> Result<Option<ServiceId>, DbError> {
    bytes.map(|bytes| id(column, bytes).map(ServiceId::from)).transpose()
}

fn key(column: &'static str, der: &[u8]) -> Result<AuthKey, DbError> {
    some(TABLE, column, AuthKey::from_der(der), "a public key in DER")
}

fn secret(column: &'static str, bytes: &[u8]) -> Result<DhSecret, DbError> {
    some(TABLE, column, DhSecret::from_bytes(bytes), "a secret of 32 bytes")
}
