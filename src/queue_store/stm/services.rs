//! Transaction parts for services and their associations.

use std::sync::Arc;

use super::StmQueueStore;
use super::records::{live, replace};
use super::service_set::{HashRule, Service, SetChange};
use crate::protocol::{
    CountHash, ErrorType, NtfCreds, QueueRec, RecipientId, ServiceId, ServiceParty, ServiceRec,
    ServiceRole,
};
use crate::queue_store::{QueueFactory, StoreQueue};
use crate::stm::{SetSnapshot, StmResult, Transaction, TxResult, abort};
use crate::store_log::LogRecord;

/// The role that a service must have to be associated with a party.
pub(super) fn role_of(party: ServiceParty) -> ServiceRole {
    match party {
        ServiceParty::Receiver => ServiceRole::Messaging,
        ServiceParty::Notifier => ServiceRole::Notifier,
    }
}

impl<F: QueueFactory> StmQueueStore<F> {
    /// The id of the service with this certificate; made, with empty sets, when there is none (OP-21).
    ///
    /// Aborts with `SERVICE` when the certificate is registered with another role and with
    /// `DUPLICATE_` when the new id is taken. Only a service made here is journalled (QS-2).
    pub fn get_or_create_service_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        record: &ServiceRec,
    ) -> TxResult<ServiceId, ErrorType> {
        self.admit(tx)?;
        if let Some(id) = self.service_certs.get(tx, &record.cert_hash)?
            && let Some(service) = self.services.get(tx, &id)?
        {
            let fits = service.has_role(record.role);
            return if fits { Ok(id) } else { abort(ErrorType::Service) };
        }
        if self.services.contains_key(tx, &record.service_id)? {
            return abort(ErrorType::Duplicate);
        }
        let id = record.service_id.clone();
        self.services.insert(tx, id.clone(), Arc::new(Service::new(record.clone())))?;
        self.service_certs.insert(tx, record.cert_hash, id.clone())?;
        log.push(LogRecord::NewService(Box::new(record.clone())));
        Ok(id)
    }

    /// Associates the queue, or its notifier, with a service or with none (OP-22, QS-19).
    ///
    /// Aborts with `AUTH` for the notifier of a queue that has none. Under `Strict` the service
    /// must exist, else `AUTH`, and have the party's role, else `SERVICE` (RACE-23); under
    /// `Reference` the record takes any id and unknown services are skipped. Journalled also when
    /// nothing changed (QS-14).
    pub fn set_queue_service_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
        party: ServiceParty,
        service_id: Option<&ServiceId>,
    ) -> TxResult<(), ErrorType> {
        self.admit(tx)?;
        let record = live(tx, queue)?;
        if party == ServiceParty::Notifier && record.notifier.is_none() {
            return abort(ErrorType::Auth);
        }
        self.require_service(tx, service_id, role_of(party))?;
        self.put_queue_service(tx, log, queue, party, service_id)
    }

    /// As [`set_queue_service_tx`](Self::set_queue_service_tx), without asking whether the service exists.
    pub(super) fn put_queue_service(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
        party: ServiceParty,
        service_id: Option<&ServiceId>,
    ) -> TxResult<(), ErrorType> {
        let record = live(tx, queue)?;
        match party {
            ServiceParty::Receiver => self.move_receiver(tx, queue, &record, service_id)?,
            ServiceParty::Notifier => self.move_notifier(tx, queue, &record, service_id)?,
        }
        let id = queue.recipient_id().clone();
        log.push(LogRecord::QueueService(id, party, service_id.cloned()));
        Ok(())
    }

    fn move_receiver(
        &self,
        tx: &mut Transaction<'_>,
        queue: &F::Queue,
        record: &QueueRec,
        service_id: Option<&ServiceId>,
    ) -> TxResult<(), ErrorType> {
        if record.rcv_service_id.as_ref() == service_id {
            return Ok(());
        }
        let id = queue.recipient_id();
        self.change_rcv_set(tx, SetChange::Leave, record.rcv_service_id.as_ref(), id)?;
        replace(tx, queue, record, |changed| changed.rcv_service_id = service_id.cloned())?;
        self.change_rcv_set(tx, SetChange::Enter, service_id, id)
    }

    fn move_notifier(
        &self,
        tx: &mut Transaction<'_>,
        queue: &F::Queue,
        record: &QueueRec,
        service_id: Option<&ServiceId>,
    ) -> TxResult<(), ErrorType> {
        let Some(creds) = record.notifier.as_deref() else {
            return abort(ErrorType::Auth);
        };
        if creds.service_id.as_ref() == service_id {
            return Ok(());
        }
        let moved = NtfCreds { service_id: service_id.cloned(), ..creds.clone() };
        self.change_ntf_set(tx, SetChange::Leave, creds)?;
        self.change_ntf_set(tx, SetChange::Enter, &moved)?;
        replace(tx, queue, record, |changed| changed.notifier = Some(Box::new(moved)))?;
        Ok(())
    }

    /// How many queues a service has for a party, and the hash of their ids (OP-25).
    ///
    /// Aborts with `AUTH` for an unknown service (QS-22); the role is not looked at (QS-25).
    pub fn service_count_hash_tx(
        &self,
        tx: &mut Transaction<'_>,
        party: ServiceParty,
        service_id: &ServiceId,
    ) -> TxResult<CountHash, ErrorType> {
        let Some(service) = self.services.get(tx, service_id)? else {
            return abort(ErrorType::Auth);
        };
        let (count, hash) = match party {
            ServiceParty::Receiver => service.rcv.count_hash(tx)?,
            ServiceParty::Notifier => service.ntf.count_hash(tx)?,
        };
        Ok(CountHash { count: i64::try_from(count).unwrap_or(i64::MAX), hash })
    }

    /// The recipient ids of a receiving service's queues (OP-26), shared and not copied.
    ///
    /// In one transaction with [`service_count_hash_tx`](Self::service_count_hash_tx), count, hash and ids are of one
    /// moment (RACE-32). Aborts with `AUTH` for an unknown service.
    pub fn service_queues_tx(
        &self,
        tx: &mut Transaction<'_>,
        service_id: &ServiceId,
    ) -> TxResult<SetSnapshot<RecipientId>, ErrorType> {
        match self.services.get(tx, service_id)? {
            Some(service) => Ok(service.rcv.ids.snapshot(tx)?),
            None => abort(ErrorType::Auth),
        }
    }

    /// Under `Strict`, aborts unless the service exists (`AUTH`) and has the role (`SERVICE`).
    pub(super) fn require_service(
        &self,
        tx: &mut Transaction<'_>,
        service_id: Option<&ServiceId>,
        role: ServiceRole,
    ) -> TxResult<(), ErrorType> {
        let (true, Some(id)) = (self.is_strict(), service_id) else {
            return Ok(());
        };
        match self.services.get(tx, id)? {
            None => abort(ErrorType::Auth),
            Some(service) if service.has_role(role) => Ok(()),
            Some(_) => abort(ErrorType::Service),
        }
    }

    /// Puts a queue in its receiving service's set, or takes it out.
    pub(super) fn change_rcv_set(
        &self,
        tx: &mut Transaction<'_>,
        change: SetChange,
        service_id: Option<&ServiceId>,
        id: &RecipientId,
    ) -> TxResult<(), ErrorType> {
        if let Some(service) = self.fitting_service(tx, service_id, ServiceRole::Messaging)? {
            service.rcv.change(tx, change, id, self.hash_rule())?;
        }
        Ok(())
    }

    /// Puts a notifier in its notifying service's set, or takes it out.
    pub(super) fn change_ntf_set(
        &self,
        tx: &mut Transaction<'_>,
        change: SetChange,
        creds: &NtfCreds,
    ) -> TxResult<(), ErrorType> {
        let service_id = creds.service_id.as_ref();
        if let Some(service) = self.fitting_service(tx, service_id, ServiceRole::Notifier)? {
            service.ntf.change(tx, change, &creds.notifier_id, self.hash_rule())?;
        }
        Ok(())
    }

    /// The service whose set a party's id belongs in: under `Strict` one whose role fits, under
    /// `Reference` any that exists (QS-25).
    pub(super) fn fitting_service(
        &self,
        tx: &mut Transaction<'_>,
        service_id: Option<&ServiceId>,
        role: ServiceRole,
    ) -> StmResult<Option<Arc<Service>>> {
        let Some(id) = service_id else {
            return Ok(None);
        };
        let service = self.services.get(tx, id)?;
        Ok(service.filter(|service| !self.is_strict() || service.has_role(role)))
    }

    fn hash_rule(&self) -> HashRule {
        if self.is_strict() { HashRule::Membership } else { HashRule::Blind }
    }
}
