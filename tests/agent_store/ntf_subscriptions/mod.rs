//! Subscriptions for notifications (section 4.11).

mod actions;
mod beside;
mod supervisor;
mod worker;

use simplex_stores::agent_store::types::{
    ConnId, KeyHash, NotifierId, NtfAgentSubStatus, NtfServer, NtfSubAction, NtfSubNtfAction,
    NtfSubSmpAction, NtfSubscription, NtfSubscriptionId, NtfSupervisorSub, SmpServer, UserId,
};
use simplex_stores::db::UtcTime;

use crate::fixture::{TestStore, server};

pub(crate) const CREATE: NtfSubAction = NtfSubAction::Ntf(NtfSubNtfAction::Create);
pub(crate) const CHECK: NtfSubAction = NtfSubAction::Ntf(NtfSubNtfAction::Check);
pub(crate) const KEY: NtfSubAction = NtfSubAction::Smp(NtfSubSmpAction::Key);
pub(crate) const DELETE: NtfSubAction = NtfSubAction::Smp(NtfSubSmpAction::Delete);

pub(crate) fn smp() -> SmpServer {
    server("smp.example", "5223", b"smp")
}

pub(crate) fn ntf() -> NtfServer {
    server("ntf.example", "443", b"ntf")
}

fn other_smp() -> SmpServer {
    server("other.example", "5223", b"other")
}

fn other_ntf() -> NtfServer {
    server("push.example", "443", b"push")
}

/// What the column of a fingerprint holds.
fn stored(hash: &KeyHash) -> Vec<u8> {
    simplex_stores::encoding::base64url::to_string(&hash.0).into_bytes()
}

/// A user, and all four routers.
pub(crate) fn prepare(test: &TestStore) -> UserId {
    test.run(|tx| {
        tx.create_server(&smp())?;
        tx.create_server(&other_smp())?;
        tx.create_ntf_server(&ntf())?;
        tx.create_ntf_server(&other_ntf())
    })
    .unwrap();
    test.user()
}

fn time(text: &str) -> UtcTime {
    UtcTime::from_text(text).unwrap()
}

pub(crate) fn long_ago() -> UtcTime {
    time("2001-02-03 04:05:06")
}

pub(crate) fn queue_id() -> NotifierId {
    NotifierId::from_bytes(b"queue").unwrap()
}

fn sub_id() -> NtfSubscriptionId {
    NtfSubscriptionId::from_bytes(b"sub").unwrap()
}

/// A connection, and a subscription of it that isn't stored.
fn new_sub(test: &TestStore, user: UserId, id: &[u8]) -> NtfSubscription {
    NtfSubscription {
        user_id: user,
        conn_id: test.bare_connection(user, id),
        smp_server: smp(),
        ntf_queue_id: None,
        ntf_server: ntf(),
        ntf_sub_id: None,
        ntf_sub_status: NtfAgentSubStatus::New,
    }
}

/// The same, stored, long ago.
pub(crate) fn sub(
    test: &TestStore,
    user: UserId,
    id: &[u8],
    action: NtfSubAction,
) -> NtfSubscription {
    let new = new_sub(test, user, id);
    test.run(|tx| tx.create_ntf_subscription(&new, action)).unwrap();
    let set = "UPDATE ntf_subscriptions
                  SET created_at = $1, updated_at = $1, ntf_sub_action_ts = $1 WHERE conn_id = $2";
    test.execute(set, &[&long_ago(), &new.conn_id]);
    new
}

fn get(test: &TestStore, conn_id: &ConnId) -> Option<NtfSupervisorSub> {
    test.run(|tx| tx.get_ntf_subscription(conn_id)).unwrap()
}

/// A row, as texts and bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Columns {
    smp: Option<String>,
    smp_key_hash: Option<Vec<u8>>,
    smp_ntf_id: Option<Vec<u8>>,
    ntf: String,
    ntf_sub_id: Option<Vec<u8>>,
    status: String,
    pub(crate) ntf_action: Option<String>,
    pub(crate) smp_action: Option<String>,
    action_ts: Option<UtcTime>,
    by_supervisor: i64,
    failed: (i64, i64),
    /// Whether it was changed since [`long_ago`].
    updated: bool,
}

impl Columns {
    /// The row of [`sub`].
    fn new(ntf_action: Option<&str>, smp_action: Option<&str>) -> Self {
        Self {
            smp: Some("smp.example:5223".to_owned()),
            smp_key_hash: None,
            smp_ntf_id: None,
            ntf: "ntf.example:443".to_owned(),
            ntf_sub_id: None,
            status: "NEW".to_owned(),
            ntf_action: ntf_action.map(str::to_owned),
            smp_action: smp_action.map(str::to_owned),
            action_ts: Some(long_ago()),
            by_supervisor: 0,
            failed: (0, 0),
            updated: false,
        }
    }
}

pub(crate) fn columns(test: &TestStore, conn_id: &ConnId) -> Option<Columns> {
    let query = "SELECT smp_host || ':' || smp_port AS smp, smp_server_key_hash, smp_ntf_id,
                   ntf_host || ':' || ntf_port AS ntf, ntf_sub_id, ntf_sub_status, ntf_sub_action,
                   ntf_sub_smp_action, ntf_sub_action_ts, updated_by_supervisor, ntf_failed,
                   smp_failed, updated_at FROM ntf_subscriptions WHERE conn_id = $1";
    let rows = test.query(query, &[conn_id], |row| {
        Ok(Columns {
            smp: row.next("t.smp")?,
            smp_key_hash: row.next("t.smp_server_key_hash")?,
            smp_ntf_id: row.next("t.smp_ntf_id")?,
            ntf: row.next("t.ntf")?,
            ntf_sub_id: row.next("t.ntf_sub_id")?,
            status: row.next("t.ntf_sub_status")?,
            ntf_action: row.next("t.ntf_sub_action")?,
            smp_action: row.next("t.ntf_sub_smp_action")?,
            action_ts: row.next("t.ntf_sub_action_ts")?,
            by_supervisor: row.next("t.updated_by_supervisor")?,
            failed: (row.next("t.ntf_failed")?, row.next("t.smp_failed")?),
            updated: row.next::<UtcTime>("t.updated_at")? > long_ago(),
        })
    });
    rows.into_iter().next()
}

/// Both marks of failure, as an earlier failure leaves them.
fn fail(test: &TestStore, conn_id: &ConnId) {
    test.run(|tx| {
        tx.mark_ntf_sub_action_ntf_failed(conn_id)?;
        tx.mark_ntf_sub_action_smp_failed(conn_id)
    })
    .unwrap();
}
