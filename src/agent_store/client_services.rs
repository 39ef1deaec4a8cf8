//! Services of clients (section 4.3). One is found by its user, its router's hosts and port, and the
//! fingerprint that counts for it (AS-31).
//!
//! Triggers keep how many queues a service has, and their hash, while queues are associated, marked as
//! deleted and removed (AS-15).

use super::error::TxResult;
use super::queues::rows;
use super::store::AgentTx;
use super::types::{
    ClientService, KeyHash, Semantics, ServiceCredentials, ServiceId, ServiceSub, SmpServer, UserId,
};
use crate::db::{DbError, Params, Row, Sql};
use crate::protocol::{CertChain, CountHash};

const LOCK_USER: Sql =
    Sql::new("lock a user to create a service", "SELECT user_id FROM users WHERE user_id = $1")
        .locking("FOR NO KEY UPDATE");
const CREATE: Sql = Sql::new(
    "create a service",
    "INSERT INTO client_services
       (user_id, host, port, server_key_hash, service_cert_hash, service_cert, service_priv_key)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (user_id, host, port, server_key_hash) DO NOTHING",
);
const STORED: Sql = Sql::new(
    "look for a service that is there already",
    "SELECT service_cert_hash, service_cert, service_priv_key, service_id FROM client_services
      WHERE user_id = $1 AND host = $2 AND port = $3 AND server_key_hash = $4",
);
/// Of several (AS-17), one that has an id.
const CREDENTIALS: Sql = Sql::new(
    "load a service's credentials",
    "SELECT v.service_cert_hash, v.service_cert, v.service_priv_key, v.service_id
       FROM client_services v JOIN servers s ON s.host = v.host AND s.port = v.port
      WHERE v.user_id = $1 AND v.host = $2 AND v.port = $3
        AND COALESCE(v.server_key_hash, s.key_hash) = $4
      ORDER BY v.service_id IS NULL, v.service_cert_hash
      LIMIT 1",
);
/// Of several, the one whose credentials are loaded.
const SUBSCRIPTION: Sql = Sql::new(
    "load a service's subscription",
    "SELECT v.service_id, v.service_queue_count, v.service_queue_ids_hash
       FROM client_services v JOIN servers s ON s.host = v.host AND s.port = v.port
      WHERE v.user_id = $1 AND v.host = $2 AND v.port = $3
        AND COALESCE(v.server_key_hash, s.key_hash) = $4
        AND v.service_id IS NOT NULL
      ORDER BY v.service_cert_hash
      LIMIT 1",
);
const OF_USER: Sql = Sql::new(
    "list a user's services",
    "SELECT v.host, v.port, v.server_key_hash, s.key_hash,
            v.service_id, v.service_queue_count, v.service_queue_ids_hash
       FROM client_services v JOIN servers s ON s.host = v.host AND s.port = v.port
      WHERE v.user_id = $1 AND v.service_id IS NOT NULL",
);
const SET_ID: Sql = Sql::new(
    "set a service's id",
    "UPDATE client_services SET service_id = $5
      WHERE user_id = $1 AND host = $2 AND port = $3
        AND COALESCE(server_key_hash, (SELECT s.key_hash FROM servers s
              WHERE s.host = $2 AND s.port = $3)) = $4",
);
const DELETE: Sql = Sql::new(
    "delete a service",
    "DELETE FROM client_services
      WHERE user_id = $1 AND host = $2 AND port = $3
        AND COALESCE(server_key_hash, (SELECT s.key_hash FROM servers s
              WHERE s.host = $2 AND s.port = $3)) = $4",
);
/// Queues come before services, as by what changes a queue, whose trigger comes to its service after it.
const LOCK_OF_USER: Sql = Sql::new(
    "lock a user's queues of services",
    "SELECT rcv_queue_id FROM rcv_queues
      WHERE rcv_service_assoc <> 0
        AND conn_id IN (SELECT conn_id FROM connections WHERE user_id = $1)",
)
.locking("FOR NO KEY UPDATE");
const DELETE_OF_USER: Sql =
    Sql::new("delete a user's services", "DELETE FROM client_services WHERE user_id = $1");
const UNASSOC_OF_USER: Sql = Sql::new(
    "take a user's queues from its services",
    "UPDATE rcv_queues SET rcv_service_assoc = 0
      WHERE rcv_service_assoc <> 0
        AND conn_id IN (SELECT conn_id FROM connections WHERE user_id = $1)",
);

