//! How a database gets the schema, and how it is taken back (sections 6.5 and 6.6).

use std::collections::BTreeSet;

use simplex_stores::agent_store::migrations::{Migrations, POSTGRES, SQLITE};
use simplex_stores::agent_store::{SchemaOptions, migrate};
use simplex_stores::db::migrations::{
    self as runner, ConfirmMode, Migrated, Migration, MigrationError, MigrationTarget, PlanError,
};
use simplex_stores::db::postgres::{CreateSchema, PostgresMigrator};
use simplex_stores::db::sqlite::SqliteMigrator;
use simplex_stores::db::sqlite::rusqlite::Connection;
use simplex_stores::db::{DatabaseConfig, DbErrorKind};
use simplex_stores::sync::thread;

use crate::catalogue;
use crate::fixture::{Place, UP, on_each_place};
use crate::schema::client;

/// The specification's list: what stands there with a minus can't be undone; after a name, what is no
/// longer there when it is undone, and with a plus what is there again.
const SQLITE_LIST: &str = "
- 20220101_initial
- 20220301_snd_queue_keys
- 20220322_notifications
- 20220607_v2
- m20220625_v2_ntf_mode
- m20220811_onion_hosts
- m20220817_connection_ntfs
- m20220905_commands
- m20220915_connection_queues
- m20230110_users
- m20230117_fkey_indexes
- m20230120_delete_errors
- m20230217_server_key_hash
m20230223_files rcv_files rcv_file_chunks rcv_file_chunk_replicas xftp_servers
m20230320_retry_state snd_messages.retry_int_slow snd_messages.retry_int_fast
m20230401_snd_files snd_files snd_file_chunks snd_file_chunk_replicas snd_file_chunk_replica_recipients deleted_snd_chunk_replicas
m20230510_files_pending_replicas_indexes idx_deleted_snd_chunk_replicas_pending idx_rcv_file_chunk_replicas_pending idx_snd_file_chunk_replicas_pending
m20230516_encrypted_rcv_message_hashes encrypted_rcv_message_hashes
m20230531_switch_status rcv_queues.switch_status rcv_queues.deleted snd_queues.switch_status
m20230615_ratchet_sync connections.ratchet_sync_state ratchets.x3dh_pub_key_1 ratchets.x3dh_pub_key_2 processed_ratchet_key_hashes
m20230701_delivery_receipts snd_messages.rcpt_internal_id snd_messages.rcpt_status idx_snd_messages_rcpt_internal_id
m20230720_delete_expired_messages idx_messages_internal_snd_id_ts
m20230722_indexes idx_encrypted_rcv_message_hashes_created_at idx_processed_ratchet_key_hashes_created_at
m20230814_indexes idx_messages_internal_ts +idx_messages_internal_snd_id_ts
m20230829_crypto_files rcv_files.save_file_key rcv_files.save_file_nonce snd_files.src_file_key snd_files.src_file_nonce
m20231222_command_created_at commands.created_at idx_commands_server_commands
m20231225_failed_work_items snd_message_deliveries.failed commands.failed ntf_subscriptions.ntf_failed ntf_subscriptions.smp_failed rcv_files.failed snd_files.failed deleted_snd_chunk_replicas.failed idx_rcv_files_status_created_at idx_snd_files_status_created_at idx_snd_files_snd_file_entity_id
m20240121_message_delivery_indexes idx_messages_snd_expired idx_snd_message_deliveries_expired
m20240124_file_redirect rcv_files.redirect_id rcv_files.redirect_entity_id rcv_files.redirect_size rcv_files.redirect_digest snd_files.redirect_size snd_files.redirect_digest idx_rcv_files_redirect_id
m20240223_connections_wait_delivery connections.deleted_at_wait_delivery
m20240225_ratchet_kem ratchets.pq_priv_kem connections.pq_support messages.pq_encryption
m20240417_rcv_files_approved_relays rcv_files.approved_relays
m20240624_snd_secure rcv_queues.snd_secure snd_queues.snd_secure
m20240702_servers_stats servers_stats
m20240930_ntf_tokens_to_delete ntf_tokens_to_delete
m20241007_rcv_queues_last_broker_ts rcv_queues.last_broker_ts
m20241224_ratchet_e2e_snd_params ratchets.pq_pub_kem
m20250203_msg_bodies snd_message_bodies snd_messages.snd_message_body_id snd_messages.padded_msg_len snd_messages.msg_encrypt_key idx_snd_messages_snd_message_body_id
m20250322_short_links inv_short_links rcv_queues.link_id rcv_queues.link_key rcv_queues.link_priv_sig_key rcv_queues.link_enc_fixed_data rcv_queues.queue_mode snd_queues.queue_mode idx_rcv_queues_link_id +rcv_queues.snd_secure +snd_queues.snd_secure
m20250702_conn_invitations_remove_cascade_delete
m20251009_queue_to_subscribe rcv_queues.to_subscribe idx_rcv_queues_to_subscribe
m20251010_client_notices client_notices rcv_queues.client_notice_id idx_rcv_queues_client_notice_id
m20251230_strict_tables
m20260410_receive_attempts rcv_messages.receive_attempts
m20260411_service_certs client_services rcv_queues.rcv_service_assoc";

