//! The check: each rule is broken by one row of a generated database, on both databases, and found.

use simplex_stores::agent_store::maintenance::{CheckReport, Finding, Severity, check};
use simplex_stores::db::DatabaseConfig;

use crate::generated::{Generated, on_each_generated};

/// What a statement does to a database, and what the check says of it.
struct Damage {
    table: &'static str,
    problem: &'static str,
    /// `{bytes}` stands for bytes that nothing else has.
    sql: String,
}

fn damage(table: &'static str, problem: &'static str, sql: impl Into<String>) -> Damage {
    Damage { table, problem, sql: sql.into() }
}

fn checked(config: &DatabaseConfig) -> CheckReport {
    check(config, |_| {}).unwrap()
}

fn find<'r>(report: &'r CheckReport, table: &str, problem: &str) -> Option<&'r Finding> {
    report.findings.iter().find(|one| one.table == table && one.problem.contains(problem))
}

/// Each statement makes its finding, of this severity, with a key and an advice.
fn each_is_found(severity: Severity, all: &[Damage]) {
    on_each_generated(|generated| {
        for one in all {
            found_together(generated, severity, std::slice::from_ref(one));
        }
    });
}

/// The same for statements that change what no other one does; on a server they are run on one copy, for
/// making a copy takes long.
fn all_are_found(severity: Severity, all: &[Damage]) {
    on_each_generated(|generated| match generated {
        Generated::File(_) => {
            for one in all {
                found_together(generated, severity, std::slice::from_ref(one));
            }
        }
        Generated::Server(_) => found_together(generated, severity, all),
    });
}

fn found_together(generated: &Generated, severity: Severity, all: &[Damage]) {
    let copy = generated.copy();
    for Damage { sql, .. } in all {
        assert!(copy.damage(sql) > 0, "{sql}: no row was changed");
    }
    let report = checked(&copy.config());
    for Damage { table, problem, sql } in all {
        let Some(found) = find(&report, table, problem) else {
            panic!("{sql}: {table}: {problem}: not among {:#?}", report.findings);
        };
        assert_eq!(found.severity, severity, "{sql}");
        assert!(found.count > 0 && !found.keys.is_empty() && !found.advice.is_empty());
        assert!(found.keys.iter().all(|key| key.contains('=')), "{:?}", found.keys);
    }
    assert_eq!(report.holds(), report.count(Severity::Damage) == 0);
    assert!(severity == Severity::Leftover || !report.holds());
}

#[test]
fn a_generated_database_holds_and_nothing_is_left_over() {
    on_each_generated(|generated| {
        let mut steps = Vec::new();
        let report = check(&generated.config(), |progress| steps.push(progress)).unwrap();
        assert_eq!(report.findings, []);
        assert!(report.holds() && report.rows > 1_000);
        assert!(report.failed.iter().all(|items| items.count == 0));
        assert_eq!(steps.len() as u64, report.rules);
        assert!(steps.iter().zip(0..).all(|(step, done)| step.done == done));
        assert!(steps.iter().all(|step| step.total == report.rules));
    });
}

/// Sets a part of one row: the first by its key.
fn of_first(table: &str, key: &str, set: &str) -> String {
    format!(
        "UPDATE {table} SET {set} WHERE {key} = (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1)"
    )
}

