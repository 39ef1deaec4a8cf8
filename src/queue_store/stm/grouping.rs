//! Grouping notifications by the service that they go to.

use std::collections::HashMap;
use std::sync::Arc;

use super::StmQueueStore;
use super::service_set::Service;
use crate::protocol::{NotifierId, ServiceId};
use crate::queue_store::{NtfServiceGroups, QueueFactory, StoreQueue};
use crate::stm::{StmResult, Transaction};

/// Where a list of notifications goes: decided in a transaction, applied after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtfGrouping {
    /// The known services in ascending order of ids.
    services: Vec<ServiceId>,
    destinations: Vec<Destination>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Destination {
    NoService,
    /// A position in the list of services.
    Service(usize),
    Deleted,
}

impl NtfGrouping {
    /// Moves the notifications that the grouping was made for into their groups.
    ///
    /// The group without a service comes first, then one for each service in descending order of
    /// ids, empty ones included (QS-21).
    pub fn distribute<T>(self, ntfs: Vec<(NotifierId, T)>) -> NtfServiceGroups<T> {
        let mut no_service = Vec::new();
        let mut deleted = Vec::new();
        let mut of_services: Vec<_> =
            self.services.into_iter().map(|id| (Some(id), Vec::new())).collect();
        for (ntf, destination) in ntfs.into_iter().zip(self.destinations) {
            let group = match destination {
                Destination::NoService => &mut no_service,
                Destination::Deleted => &mut deleted,
                Destination::Service(number) => match of_services.get_mut(number) {
                    Some((_, group)) => group,
                    None => &mut no_service,
                },
            };
            group.push(ntf);
        }
        let services =
            std::iter::once((None, no_service)).chain(of_services.into_iter().rev()).collect();
        NtfServiceGroups { services, deleted }
    }
}

impl<F: QueueFactory> StmQueueStore<F> {
    /// Decides for each notifier which service its notifications go to, at one moment (OP-24, RACE-25).
    ///
    /// `Strict` decides by the notifiers' records; `Reference` by the services' sets in ascending
    /// order of ids, and only then by the notifier index (QS-21).
    pub fn group_by_ntf_service_tx<'i>(
        &self,
        tx: &mut Transaction<'_>,
        notifiers: impl Iterator<Item = &'i NotifierId>,
    ) -> StmResult<NtfGrouping> {
        let services: Vec<(ServiceId, Arc<Service>)> = self.services.snapshot(tx)?.iter_sorted();
        let destinations = if self.is_strict() {
            let places = services.iter().enumerate().map(|(n, (id, _))| (id, n)).collect();
            notifiers.map(|id| self.by_record(tx, id, &places)).collect::<StmResult<_>>()?
        } else {
            notifiers.map(|id| self.by_sets(tx, id, &services)).collect::<StmResult<_>>()?
        };
        Ok(NtfGrouping { services: services.into_iter().map(|(id, _)| id).collect(), destinations })
    }

    fn by_record(
        &self,
        tx: &mut Transaction<'_>,
        id: &NotifierId,
        places: &HashMap<&ServiceId, usize>,
    ) -> StmResult<Destination> {
        let Some(queue) = self.notifiers.get(tx, id)? else {
            return Ok(Destination::Deleted);
        };
        let service = queue.record().with(tx, |record| {
            let creds = record.as_ref()?.notifier.as_ref()?;
            places.get(creds.service_id.as_ref()?).copied()
        })?;
        Ok(service.map_or(Destination::NoService, Destination::Service))
    }

    fn by_sets(
        &self,
        tx: &mut Transaction<'_>,
        id: &NotifierId,
        services: &[(ServiceId, Arc<Service>)],
    ) -> StmResult<Destination> {
        for (place, (_, service)) in services.iter().enumerate() {
            if service.ntf.ids.contains(tx, id)? {
                return Ok(Destination::Service(place));
            }
        }
        let known = self.notifiers.contains_key(tx, id)?;
        Ok(if known { Destination::NoService } else { Destination::Deleted })
    }
}