impl AgentTx<'_> {
    /// Stores a user's service on a router, and registers that (F-008). When there is one already, nothing
    /// is changed and the stored one is given, not the one that was passed (AS-36, Q-1).
    ///
    /// Those who create a service for one user at once take turns: the user's row is locked, and then
    /// looked. Under [`Semantics::Reference`] only the unique index is asked, which knows services on
    /// routers whose fingerprint isn't the first one seen; on others there is one more with each call
    /// (AS-17).
    ///
    /// # Errors
    ///
    /// A failure of the database, also when there is no such user; certificates that have no stored form:
    /// none, more than 255, or one of more than 65,535 bytes. Nothing is written then.
    pub fn create_client_service(
        &mut self,
        user_id: UserId,
        server: &SmpServer,
        credentials: &ServiceCredentials,
    ) -> TxResult<ClientService> {
        let ServiceCredentials { cert_hash, cert_chain, private_key } = credentials;
        let mut certificates = Vec::new();
        cert_chain
            .encode_binary(&mut certificates)
            .map_err(|problem| DbError::row("client_services", "service_cert", problem))?;
        if self.semantics == Semantics::Strict {
            self.tx.exists(&LOCK_USER, &[&user_id])?;
            if let Some(stored) = self.get_client_service_credentials(user_id, server)? {
                return Ok(stored);
            }
        }
        let key_hash = self.create_server(server)?;
        let SmpServer { hosts, port, .. } = server;
        let values: Params<'_> =
            &[&user_id, hosts, port, &key_hash, cert_hash, &certificates, private_key];
        let passed = ClientService { credentials: credentials.clone(), service_id: None };
        if self.tx.execute(&CREATE, values)? > 0 {
            return Ok(passed);
        }
        let stored =
            self.tx.query_opt(&STORED, &[&user_id, hosts, port, &key_hash], client_service)?;
        Ok(stored.unwrap_or(passed))
    }

    /// A user's service on a router (F-009).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_client_service_credentials(
        &mut self,
        user_id: UserId,
        server: &SmpServer,
    ) -> TxResult<Option<ClientService>> {
        let SmpServer { hosts, port, key_hash, .. } = server;
        let place: Params<'_> = &[&user_id, hosts, port, key_hash];
        Ok(self.tx.query_opt(&CREDENTIALS, place, client_service)?)
    }

    /// The id of a user's service on a router, how many queues it has and their hash (F-010); `None` while
    /// the id isn't known.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_subscription_service(
        &mut self,
        user_id: UserId,
        server: &SmpServer,
    ) -> TxResult<Option<ServiceSub>> {
        let SmpServer { hosts, port, key_hash, .. } = server;
        let place: Params<'_> = &[&user_id, hosts, port, key_hash];
        Ok(self.tx.query_opt(&SUBSCRIPTION, place, service_sub)?)
    }

    /// The same of all of a user's services whose id is known, each with its router, in no order (F-011).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_client_service_servers(
        &mut self,
        user_id: UserId,
    ) -> TxResult<Vec<(SmpServer, ServiceSub)>> {
        Ok(self.tx.query(&OF_USER, &[&user_id], |row| {
            Ok((rows::server(row, SERVER)?, service_sub(row)?))
        })?)
    }

    /// Notes the id that the router gave a user's service (F-012).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_client_service_id(
        &mut self,
        user_id: UserId,
        server: &SmpServer,
        service_id: &ServiceId,
    ) -> TxResult<()> {
        let SmpServer { hosts, port, key_hash, .. } = server;
        self.tx.execute(&SET_ID, &[&user_id, hosts, port, key_hash, service_id])?;
        Ok(())
    }

    /// Deletes a user's service on a router (F-013). Its queues stay marked as associated:
    /// [`unassoc_user_server_rcv_queue_subs_only`](Self::unassoc_user_server_rcv_queue_subs_only) clears
    /// that too.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_client_service(&mut self, user_id: UserId, server: &SmpServer) -> TxResult<()> {
        let SmpServer { hosts, port, key_hash, .. } = server;
        self.tx.execute(&DELETE, &[&user_id, hosts, port, key_hash])?;
        Ok(())
    }

    /// Deletes all of a user's services, and takes all of its queues from them, in whatever state (F-014).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_client_services(&mut self, user_id: UserId) -> TxResult<()> {
        self.lock_queues_of_service(&LOCK_OF_USER, &[&user_id])?;
        self.tx.execute(&DELETE_OF_USER, &[&user_id])?;
        self.tx.execute(&UNASSOC_OF_USER, &[&user_id])?;
        Ok(())
    }
}

const SERVER: [&str; 3] =
    ["client_services.host", "client_services.port", "client_services.server_key_hash"];

fn client_service(row: &mut Row<'_>) -> Result<ClientService, DbError> {
    let cert_hash: KeyHash = row.next("client_services.service_cert_hash")?;
    let cert_chain = row.read("client_services.service_cert", CertChain::decode_binary)?;
    let private_key = row.next("client_services.service_priv_key")?;
    Ok(ClientService {
        credentials: ServiceCredentials { cert_hash, cert_chain, private_key },
        service_id: row.next("client_services.service_id")?,
    })
}

fn service_sub(row: &mut Row<'_>) -> Result<ServiceSub, DbError> {
    Ok(ServiceSub {
        service_id: row.next("client_services.service_id")?,
        queues: CountHash {
            count: row.next("client_services.service_queue_count")?,
            hash: row.next("client_services.service_queue_ids_hash")?,
        },
    })
}