/// Every reference of the schema: the table, its key, what leads nowhere, and the table that it leads to.
const REFERENCES: &[(&str, &str, &str, &str)] = &[
    ("connections", "conn_id", "user_id = -1", "row of users "),
    ("rcv_queues", "conn_id", "conn_id = {bytes}", "row of connections "),
    ("rcv_queues", "conn_id", "client_notice_id = -1", "row of client_notices "),
    ("rcv_queues", "conn_id", "host = 'nowhere'", "row of servers "),
    ("snd_queues", "conn_id", "conn_id = {bytes}", "row of connections "),
    ("snd_queues", "conn_id", "port = '1'", "row of servers "),
    ("conn_confirmations", "confirmation_id", "conn_id = {bytes}", "row of connections "),
    ("conn_invitations", "invitation_id", "contact_conn_id = {bytes}", "row of connections "),
    ("inv_short_links", "inv_short_link_id", "host = 'nowhere'", "row of servers "),
    ("messages", "conn_id", "conn_id = {bytes}", "row of connections "),
    ("messages", "conn_id", "internal_rcv_id = 999", "row of rcv_messages "),
    ("messages", "conn_id", "internal_snd_id = 999", "row of snd_messages "),
    ("rcv_messages", "conn_id", "internal_id = 999", "row of messages "),
    ("snd_messages", "conn_id", "internal_id = 999", "row of messages "),
    ("snd_messages", "conn_id", "snd_message_body_id = -1", "row of snd_message_bodies "),
    (
        "encrypted_rcv_message_hashes",
        "encrypted_rcv_message_hash_id",
        "conn_id = {bytes}",
        "row of connections ",
    ),
    (
        "snd_message_deliveries",
        "snd_message_delivery_id",
        "conn_id = {bytes}",
        "row of connections ",
    ),
    ("snd_message_deliveries", "snd_message_delivery_id", "internal_id = 999", "row of messages "),
    ("ratchets", "conn_id", "conn_id = {bytes}", "row of connections "),
    ("skipped_messages", "skipped_message_id", "conn_id = {bytes}", "row of ratchets "),
    (
        "processed_ratchet_key_hashes",
        "processed_ratchet_key_hash_id",
        "conn_id = {bytes}",
        "row of connections ",
    ),
    ("commands", "command_id", "conn_id = {bytes}", "row of connections "),
    ("commands", "command_id", "host = 'nowhere', port = '1'", "row of servers "),
    ("client_services", "host", "user_id = -1", "row of users "),
    ("client_services", "host", "port = '1'", "row of servers "),
    ("ntf_tokens", "ntf_host", "ntf_host = 'nowhere'", "row of ntf_servers "),
    ("ntf_subscriptions", "conn_id", "ntf_host = 'nowhere'", "row of ntf_servers "),
    ("ntf_subscriptions", "conn_id", "smp_host = 'nowhere'", "row of servers "),
    ("rcv_files", "rcv_file_id", "user_id = -1", "row of users "),
    ("rcv_files", "rcv_file_id", "redirect_id = -1", "row of rcv_files "),
    ("rcv_file_chunks", "rcv_file_chunk_id", "rcv_file_id = -1", "row of rcv_files "),
    (
        "rcv_file_chunk_replicas",
        "rcv_file_chunk_replica_id",
        "rcv_file_chunk_id = -1",
        "row of rcv_file_chunks ",
    ),
    (
        "rcv_file_chunk_replicas",
        "rcv_file_chunk_replica_id",
        "xftp_server_id = -1",
        "row of xftp_servers ",
    ),
    ("snd_files", "snd_file_id", "user_id = -1", "row of users "),
    ("snd_file_chunks", "snd_file_chunk_id", "snd_file_id = -1", "row of snd_files "),
    (
        "snd_file_chunk_replicas",
        "snd_file_chunk_replica_id",
        "snd_file_chunk_id = -1",
        "row of snd_file_chunks ",
    ),
    (
        "snd_file_chunk_replicas",
        "snd_file_chunk_replica_id",
        "xftp_server_id = -1",
        "row of xftp_servers ",
    ),
    (
        "snd_file_chunk_replica_recipients",
        "snd_file_chunk_replica_recipient_id",
        "snd_file_chunk_replica_id = -1",
        "row of snd_file_chunk_replicas ",
    ),
    ("deleted_snd_chunk_replicas", "deleted_snd_chunk_replica_id", "user_id = -1", "row of users "),
    (
        "deleted_snd_chunk_replicas",
        "deleted_snd_chunk_replica_id",
        "xftp_server_id = -1",
        "row of xftp_servers ",
    ),
];

fn references(part: impl Fn(usize) -> bool) -> Vec<Damage> {
    let all = REFERENCES.iter().enumerate().filter(|(index, _)| part(*index));
    all.map(|(_, (table, key, set, parent))| damage(table, parent, of_first(table, key, set)))
        .collect()
}

#[test]
fn as31_a_row_whose_owner_is_gone_is_found_in_the_first_half_of_the_references() {
    all_are_found(Severity::Damage, &references(|index| index % 2 == 0));
}

#[test]
fn as31_a_row_whose_owner_is_gone_is_found_in_the_other_half() {
    all_are_found(Severity::Damage, &references(|index| index % 2 == 1));
}

