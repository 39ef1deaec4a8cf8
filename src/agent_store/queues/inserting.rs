//! Inserting queues, for every operation that adds one (AS-43 to AS-45).

use crate::agent_store::error::{StoreError, TxResult};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    ConnData, ConnId, NewConnData, NewRcvQueue, NewSndQueue, RcvQueue, SmpServer, SndQueue,
    SndSwitchStatus, StoredEntity, SubscriptionMode, UserId,
};
use crate::db::{DbError, Params, Row, Sql};

const RCV_NUMBER: Sql = Sql::new(
    "look for a receive queue's number",
    "SELECT rcv_queue_id FROM rcv_queues
      WHERE conn_id = $1 AND host = $2 AND port = $3 AND snd_id = $4",
);
const NEXT_RCV_NUMBER: Sql = Sql::new(
    "number a receive queue",
    "SELECT COALESCE(MAX(rcv_queue_id), 0) + 1 AS rcv_queue_id FROM rcv_queues WHERE conn_id = $1",
);
const INSERT_RCV: Sql = Sql::new(
    "insert a receive queue",
    "INSERT INTO rcv_queues (
       host, port, rcv_id, conn_id, rcv_private_key, rcv_dh_secret, e2e_priv_key, e2e_dh_secret,
       snd_id, queue_mode, status, to_subscribe, rcv_queue_id, rcv_primary, replace_rcv_queue_id,
       smp_client_version, server_key_hash, link_id, link_key, link_priv_sig_key,
       link_enc_fixed_data, ntf_public_key, ntf_private_key, ntf_id, rcv_ntf_dh_secret,
       rcv_service_assoc
     ) VALUES (
       $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
       $21, $22, $23, $24, $25, $26
     )",
);
const SND_NUMBER: Sql = Sql::new(
    "look for a send queue's number",
    "SELECT snd_queue_id FROM snd_queues
      WHERE conn_id = $1 AND host = $2 AND port = $3 AND snd_id = $4",
);
const NEXT_SND_NUMBER: Sql = Sql::new(
    "number a send queue",
    "SELECT COALESCE(MAX(snd_queue_id), 0) + 1 AS snd_queue_id FROM snd_queues WHERE conn_id = $1",
);
const CONFIRMED_SND: Sql = Sql::new(
    "look for a confirmed send queue",
    "SELECT snd_queue_id FROM snd_queues
      WHERE host = $1 AND port = $2 AND snd_id = $3 AND status <> 'new'",
)
.locking("FOR UPDATE");

/// All columns but the status of a switch and the two that nobody uses.
macro_rules! upsert_snd {
    () => {
        "INSERT INTO snd_queues (
           host, port, snd_id, conn_id, queue_mode, snd_private_key, e2e_pub_key, e2e_dh_secret,
           status, snd_queue_id, snd_primary, replace_snd_queue_id, smp_client_version,
           server_key_hash
         ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (host, port, snd_id) DO UPDATE SET
           conn_id = excluded.conn_id,
           queue_mode = excluded.queue_mode,
           snd_private_key = excluded.snd_private_key,
           e2e_pub_key = excluded.e2e_pub_key,
           e2e_dh_secret = excluded.e2e_dh_secret,
           status = excluded.status,
           snd_queue_id = excluded.snd_queue_id,
           snd_primary = excluded.snd_primary,
           replace_snd_queue_id = excluded.replace_snd_queue_id,
           smp_client_version = excluded.smp_client_version,
           server_key_hash = excluded.server_key_hash"
    };
}
const UPSERT_SND: Sql =
    Sql::new("insert a send queue", concat!(upsert_snd!(), " RETURNING switch_status"));
const UPSERT_UNCONFIRMED_SND: Sql = Sql::new(
    "insert a send queue that isn't confirmed",
    concat!(upsert_snd!(), " WHERE snd_queues.status = 'new' RETURNING switch_status"),
);

