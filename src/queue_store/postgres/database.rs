//! The trait's methods, each by the file under `statements` that has its SQL.

use std::sync::Arc;

use super::PostgresQueues;
use crate::db::DbError;
use crate::protocol::{
    AuthKey, CountHash, EntityStatus, LinkData, LinkId, NotifierId, NtfCreds, QueueLink, QueueRec,
    RecipientId, RecipientKeys, RoundedDate, ServiceId, ServiceParty, ServiceRec,
};
use crate::queue_store::database::{
    CacheEvents, NtfServices, PartyResults, QueueDatabase, QueueRow, ReadRow, ServiceFound,
    StatementError,
};
use crate::queue_store::{EntityCounts, QueueKey};

impl QueueDatabase for PostgresQueues {
    fn insert_queue(&self, id: &RecipientId, record: &QueueRec) -> Result<(), StatementError> {
        self.add_queue(id, record)
    }

    fn find_queue(&self, key: &QueueKey) -> Result<Option<QueueRow>, DbError> {
        self.queue_by_key(key)
    }

    fn find_queues(&self, ids: &[RecipientId]) -> Result<Vec<ReadRow>, DbError> {
        self.queues_by_recipient(ids)
    }

    fn find_queues_by_notifier(
        &self,
        ids: &[NotifierId],
    ) -> Result<Vec<(NotifierId, ReadRow)>, DbError> {
        self.queues_by_notifier(ids)
    }

    fn link_data(&self, id: &RecipientId, link: &LinkId) -> Result<Option<LinkData>, DbError> {
        self.data_of_link(id, link)
    }

    fn set_link(&self, id: &RecipientId, link: &QueueLink) -> Result<(), StatementError> {
        self.update_link(id, link)
    }

    fn delete_link(&self, id: &RecipientId) -> Result<(), StatementError> {
        self.remove_link(id)
    }

    fn set_sender_key(&self, id: &RecipientId, key: &AuthKey) -> Result<(), StatementError> {
        self.update_sender_key(id, key)
    }

    fn set_recipient_keys(
        &self,
        id: &RecipientId,
        keys: &RecipientKeys,
    ) -> Result<(), StatementError> {
        self.update_recipient_keys(id, keys)
    }

    fn set_status(&self, id: &RecipientId, status: &EntityStatus) -> Result<(), StatementError> {
        self.update_status(id, status)
    }

    fn set_date(&self, id: &RecipientId, date: RoundedDate) -> Result<QueueRec, StatementError> {
        self.update_date(id, date)
    }

    fn set_notifier(
        &self,
        id: &RecipientId,
        creds: &NtfCreds,
    ) -> Result<Option<NtfCreds>, StatementError> {
        self.replace_notifier(id, creds)
    }

    fn delete_notifier(&self, id: &RecipientId) -> Result<Option<NtfCreds>, StatementError> {
        self.remove_notifier(id)
    }

    fn delete_queue(&self, id: &RecipientId, at: i64) -> Result<QueueRec, StatementError> {
        self.delete_softly(id, at)
    }

    fn purge(&self, before: i64) -> Result<u64, DbError> {
        self.purge_deleted(before)
    }

    fn find_or_insert_service(&self, service: &ServiceRec) -> Result<ServiceFound, StatementError> {
        self.service_of_certificate(service)
    }

    fn set_services(
        &self,
        party: ServiceParty,
        service: Option<&ServiceId>,
        ids: &[RecipientId],
    ) -> Result<PartyResults, DbError> {
        self.associate(party, service, ids)
    }

    fn ntf_services(&self, notifiers: &[NotifierId]) -> Result<NtfServices, DbError> {
        self.services_of_notifiers(notifiers)
    }

    fn count_hash(
        &self,
        party: ServiceParty,
        service: &ServiceId,
    ) -> Result<Option<CountHash>, DbError> {
        self.kept_count_hash(party, service)
    }

    fn counts(&self) -> Result<EntityCounts, DbError> {
        self.count_all()
    }

    fn service_queues(&self, service: &ServiceId) -> Result<Vec<RecipientId>, DbError> {
        self.queues_of_service(service)
    }

    fn watch(&self, cache: Arc<dyn CacheEvents>) -> Result<(), DbError> {
        self.watch_for(cache)
    }

    fn close(&self) {
        self.close_all();
    }
}