#[test]
fn numbers_heads_and_flags_of_connections_are_compared_with_their_rows() {
    let first_duplex = "conn_id = (SELECT r.conn_id FROM rcv_messages r
                          JOIN snd_messages s ON s.conn_id = r.conn_id
                          ORDER BY r.conn_id LIMIT 1)";
    let conn = |set: &str| format!("UPDATE connections SET {set} WHERE {first_duplex}");
    each_is_found(
        Severity::Damage,
        &[
            damage("connections", "last message number", conn("last_internal_msg_id = 0")),
            damage("connections", "last receive number", conn("last_internal_rcv_msg_id = 0")),
            damage("connections", "last send number", conn("last_internal_snd_msg_id = 0")),
            damage("connections", "receive chain", conn("last_rcv_msg_hash = {bytes}")),
            damage("connections", "receive chain", conn("last_external_snd_msg_id = 99")),
            damage("connections", "send chain", conn("last_snd_msg_hash = {bytes}")),
            damage(
                "snd_queues",
                "more than one primary send queue",
                "INSERT INTO snd_queues
                   SELECT host, port, {bytes}, conn_id, snd_private_key, e2e_dh_secret, status, 1, 4,
                          NULL, NULL, 2, 1, NULL, NULL, NULL, NULL
                     FROM snd_queues LIMIT 1",
            ),
            damage(
                "rcv_queues",
                "notifier's four columns",
                "UPDATE rcv_queues SET rcv_ntf_dh_secret = NULL",
            ),
            damage("rcv_queues", "short link's four columns", "UPDATE rcv_queues SET link_key = NULL"),
            damage(
                "client_notices",
                "row of servers",
                of_first("client_notices", "client_notice_id", "host = 'nowhere'"),
            ),
            damage(
                "ntf_subscriptions",
                "action at both routers",
                of_first(
                    "ntf_subscriptions",
                    "conn_id",
                    "ntf_sub_action = 'C', ntf_sub_smp_action = 'K'",
                ),
            ),
            damage(
                "ntf_subscriptions",
                "no time for it",
                of_first("ntf_subscriptions", "conn_id", "ntf_sub_action_ts = NULL"),
            ),
            damage("servers_stats", "statistics", "DELETE FROM servers_stats"),
        ],
    );
}

#[test]
fn messages_details_bodies_and_deliveries_are_compared() {
    let prepared = "msg_encrypt_key IS NOT NULL";
    let snd = |set: &str| format!("UPDATE snd_messages SET {set} WHERE {prepared}");
    let delivered =
        of_first("snd_message_deliveries", "snd_message_delivery_id", "snd_queue_id = 9");
    each_is_found(
        Severity::Damage,
        &[
            damage(
                "messages",
                "both directions, or of none",
                "UPDATE messages SET internal_rcv_id = NULL WHERE internal_rcv_id IS NOT NULL",
            ),
            damage("messages", "both directions", "UPDATE messages SET internal_snd_id = 1"),
            damage(
                "rcv_messages",
                "number of other details",
                "UPDATE messages SET internal_rcv_id = NULL WHERE internal_rcv_id = 1",
            ),
            damage(
                "snd_messages",
                "number of other details",
                "UPDATE messages SET internal_snd_id = NULL WHERE internal_snd_id = 1",
            ),
            damage("snd_messages", "AS-65", snd("padded_msg_len = NULL")),
            damage("snd_messages", "AS-65", snd("snd_message_body_id = NULL")),
            damage("snd_messages", "AS-65", snd("msg_encrypt_key = NULL, padded_msg_len = NULL")),
            damage("snd_messages", "two intervals", "UPDATE snd_messages SET retry_int_slow = 1"),
            damage("snd_messages", "receipt", "UPDATE snd_messages SET rcpt_status = 'ok'"),
            damage("snd_message_deliveries", "AS-57", delivered),
            damage(
                "snd_message_deliveries",
                "was received, not sent",
                "INSERT INTO snd_message_deliveries (conn_id, snd_queue_id, internal_id)
                   SELECT m.conn_id, q.snd_queue_id, m.internal_id
                     FROM messages m JOIN snd_queues q ON q.conn_id = m.conn_id
                    WHERE m.internal_rcv_id IS NOT NULL LIMIT 1",
            ),
        ],
    );
}