const POSTGRES_LIST: &str = "
- 20241210_initial
20250203_msg_bodies snd_message_bodies snd_messages.snd_message_body_id snd_messages.padded_msg_len snd_messages.msg_encrypt_key idx_snd_messages_snd_message_body_id
20250322_short_links inv_short_links rcv_queues.link_id rcv_queues.link_key rcv_queues.link_priv_sig_key rcv_queues.link_enc_fixed_data rcv_queues.queue_mode snd_queues.queue_mode idx_rcv_queues_link_id +rcv_queues.snd_secure +snd_queues.snd_secure
20250702_conn_invitations_remove_cascade_delete
20251009_queue_to_subscribe rcv_queues.to_subscribe idx_rcv_queues_to_subscribe
20251010_client_notices client_notices rcv_queues.client_notice_id idx_rcv_queues_client_notice_id
20251230_strict_tables
20260410_receive_attempts rcv_messages.receive_attempts
20260411_service_certs client_services rcv_queues.rcv_service_assoc";

/// Rows that undoing has to do something about; `<bytes>` stand for themselves.
const ROWS: &str = "
    INSERT INTO servers (host, port, key_hash) VALUES ('h', 'p', <k>);
    INSERT INTO ntf_servers (ntf_host, ntf_port, ntf_key_hash) VALUES ('h', 'p', <k>);
    INSERT INTO users (deleted) VALUES (0);
    INSERT INTO connections (conn_id, conn_mode, user_id) VALUES (<c>, 'INV', 1);
    INSERT INTO rcv_queues (host, port, rcv_id, conn_id, rcv_private_key, rcv_dh_secret, e2e_priv_key,
        snd_id, status, rcv_queue_id, rcv_primary, queue_mode)
      VALUES ('h', 'p', <m>, <c>, <k>, <k>, <k>, <m>, 'new', 1, 1, 'M'),
             ('h', 'p', <n>, <c>, <k>, <k>, <k>, <n>, 'new', 2, 0, 'C');
    INSERT INTO conn_confirmations
        (confirmation_id, conn_id, e2e_snd_pub_key, ratchet_state, sender_conn_info, accepted, sender_key)
      VALUES (<with>, <c>, <k>, <s>, <i>, 0, <k>), (<without>, <c>, <k>, <s>, <i>, 0, NULL);
    INSERT INTO conn_invitations (invitation_id, contact_conn_id, cr_invitation, recipient_conn_info)
      VALUES (<with>, <c>, <u>, <i>), (<without>, NULL, <u>, <i>);
    INSERT INTO ntf_tokens (provider, device_token, ntf_host, ntf_port, tkn_pub_key, tkn_priv_key,
        tkn_pub_dh_key, tkn_priv_dh_key, tkn_status, ntf_mode)
      VALUES ('apns_test', <abcd>, 'h', 'p', <k>, <k>, <k>, <k>, 'NEW', 'INSTANT');
    INSERT INTO ntf_subscriptions (conn_id, ntf_host, ntf_port, ntf_sub_status, ntf_sub_action)
      VALUES (<c>, 'h', 'p', 'NEW', 'N');";

fn migrations(place: &Place) -> &'static Migrations {
    match place {
        Place::File(_) => &SQLITE,
        Place::Server(_) => &POSTGRES,
    }
}

fn listed(place: &Place) -> Vec<&'static str> {
    let list = match place {
        Place::File(_) => SQLITE_LIST,
        Place::Server(_) => POSTGRES_LIST,
    };
    list.lines().filter(|line| !line.is_empty()).collect()
}

