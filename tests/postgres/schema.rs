//! The schema against the specification's list (queue-stores.md, section 6).

use crate::{catalogue, fixture};

/// In their physical order.
const COLUMNS: &str = "
messages.message_id bigint not null always identity
messages.recipient_id bytea not null
messages.msg_id bytea not null
messages.msg_ts bigint not null
messages.msg_quota boolean not null
messages.msg_ntf_flag boolean not null
messages.msg_body bytea not null
migrations.name text not null
migrations.ts timestamp without time zone not null
migrations.down text
msg_queues.recipient_id bytea not null
msg_queues.recipient_keys bytea not null
msg_queues.rcv_dh_secret bytea not null
msg_queues.sender_id bytea not null
msg_queues.sender_key bytea
msg_queues.notifier_id bytea
msg_queues.notifier_key bytea
msg_queues.rcv_ntf_dh_secret bytea
msg_queues.status text not null
msg_queues.updated_at bigint
msg_queues.deleted_at bigint
msg_queues.queue_mode text
msg_queues.link_id bytea
msg_queues.fixed_data bytea
msg_queues.user_data bytea
msg_queues.rcv_service_id bytea
msg_queues.ntf_service_id bytea
msg_queues.msg_can_write boolean not null default true
msg_queues.msg_queue_expire boolean not null default false
msg_queues.msg_queue_size bigint not null default 0
services.service_id bytea not null
services.service_role text not null
services.service_cert bytea not null
services.service_cert_hash bytea not null
services.created_at bigint not null
services.queue_count bigint not null default 0
services.queue_ids_hash bytea not null default '\\x00000000000000000000000000000000'::bytea";

const CONSTRAINTS: &str = "
messages.messages_pkey PRIMARY KEY (message_id)
messages.messages_recipient_id_fkey FOREIGN KEY (recipient_id) REFERENCES msg_queues(recipient_id) ON UPDATE RESTRICT ON DELETE CASCADE
migrations.migrations_pkey PRIMARY KEY (name)
msg_queues.msg_queues_ntf_service_id_fkey FOREIGN KEY (ntf_service_id) REFERENCES services(service_id) ON UPDATE RESTRICT ON DELETE SET NULL
msg_queues.msg_queues_pkey PRIMARY KEY (recipient_id)
msg_queues.msg_queues_rcv_service_id_fkey FOREIGN KEY (rcv_service_id) REFERENCES services(service_id) ON UPDATE RESTRICT ON DELETE SET NULL
services.services_pkey PRIMARY KEY (service_id)
services.services_service_cert_hash_key UNIQUE (service_cert_hash)";

/// Those of constraints included.
const INDEXES: &str = "
CREATE INDEX idx_messages_recipient_id_message_id ON smp_server.messages USING btree (recipient_id, message_id)
CREATE INDEX idx_messages_recipient_id_msg_quota ON smp_server.messages USING btree (recipient_id, msg_quota)
CREATE INDEX idx_messages_recipient_id_msg_ts ON smp_server.messages USING btree (recipient_id, msg_ts)
CREATE INDEX idx_msg_queues_ntf_service_id ON smp_server.msg_queues USING btree (ntf_service_id, deleted_at)
CREATE INDEX idx_msg_queues_rcv_service_id ON smp_server.msg_queues USING btree (rcv_service_id, deleted_at)
CREATE INDEX idx_msg_queues_updated_at_recipient_id ON smp_server.msg_queues USING btree (deleted_at, updated_at, msg_queue_expire, recipient_id)
CREATE INDEX idx_services_service_role ON smp_server.services USING btree (service_role)
CREATE UNIQUE INDEX idx_msg_queues_link_id ON smp_server.msg_queues USING btree (link_id)
CREATE UNIQUE INDEX idx_msg_queues_notifier_id ON smp_server.msg_queues USING btree (notifier_id)
CREATE UNIQUE INDEX idx_msg_queues_sender_id ON smp_server.msg_queues USING btree (sender_id)
CREATE UNIQUE INDEX messages_pkey ON smp_server.messages USING btree (message_id)
CREATE UNIQUE INDEX migrations_pkey ON smp_server.migrations USING btree (name)
CREATE UNIQUE INDEX msg_queues_pkey ON smp_server.msg_queues USING btree (recipient_id)
CREATE UNIQUE INDEX services_pkey ON smp_server.services USING btree (service_id)
CREATE UNIQUE INDEX services_service_cert_hash_key ON smp_server.services USING btree (service_cert_hash)";

const TRIGGERS: &str = "
CREATE TRIGGER tr_queue_delete AFTER DELETE ON smp_server.msg_queues FOR EACH ROW EXECUTE FUNCTION on_queue_delete()
CREATE TRIGGER tr_queue_insert AFTER INSERT ON smp_server.msg_queues FOR EACH ROW EXECUTE FUNCTION on_queue_insert()
CREATE TRIGGER tr_queue_update AFTER UPDATE ON smp_server.msg_queues FOR EACH ROW EXECUTE FUNCTION on_queue_update()";

const ROUTINES: [&str; 11] = [
    "delete_expired_msgs",
    "expire_old_messages",
    "on_queue_delete",
    "on_queue_insert",
    "on_queue_update",
    "try_del_msg",
    "try_del_peek_msg",
    "update_aggregates",
    "update_all_aggregates",
    "write_message",
    "xor_combine",
];

