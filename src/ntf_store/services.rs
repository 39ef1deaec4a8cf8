//! The ids under which routers know this server as a service.

use super::NtfStore;
use crate::protocol::ServiceId;
use crate::protocol::ntf::SmpServer;
use crate::stm::{StmResult, Transaction, atomically};

impl NtfStore {
    /// Sets the id of the service at a router, or removes it, and gives the earlier one. No subscription
    /// changes (NS-11).
    pub fn set_service_tx(
        &self,
        tx: &mut Transaction<'_>,
        server: &SmpServer,
        service_id: Option<ServiceId>,
    ) -> StmResult<Option<ServiceId>> {
        match service_id {
            Some(service_id) => self.services.replace(tx, server.clone(), service_id),
            None => self.services.take(tx, server),
        }
    }

    /// [`set_service_tx`](Self::set_service_tx) as one transaction.
    pub fn set_service(
        &self,
        server: &SmpServer,
        service_id: Option<ServiceId>,
    ) -> Option<ServiceId> {
        atomically(|tx| self.set_service_tx(tx, server, service_id.clone()))
    }

    /// The id of the service at a router.
    pub fn service_tx(
        &self,
        tx: &mut Transaction<'_>,
        server: &SmpServer,
    ) -> StmResult<Option<ServiceId>> {
        self.services.get(tx, server)
    }

    /// The id of the service at a router, as of now.
    pub fn service(&self, server: &SmpServer) -> Option<ServiceId> {
        self.services.get_atomic(server)
    }
}