fn up(place: &Place, confirm: ConfirmMode) -> Result<Migrated, MigrationError> {
    let options = SchemaOptions { confirm, ..UP };
    migrate(&place.config(), options, |_| panic!("nobody is to be asked"))
}

/// Runs a list of migrations as a program that has no others would.
fn run(place: &Place, list: &[Migration]) -> Result<Migrated, MigrationError> {
    fn run(
        target: &mut impl MigrationTarget,
        list: &[Migration],
    ) -> Result<Migrated, MigrationError> {
        runner::migrate(target, list, ConfirmMode::YesUpDown, |_| true)
    }
    match place.config() {
        DatabaseConfig::Sqlite(config) => run(&mut SqliteMigrator::open(&config)?, list),
        DatabaseConfig::Postgres(config) => {
            run(&mut PostgresMigrator::open(&config, CreateSchema::Never)?, list)
        }
        _ => panic!("another database"),
    }
}

/// Through the store, whose triggers need its function.
fn fill(place: &Place) {
    let rows = |bytes: &str| ROWS.replace('<', "CAST('").replace('>', bytes);
    match place {
        Place::File(_) => {
            let store = place.open().unwrap();
            store.database().exec_sql(&rows("' AS BLOB)")).unwrap();
        }
        Place::Server(_) => execute(place, &rows("' AS bytea)")),
    }
}

fn execute(place: &Place, script: &str) {
    match place {
        Place::File(_) => Connection::open(place.path()).unwrap().execute_batch(script).unwrap(),
        Place::Server(_) => client(place).batch_execute(script).unwrap(),
    }
}

fn lines(place: &Place, query: &str) -> Vec<String> {
    match place {
        Place::File(_) => catalogue::sqlite_lines(&place.path(), query),
        Place::Server(_) => catalogue::postgres_lines(&mut client(place), query),
    }
}

/// The names of all tables, columns and indexes.
fn names(place: &Place) -> BTreeSet<String> {
    let (columns, keys) = match place {
        Place::File(_) => {
            (catalogue::sqlite_columns(&place.path()), catalogue::sqlite_keys(&place.path()))
        }
        Place::Server(_) => {
            let mut client = client(place);
            (catalogue::postgres_columns(&mut client), catalogue::postgres_keys(&mut client))
        }
    };
    let columns = columns.iter().map(|line| line.split(':').next().unwrap().to_owned());
    let columns: Vec<String> = columns.collect();
    let tables = columns.iter().map(|column| column.split('.').next().unwrap().to_owned());
    let indexes = keys.iter().filter_map(|line| line.split_once("index "));
    let indexes = indexes.map(|(_, rest)| rest.split(' ').next().unwrap().to_owned());
    tables.chain(indexes).chain(columns.clone()).collect()
}

#[test]
fn the_lists_have_the_documented_names_and_say_what_can_be_undone() {
    on_each_place(|place| {
        let listed: Vec<(&str, bool)> = listed(place)
            .into_iter()
            .map(|line| match line.strip_prefix("- ") {
                Some(name) => (name, false),
                None => (line.split(' ').next().unwrap(), true),
            })
            .collect();
        let list = migrations(place).list;
        let ours: Vec<(&str, bool)> =
            list.iter().map(|one| (one.name, one.down.is_some())).collect();
        assert_eq!(ours, listed);
        assert!(ours.is_sorted_by_key(|(name, _)| *name));
        assert_eq!(ours.len(), if matches!(place, Place::File(_)) { 45 } else { 9 });
    });
}

#[test]
fn a_new_database_records_all_names_and_what_undoes_them() {
    on_each_place(|place| {
        let list = migrations(place).list;
        let all = list.iter().map(|one| one.name.to_owned()).collect();
        assert_eq!(up(place, ConfirmMode::Error), Ok(Migrated::Up(all)));
        for mode in [ConfirmMode::Error, ConfirmMode::YesUp, ConfirmMode::YesUpDown] {
            assert_eq!(up(place, mode), Ok(Migrated::UpToDate));
        }
        let recorded = lines(place, "SELECT name || coalesce(down, '-') FROM migrations");
        let mut expected: Vec<String> =
            list.iter().map(|one| format!("{}{}", one.name, one.down.unwrap_or("-"))).collect();
        let mut recorded = recorded;
        recorded.sort();
        expected.sort();
        assert_eq!(recorded, expected);
    });
}

