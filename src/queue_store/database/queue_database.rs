//! The statements that a queue store asks of its database.

use std::fmt;
use std::sync::Arc;

use crate::db::DbError;
use crate::protocol::{
    AuthKey, CountHash, EntityStatus, LinkData, LinkId, NotifierId, NtfCreds, QueueLink, QueueRec,
    RecipientId, RecipientKeys, RoundedDate, ServiceId, ServiceParty, ServiceRec,
};
use crate::queue_store::{EntityCounts, QueueKey};

/// Why a database refused a change. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No live row meets the statement's condition.
    Missing,
    /// Another row has one of the ids.
    Taken,
    /// The service that is named isn't there.
    NoService,
    /// The service that is named has another role.
    WrongRole,
}

/// Why a statement changed nothing, or may not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementError {
    /// The database works, and refused.
    Refused(Refusal),
    /// The database failed. Only [`DbErrorKind::Unclear`](crate::db::DbErrorKind::Unclear) leaves open
    /// whether the change was made (RACE-70).
    Failed(DbError),
}

impl From<Refusal> for StatementError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DbError> for StatementError {
    fn from(error: DbError) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(Refusal::Missing) => f.write_str("no such row"),
            Self::Refused(Refusal::Taken) => f.write_str("an id is in use"),
            Self::Refused(Refusal::NoService) => f.write_str("no such service"),
            Self::Refused(Refusal::WrongRole) => f.write_str("the service has another role"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StatementError {}

/// A live queue of the database.
pub type QueueRow = (RecipientId, QueueRec);

/// A live queue, or why its row can't be read. One such row spoils no other (RACE-16).
pub type ReadRow = (RecipientId, Result<QueueRec, DbError>);

/// For each queue of a batch, whether it was associated.
pub type PartyResults = Vec<(RecipientId, Result<(), Refusal>)>;

/// The service that a certificate belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceFound {
    /// It was there.
    Known(ServiceId),
    /// It was made.
    Made(ServiceId),
}

/// Which services there are, and which of them each notifier asked for belongs to, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NtfServices {
    /// All services in ascending order of ids.
    pub services: Vec<ServiceId>,
    /// The notifiers that there are, in any order, each with its service.
    pub notifiers: Vec<(NotifierId, Option<ServiceId>)>,
}

