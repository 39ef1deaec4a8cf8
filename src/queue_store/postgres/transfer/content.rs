//! What a set of queues and services adds up to, so that two sides of a transfer can be compared.
//!
//! **The promise.** Two sides have the same [`Content`] only if they have the same rows, but for a
//! chance of one in 2^256.
//!
//! **How.** A row's digest is SHA-256 over its columns, each with its length before it. The digests of
//! all rows are combined with XOR: order doesn't matter, and a row can't be there twice. The database
//! computes it in SQL from what its tables hold ([`read`]), and a [`Tally`] from records.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::db::postgres::{Columns, Row, Statements};
use crate::db::{DbError, Sql};
use crate::protocol::{
    CountHash, IdsHash, QueueRec, RecipientId, ServiceId, ServiceRec, ServiceRole, TextDecode,
    TextEncode,
};
use crate::queue_store::postgres::rows::QueueRow;

const QUEUES: Sql = Sql::new(
    "adding up the queues",
    "SELECT count(*) AS queues, count(notifier_id) AS notifiers, count(link_id) AS links,
            bit_xor(('x' || encode(sha256(
              coalesce(int4send(length(recipient_id)) || recipient_id, '\\xffffffff')
              || coalesce(int4send(length(recipient_keys)) || recipient_keys, '\\xffffffff')
              || coalesce(int4send(length(rcv_dh_secret)) || rcv_dh_secret, '\\xffffffff')
              || coalesce(int4send(length(sender_id)) || sender_id, '\\xffffffff')
              || coalesce(int4send(length(sender_key)) || sender_key, '\\xffffffff')
              || coalesce(int4send(octet_length(queue_mode)) || convert_to(queue_mode, 'UTF8'), '\\xffffffff')
              || coalesce(int4send(length(notifier_id)) || notifier_id, '\\xffffffff')
              || coalesce(int4send(length(notifier_key)) || notifier_key, '\\xffffffff')
              || coalesce(int4send(length(rcv_ntf_dh_secret)) || rcv_ntf_dh_secret, '\\xffffffff')
              || coalesce(int4send(length(ntf_service_id)) || ntf_service_id, '\\xffffffff')
              || coalesce(int4send(octet_length(status)) || convert_to(status, 'UTF8'), '\\xffffffff')
              || coalesce(int4send(8) || int8send(updated_at), '\\xffffffff')
              || coalesce(int4send(length(link_id)) || link_id, '\\xffffffff')
              || coalesce(int4send(length(rcv_service_id)) || rcv_service_id, '\\xffffffff')
              || coalesce(int4send(length(fixed_data)) || fixed_data, '\\xffffffff')
              || coalesce(int4send(length(user_data)) || user_data, '\\xffffffff')
            ), 'hex'))::bit(256))::text AS digest
       FROM msg_queues
      WHERE deleted_at IS NULL",
);
const SERVICES: Sql = Sql::new(
    "adding up the services",
    "SELECT count(*) AS services,
            bit_xor(('x' || encode(sha256(
              coalesce(int4send(length(service_id)) || service_id, '\\xffffffff')
              || coalesce(int4send(octet_length(service_role)) || convert_to(service_role, 'UTF8'), '\\xffffffff')
              || coalesce(int4send(length(service_cert)) || service_cert, '\\xffffffff')
              || coalesce(int4send(length(service_cert_hash)) || service_cert_hash, '\\xffffffff')
              || coalesce(int4send(8) || int8send(created_at), '\\xffffffff')
            ), 'hex'))::bit(256))::text AS digest
       FROM services",
);
const SERVICE_QUEUES: Sql = Sql::new(
    "reading the aggregates of services",
    "SELECT service_id, service_role, queue_count, queue_ids_hash FROM services ORDER BY service_id",
);

/// Combined digests of rows.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RowsDigest([u8; 32]);

impl RowsDigest {
    /// No rows.
    pub const EMPTY: Self = Self([0; 32]);

    /// The digest of the rows that are in exactly one of the two.
    #[must_use]
    pub fn xor(self, other: Self) -> Self {
        let mut combined = self.0;
        combined.iter_mut().zip(other.0).for_each(|(byte, with)| *byte ^= with);
        Self(combined)
    }

    /// Reads a `bit(256)` as text.
    fn from_bits(bits: &str) -> Option<Self> {
        let mut digest = [0; 32];
        let pieces = bits.as_bytes().chunks(8);
        if bits.len() != 256 {
            return None;
        }
        for (byte, piece) in digest.iter_mut().zip(pieces) {
            *byte = u8::from_str_radix(std::str::from_utf8(piece).ok()?, 2).ok()?;
        }
        Some(Self(digest))
    }
}