#[test]
fn a_first_start_that_was_interrupted_goes_on_without_asking() {
    on_each_place(|place| {
        match place.config() {
            DatabaseConfig::Sqlite(config) => {
                SqliteMigrator::open(&config).unwrap().applied().unwrap();
            }
            DatabaseConfig::Postgres(config) => {
                let migrator = PostgresMigrator::open(&config, CreateSchema::IfMissing);
                migrator.unwrap().applied().unwrap();
            }
            _ => panic!("another database"),
        }
        assert!(matches!(up(place, ConfirmMode::Error), Ok(Migrated::Up(_))));
    });
}

#[test]
fn a_database_with_a_part_of_the_list_is_refused_and_stays_as_it_was() {
    on_each_place(|place| {
        up(place, ConfirmMode::YesUp).unwrap();
        let list = migrations(place).list;
        run(place, &list[..list.len() - 2]).unwrap();
        let before = names(place);
        let refused = up(place, ConfirmMode::YesUpDown).unwrap_err();
        let expected = MigrationError::TooOld {
            has: Some(list[list.len() - 3].name.to_owned()),
            needs: list[list.len() - 1].name.to_owned(),
        };
        assert_eq!(refused, expected);
        assert_eq!(names(place), before);
    });
}

#[test]
fn a_database_of_something_else_is_refused() {
    on_each_place(|place| {
        let Place::File(_) = place else {
            client_of_new_schema(place).batch_execute("CREATE TABLE other (x text)").unwrap();
            assert!(matches!(up(place, ConfirmMode::YesUp), Err(MigrationError::TooOld { .. })));
            return;
        };
        execute(place, "CREATE TABLE other (x text)");
        assert!(matches!(up(place, ConfirmMode::YesUp), Err(MigrationError::TooOld { .. })));
        let row = "INSERT INTO migrations VALUES ('20230101_another', '2023-01-01 00:00:00', NULL)";
        execute(place, row);
        let different = up(place, ConfirmMode::YesUp).unwrap_err();
        assert!(matches!(different, MigrationError::Plan(PlanError::Different { .. })));
    });
}

fn client_of_new_schema(place: &Place) -> postgres::Client {
    let Place::Server(database) = place else { panic!("on a server") };
    let mut client = database.client().unwrap();
    client.batch_execute("CREATE SCHEMA agent_store; SET search_path = agent_store").unwrap();
    client
}

#[test]
fn a_longer_list_of_the_reference_s_is_undone_when_that_is_allowed() {
    on_each_place(|place| {
        up(place, ConfirmMode::YesUp).unwrap();
        let before = names(place);
        let later = [Migration {
            name: "m99_later",
            up: "CREATE TABLE z (x text)",
            down: Some("DROP TABLE z"),
        }];
        let list: Vec<Migration> = migrations(place).list.iter().copied().chain(later).collect();
        run(place, &list).unwrap();
        let refused = up(place, ConfirmMode::YesUp);
        assert!(matches!(refused, Err(MigrationError::Downgrade { .. })), "{refused:?}");
        let undone = vec!["m99_later".to_owned()];
        assert_eq!(up(place, ConfirmMode::YesUpDown), Ok(Migrated::Down(undone)));
        assert_eq!(names(place), before);
    });
}