/// The connection that a queue is inserted for.
#[derive(Clone, Copy)]
pub(in crate::agent_store) struct Owner<'a> {
    conn_id: &'a ConnId,
    user_id: UserId,
    enable_ntfs: bool,
}

impl<'a> Owner<'a> {
    /// One that is made in the same transaction.
    pub(in crate::agent_store) fn new(conn_id: &'a ConnId, data: &NewConnData) -> Self {
        Self { conn_id, user_id: data.user_id, enable_ntfs: data.enable_ntfs }
    }
}

impl<'a> From<&'a ConnData> for Owner<'a> {
    fn from(data: &'a ConnData) -> Self {
        Self { conn_id: &data.conn_id, user_id: data.user_id, enable_ntfs: data.enable_ntfs }
    }
}

/// Which row with the same address a send queue may be written over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::agent_store) enum TakeOver {
    /// Any.
    Any,
    /// One that is still `new`, also when another transaction confirms it at this moment.
    Unconfirmed,
}

impl AgentTx<'_> {
    /// Inserts a receive queue, after its router. It is never written over another (AS-44): one with the
    /// same id of recipient or sender on this router makes this a failure of the database, also where the
    /// number of one with the same sender's address was found (AS-43, Q-3).
    pub(in crate::agent_store) fn insert_rcv_queue(
        &mut self,
        owner: Owner<'_>,
        queue: &NewRcvQueue,
        sub_mode: SubscriptionMode,
    ) -> TxResult<RcvQueue> {
        let key_hash = self.create_server(&queue.server)?;
        let SmpServer { hosts, port, .. } = &queue.server;
        let address: Params<'_> = &[owner.conn_id, hosts, port, &queue.snd_id];
        let number = match self.tx.query_opt(&RCV_NUMBER, address, rcv_number)? {
            Some(number) => number,
            None => self.tx.query_one(&NEXT_RCV_NUMBER, &[owner.conn_id], rcv_number)?,
        };
        let link = queue.short_link.as_ref();
        let ntf = queue.client_ntf_creds.as_ref();
        let params: Params<'_> = &[
            hosts,
            port,
            &queue.rcv_id,
            owner.conn_id,
            &queue.rcv_private_key,
            &queue.rcv_dh_secret,
            &queue.e2e_priv_key,
            &queue.e2e_dh_secret,
            &queue.snd_id,
            &queue.queue_mode,
            &queue.status,
            &(sub_mode == SubscriptionMode::OnlyCreate),
            &number,
            &queue.primary,
            &queue.db_replace_queue_id,
            &queue.smp_client_version,
            &key_hash,
            &link.map(|link| &link.link_id),
            &link.map(|link| &link.link_key),
            &link.map(|link| &link.link_priv_sig_key),
            &link.map(|link| &link.link_enc_fixed_data),
            &ntf.map(|ntf| &ntf.ntf_public_key),
            &ntf.map(|ntf| &ntf.ntf_private_key),
            &ntf.map(|ntf| &ntf.notifier_id),
            &ntf.map(|ntf| &ntf.rcv_ntf_dh_secret),
            &queue.rcv_service_assoc,
        ];
        self.tx.execute(&INSERT_RCV, params)?;
        Ok(stored_rcv_queue(owner, queue, number))
    }

    /// Inserts a send queue, after its router, or writes it over the row with the same address (AS-45); of
    /// that, the status of a switch is kept. The number is kept when the row was this connection's (AS-43).
    ///
    /// # Errors
    ///
    /// [`StoreError::SndQueueExists`] when the row may not be written over.
    pub(in crate::agent_store) fn insert_snd_queue(
        &mut self,
        owner: Owner<'_>,
        queue: &NewSndQueue,
        take_over: TakeOver,
    ) -> TxResult<SndQueue> {
        let key_hash = self.create_server(&queue.server)?;
        let SmpServer { hosts, port, .. } = &queue.server;
        let address: Params<'_> = &[owner.conn_id, hosts, port, &queue.snd_id];
        let number = match self.tx.query_opt(&SND_NUMBER, address, snd_number)? {
            Some(number) => number,
            None => self.tx.query_one(&NEXT_SND_NUMBER, &[owner.conn_id], snd_number)?,
        };
        let upsert = match take_over {
            TakeOver::Any => &UPSERT_SND,
            TakeOver::Unconfirmed => &UPSERT_UNCONFIRMED_SND,
        };
        let params: Params<'_> = &[
            hosts,
            port,
            &queue.snd_id,
            owner.conn_id,
            &queue.queue_mode,
            &queue.snd_private_key,
            &queue.e2e_pub_key,
            &queue.e2e_dh_secret,
            &queue.status,
            &number,
            &queue.primary,
            &queue.db_replace_queue_id,
            &queue.smp_client_version,
            &key_hash,
        ];
        let written =
            self.tx.query_opt(upsert, params, |row| row.next("snd_queues.switch_status"))?;
        let switch_status = written.ok_or(StoreError::SndQueueExists)?;
        Ok(stored_snd_queue(owner, queue, number, switch_status))
    }

    /// Whether a send queue with this address may still be made: there is none, or it is still `new`
    /// (AS-42). Its row is locked (AS-10).
    ///
    /// # Errors
    ///
    /// [`StoreError::SndQueueExists`] when it may not.
    pub(in crate::agent_store) fn check_unconfirmed(
        &mut self,
        queue: &NewSndQueue,
    ) -> TxResult<()> {
        let SmpServer { hosts, port, .. } = &queue.server;
        match self.tx.exists(&CONFIRMED_SND, &[hosts, port, &queue.snd_id])? {
            true => Err(StoreError::SndQueueExists.into()),
            false => Ok(()),
        }
    }
}

