//! Associations with services that aren't there, or don't fit: they are imported as none (RACE-23).

use std::borrow::Cow;
use std::collections::HashMap;

use crate::protocol::{QueueRec, RecipientId, ServiceId, ServiceParty, ServiceRole};
use crate::store_log::{ReplayWarning, WarningKind, Warnings};

/// Clears the associations that no service fits, and notes them.
pub(super) struct Refit<'w> {
    roles: HashMap<ServiceId, ServiceRole>,
    warnings: &'w mut Warnings,
    pub(super) cleared: u64,
}

impl<'w> Refit<'w> {
    pub(super) fn new(roles: HashMap<ServiceId, ServiceRole>, warnings: &'w mut Warnings) -> Self {
        Self { roles, warnings, cleared: 0 }
    }

    /// The record with the associations that hold. `place` is its line and offset.
    pub(super) fn record<'r>(
        &mut self,
        place: (u64, u64),
        id: &RecipientId,
        record: &'r QueueRec,
    ) -> Cow<'r, QueueRec> {
        let mut record = Cow::Borrowed(record);
        if let Some(service) = &record.rcv_service_id
            && !self.fits(service, ServiceRole::Messaging)
        {
            self.note(place, id, ServiceParty::Receiver, &service.clone());
            record.to_mut().rcv_service_id = None;
        }
        if let Some(notifier) = &record.notifier
            && let Some(service) = &notifier.service_id
            && !self.fits(service, ServiceRole::Notifier)
        {
            self.note(place, id, ServiceParty::Notifier, &service.clone());
            if let Some(notifier) = &mut record.to_mut().notifier {
                notifier.service_id = None;
            }
        }
        record
    }

    fn fits(&self, service: &ServiceId, role: ServiceRole) -> bool {
        self.roles.get(service) == Some(&role)
    }

    fn note(
        &mut self,
        (line, offset): (u64, u64),
        id: &RecipientId,
        party: ServiceParty,
        service: &ServiceId,
    ) {
        self.cleared += 1;
        let (entity, service) = (id.to_string(), service.to_string());
        let kind = WarningKind::DanglingService { entity, party, service };
        self.warnings.push(ReplayWarning { line, offset, kind });
    }
}