impl fmt::Display for RowsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RowsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RowsDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Live queues and services in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Content {
    /// Live queues.
    pub queues: u64,
    /// How many of them have a notifier.
    pub notifiers: u64,
    /// How many of them have a link.
    pub links: u64,
    /// The digest of the queues.
    pub queues_digest: RowsDigest,
    /// Services.
    pub services: u64,
    /// The digest of the services, without their aggregates.
    pub services_digest: RowsDigest,
    /// The queues of each service whose role has some: of the recipients' ids, or of the notifiers'.
    pub service_queues: BTreeMap<ServiceId, CountHash>,
}

/// A number or a digest that two sides have differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub what: String,
    /// What the records say.
    pub records: String,
    /// What the database says.
    pub database: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, records, database } = self;
        write!(f, "{what}: {records} by the records, {database} by the database")
    }
}

impl Content {
    /// What differs between the records (`self`) and the database; nothing when both are the same.
    pub fn differences(&self, database: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut compare = |what: &str, records: &dyn fmt::Display, database: &dyn fmt::Display| {
            let (records, database) = (records.to_string(), database.to_string());
            if records != database {
                found.push(Difference { what: what.to_owned(), records, database });
            }
        };
        compare("queues", &self.queues, &database.queues);
        compare("notifiers", &self.notifiers, &database.notifiers);
        compare("links", &self.links, &database.links);
        compare("digest of the queues", &self.queues_digest, &database.queues_digest);
        compare("services", &self.services, &database.services);
        compare("digest of the services", &self.services_digest, &database.services_digest);
        let ids = self.service_queues.keys().chain(database.service_queues.keys());
        let ids: std::collections::BTreeSet<&ServiceId> = ids.collect();
        for id in ids {
            let of = |content: &Self| content.service_queues.get(id).copied().unwrap_or_default();
            let (records, database) = (of(self), of(database));
            if records != database {
                let text = |of: CountHash| format!("{} with hash {}", of.count, of.hash);
                found.push(Difference {
                    what: format!("queues of service {id}"),
                    records: text(records),
                    database: text(database),
                });
            }
        }
        found
    }
}

/// Adds up records.
#[derive(Debug, Default)]
pub(super) struct Tally {
    content: Content,
    roles: BTreeMap<ServiceId, ServiceRole>,
}

impl Tally {
    /// Services come before the queues that name them.
    pub(super) fn service(&mut self, service: &ServiceRec) -> Result<(), DbError> {
        self.content.services += 1;
        let digest = &mut self.content.services_digest;
        *digest = digest.xor(digest_of_service(service)?);
        self.roles.insert(service.service_id.clone(), service.role);
        Ok(())
    }

    pub(super) fn queue(&mut self, id: &RecipientId, record: &QueueRec) -> Result<(), DbError> {
        let content = &mut self.content;
        content.queues += 1;
        content.notifiers += u64::from(record.notifier.is_some());
        content.links += u64::from(record.link.is_some());
        content.queues_digest = content.queues_digest.xor(digest_of_queue(id, record)?);
        if let Some(service) = &record.rcv_service_id {
            self.enter(service, ServiceRole::Messaging, id.as_bytes());
        }
        if let Some(notifier) = &record.notifier
            && let Some(service) = &notifier.service_id
        {
            self.enter(service, ServiceRole::Notifier, notifier.notifier_id.as_bytes());
        }
        Ok(())
    }

