//! Tokens and subscriptions for notifications (sections 4.10 and 4.11).

use crate::agent_store::types::*;
use crate::agent_store::{AgentTx, TxResult};
use crate::db::UtcTime;
use crate::protocol::DhSecret;
use crate::testing::agent_store::answer::{each_worded, given, unordered};
use crate::testing::agent_store::draw::{Age, Limit};
use crate::testing::agent_store::op::operations;

fn ntf_work(
    tx: &mut AgentTx<'_>,
    server: &NtfServer,
    limit: u32,
) -> TxResult<impl PartialEq + std::fmt::Debug + Send + use<>> {
    let work = tx.get_next_ntf_sub_ntf_actions(server, limit)?;
    let timeless = |work: NtfSubNtfWork| NtfSubNtfWork { action_ts: given(work.action_ts), ..work };
    Ok(each_worded(work.into_iter().map(|one| one.map(timeless)).collect()))
}

/// An agent has one token at most: which of several is found first isn't said.
fn create_token(tx: &mut AgentTx<'_>, token: &NtfToken) -> TxResult<bool> {
    let address = |token: &NtfToken| {
        (token.device_token.clone(), token.ntf_server.hosts.clone(), token.ntf_server.port.clone())
    };
    let other = tx.get_saved_ntf_token()?.filter(|saved| address(saved) != address(token));
    if other.is_none() {
        tx.create_ntf_token(token)?;
    }
    Ok(other.is_none())
}

operations! { NtfOp, |tx, memory| {
    CreateNtfToken * 3 { token: Box<NtfToken> } => create_token(tx, token);
    SavedNtfToken * 2 {} => tx.get_saved_ntf_token();
    ActiveNtfToken * 2 {} => tx.get_active_ntf_token();
    UpdateNtfTokenRegistration * 2 { token: Box<NtfToken>, id: NtfTokenId, secret: DhSecret } =>
        tx.update_ntf_token_registration(token, id, secret);
    UpdateDeviceToken * 1 { token: Box<NtfToken>, new: DeviceToken } =>
        tx.update_device_token(token, new);
    UpdateNtfMode * 1 { token: Box<NtfToken>, mode: NotificationsMode } =>
        tx.update_ntf_mode(token, *mode);
    UpdateNtfToken * 2 {
        token: Box<NtfToken>, status: NtfTknStatus, action: Option<NtfTknAction>
    } => tx.update_ntf_token(token, *status, action.as_ref());
    RemoveNtfToken * 1 { token: Box<NtfToken> } => tx.remove_ntf_token(token);
    AddNtfTokenToDelete * 3 { server: NtfServer, key: AuthPrivateKey, id: NtfTokenId } =>
        tx.add_ntf_token_to_delete(server, key, id);
    DeleteExpiredNtfTokens * 1 { age: Age } => tx.delete_expired_ntf_tokens_to_delete(age.0);
    NextNtfTokenToDelete * 3 { server: NtfServer } => tx.get_next_ntf_token_to_delete(server);
    MarkNtfTokenFailed * 1 { id: NtfTokenToDeleteId } => tx.mark_ntf_token_to_delete_failed(*id);
    PendingDelTknServers * 1 {} => tx.get_pending_del_tkn_servers().map(unordered);
    DeleteNtfTokenToDelete * 1 { id: NtfTokenToDeleteId } => tx.delete_ntf_token_to_delete(*id);
    GetNtfSubscription * 3 { conn: ConnId } => tx.get_ntf_subscription(conn).map(|found| {
        found.map(|sub| (sub.subscription, sub.action.map(|(action, time)| (action, given(time)))))
    });
    CreateNtfSubscription * 5 { sub: Box<NtfSubscription>, action: NtfSubAction } =>
        tx.create_ntf_subscription(sub, *action);
    SupervisorUpdateNtfSub * 3 { sub: Box<NtfSubscription>, action: NtfSubAction } =>
        tx.supervisor_update_ntf_sub(sub, *action);
    SupervisorUpdateNtfAction * 2 { conn: ConnId, action: NtfSubAction } =>
        tx.supervisor_update_ntf_action(conn, *action);
    UpdateNtfSubscription * 3 { sub: Box<NtfSubscription>, action: NtfSubAction, time: UtcTime } =>
        tx.update_ntf_subscription(sub, *action, *time);
    SetNullNtfAction * 1 { conn: ConnId } => tx.set_null_ntf_subscription_action(conn);
    DeleteNtfSubscription * 2 { conn: ConnId } => tx.delete_ntf_subscription(conn);
    DeleteNtfSubscriptionRecord * 1 { conn: ConnId } => tx.delete_ntf_subscription_record(conn);
    NextNtfActions * 4 { server: NtfServer, limit: Limit } => ntf_work(tx, server, limit.0);
    MarkNtfActionFailed * 1 { conn: ConnId } => tx.mark_ntf_sub_action_ntf_failed(conn);
    NextSmpActions * 4 { server: SmpServer, limit: Limit } =>
        tx.get_next_ntf_sub_smp_actions(server, limit.0).map(each_worded);
    MarkSmpActionFailed * 1 { conn: ConnId } => tx.mark_ntf_sub_action_smp_failed(conn);
    GetNtfRcvQueue * 2 { server: SmpServer, id: NotifierId } => tx.get_ntf_rcv_queue(server, id);
    SetConnectionNtfs * 1 { conn: ConnId, enable: bool } => tx.set_connection_ntfs(conn, *enable);
} }
