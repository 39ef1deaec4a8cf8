//! How connections and queues are read from rows: what is selected stands beside what reads it, for every
//! area that finds them by conditions of its own.
//!
//! A statement is one of the `select_…!` with a `WHERE` put after it by `concat!`, and an order where there may be
//! several rows. The tables are `c` for `connections`, `q` for the queues, and `s` for the `servers` joined to
//! them (AS-31).

use crate::agent_store::types::{
    ClientNtfCreds, ConnData, ConnectionMode, KeyHash, Protocol, RcvQueue, RcvQueueSub, Server,
    ShortLinkCreds, SmpClientVersion, SndQueue,
};
use crate::db::{DbError, Row};

/// Columns of a connection, for [`conn_data`].
macro_rules! select_conn_data {
    () => {
        "SELECT c.conn_id, c.conn_mode, c.user_id, c.smp_agent_version, c.enable_ntfs,
           c.last_external_snd_msg_id, c.deleted, c.ratchet_sync_state, c.pq_support
           FROM connections c"
    };
}

/// Columns of a receive queue, for [`rcv_queue`].
macro_rules! select_rcv_queues {
    () => {
        "SELECT c.user_id, q.conn_id, q.host, q.port, q.server_key_hash, s.key_hash, q.rcv_id,
           q.rcv_private_key, q.rcv_dh_secret, q.e2e_priv_key, q.e2e_dh_secret, q.snd_id,
           q.queue_mode, q.link_id, q.link_key, q.link_priv_sig_key, q.link_enc_fixed_data,
           q.rcv_service_assoc, q.status, c.enable_ntfs, q.client_notice_id, q.rcv_queue_id,
           q.rcv_primary, q.replace_rcv_queue_id, q.switch_status, q.smp_client_version,
           q.ntf_public_key, q.ntf_private_key, q.ntf_id, q.rcv_ntf_dh_secret, q.delete_errors
           FROM rcv_queues q
           JOIN servers s ON s.host = q.host AND s.port = q.port
           JOIN connections c ON c.conn_id = q.conn_id"
    };
}

/// Columns of a receive queue in the reduced form, for [`rcv_queue_sub`].
macro_rules! select_rcv_queue_subs {
    () => {
        "SELECT c.user_id, q.conn_id, q.host, q.port, q.server_key_hash, s.key_hash, q.rcv_id,
           q.rcv_private_key, q.status, c.enable_ntfs, q.client_notice_id, q.rcv_queue_id,
           q.rcv_primary, q.replace_rcv_queue_id
           FROM rcv_queues q
           JOIN servers s ON s.host = q.host AND s.port = q.port
           JOIN connections c ON c.conn_id = q.conn_id"
    };
}

/// Columns of a send queue, for [`snd_queue`].
macro_rules! select_snd_queues {
    () => {
        "SELECT c.user_id, q.conn_id, q.host, q.port, q.server_key_hash, s.key_hash, q.snd_id,
           q.queue_mode, q.snd_private_key, q.e2e_pub_key, q.e2e_dh_secret, q.status,
           q.snd_queue_id, q.snd_primary, q.replace_snd_queue_id, q.switch_status,
           q.smp_client_version
           FROM snd_queues q
           JOIN servers s ON s.host = q.host AND s.port = q.port
           JOIN connections c ON c.conn_id = q.conn_id"
    };
}

/// The order of a connection's receive queues (AS-33); the number decides between equals, which the
/// specification leaves open.
macro_rules! rcv_queue_order {
    () => {
        " ORDER BY q.rcv_primary DESC, q.replace_rcv_queue_id ASC NULLS FIRST, q.rcv_queue_id"
    };
}

/// The same of its send queues.
macro_rules! snd_queue_order {
    () => {
        " ORDER BY q.snd_primary DESC, q.replace_snd_queue_id ASC NULLS FIRST, q.snd_queue_id"
    };
}

pub(in crate::agent_store) use {
    rcv_queue_order, select_conn_data, select_rcv_queue_subs, select_rcv_queues, select_snd_queues,
    snd_queue_order,
};

