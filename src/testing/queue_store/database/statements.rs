//! The statements of the model database.

use std::sync::Arc;

use super::{ModelDatabase, Row};
use crate::db::{DbError, DbErrorKind};
use crate::protocol::{
    AuthKey, CountHash, EntityStatus, LinkData, LinkId, NotifierId, NtfCreds, QueueLink, QueueRec,
    RecipientId, RecipientKeys, RoundedDate, ServiceId, ServiceParty, ServiceRec, ServiceRole,
};
use crate::queue_store::database::{
    CacheEvents, NtfServices, PartyResults, QueueDatabase, QueueRow, ReadRow, Refusal,
    ServiceFound, StatementError,
};
use crate::queue_store::{EntityCounts, QueueKey};

fn role_of(party: ServiceParty) -> ServiceRole {
    match party {
        ServiceParty::Receiver => ServiceRole::Messaging,
        ServiceParty::Notifier => ServiceRole::Notifier,
    }
}

impl QueueDatabase for ModelDatabase {
    fn insert_queue(&self, id: &RecipientId, record: &QueueRec) -> Result<(), StatementError> {
        let strict = self.is_strict();
        self.change(&[], |tables| {
            tables.free(&id.clone().into(), strict)?;
            tables.free(&record.sender_id.clone().into(), strict)?;
            if let Some(creds) = &record.notifier {
                tables.free(&creds.notifier_id.clone().into(), strict)?;
            }
            if let Some(link) = &record.link {
                tables.free(&link.id.clone().into(), strict)?;
            }
            if strict {
                tables.require(record.rcv_service_id.as_ref(), ServiceRole::Messaging)?;
                let service = record.notifier.as_ref().and_then(|creds| creds.service_id.as_ref());
                tables.require(service, ServiceRole::Notifier)?;
            }
            let row = Row { record: record.clone(), deleted_at: None };
            tables.queues.insert(id.clone(), row);
            Ok(())
        })
    }

    fn find_queue(&self, key: &QueueKey) -> Result<Option<QueueRow>, DbError> {
        self.read(|tables| {
            let live = |row: &Row| row.deleted_at.is_none();
            let found =
                tables.queues.iter().find(|(id, row)| live(row) && tables.has(key, row, id));
            found.map(|(id, row)| (id.clone(), self.loaded(&row.record)))
        })
    }

    fn find_queues(&self, ids: &[RecipientId]) -> Result<Vec<ReadRow>, DbError> {
        self.read(|tables| {
            let rows = ids.iter().filter_map(|id| Some((id, tables.live(id).ok()?)));
            rows.map(|(id, record)| (id.clone(), Ok(self.loaded(record)))).collect()
        })
    }

    fn find_queues_by_notifier(
        &self,
        ids: &[NotifierId],
    ) -> Result<Vec<(NotifierId, ReadRow)>, DbError> {
        self.read(|tables| {
            let rows = tables.live_rows().filter_map(|(id, record)| {
                let notifier = &record.notifier.as_ref()?.notifier_id;
                let row = (id.clone(), Ok(self.loaded(record)));
                ids.contains(notifier).then(|| (notifier.clone(), row))
            });
            rows.collect()
        })
    }

    fn link_data(&self, id: &RecipientId, link: &LinkId) -> Result<Option<LinkData>, DbError> {
        self.read(|tables| {
            let present = tables.live(id).ok()?.link.as_ref()?;
            (present.id == *link).then(|| present.data.clone())
        })
    }

    fn set_link(&self, id: &RecipientId, link: &QueueLink) -> Result<(), StatementError> {
        let strict = self.is_strict();
        self.change(std::slice::from_ref(id), |tables| {
            match &tables.live(id)?.link {
                None => tables.free(&link.id.clone().into(), strict)?,
                Some(present) if present.id == link.id && present.data.fixed == link.data.fixed => {
                }
                Some(_) => return Err(Refusal::Missing.into()),
            }
            tables.live_mut(id)?.link = Some(Box::new(link.clone()));
            Ok(())
        })
    }

    fn delete_link(&self, id: &RecipientId) -> Result<(), StatementError> {
        self.edit(id, |record| {
            record.link = None;
            Ok(())
        })
    }