#[test]
fn files_have_their_chunks_once_and_their_keys_whole() {
    each_is_found(
        Severity::Damage,
        &[
            damage("rcv_files", "key or the nonce", "UPDATE rcv_files SET save_file_key = {bytes}"),
            damage("rcv_files", "what it leads to", "UPDATE rcv_files SET redirect_size = 5"),
            damage("rcv_file_chunks", "more than once", "UPDATE rcv_file_chunks SET chunk_no = 1"),
            damage(
                "rcv_file_chunk_replicas",
                "more than once",
                "UPDATE rcv_file_chunk_replicas SET replica_number = 1",
            ),
            damage("snd_files", "key or the nonce", "UPDATE snd_files SET src_file_key = {bytes}"),
            damage("snd_files", "what it leads to", "UPDATE snd_files SET redirect_size = 5"),
            damage("snd_file_chunks", "more than once", "UPDATE snd_file_chunks SET chunk_no = 1"),
        ],
    );
}

/// What operations of the store can leave is told, and is no damage.
#[test]
fn as14_as15_as17_as41_as69_what_the_rules_of_the_reference_leave_is_no_damage() {
    let count = "UPDATE client_services SET service_queue_count = service_queue_count + 1";
    let hash = "UPDATE client_services SET service_queue_ids_hash =
                  (SELECT rcv_dh_secret FROM rcv_queues LIMIT 1)";
    each_is_found(
        Severity::Leftover,
        &[
            damage("client_services", "isn't that of the service's queues", count),
            damage("client_services", "isn't that of the service's queues", hash),
            damage(
                "client_services",
                "more than one service",
                "INSERT INTO client_services
                   SELECT * FROM client_services WHERE service_id IS NOT NULL",
            ),
            damage(
                "rcv_queues",
                "more than one primary receive queue",
                "UPDATE rcv_queues SET replace_rcv_queue_id = NULL WHERE replace_rcv_queue_id = 1",
            ),
            damage(
                "rcv_queues",
                "a service that its user doesn't have",
                "DELETE FROM client_services",
            ),
            damage(
                "ntf_subscriptions",
                "its connection isn't there",
                of_first("ntf_subscriptions", "conn_id", "conn_id = {bytes}"),
            ),
            damage(
                "snd_message_bodies",
                "no message has this body",
                "INSERT INTO snd_message_bodies (agent_msg) VALUES ({bytes})",
            ),
        ],
    );
}

#[test]
fn a_database_with_leftovers_alone_holds() {
    on_each_generated(|generated| {
        let copy = generated.copy();
        copy.damage("INSERT INTO snd_message_bodies (agent_msg) VALUES ({bytes})");
        copy.damage(&of_first("ntf_subscriptions", "conn_id", "conn_id = {bytes}"));
        let report = checked(&copy.config());
        assert!(report.holds());
        assert_eq!((report.count(Severity::Leftover), report.findings.len()), (2, 2));
    });
}

