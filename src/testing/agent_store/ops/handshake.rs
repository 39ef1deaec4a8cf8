//! Confirmations, invitations, short links, ratchets, commands (sections 4.5, 4.6, 4.8 and 4.9).

use crate::agent_store::types::*;
use crate::agent_store::{AgentTx, StoreError, TxError, TxResult};
use crate::protocol::Blob;
use crate::testing::agent_store::answer::unordered;
use crate::testing::agent_store::draw::Nth;
use crate::testing::agent_store::op::{Memory, operations};
use crate::testing::agent_store::sample;

/// One of the ids that were made.
fn nth<T: Clone>(made: &[T], nth: Nth, unknown: impl FnOnce(&[u8]) -> Option<T>) -> T {
    let chosen = made.iter().rev().nth(usize::from(nth.0)).cloned();
    chosen.unwrap_or_else(|| sample::unknown(unknown))
}

/// An agent accepts one confirmation of a connection: which of several is found isn't said.
fn accept(
    tx: &mut AgentTx<'_>,
    memory: &Memory,
    which: Nth,
    info: &Blob,
) -> TxResult<AcceptedConfirmation> {
    let Some((id, conn)) = memory.confirmations.iter().rev().nth(usize::from(which.0)) else {
        return tx.accept_confirmation(&sample::unknown(ConfirmationId::from_bytes), info);
    };
    match tx.get_accepted_confirmation(conn) {
        Err(TxError::Store(StoreError::ConfirmationNotFound)) => tx.accept_confirmation(id, info),
        accepted => accepted,
    }
}

operations! { HandshakeOp, |tx, memory| {
    CreateConfirmation * 3 { confirmation: Box<NewConfirmation> } =>
        tx.create_confirmation(&mut memory.rng, confirmation)
            .inspect(|id| memory.confirmations.push((id.clone(), confirmation.conn_id.clone())));
    AcceptConfirmation * 3 { which: Nth, info: Blob } => accept(tx, memory, *which, info);
    GetAcceptedConfirmation * 2 { conn: ConnId } => tx.get_accepted_confirmation(conn);
    RemoveConfirmations * 1 { conn: ConnId } => tx.remove_confirmations(conn);
    CreateInvitation * 3 { invitation: NewInvitation } =>
        tx.create_invitation(&mut memory.rng, invitation)
            .inspect(|id| memory.invitations.push(id.clone()));
    GetInvitation * 2 { which: Nth } => {
        let id = nth(&memory.invitations, *which, InvitationId::from_bytes);
        tx.get_invitation("a test", &id)
    };
    AcceptInvitation * 2 { which: Nth, info: Blob } => {
        let id = nth(&memory.invitations, *which, InvitationId::from_bytes);
        tx.accept_invitation(&id, info)
    };
    UnacceptInvitation * 1 { which: Nth } => {
        let id = nth(&memory.invitations, *which, InvitationId::from_bytes);
        tx.unaccept_invitation(&id)
    };
    DeleteInvitation * 1 { which: Nth } => {
        let id = nth(&memory.invitations, *which, InvitationId::from_bytes);
        tx.delete_invitation(&id)
    };
    GetInvShortLink * 2 { server: SmpServer, link: LinkId } => tx.get_inv_short_link(server, link);
    GetInvShortLinkKeys * 2 { server: SmpServer, snd: SenderId } =>
        tx.get_inv_short_link_keys(server, snd);
    DeleteInvShortLink * 1 { server: SmpServer, link: LinkId } =>
        tx.delete_inv_short_link(server, link);
    CreateInvShortLink * 3 { link: InvShortLink } => tx.create_inv_short_link(link);
    SetInvShortLinkSndId * 1 { link: InvShortLink, snd: SenderId } =>
        tx.set_inv_short_link_snd_id(link, snd);
    CreateRatchetX3dhKeys * 2 { conn: ConnId, keys: X3dhKeys } =>
        tx.create_ratchet_x3dh_keys(conn, keys);
    GetRatchetX3dhKeys * 1 { conn: ConnId } => tx.get_ratchet_x3dh_keys(conn);
    SetRatchetX3dhKeys * 1 { conn: ConnId, keys: X3dhKeys } => tx.set_ratchet_x3dh_keys(conn, keys);
    CreateSndRatchet * 2 { conn: ConnId, ratchet: Ratchet, params: SndE2eParams } =>
        tx.create_snd_ratchet(conn, ratchet, params);
    GetSndRatchet * 1 { conn: ConnId, version: E2eVersion } => tx.get_snd_ratchet(conn, *version);
    CreateRatchet * 2 { conn: ConnId, ratchet: Ratchet } => tx.create_ratchet(conn, ratchet);
    DeleteRatchet * 1 { conn: ConnId } => tx.delete_ratchet(conn);
    GetRatchet * 1 { conn: ConnId } => tx.get_ratchet(conn);
    GetRatchetForUpdate * 1 { conn: ConnId } => tx.get_ratchet_for_update(conn);
    GetSkippedMsgKeys * 2 { conn: ConnId } => tx.get_skipped_msg_keys(conn);
    UpdateRatchet * 3 { conn: ConnId, ratchet: Ratchet, skipped: SkippedMsgDiff } =>
        tx.update_ratchet(conn, ratchet, skipped);
    CreateCommand * 5 {
        corr: CorrId, conn: ConnId, server: Option<SmpServer>, command: AgentCommand
    } => tx.create_command(corr, conn, server.as_ref(), command);
    PendingCommandServers * 2 { conns: Vec<ConnId> } =>
        tx.get_pending_command_servers(conns).map(|found| {
            found.into_iter().map(|(conn, servers)| (conn, unordered(servers))).collect::<Vec<_>>()
        });
    AllPendingCommandConns * 2 {} => tx.get_all_pending_command_conns().map(unordered);
    PendingServerCommand * 4 { conn: ConnId, server: Option<SmpServer> } =>
        tx.get_pending_server_command(conn, server.as_ref());
    UpdateCommandServer * 2 { command: AsyncCmdId, server: SmpServer } =>
        tx.update_command_server(*command, server);
    DeleteCommand * 1 { command: AsyncCmdId } => tx.delete_command(*command);
} }
