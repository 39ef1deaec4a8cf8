//! What a check finds after a history, and which operations leave it, by the reference's rules.

use simplex_stores::agent_store::maintenance::{CheckReport, Finding};
use simplex_stores::testing::agent_store::{AgentOp, History};

/// The table and the beginning of what is wrong, and the operations of which one is in the history.
const EXPLAINED: &[(&str, &str, &[&str])] = &[
    // A body whose last message is gone, or that never had one (AS-69, Q-6).
    ("snd_message_bodies", "no message has this body", &["CreateSndMsgBody"]),
    // Under `Reference`, a send queue is taken over by another connection, and its deliveries stay (AS-45, Q-16).
    (
        "snd_message_deliveries",
        "its send queue isn't there",
        &["UpdateNewConnSnd", "UpgradeRcvConn", "AddSndQueue"],
    ),
    // A connection is deleted and its subscription stays (AS-14, Q-11), or never was there.
    ("ntf_subscriptions", "its connection isn't there any more", &["CreateNtfSubscription"]),
    // Queues that go with their connection are not counted off (AS-16, Q-10); nor are those counted that
    // were associated before there was a service.
    ("client_services", "count or hash isn't that of", &["CreateClientService"]),
    // One with each call under `Reference` (AS-17, Q-2).
    ("client_services", "the user has more than one service", &["CreateClientService"]),
    // Queues are made as associated, or their service is deleted (F-013).
    (
        "rcv_queues",
        "is associated with a service that its user doesn't have",
        &["UpdateNewConnRcv", "UpgradeSndConn", "AddRcvQueue", "SetServiceAssocs"],
    ),
    // A retry is a second queue, primary too.
    ("rcv_queues", "the connection has more than one primary receive queue", &["UpdateNewConnRcv"]),
    ("snd_queues", "the connection has more than one primary send queue", &["UpdateNewConnSnd"]),
    // Its router is the session's, whose address nothing registers (F-021).
    ("client_notices", "belongs to a row of servers that isn't there", &["UpdateClientNotices"]),
];

/// The findings that no operation of the history explains. What tests make unreadable is not looked at.
pub(crate) fn unexplained<'r>(history: &History, report: &'r CheckReport) -> Vec<&'r Finding> {
    if history.ops().any(AgentOp::is_damage) {
        return Vec::new();
    }
    let done = |names: &[&str]| history.ops().any(|op| names.contains(&op.name()));
    let is_explained = |finding: &Finding| {
        EXPLAINED.iter().any(|(table, problem, names)| {
            *table == finding.table && finding.problem.starts_with(problem) && done(names)
        })
    };
    report.findings.iter().filter(|finding| !is_explained(finding)).collect()
}