    fn set_sender_key(&self, id: &RecipientId, key: &AuthKey) -> Result<(), StatementError> {
        self.edit(id, |record| match &record.sender_key {
            Some(present) if present != key => Err(Refusal::Missing),
            _ => {
                record.sender_key = Some(key.clone());
                Ok(())
            }
        })
    }

    fn set_recipient_keys(
        &self,
        id: &RecipientId,
        keys: &RecipientKeys,
    ) -> Result<(), StatementError> {
        self.edit(id, |record| {
            record.recipient_keys = keys.clone();
            Ok(())
        })
    }

    fn set_status(&self, id: &RecipientId, status: &EntityStatus) -> Result<(), StatementError> {
        self.edit(id, |record| {
            record.status = status.clone();
            Ok(())
        })
    }

    fn set_date(&self, id: &RecipientId, date: RoundedDate) -> Result<QueueRec, StatementError> {
        self.edit(id, |record| {
            record.updated_at = Some(date);
            Ok(self.loaded(record))
        })
    }

    fn set_notifier(
        &self,
        id: &RecipientId,
        creds: &NtfCreds,
    ) -> Result<Option<NtfCreds>, StatementError> {
        let strict = self.is_strict();
        self.change(std::slice::from_ref(id), |tables| {
            let replaced = tables.live(id)?.notifier.as_deref().cloned();
            if strict {
                tables.require(creds.service_id.as_ref(), ServiceRole::Notifier)?;
            }
            let own = replaced.as_ref().is_some_and(|old| old.notifier_id == creds.notifier_id);
            if strict || !own {
                tables.free(&creds.notifier_id.clone().into(), strict)?;
            }
            let mut creds = creds.clone();
            creds.service_id = creds.service_id.filter(|_| strict);
            tables.live_mut(id)?.notifier = Some(Box::new(creds));
            Ok(replaced)
        })
    }

    fn delete_notifier(&self, id: &RecipientId) -> Result<Option<NtfCreds>, StatementError> {
        self.edit(id, |record| Ok(record.notifier.take().map(|creds| *creds)))
    }

    fn delete_queue(&self, id: &RecipientId, at: i64) -> Result<QueueRec, StatementError> {
        self.change(std::slice::from_ref(id), |tables| {
            let record = tables.live(id)?.clone();
            if let Some(row) = tables.queues.get_mut(id) {
                row.deleted_at = Some(at);
            }
            Ok(record)
        })
    }

    fn purge(&self, before: i64) -> Result<u64, DbError> {
        let mut tables = self.shared.lock();
        tables.count(self.process)?;
        let present = tables.queues.len();
        tables.queues.retain(|_, row| row.deleted_at.is_none_or(|at| at >= before));
        Ok((present - tables.queues.len()) as u64)
    }

    fn find_or_insert_service(&self, service: &ServiceRec) -> Result<ServiceFound, StatementError> {
        self.change(&[], |tables| {
            let known = tables.services.values().find(|one| one.cert_hash == service.cert_hash);
            if let Some(known) = known {
                let fits = known.role == service.role;
                let id = known.service_id.clone();
                return if fits {
                    Ok(ServiceFound::Known(id))
                } else {
                    Err(Refusal::WrongRole.into())
                };
            }
            if tables.services.contains_key(&service.service_id) {
                return Err(Refusal::Taken.into());
            }
            tables.services.insert(service.service_id.clone(), service.clone());
            Ok(ServiceFound::Made(service.service_id.clone()))
        })
    }

