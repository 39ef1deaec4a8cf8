//! What has to be subscribed to (F-022 to F-028): queues one by one, or through the client's service.
//!
//! Every change of a queue's association goes through the table's triggers, which keep its service's count
//! and hash (AS-15).

use std::collections::BTreeSet;

use super::error::TxResult;
use super::queues::rows::{self, select_rcv_queue_subs};
use super::store::AgentTx;
use super::types::{RcvQueueSub, RecipientId, Semantics, SmpQueue, SmpServer, UserId};
use crate::db::{Dialect, Param, Params, Sql};

macro_rules! servers {
    ($needed:literal) => {
        concat!(
            "SELECT DISTINCT c.user_id, q.host, q.port, q.server_key_hash, s.key_hash
               FROM rcv_queues q
               JOIN servers s ON s.host = q.host AND s.port = q.port
               JOIN connections c ON c.conn_id = q.conn_id
              WHERE q.deleted = 0 AND c.deleted = 0",
            $needed
        )
    };
}
const SERVERS: Sql = Sql::new("list routers to subscribe on", servers!(""));
const SERVERS_NEEDED: Sql =
    Sql::new("list routers with new subscriptions", servers!(" AND q.to_subscribe = 1"));

/// A page begins after an id, so that an index gives its rows in order, and no others. With the plus, which
/// changes nothing, SQLite doesn't begin with the user's connections, which would have to be sorted.
macro_rules! page {
    ($needed:literal) => {
        concat!(
            select_rcv_queue_subs!(),
            " WHERE q.host = $2 AND q.port = $3 AND q.rcv_id > $6
                AND +c.user_id = $1 AND COALESCE(q.server_key_hash, s.key_hash) = $4
                AND q.deleted = 0 AND c.deleted = 0
                AND (q.rcv_service_assoc = 0 OR $5 = 0)",
            $needed,
            " ORDER BY q.rcv_id LIMIT $7"
        )
    };
}
const PAGE: Sql = Sql::new("list queues to subscribe to", page!(""));
const PAGE_NEEDED: Sql =
    Sql::new("list queues with new subscriptions", page!(" AND q.to_subscribe = 1"));

/// A user's queues on a router, in whatever state.
macro_rules! of_user {
    ($statement:literal, $which:literal) => {
        concat!(
            $statement,
            " WHERE host = $2 AND port = $3",
            $which,
            " AND COALESCE(server_key_hash, (SELECT s.key_hash FROM servers s
                      WHERE s.host = $2 AND s.port = $3)) = $4
                AND EXISTS (SELECT 1 FROM connections c
                      WHERE c.conn_id = rcv_queues.conn_id AND c.user_id = $1)"
        )
    };
}
macro_rules! unassoc {
    ($which:literal) => {
        of_user!("UPDATE rcv_queues SET rcv_service_assoc = 0", $which)
    };
}
/// What changes a queue comes to its service after it, by a trigger. So who deletes a service locks its queues
/// before it, and neither waits for the other.
const LOCK_ASSOC: Sql = Sql::new(
    "lock queues to take from their service",
    of_user!("SELECT rcv_queue_id FROM rcv_queues", " AND rcv_service_assoc <> 0"),
)
.locking("FOR NO KEY UPDATE");
const LOCK_ALL: Sql = Sql::new(
    "lock all queues to take from their service",
    of_user!("SELECT rcv_queue_id FROM rcv_queues", ""),
)
.locking("FOR NO KEY UPDATE");
/// The columns of `select_rcv_queue_subs!`, from an update.
macro_rules! returning {
    () => {
        " RETURNING
           (SELECT c.user_id FROM connections c WHERE c.conn_id = rcv_queues.conn_id) AS user_id,
           conn_id, host, port, server_key_hash,
           (SELECT s.key_hash FROM servers s WHERE s.host = rcv_queues.host
              AND s.port = rcv_queues.port) AS key_hash,
           rcv_id, rcv_private_key, status,
           (SELECT c.enable_ntfs FROM connections c WHERE c.conn_id = rcv_queues.conn_id)
             AS enable_ntfs,
           client_notice_id, rcv_queue_id, rcv_primary, replace_rcv_queue_id"
    };
}
const UNASSOC: Sql =
    Sql::new("take queues from their service", unassoc!(" AND rcv_service_assoc <> 0"));
const UNASSOC_RETURNING: Sql = Sql::new(
    "take queues from their service and list them",
    concat!(unassoc!(" AND rcv_service_assoc <> 0"), returning!()),
);
const UNASSOC_ALL_RETURNING: Sql =
    Sql::new("take queues from their service and list all", concat!(unassoc!(""), returning!()));
const UNSET_TO_SUBSCRIBE: Sql = Sql::new(
    "note that all queues are subscribed to",
    "UPDATE rcv_queues SET to_subscribe = 0 WHERE to_subscribe = 1",
);
const ASSOC: Sql = Sql::new(
    "give a queue to its service",
    "UPDATE rcv_queues SET rcv_service_assoc = 1 WHERE host = $1 AND port = $2 AND rcv_id = $3",
);
/// PostgreSQL only.
const ASSOC_MANY: Sql = Sql::new(
    "give queues to their service",
    "UPDATE rcv_queues SET rcv_service_assoc = 1
      WHERE host = $1 AND port = $2 AND rcv_id = ANY ($3)",
);

/// Which queues [`get_user_server_rcv_queue_subs`](AgentTx::get_user_server_rcv_queue_subs) lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubsFilter {
    /// Only those that were made without subscribing to them.
    pub only_needed: bool,
    /// Not those that the client's service subscribes to, because it has one. Otherwise these too, so that
    /// they are subscribed to one by one.
    pub has_service: bool,
}