/// What a version that isn't stored is.
pub(in crate::agent_store) const FIRST_CLIENT_VERSION: SmpClientVersion = SmpClientVersion(1);

/// The columns of a row's router: hosts, port, and the row's own fingerprint, which goes before the one that
/// follows in the result, `servers.key_hash` (AS-31).
pub(in crate::agent_store) fn server<P: Protocol>(
    row: &mut Row<'_>,
    [hosts, port, own_key_hash]: [&'static str; 3],
) -> Result<Server<P>, DbError> {
    let (hosts, port) = (row.next(hosts)?, row.next(port)?);
    let own: Option<KeyHash> = row.next(own_key_hash)?;
    let first_seen: KeyHash = row.next("servers.key_hash")?;
    Ok(Server::new(hosts, port, own.unwrap_or(first_seen)))
}

/// Notifications are wanted where nothing is said, in rows older than the column (AS-32).
pub(in crate::agent_store) fn enable_ntfs(row: &mut Row<'_>) -> Result<bool, DbError> {
    Ok(row.next::<Option<bool>>("connections.enable_ntfs")?.unwrap_or(true))
}

/// Reads [`select_conn_data`].
pub(in crate::agent_store) fn conn_data(
    row: &mut Row<'_>,
) -> Result<(ConnData, ConnectionMode), DbError> {
    let (conn_id, mode) = (row.next("connections.conn_id")?, row.next("connections.conn_mode")?);
    let data = ConnData {
        conn_id,
        user_id: row.next("connections.user_id")?,
        agent_version: row.next("connections.smp_agent_version")?,
        enable_ntfs: enable_ntfs(row)?,
        last_external_snd_id: row.next("connections.last_external_snd_msg_id")?,
        deleted: row.next("connections.deleted")?,
        ratchet_sync_state: row.next("connections.ratchet_sync_state")?,
        pq_support: row.next("connections.pq_support")?,
    };
    Ok((data, mode))
}

const RCV_SERVER: [&str; 3] = ["rcv_queues.host", "rcv_queues.port", "rcv_queues.server_key_hash"];
const SND_SERVER: [&str; 3] = ["snd_queues.host", "snd_queues.port", "snd_queues.server_key_hash"];

/// Reads [`select_rcv_queues`].
pub(in crate::agent_store) fn rcv_queue(row: &mut Row<'_>) -> Result<RcvQueue, DbError> {
    Ok(RcvQueue {
        user_id: row.next("connections.user_id")?,
        conn_id: row.next("rcv_queues.conn_id")?,
        server: server(row, RCV_SERVER)?,
        rcv_id: row.next("rcv_queues.rcv_id")?,
        rcv_private_key: row.next("rcv_queues.rcv_private_key")?,
        rcv_dh_secret: row.next("rcv_queues.rcv_dh_secret")?,
        e2e_priv_key: row.next("rcv_queues.e2e_priv_key")?,
        e2e_dh_secret: row.next("rcv_queues.e2e_dh_secret")?,
        snd_id: row.next("rcv_queues.snd_id")?,
        queue_mode: row.next("rcv_queues.queue_mode")?,
        short_link: short_link(row)?,
        rcv_service_assoc: row.next("rcv_queues.rcv_service_assoc")?,
        status: row.next("rcv_queues.status")?,
        enable_ntfs: enable_ntfs(row)?,
        client_notice_id: row.next("rcv_queues.client_notice_id")?,
        db_queue_id: row.next("rcv_queues.rcv_queue_id")?,
        primary: row.next("rcv_queues.rcv_primary")?,
        db_replace_queue_id: row.next("rcv_queues.replace_rcv_queue_id")?,
        rcv_switch_status: row.next("rcv_queues.switch_status")?,
        smp_client_version: row
            .next::<Option<_>>("rcv_queues.smp_client_version")?
            .unwrap_or(FIRST_CLIENT_VERSION),
        client_ntf_creds: client_ntf_creds(row)?,
        delete_errors: row.next("rcv_queues.delete_errors")?,
    })
}

/// Reads [`select_rcv_queue_subs`].
pub(in crate::agent_store) fn rcv_queue_sub(row: &mut Row<'_>) -> Result<RcvQueueSub, DbError> {
    Ok(RcvQueueSub {
        user_id: row.next("connections.user_id")?,
        conn_id: row.next("rcv_queues.conn_id")?,
        server: server(row, RCV_SERVER)?,
        rcv_id: row.next("rcv_queues.rcv_id")?,
        rcv_private_key: row.next("rcv_queues.rcv_private_key")?,
        status: row.next("rcv_queues.status")?,
        enable_ntfs: enable_ntfs(row)?,
        client_notice_id: row.next("rcv_queues.client_notice_id")?,
        db_queue_id: row.next("rcv_queues.rcv_queue_id")?,
        primary: row.next("rcv_queues.rcv_primary")?,
        db_replace_queue_id: row.next("rcv_queues.replace_rcv_queue_id")?,
    })
}

/// Reads [`select_snd_queues`].
pub(in crate::agent_store) fn snd_queue(row: &mut Row<'_>) -> Result<SndQueue, DbError> {
    Ok(SndQueue {
        user_id: row.next("connections.user_id")?,
        conn_id: row.next("snd_queues.conn_id")?,
        server: server(row, SND_SERVER)?,
        snd_id: row.next("snd_queues.snd_id")?,
        queue_mode: row.next("snd_queues.queue_mode")?,
        snd_private_key: row.next("snd_queues.snd_private_key")?,
        e2e_pub_key: row.next("snd_queues.e2e_pub_key")?,
        e2e_dh_secret: row.next("snd_queues.e2e_dh_secret")?,
        status: row.next("snd_queues.status")?,
        db_queue_id: row.next("snd_queues.snd_queue_id")?,
        primary: row.next("snd_queues.snd_primary")?,
        db_replace_queue_id: row.next("snd_queues.replace_snd_queue_id")?,
        snd_switch_status: row.next("snd_queues.switch_status")?,
        smp_client_version: row.next("snd_queues.smp_client_version")?,
    })
}

/// Columns that belong together: there when all of them are. The root key isn't stored (AS-24).
fn short_link(row: &mut Row<'_>) -> Result<Option<ShortLinkCreds>, DbError> {
    let link_id = row.next("rcv_queues.link_id")?;
    let link_key = row.next("rcv_queues.link_key")?;
    let link_priv_sig_key = row.next("rcv_queues.link_priv_sig_key")?;
    let link_enc_fixed_data = row.next("rcv_queues.link_enc_fixed_data")?;
    let all = (link_id, link_key, link_priv_sig_key, link_enc_fixed_data);
    let (Some(link_id), Some(link_key), Some(link_priv_sig_key), Some(link_enc_fixed_data)) = all
    else {
        return Ok(None);
    };
    let link_root_sig_key = None;
    Ok(Some(ShortLinkCreds {
        link_id,
        link_key,
        link_priv_sig_key,
        link_root_sig_key,
        link_enc_fixed_data,
    }))
}

/// Columns that belong together: there when all of them are.
fn client_ntf_creds(row: &mut Row<'_>) -> Result<Option<ClientNtfCreds>, DbError> {
    let ntf_public_key = row.next("rcv_queues.ntf_public_key")?;
    let ntf_private_key = row.next("rcv_queues.ntf_private_key")?;
    let notifier_id = row.next("rcv_queues.ntf_id")?;
    let rcv_ntf_dh_secret = row.next("rcv_queues.rcv_ntf_dh_secret")?;
    let all = (ntf_public_key, ntf_private_key, notifier_id, rcv_ntf_dh_secret);
    let (Some(ntf_public_key), Some(ntf_private_key), Some(notifier_id), Some(rcv_ntf_dh_secret)) =
        all
    else {
        return Ok(None);
    };
    Ok(Some(ClientNtfCreds { ntf_public_key, ntf_private_key, notifier_id, rcv_ntf_dh_secret }))
}
