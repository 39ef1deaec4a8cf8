//! How subscriptions for notifications are read from rows: what is selected stands beside what reads it.

use crate::agent_store::queues::rows::server;
use crate::agent_store::types::{NtfSubAction, NtfSubscription, Server};
use crate::db::{DbError, Row, UtcTime};

/// Columns of a connection's subscription for [`subscription`], and others after them. Its connection and
/// both routers are joined: where one is missing, it isn't found (AS-14, AS-31).
macro_rules! select_subscription {
    ($more:literal) => {
        concat!(
            "SELECT c.user_id, n.conn_id, n.smp_host, n.smp_port, n.smp_server_key_hash, s.key_hash,
               n.smp_ntf_id, n.ntf_host, n.ntf_port, r.ntf_key_hash, n.ntf_sub_id,
               n.ntf_sub_status, ",
            $more,
            " FROM ntf_subscriptions n
               JOIN connections c ON c.conn_id = n.conn_id
               JOIN servers s ON s.host = n.smp_host AND s.port = n.smp_port
               JOIN ntf_servers r ON r.ntf_host = n.ntf_host AND r.ntf_port = n.ntf_port
              WHERE n.conn_id = $1"
        )
    };
}
pub(super) use select_subscription;

/// Reads the columns of [`select_subscription`].
pub(super) fn subscription(row: &mut Row<'_>) -> Result<NtfSubscription, DbError> {
    let user_id = row.next("connections.user_id")?;
    let conn_id = row.next("ntf_subscriptions.conn_id")?;
    let smp_server = server(
        row,
        [
            "ntf_subscriptions.smp_host",
            "ntf_subscriptions.smp_port",
            "ntf_subscriptions.smp_server_key_hash",
        ],
    )?;
    let ntf_queue_id = row.next("ntf_subscriptions.smp_ntf_id")?;
    let ntf_server = {
        let hosts = row.next("ntf_subscriptions.ntf_host")?;
        let port = row.next("ntf_subscriptions.ntf_port")?;
        Server::new(hosts, port, row.next("ntf_servers.ntf_key_hash")?)
    };
    Ok(NtfSubscription {
        user_id,
        conn_id,
        smp_server,
        ntf_queue_id,
        ntf_server,
        ntf_sub_id: row.next("ntf_subscriptions.ntf_sub_id")?,
        ntf_sub_status: row.next("ntf_subscriptions.ntf_sub_status")?,
    })
}

/// Reads both columns of an action and the one of its time: there is an action when exactly one of the two
/// is set, and the time.
pub(super) fn action(row: &mut Row<'_>) -> Result<Option<(NtfSubAction, UtcTime)>, DbError> {
    let ntf = row.next("ntf_subscriptions.ntf_sub_action")?;
    let smp = row.next("ntf_subscriptions.ntf_sub_smp_action")?;
    let time = row.next("ntf_subscriptions.ntf_sub_action_ts")?;
    Ok(NtfSubAction::of_columns(ntf, smp).zip(time))
}