/// Columns that can't be read as what they are.
const UNREADABLE: &[(&str, &str, &str)] = &[
    ("users", "user_id", "deleted = 7"),
    ("servers", "host", "key_hash = {bytes}"),
    ("ntf_servers", "ntf_host", "ntf_key_hash = {bytes}"),
    ("xftp_servers", "xftp_server_id", "xftp_host = ''"),
    ("connections", "conn_id", "conn_mode = 'NON'"),
    ("connections", "conn_id", "smp_agent_version = 70000"),
    ("connections", "conn_id", "ratchet_sync_state = 'lost'"),
    ("rcv_queues", "conn_id", "status = 'lost'"),
    ("rcv_queues", "conn_id", "rcv_private_key = {bytes}"),
    ("rcv_queues", "conn_id", "e2e_priv_key = {bytes}"),
    ("rcv_queues", "conn_id", "rcv_dh_secret = {bytes}"),
    ("rcv_queues", "conn_id", "switch_status = 'lost'"),
    ("rcv_queues", "conn_id", "queue_mode = 'X'"),
    ("snd_queues", "conn_id", "status = 'lost'"),
    ("snd_queues", "conn_id", "e2e_pub_key = {bytes}"),
    ("snd_queues", "conn_id", "switch_status = 'lost'"),
    ("conn_confirmations", "confirmation_id", "e2e_snd_pub_key = {bytes}"),
    ("conn_invitations", "invitation_id", "accepted = 3"),
    ("inv_short_links", "inv_short_link_id", "snd_private_key = {bytes}"),
    ("messages", "conn_id", "msg_type = {bytes}"),
    ("messages", "conn_id", "msg_flags = 'X'"),
    ("rcv_messages", "conn_id", "integrity = {bytes}"),
    ("snd_messages", "conn_id", "rcpt_status = 'lost', rcpt_internal_id = 1"),
    ("snd_message_deliveries", "snd_message_delivery_id", "failed = 2"),
    ("skipped_messages", "skipped_message_id", "msg_n = -1"),
    ("commands", "command_id", "server_key_hash = {bytes}"),
    ("client_services", "host", "service_queue_ids_hash = {bytes}"),
    ("client_services", "host", "service_cert = {bytes}"),
    ("client_services", "host", "service_cert_hash = {bytes}"),
    ("client_services", "host", "service_priv_key = {bytes}"),
    ("commands", "command_id", "command = {bytes}"),
    ("conn_confirmations", "confirmation_id", "ratchet_state = {bytes}"),
    ("ratchets", "conn_id", "ratchet_state = {bytes}"),
    ("ratchets", "conn_id", "x3dh_priv_key_1 = {bytes}"),
    ("rcv_files", "rcv_file_id", "nonce = {bytes}"),
    ("rcv_file_chunk_replicas", "rcv_file_chunk_replica_id", "replica_key = {bytes}"),
    ("snd_files", "snd_file_id", "key = {bytes}"),
    ("servers_stats", "servers_stats_id", "servers_stats = '[]'"),
    ("client_notices", "client_notice_id", "server_key_hash = {bytes}"),
    ("ntf_tokens", "provider", "tkn_status = 'LOST'"),
    ("ntf_tokens", "provider", "tkn_action = {bytes}"),
    ("ntf_tokens", "provider", "ntf_mode = 'LOST'"),
    ("ntf_tokens_to_delete", "ntf_token_to_delete_id", "tkn_priv_key = {bytes}"),
    ("ntf_subscriptions", "conn_id", "ntf_sub_status = 'LOST'"),
    ("ntf_subscriptions", "conn_id", "ntf_sub_action = 'X'"),
    ("ntf_subscriptions", "conn_id", "ntf_sub_smp_action = 'X'"),
    ("rcv_files", "rcv_file_id", "status = 'lost'"),
    ("rcv_file_chunks", "rcv_file_chunk_id", "chunk_size = -1"),
    ("rcv_file_chunk_replicas", "rcv_file_chunk_replica_id", "received = 9"),
    ("snd_files", "snd_file_id", "status = 'lost'"),
    ("snd_file_chunks", "snd_file_chunk_id", "chunk_size = -1"),
    ("snd_file_chunk_replicas", "snd_file_chunk_replica_id", "replica_status = 'lost'"),
    ("deleted_snd_chunk_replicas", "deleted_snd_chunk_replica_id", "failed = 9"),
];

#[test]
fn what_no_operation_could_read_is_found_by_its_column() {
    let all: Vec<Damage> = UNREADABLE
        .iter()
        .map(|(table, key, set)| {
            let column = set.split_once(" = ").unwrap().0;
            damage(table, column, of_first(table, key, set))
        })
        .collect();
    all_are_found(Severity::Damage, &all);
}

#[test]
fn work_marked_as_failed_is_counted_by_kind_and_is_no_damage() {
    on_each_generated(|generated| {
        let copy = generated.copy();
        for (table, column) in [
            ("snd_message_deliveries", "failed"),
            ("commands", "failed"),
            ("ntf_subscriptions", "ntf_failed"),
            ("ntf_subscriptions", "smp_failed"),
            ("ntf_tokens_to_delete", "del_failed"),
            ("rcv_files", "failed"),
            ("snd_files", "failed"),
            ("deleted_snd_chunk_replicas", "failed"),
        ] {
            copy.damage(&format!("UPDATE {table} SET {column} = 1"));
        }
        let report = checked(&copy.config());
        assert_eq!(report.findings, []);
        assert_eq!(report.failed.len(), 8);
        assert!(report.failed.iter().all(|items| items.count > 0), "{:?}", report.failed);
    });
}

#[test]
fn of_many_rows_the_count_and_the_first_hundred_keys_are_kept() {
    on_each_generated(|generated| {
        let copy = generated.copy();
        let changed = copy.damage("UPDATE messages SET msg_flags = 'secret-text'");
        let report = checked(&copy.config());
        let found = find(&report, "messages", "msg_flags").unwrap();
        assert_eq!((found.count, found.keys.len()), (changed, 100));
        assert!(changed > 100);
        assert!(!format!("{report:?}").contains("secret-text"));
    });
}

#[test]
fn a_check_changes_nothing() {
    on_each_generated(|generated: &Generated| {
        let before = generated.state();
        checked(&generated.config());
        assert_eq!(generated.state(), before);
    });
}