    fn set_services(
        &self,
        party: ServiceParty,
        service: Option<&ServiceId>,
        ids: &[RecipientId],
    ) -> Result<PartyResults, DbError> {
        let strict = self.is_strict();
        let changed = self.change(ids, |tables| {
            let allowed = tables.require(service, role_of(party));
            if !strict && allowed == Err(Refusal::NoService) {
                let violation = DbError::new("model", DbErrorKind::Other, "foreign key violation");
                return Err(StatementError::Failed(violation));
            }
            let mut results = Vec::new();
            for id in ids {
                let result = match (tables.live_mut(id), party) {
                    (Err(missing), _) => Err(missing),
                    (Ok(record), ServiceParty::Notifier) if record.notifier.is_none() => {
                        Err(Refusal::Missing)
                    }
                    (Ok(_), _) if strict && allowed.is_err() => allowed,
                    (Ok(record), ServiceParty::Receiver) => {
                        record.rcv_service_id = service.cloned();
                        Ok(())
                    }
                    (Ok(record), ServiceParty::Notifier) => {
                        if let Some(creds) = &mut record.notifier {
                            creds.service_id = service.cloned();
                        }
                        Ok(())
                    }
                };
                results.push((id.clone(), result));
            }
            Ok(results)
        });
        changed.map_err(|error| match error {
            StatementError::Failed(error) => error,
            refused @ StatementError::Refused(_) => {
                DbError::new("model", DbErrorKind::Other, refused)
            }
        })
    }

    fn ntf_services(&self, notifiers: &[NotifierId]) -> Result<NtfServices, DbError> {
        self.read(|tables| {
            let creds = tables.live_rows().filter_map(|(_, record)| record.notifier.as_ref());
            let asked = creds.filter(|creds| notifiers.contains(&creds.notifier_id));
            NtfServices {
                services: tables.services.keys().cloned().collect(),
                notifiers: asked
                    .map(|creds| (creds.notifier_id.clone(), creds.service_id.clone()))
                    .collect(),
            }
        })
    }

    fn count_hash(
        &self,
        party: ServiceParty,
        service: &ServiceId,
    ) -> Result<Option<CountHash>, DbError> {
        self.read(|tables| {
            let known = tables.services.get(service)?;
            let mut kept = CountHash::default();
            let mut count = |id: &[u8]| kept = kept.add(CountHash::of_id(id));
            for (id, record) in tables.live_rows() {
                let creds = record.notifier.as_ref();
                match party {
                    ServiceParty::Receiver if record.rcv_service_id.as_ref() == Some(service) => {
                        count(id.as_bytes());
                    }
                    ServiceParty::Notifier => {
                        if let Some(creds) =
                            creds.filter(|c| c.service_id.as_ref() == Some(service))
                        {
                            count(creds.notifier_id.as_bytes());
                        }
                    }
                    ServiceParty::Receiver => {}
                }
            }
            Some(if known.role == role_of(party) { kept } else { CountHash::default() })
        })
    }

    fn counts(&self) -> Result<EntityCounts, DbError> {
        self.read(|tables| {
            let with_role =
                |role| tables.services.values().filter(|s| s.role == role).count() as u64;
            let mut counts = EntityCounts {
                rcv_services: with_role(ServiceRole::Messaging),
                ntf_services: with_role(ServiceRole::Notifier),
                ..EntityCounts::default()
            };
            for (_, record) in tables.live_rows() {
                let creds = record.notifier.as_ref();
                counts.queues += 1;
                counts.notifiers += u64::from(creds.is_some());
                counts.rcv_service_queues += u64::from(record.rcv_service_id.is_some());
                let of_service = creds.is_some_and(|creds| creds.service_id.is_some());
                counts.ntf_service_queues += u64::from(of_service);
            }
            counts
        })
    }

    fn service_queues(&self, service: &ServiceId) -> Result<Vec<RecipientId>, DbError> {
        self.read(|tables| {
            let of_service = |record: &QueueRec| record.rcv_service_id.as_ref() == Some(service);
            let rows = tables.live_rows().filter(|(_, record)| of_service(record));
            rows.map(|(id, _)| id.clone()).collect()
        })
    }

    fn watch(&self, cache: Arc<dyn CacheEvents>) -> Result<(), DbError> {
        if let Some(process) = self.shared.lock().processes.get_mut(self.process) {
            process.cache = Some(cache);
        }
        Ok(())
    }

    fn close(&self) {
        let mut tables = self.shared.lock();
        let process = tables.processes.get_mut(self.process);
        let cache = process.and_then(|one| {
            one.closed = true;
            one.cache.take()
        });
        drop(tables);
        drop(cache);
    }
}