impl AgentTx<'_> {
    /// The users, and the routers on which each has queues to subscribe to, in order: queues that aren't
    /// marked as deleted, of connections that aren't; with `only_needed`, those that were made without
    /// subscribing to them (F-022).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_subscription_servers(
        &mut self,
        only_needed: bool,
    ) -> TxResult<Vec<(UserId, SmpServer)>> {
        let sql = if only_needed { &SERVERS_NEEDED } else { &SERVERS };
        let mut servers = BTreeSet::new();
        self.tx.query_each(sql, &[], |row| {
            let user_id: UserId = row.next("connections.user_id")?;
            // A fingerprint of a queue's own may be the same as its router's.
            servers.insert((user_id, rows::server(row, SERVER)?));
            Ok(())
        })?;
        Ok(servers.into_iter().collect())
    }

    /// A page of such queues of one user on one router, ordered by the bytes of their ids (F-023): those
    /// after the cursor, which is the last id of the page before, at most `limit` (AS-48). The fingerprint
    /// that counts for a queue has to be the router's.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_user_server_rcv_queue_subs(
        &mut self,
        user_id: UserId,
        server: &SmpServer,
        SubsFilter { only_needed, has_service }: SubsFilter,
        limit: u32,
        cursor: Option<&RecipientId>,
    ) -> TxResult<Vec<RcvQueueSub>> {
        let SmpServer { hosts, port, key_hash, .. } = server;
        let sql = if only_needed { &PAGE_NEEDED } else { &PAGE };
        // No id is empty, so all are after it.
        let after = cursor.map_or(&[][..], RecipientId::as_bytes);
        let values: Params<'_> = &[&user_id, hosts, port, key_hash, &has_service, &after, &limit];
        Ok(self.tx.query(sql, values, rows::rcv_queue_sub)?)
    }

    /// Deletes a user's service on a router, takes all of the user's queues there from it, in whatever
    /// state, and gives those that it had, in no order (F-024, Q-4).
    ///
    /// Under [`Semantics::Reference`] that is so on SQLite only, and on PostgreSQL all of the user's queues
    /// on the router are given (AS-49).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn unassoc_user_server_rcv_queue_subs(
        &mut self,
        user_id: UserId,
        server: &SmpServer,
    ) -> TxResult<Vec<RcvQueueSub>> {
        let all = self.semantics == Semantics::Reference && self.tx.dialect() == Dialect::Postgres;
        let (lock, sql) = match all {
            true => (&LOCK_ALL, &UNASSOC_ALL_RETURNING),
            false => (&LOCK_ASSOC, &UNASSOC_RETURNING),
        };
        let SmpServer { hosts, port, key_hash, .. } = server;
        let values: Params<'_> = &[&user_id, hosts, port, key_hash];
        self.lock_queues_of_service(lock, values)?;
        self.delete_client_service(user_id, server)?;
        Ok(self.tx.query(sql, values, rows::rcv_queue_sub)?)
    }

    /// The same without a result (F-025).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn unassoc_user_server_rcv_queue_subs_only(
        &mut self,
        user_id: UserId,
        server: &SmpServer,
    ) -> TxResult<()> {
        let SmpServer { hosts, port, key_hash, .. } = server;
        self.lock_queues_of_service(&LOCK_ASSOC, &[&user_id, hosts, port, key_hash])?;
        self.delete_client_service(user_id, server)?;
        self.remove_rcv_service_assocs(user_id, server)
    }

    /// Notes that no queue is left that was made without subscribing to it (F-026).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn unset_queues_to_subscribe(&mut self) -> TxResult<()> {
        self.tx.execute(&UNSET_TO_SUBSCRIBE, &[])?;
        Ok(())
    }

    /// Notes that the client's service subscribes to these queues on a router (F-027): on PostgreSQL by one
    /// statement, on SQLite, which is in this process, by one for each (AS-12). They are found by hosts,
    /// port and id, whoever's they are.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_rcv_service_assocs<Q: SmpQueue<Id = RecipientId>>(
        &mut self,
        server: &SmpServer,
        queues: &[Q],
    ) -> TxResult<()> {
        let SmpServer { hosts, port, .. } = server;
        if self.tx.dialect() == Dialect::Postgres {
            let ids = queues.iter().map(|queue| queue.queue_id().as_bytes()).collect();
            self.tx.execute(&ASSOC_MANY, &[hosts, port, &Param::Blobs(ids)])?;
            return Ok(());
        }
        for queue in queues {
            self.tx.execute(&ASSOC, &[hosts, port, queue.queue_id()])?;
        }
        Ok(())
    }

    /// Notes that the client's service subscribes to none of a user's queues on a router (F-028).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn remove_rcv_service_assocs(
        &mut self,
        user_id: UserId,
        server: &SmpServer,
    ) -> TxResult<()> {
        let SmpServer { hosts, port, key_hash, .. } = server;
        self.tx.execute(&UNASSOC, &[&user_id, hosts, port, key_hash])?;
        Ok(())
    }

    /// Locks queues before their services are deleted; on SQLite there is one writer at a time.
    pub(super) fn lock_queues_of_service(&mut self, sql: &Sql, values: Params<'_>) -> TxResult<()> {
        if self.tx.dialect() == Dialect::Postgres {
            self.tx.exists(sql, values)?;
        }
        Ok(())
    }
}

const SERVER: [&str; 3] = ["rcv_queues.host", "rcv_queues.port", "rcv_queues.server_key_hash"];