fn listed(list: &str, word: &str) -> Vec<String> {
    let lines = list.lines().filter(|line| !line.is_empty());
    lines.map(|line| if word.is_empty() { line.into() } else { format!("{word} {line}") }).collect()
}

#[test]
fn columns_have_the_documented_order_types_and_defaults() {
    let database = fixture::with_schema();
    let found = catalogue::columns(&mut fixture::client(&database));
    assert_eq!(found, listed(COLUMNS, "column"));
}

#[test]
fn constraints_have_the_documented_names_and_actions() {
    let database = fixture::with_schema();
    let found = catalogue::constraints(&mut fixture::client(&database));
    assert_eq!(found, listed(CONSTRAINTS, "constraint"));
}

#[test]
fn indexes_have_the_documented_names_and_columns() {
    let database = fixture::with_schema();
    let found = catalogue::indexes(&mut fixture::client(&database));
    assert_eq!(found, listed(INDEXES, "index"));
}

#[test]
fn triggers_and_routines_have_the_documented_names() {
    let database = fixture::with_schema();
    let mut client = fixture::client(&database);
    assert_eq!(catalogue::triggers(&mut client), listed(TRIGGERS, ""));
    let query = "SELECT proname::text FROM pg_proc
                  WHERE pronamespace = 'smp_server'::regnamespace AND prokind <> 'a' ORDER BY 1";
    let routines: Vec<String> =
        client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(routines, ROUTINES);
    let query = "SELECT p.proname::text, a.aggtransfn::text, a.agginitval
                   FROM pg_proc p JOIN pg_aggregate a ON a.aggfnoid = p.oid
                  WHERE p.pronamespace = 'smp_server'::regnamespace";
    let row = client.query_one(query, &[]).unwrap();
    let aggregate: [String; 3] = std::array::from_fn(|column| row.get(column));
    assert_eq!(aggregate, ["xor_aggregate", "xor_combine", "\\x00000000000000000000000000000000"]);
}

#[test]
fn xor_combine_is_strict_immutable_and_refuses_unequal_lengths() {
    let database = fixture::with_schema();
    let mut client = fixture::client(&database);
    let kind = "SELECT proisstrict, provolatile = 'i' FROM pg_proc WHERE proname = 'xor_combine'";
    let row = client.query_one(kind, &[]).unwrap();
    assert!(row.get::<_, bool>(0) && row.get::<_, bool>(1));
    let query = "SELECT xor_combine($1, $2)";
    let mut combined = |a: Option<&[u8]>, b: Option<&[u8]>| -> Result<Option<Vec<u8>>, ()> {
        client.query_one(query, &[&a, &b]).map(|row| row.get(0)).map_err(drop)
    };
    assert_eq!(combined(Some(&[0x0f, 0xff]), Some(&[0xf0, 0x0f])), Ok(Some(vec![0xff, 0xf0])));
    assert_eq!(combined(Some(&[]), Some(&[])), Ok(Some(vec![])));
    assert_eq!(combined(None, Some(&[1])), Ok(None));
    assert_eq!(combined(Some(&[1]), Some(&[1, 2])), Err(()));
}

#[test]
fn the_aggregate_over_no_rows_is_sixteen_zero_bytes() {
    let database = fixture::with_schema();
    let mut client = fixture::client(&database);
    let query = "SELECT xor_aggregate(public.digest(recipient_id, 'md5')) FROM msg_queues";
    assert_eq!(client.query_one(query, &[]).unwrap().get::<_, Vec<u8>>(0), vec![0; 16]);
}

#[test]
fn pg23_ids_of_a_soft_deleted_row_stay_taken_until_it_is_purged() {
    let database = fixture::with_schema();
    let mut client = fixture::client(&database);
    let insert =
        |client: &mut postgres::Client, recipient: &str, [sender, notifier, link]: [&str; 3]| {
            let insert = "INSERT INTO msg_queues
            (recipient_id, recipient_keys, rcv_dh_secret, sender_id, notifier_id, link_id, status)
            VALUES ($1, '', '', $2, $3, $4, 'active')";
            let [recipient, sender, notifier, link] =
                [recipient, sender, notifier, link].map(str::as_bytes);
            let inserted = client.execute(insert, &[&recipient, &sender, &notifier, &link]);
            inserted.map_err(|error| error.as_db_error().unwrap().constraint().unwrap().to_owned())
        };
    assert_eq!(insert(&mut client, "r1", ["s1", "n1", "l1"]), Ok(1));
    client.execute("UPDATE msg_queues SET deleted_at = 86400", &[]).unwrap();
    let again = [
        ("r1", ["s2", "n2", "l2"], "msg_queues_pkey"),
        ("r2", ["s1", "n2", "l2"], "idx_msg_queues_sender_id"),
        ("r2", ["s2", "n1", "l2"], "idx_msg_queues_notifier_id"),
        ("r2", ["s2", "n2", "l1"], "idx_msg_queues_link_id"),
    ];
    for (recipient, ids, index) in again {
        assert_eq!(insert(&mut client, recipient, ids), Err(index.to_owned()));
    }
    client.execute("DELETE FROM msg_queues", &[]).unwrap();
    assert_eq!(insert(&mut client, "r1", ["s1", "n1", "l1"]), Ok(1));
}
