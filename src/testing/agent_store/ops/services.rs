//! Services of clients, notices, what to subscribe to, statistics (sections 4.3, 4.4 and 4.14).

use crate::agent_store::types::*;
use crate::agent_store::{AgentTx, SubsFilter, TxError, TxResult};
use crate::db::UtcTime;
use crate::protocol::RoundedSeconds;
use crate::testing::agent_store::answer::{given, unordered};
use crate::testing::agent_store::draw::Limit;
use crate::testing::agent_store::op::operations;

/// Those of these queues that are there.
fn subs(tx: &mut AgentTx<'_>, places: &[(ConnId, QueueNumber)]) -> TxResult<Vec<RcvQueueSub>> {
    let mut found = Vec::new();
    for (conn, number) in places {
        match tx.get_rcv_queue_by_id(conn, *number) {
            Ok(queue) => found.push(RcvQueueSub::from(&queue)),
            Err(TxError::Store(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

operations! { ServiceOp, |tx, memory| {
    CreateClientService * 4 { user: UserId, server: SmpServer, credentials: ServiceCredentials } =>
        tx.create_client_service(*user, server, credentials);
    ClientServiceCredentials * 1 { user: UserId, server: SmpServer } =>
        tx.get_client_service_credentials(*user, server);
    SubscriptionService * 2 { user: UserId, server: SmpServer } =>
        tx.get_subscription_service(*user, server);
    ClientServiceServers * 2 { user: UserId } =>
        tx.get_client_service_servers(*user).map(unordered);
    SetClientServiceId * 3 { user: UserId, server: SmpServer, service: ServiceId } =>
        tx.set_client_service_id(*user, server, service);
    DeleteClientService * 1 { user: UserId, server: SmpServer } =>
        tx.delete_client_service(*user, server);
    DeleteClientServices * 1 { user: UserId } => tx.delete_client_services(*user);
    ClientNotices * 2 { preset: Vec<SmpServer> } => tx.get_client_notices(preset);
    UpdateClientNotices * 3 {
        session: SmpServer, now: RoundedSeconds, conn: ConnId, number: QueueNumber,
        notice: Option<ClientNotice>
    } => tx.get_rcv_queue_by_id(conn, *number).and_then(|queue| {
        // One only: in the same statement, PostgreSQL's sequence would count a notice that is changed.
        tx.update_client_notices(session, *now, &[(RcvQueueSub::from(&queue), *notice)])
    });
    SubscriptionServers * 2 { needed: bool } => tx.get_subscription_servers(*needed).map(unordered);
    UserServerQueueSubs * 4 {
        user: UserId, server: SmpServer, needed: bool, service: bool, limit: Limit,
        cursor: Option<RecipientId>
    } => {
        let filter = SubsFilter { only_needed: *needed, has_service: *service };
        tx.get_user_server_rcv_queue_subs(*user, server, filter, limit.0, cursor.as_ref())
    };
    UnassocQueueSubs * 2 { user: UserId, server: SmpServer } =>
        tx.unassoc_user_server_rcv_queue_subs(*user, server).map(unordered);
    UnassocQueueSubsOnly * 1 { user: UserId, server: SmpServer } =>
        tx.unassoc_user_server_rcv_queue_subs_only(*user, server);
    UnsetQueuesToSubscribe * 1 {} => tx.unset_queues_to_subscribe();
    SetServiceAssocs * 3 { server: SmpServer, conns: Vec<(ConnId, QueueNumber)> } =>
        subs(tx, conns).and_then(|queues| tx.set_rcv_service_assocs(server, &queues));
    RemoveServiceAssocs * 1 { user: UserId, server: SmpServer } =>
        tx.remove_rcv_service_assocs(*user, server);
    UpdateServersStats * 1 { stats: AgentServersStats } => tx.update_servers_stats(stats);
    ServersStats * 1 {} => tx.get_servers_stats().map(|(since, stats)| (given(since), stats));
    ResetServersStats * 1 { since: UtcTime } => tx.reset_servers_stats(*since);
} }