#[test]
fn every_stored_script_undoes_what_its_migration_is_said_to_do() {
    on_each_place(|place| {
        up(place, ConfirmMode::YesUp).unwrap();
        fill(place);
        let list = migrations(place).list;
        for (index, line) in listed(place).into_iter().enumerate().rev() {
            if line.starts_with("- ") {
                break;
            }
            let mut words = line.split(' ');
            let name = words.next().unwrap();
            let (again, gone): (Vec<&str>, Vec<&str>) =
                words.partition(|word| word.starts_with('+'));
            let before = names(place);
            assert_eq!(run(place, &list[..index]), Ok(Migrated::Down(vec![name.to_owned()])));
            let after = names(place);
            let is_of = |gone: &&str, name: &str| {
                name == *gone
                    || name.starts_with(&format!("{gone}."))
                    || name.starts_with(&format!("idx_{gone}_"))
                    || (*gone == "client_services" && name.starts_with("idx_server_certs"))
                    || (gone.contains("hashes") && name.starts_with(&format!("idx_{gone}")))
            };
            for missing in before.difference(&after) {
                assert!(gone.iter().any(|gone| is_of(gone, missing)), "{name}: {missing} is gone");
            }
            for gone in gone {
                assert!(before.contains(gone) && !after.contains(gone), "{name}: {gone} is there");
            }
            let added: Vec<&String> = after.difference(&before).collect();
            let mut again: Vec<&str> = again.iter().map(|word| &word[1..]).collect();
            again.sort_unstable();
            assert_eq!(added, again, "{name}");
            if let Place::File(_) = place {
                let check = lines(place, "SELECT integrity_check FROM pragma_integrity_check");
                assert_eq!(check, ["ok"], "{name}");
                assert!(lines(place, "SELECT \"table\" FROM pragma_foreign_key_check").is_empty());
            }
        }
        let rows = |query: &str| lines(place, query);
        let text = |column: &str| match place {
            Place::File(_) => format!("CAST({column} AS text)"),
            Place::Server(_) => format!("convert_from({column}, 'UTF8')"),
        };
        let invitations = format!("SELECT {} FROM conn_invitations", text("invitation_id"));
        assert_eq!(rows(&invitations), ["with"]);
        let confirmations = format!("SELECT {} FROM conn_confirmations", text("confirmation_id"));
        assert_eq!(
            rows(&confirmations).len(),
            if migrations(place).list.len() == 45 { 1 } else { 2 }
        );
        let token = format!("SELECT device_token || ' ' || {} FROM ntf_tokens", text("ntf_mode"));
        assert_eq!(rows(&token), ["abcd INSTANT"]);
        let action = format!("SELECT {} FROM ntf_subscriptions", text("ntf_sub_action"));
        assert_eq!(rows(&action), ["N"]);
    });
}

#[test]
fn undoing_restores_the_rules_that_were_edited_into_the_schema() {
    let place = Place::file();
    up(&place, ConfirmMode::YesUp).unwrap();
    let at = |name: &str| SQLITE.list.iter().position(|one| one.name == name).unwrap();
    let strict = "SELECT name FROM pragma_table_list WHERE strict AND schema = 'main'";
    assert_eq!(lines(&place, strict).len(), 35);
    run(&place, &SQLITE.list[..at("m20251230_strict_tables")]).unwrap();
    assert!(lines(&place, strict).is_empty());
    let columns = names_and_types(&place);
    for column in [
        "ntf_tokens.device_token: TEXT",
        "ntf_tokens.ntf_mode: BLOB",
        "ntf_subscriptions.ntf_sub_action: BLOB",
        "ntf_subscriptions.ntf_sub_smp_action: BLOB",
    ] {
        assert!(columns.iter().any(|found| found.starts_with(column)), "{column}");
    }
    run(&place, &SQLITE.list[..at("m20250702_conn_invitations_remove_cascade_delete")]).unwrap();
    let contact = "SELECT on_delete FROM pragma_foreign_key_list('conn_invitations')";
    assert_eq!(lines(&place, contact), ["CASCADE"]);
    run(&place, &SQLITE.list[..at("m20240624_snd_secure")]).unwrap();
    let columns = names_and_types(&place);
    for column in
        ["conn_confirmations.sender_key: BLOB, no", "conn_invitations.contact_conn_id: BLOB, no"]
    {
        assert!(columns.iter().any(|found| found.starts_with(column)), "{column}");
    }
}

fn names_and_types(place: &Place) -> Vec<String> {
    catalogue::sqlite_columns(&place.path())
}

#[test]
fn those_who_open_a_new_database_at_once_take_turns() {
    on_each_place(|place| {
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let config = place.config();
                thread::spawn(move || migrate(&config, UP, |_| false))
            })
            .collect();
        let results: Vec<_> =
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
        let made = results.iter().filter(|result| matches!(result, Migrated::Up(_))).count();
        let found = results.iter().filter(|result| **result == Migrated::UpToDate).count();
        assert_eq!((made, found), (1, 2));
    });
}

#[test]
fn as9_a_schema_is_made_only_when_that_is_asked_for() {
    let place = Place::server();
    let options = SchemaOptions { create_schema: false, ..UP };
    let refused = migrate(&place.config(), options, |_| false).unwrap_err();
    let MigrationError::Database(error) = refused else { panic!("{refused:?}") };
    assert_eq!(*error.kind(), DbErrorKind::Schema);
    up(&place, ConfirmMode::Error).unwrap();
    assert_eq!(migrate(&place.config(), options, |_| false), Ok(Migrated::UpToDate));
}