fn rcv_number(row: &mut Row<'_>) -> Result<StoredEntity, DbError> {
    row.next("rcv_queues.rcv_queue_id")
}

fn snd_number(row: &mut Row<'_>) -> Result<StoredEntity, DbError> {
    row.next("snd_queues.snd_queue_id")
}

/// What was just inserted; its root key is as it was given, although it isn't stored (AS-24).
fn stored_rcv_queue(owner: Owner<'_>, queue: &NewRcvQueue, number: StoredEntity) -> RcvQueue {
    let queue = queue.clone();
    RcvQueue {
        user_id: owner.user_id,
        conn_id: owner.conn_id.clone(),
        server: queue.server,
        rcv_id: queue.rcv_id,
        rcv_private_key: queue.rcv_private_key,
        rcv_dh_secret: queue.rcv_dh_secret,
        e2e_priv_key: queue.e2e_priv_key,
        e2e_dh_secret: queue.e2e_dh_secret,
        snd_id: queue.snd_id,
        queue_mode: queue.queue_mode,
        short_link: queue.short_link,
        rcv_service_assoc: queue.rcv_service_assoc,
        status: queue.status,
        enable_ntfs: owner.enable_ntfs,
        client_notice_id: None,
        db_queue_id: number,
        primary: queue.primary,
        db_replace_queue_id: queue.db_replace_queue_id,
        rcv_switch_status: None,
        smp_client_version: queue.smp_client_version,
        client_ntf_creds: queue.client_ntf_creds,
        delete_errors: 0,
    }
}

fn stored_snd_queue(
    owner: Owner<'_>,
    queue: &NewSndQueue,
    number: StoredEntity,
    snd_switch_status: Option<SndSwitchStatus>,
) -> SndQueue {
    let queue = queue.clone();
    SndQueue {
        user_id: owner.user_id,
        conn_id: owner.conn_id.clone(),
        server: queue.server,
        snd_id: queue.snd_id,
        queue_mode: queue.queue_mode,
        snd_private_key: queue.snd_private_key,
        e2e_pub_key: queue.e2e_pub_key,
        e2e_dh_secret: queue.e2e_dh_secret,
        status: queue.status,
        db_queue_id: number,
        primary: queue.primary,
        db_replace_queue_id: queue.db_replace_queue_id,
        snd_switch_status,
        smp_client_version: queue.smp_client_version,
    }
}