/// A database with the tables of queues and services: one method for each thing that is asked of it.
///
/// **Each method is one transaction.** It takes effect at one moment between call and return, or not at
/// all. What a change may be made to stands in its own condition, so it holds whoever else shares the
/// database (RACE-38). Rows that are deleted softly are nowhere found, changed or counted (PG-10).
///
/// A database is opened for one [`Semantics`](crate::protocol::Semantics). Under `Strict` the ids of a
/// row that is deleted softly are free (RACE-44) and services must exist and have the party's role
/// (RACE-23); under `Reference` such an id is [`Taken`](Refusal::Taken) (PG-23) and roles aren't looked
/// at. Under `Reference` the records of found rows have empty link data (PG-14).
pub trait QueueDatabase: Send + Sync + 'static {
    /// Adds a queue and its ids, or nothing.
    ///
    /// # Errors
    /// `Taken`, and only then `NoService` or `WrongRole`.
    fn insert_queue(&self, id: &RecipientId, record: &QueueRec) -> Result<(), StatementError>;

    /// The live queue that a key belongs to.
    ///
    /// # Errors
    /// The database's.
    fn find_queue(&self, key: &QueueKey) -> Result<Option<QueueRow>, DbError>;

    /// The live queues with these ids, in one query, in any order.
    ///
    /// # Errors
    /// The database's. An unreadable row is an item of the result, under `Reference` an error (PG-41).
    fn find_queues(&self, ids: &[RecipientId]) -> Result<Vec<ReadRow>, DbError>;

    /// The live queues with these notifiers, in one query, in any order, each with its notifier's id.
    ///
    /// # Errors
    /// As [`find_queues`](Self::find_queues).
    fn find_queues_by_notifier(
        &self,
        ids: &[NotifierId],
    ) -> Result<Vec<(NotifierId, ReadRow)>, DbError>;

    /// The data of a queue's link, if it is this one; both are looked at in one statement (RACE-39).
    ///
    /// # Errors
    /// The database's.
    fn link_data(&self, id: &RecipientId, link: &LinkId) -> Result<Option<LinkData>, DbError>;

    /// Sets the link of a queue that has none, or new user data where link and fixed data are these
    /// (PG-21).
    ///
    /// # Errors
    /// `Missing` for another link or fixed data too, `Taken` for another queue's link.
    fn set_link(&self, id: &RecipientId, link: &QueueLink) -> Result<(), StatementError>;

    /// Removes the link; fine when there is none.
    ///
    /// # Errors
    /// `Missing`.
    fn delete_link(&self, id: &RecipientId) -> Result<(), StatementError>;

    /// Sets the sender's key where there is none or this one.
    ///
    /// # Errors
    /// `Missing` for another key too.
    fn set_sender_key(&self, id: &RecipientId, key: &AuthKey) -> Result<(), StatementError>;

    /// Replaces the recipient's keys.
    ///
    /// # Errors
    /// `Missing`; a row that can't hold so many keys.
    fn set_recipient_keys(
        &self,
        id: &RecipientId,
        keys: &RecipientKeys,
    ) -> Result<(), StatementError>;

    /// Sets the status.
    ///
    /// # Errors
    /// `Missing`.
    fn set_status(&self, id: &RecipientId, status: &EntityStatus) -> Result<(), StatementError>;

    /// Sets the update date and gives the whole record.
    ///
    /// # Errors
    /// `Missing`.
    fn set_date(&self, id: &RecipientId, date: RoundedDate) -> Result<QueueRec, StatementError>;

    /// Sets the notifier and gives the one that it replaced.
    ///
    /// Under `Strict` the service of the credentials is stored with them; under `Reference` none is
    /// (PG-27).
    ///
    /// # Errors
    /// `Missing`; under `Strict` `NoService` and `WrongRole`; then `Taken`, under `Strict` also for the
    /// queue's own present notifier.
    fn set_notifier(
        &self,
        id: &RecipientId,
        creds: &NtfCreds,
    ) -> Result<Option<NtfCreds>, StatementError>;

    /// Removes the notifier and gives it; fine when there is none.
    ///
    /// # Errors
    /// `Missing`.
    fn delete_notifier(&self, id: &RecipientId) -> Result<Option<NtfCreds>, StatementError>;

    /// Deletes softly, as of a time in seconds since 1970, and gives the last record.
    ///
    /// # Errors
    /// `Missing`.
    fn delete_queue(&self, id: &RecipientId, at: i64) -> Result<QueueRec, StatementError>;

    /// Removes what was deleted before a time in seconds since 1970; how many. It may go in portions, each a
    /// transaction.
    ///
    /// # Errors
    /// The database's.
    fn purge(&self, before: i64) -> Result<u64, DbError>;

    /// The service with this certificate, made when there is none (PG-15: whoever asks at the same
    /// time, in whatever process, gets the same).
    ///
    /// # Errors
    /// `WrongRole` when the certificate is another role's, `Taken` when the new id is another service's.
    fn find_or_insert_service(&self, service: &ServiceRec) -> Result<ServiceFound, StatementError>;

    /// Associates queues, or their notifiers, with a service or none, all in one transaction; a result
    /// for each id.
    ///
    /// A queue is refused as `Missing`, for the notifying party also when it has no notifier; else,
    /// under `Strict`, all alike as `NoService` or `WrongRole`. Rows are locked in one order, so two
    /// such calls don't wait for each other in a circle (RACE-49).
    ///
    /// # Errors
    /// The database's; under `Reference` also a service that isn't there.
    fn set_services(
        &self,
        party: ServiceParty,
        service: Option<&ServiceId>,
        ids: &[RecipientId],
    ) -> Result<PartyResults, DbError>;

    /// The services, and those of these notifiers, at one moment.
    ///
    /// # Errors
    /// The database's.
    fn ntf_services(&self, notifiers: &[NotifierId]) -> Result<NtfServices, DbError>;

    /// The count and hash that are kept with a service; zero for a role that doesn't fit the party.
    ///
    /// # Errors
    /// The database's.
    fn count_hash(
        &self,
        party: ServiceParty,
        service: &ServiceId,
    ) -> Result<Option<CountHash>, DbError>;

    /// How many there are of what, at one moment.
    ///
    /// # Errors
    /// The database's.
    fn counts(&self) -> Result<EntityCounts, DbError>;

    /// The live queues of a receiving service at one moment, in ascending order.
    ///
    /// # Errors
    /// The database's.
    fn service_queues(&self, service: &ServiceId) -> Result<Vec<RecipientId>, DbError>;

    /// Tells `cache` from now on what others change, and when that can't be told any more.
    ///
    /// Called once, before any other method, when the store has a cache. A database that nobody else
    /// changes has nothing to tell.
    ///
    /// # Errors
    /// When it can't be found out what others change.
    fn watch(&self, cache: Arc<dyn CacheEvents>) -> Result<(), DbError>;

    /// Ends what `watch` began and closes all connections. Statements after it fail.
    fn close(&self);
}

/// What a database tells a store's cache.
pub trait CacheEvents: Send + Sync {
    /// Others changed these queues: what is cached of them is read again before this returns.
    fn changed(&self, ids: &[RecipientId]);

    /// What others change isn't known from now on: nothing cached is served any more.
    fn lost(&self);

    /// It is known again: what is read from now on is served from the cache, what was cached before isn't.
    fn regained(&self);
}