    fn enter(&mut self, service: &ServiceId, role: ServiceRole, id: &[u8]) {
        if self.roles.get(service) != Some(&role) {
            return;
        }
        let queues = self.content.service_queues.entry(service.clone()).or_default();
        *queues = queues.add(CountHash::of_id(id));
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    pub(super) fn into_content(self) -> Content {
        self.content
    }
}

/// The columns of a queue, straight from its record: what is compared must not come from the code
/// whose work is checked.
pub(super) fn digest_of_queue(id: &RecipientId, record: &QueueRec) -> Result<RowsDigest, DbError> {
    let mut keys = Vec::new();
    let encoded = record.recipient_keys.encode_binary(&mut keys);
    encoded.map_err(|problem| DbError::row("msg_queues", "recipient_keys", problem))?;
    let (notifier, link) = (record.notifier.as_deref(), record.link.as_deref());
    let mut row = RowHasher::default();
    row.bytes(id.as_bytes());
    row.bytes(&keys);
    row.bytes(record.rcv_dh_secret.as_bytes());
    row.bytes(record.sender_id.as_bytes());
    row.perhaps(record.sender_key.as_ref().map(|key| key.to_der()));
    row.perhaps(record.queue_mode.map(|mode| mode.to_text()));
    row.perhaps(notifier.map(|one| one.notifier_id.as_bytes()));
    row.perhaps(notifier.map(|one| one.key.to_der()));
    row.perhaps(notifier.map(|one| one.dh_secret.as_bytes()));
    row.perhaps(notifier.and_then(|one| one.service_id.as_ref()).map(|id| id.as_bytes()));
    row.bytes(&record.status.to_text());
    row.perhaps(record.updated_at.map(|date| date.seconds().to_be_bytes()));
    row.perhaps(link.map(|link| link.id.as_bytes()));
    row.perhaps(record.rcv_service_id.as_ref().map(|id| id.as_bytes()));
    row.perhaps(link.map(|link| link.data.fixed.as_bytes()));
    row.perhaps(link.map(|link| link.data.user.as_bytes()));
    Ok(row.finish())
}

/// A row as it was read, whatever it holds.
pub(super) fn digest_of_row(row: &QueueRow<'_>) -> RowsDigest {
    let mut hasher = RowHasher::default();
    row.columns_bytes().into_iter().for_each(|column| hasher.perhaps(column));
    hasher.finish()
}

fn digest_of_service(service: &ServiceRec) -> Result<RowsDigest, DbError> {
    let mut chain = Vec::new();
    let encoded = service.cert_chain.encode_binary(&mut chain);
    encoded.map_err(|problem| DbError::row("services", "service_cert", problem))?;
    let mut row = RowHasher::default();
    row.bytes(service.service_id.as_bytes());
    row.bytes(&service.role.to_text());
    row.bytes(&chain);
    row.bytes(service.cert_hash.as_bytes());
    row.bytes(&service.created_at.seconds().to_be_bytes());
    Ok(row.finish())
}

#[derive(Default)]
struct RowHasher(Sha256);

impl RowHasher {
    /// No column can hold more than a gigabyte.
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u32).to_be_bytes());
        self.0.update(bytes);
    }

    fn perhaps(&mut self, bytes: Option<impl AsRef<[u8]>>) {
        match bytes {
            Some(bytes) => self.bytes(bytes.as_ref()),
            None => self.0.update([0xff; 4]),
        }
    }

    fn finish(self) -> RowsDigest {
        RowsDigest(self.0.finalize().into())
    }
}

/// Adds up what the database holds. All within one transaction of one snapshot, or with the tables
/// locked: there are several statements.
pub(super) fn read(statements: &mut impl Statements) -> Result<Content, DbError> {
    let row = statements.query_one(&QUEUES, &[])?;
    let mut columns = Columns::of("msg_queues", &row);
    let mut content = Content {
        queues: columns.count("queues")?,
        notifiers: columns.count("notifiers")?,
        links: columns.count("links")?,
        queues_digest: digest(&mut columns)?,
        ..Content::default()
    };
    let row = statements.query_one(&SERVICES, &[])?;
    let mut columns = Columns::of("services", &row);
    content.services = columns.count("services")?;
    content.services_digest = digest(&mut columns)?;
    for row in statements.query(&SERVICE_QUEUES, &[])? {
        if let Some((id, queues)) = service_queues(&row)? {
            content.service_queues.insert(id, queues);
        }
    }
    Ok(content)
}

fn digest(columns: &mut Columns<'_>) -> Result<RowsDigest, DbError> {
    columns.read("digest", |bits: Option<&str>| match bits {
        None => Ok(RowsDigest::EMPTY),
        Some(bits) => RowsDigest::from_bits(bits).ok_or("not 256 bits"),
    })
}

/// The aggregates of a service; nothing for one without queues, and for a row that is no service.
fn service_queues(row: &Row) -> Result<Option<(ServiceId, CountHash)>, DbError> {
    let mut columns = Columns::of("services", row);
    let id = columns.next::<&[u8]>("service_id").map(ServiceId::from_bytes)?;
    let role = columns.next::<&str>("service_role")?;
    let role = ServiceRole::from_text(role.as_bytes(), crate::protocol::Semantics::Strict);
    let count = columns.next("queue_count")?;
    let hash = columns.read("queue_ids_hash", |bytes: &[u8]| {
        IdsHash::from_bytes(bytes).ok_or("not a hash of 16 bytes")
    })?;
    let queues = CountHash { count, hash };
    Ok(id.filter(|_| role.is_ok() && queues != CountHash::EMPTY).map(|id| (id, queues)))
}
