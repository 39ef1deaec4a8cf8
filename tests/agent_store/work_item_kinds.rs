//! A bad row of each kind of work blocks nothing: it is told, marked, and passed over (AS-34, AS-82).

use std::time::Duration;

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{ConnId, NtfSubAction, RcvFileStatus};
use simplex_stores::db::UtcTime;
use simplex_stores::protocol::Semantics;

use crate::fixture::{TestStore, on_each_with};
use crate::messages::support::Conn;
use crate::{commands, ntf_subscriptions, ntf_tokens, rcv_files, snd_files};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Asks for the next item, and gives what tells it from the other.
type Next<'t> = Box<dyn Fn() -> Result<Option<String>, StoreError> + 't>;

/// A kind of work.
struct Kind {
    name: &'static str,
    /// Makes two items.
    prepare: for<'t> fn(&'t TestStore) -> Next<'t>,
    /// What damages the first with some bytes, and puts it right with those that it had.
    damage: &'static str,
    /// Those that it had.
    read: &'static str,
    bytes: &'static [u8],
    /// The column that the error names.
    column: &'static str,
    /// The marks, of the first item first.
    marks: &'static str,
    /// An operation after which a marked item is handed out again, if there is one.
    renew: Option<fn(&TestStore)>,
}

const KINDS: [Kind; 10] = [
    Kind {
        name: "message",
        prepare: |test| {
            let conn = Conn::of(test);
            conn.send_at(1, &[1]);
            conn.send_at(2, &[1]);
            Box::new(move || {
                let queue = conn.snd_queue(1);
                let next = test.run(|tx| tx.get_pending_queue_msg(&queue))?;
                Ok(next.map(|(_, message)| format!("{:?}", message.msg_id)))
            })
        },
        damage: "UPDATE messages SET msg_type = $1 WHERE internal_id = 1",
        read: "SELECT msg_type AS bytes FROM messages WHERE internal_id = 1",
        bytes: b"",
        column: "messages.msg_type",
        marks: "SELECT failed FROM snd_message_deliveries ORDER BY internal_id",
        renew: None,
    },
    Kind {
        name: "command",
        prepare: |test| {
            let conn = commands::conn(test, b"one");
            let [router, _] = commands::registered(test);
            for number in [1, 2] {
                commands::create(test, &conn, Some(&router), number);
            }
            Box::new(move || {
                let next = test.run(|tx| tx.get_pending_server_command(&conn, Some(&router)))?;
                Ok(next.map(|pending| format!("{:?}", pending.command)))
            })
        },
        damage: "UPDATE commands SET command = $1 WHERE command_id = 1",
        read: "SELECT command AS bytes FROM commands WHERE command_id = 1",
        bytes: b"CLIENT ?",
        column: "commands.command",
        marks: "SELECT failed FROM commands ORDER BY command_id",
        renew: None,
    },
    Kind {
        name: "token to delete",
        prepare: |test| {
            let router = ntf_tokens::router();
            test.run(|tx| tx.create_ntf_server(&router)).unwrap();
            ntf_tokens::record(test, &router, 1);
            ntf_tokens::record(test, &router, 2);
            Box::new(move || {
                let next = test.run(|tx| tx.get_next_ntf_token_to_delete(&router))?;
                Ok(next.map(|token| format!("{:?}", token.id)))
            })
        },
        damage: "UPDATE ntf_tokens_to_delete SET tkn_priv_key = $1 WHERE ntf_token_to_delete_id = 1",
        read: "SELECT tkn_priv_key AS bytes FROM ntf_tokens_to_delete WHERE ntf_token_to_delete_id = 1",
        bytes: b"\x30",
        column: "ntf_tokens_to_delete.tkn_priv_key",
        marks: "SELECT del_failed AS failed FROM ntf_tokens_to_delete ORDER BY ntf_token_to_delete_id",
        renew: None,
    },
    Kind {
        name: "action on a notification router",
        prepare: |test| {
            let user = ntf_subscriptions::prepare(test);
            for id in [b"1", b"2"] {
                ntf_subscriptions::sub(test, user, id, ntf_subscriptions::CREATE);
            }
            let router = ntf_subscriptions::ntf();
            Box::new(move || {
                let mut next = test.run(|tx| tx.get_next_ntf_sub_ntf_actions(&router, 1))?;
                let next = next.pop().transpose()?;
                Ok(next.map(|work| format!("{:?}", work.subscription.conn_id)))
            })
        },
        damage: "UPDATE ntf_subscriptions SET smp_ntf_id = $1
                  WHERE conn_id = (SELECT conn_id FROM connections ORDER BY conn_id LIMIT 1)",
        read: "SELECT smp_ntf_id AS bytes FROM ntf_subscriptions
                WHERE conn_id = (SELECT conn_id FROM connections ORDER BY conn_id LIMIT 1)",
        bytes: b"",
        column: "ntf_subscriptions.smp_ntf_id",
        marks: "SELECT ntf_failed AS failed FROM ntf_subscriptions ORDER BY conn_id",
        renew: Some(|test| renew(test, ntf_subscriptions::CREATE)),
    },
    Kind {
        name: "action on a message router",
        prepare: |test| {
            let user = ntf_subscriptions::prepare(test);
            for id in [b"1", b"2"] {
                ntf_subscriptions::sub(test, user, id, ntf_subscriptions::KEY);
            }
            let router = ntf_subscriptions::smp();
            Box::new(move || {
                let mut next = test.run(|tx| tx.get_next_ntf_sub_smp_actions(&router, 1))?;
                let next = next.pop().transpose()?;
                Ok(next.map(|work| format!("{:?}", work.subscription.conn_id)))
            })
        },
        damage: "UPDATE ntf_subscriptions SET ntf_sub_id = $1
                  WHERE conn_id = (SELECT conn_id FROM connections ORDER BY conn_id LIMIT 1)",
        read: "SELECT ntf_sub_id AS bytes FROM ntf_subscriptions
                WHERE conn_id = (SELECT conn_id FROM connections ORDER BY conn_id LIMIT 1)",
        bytes: b"",
        column: "ntf_subscriptions.ntf_sub_id",
        marks: "SELECT smp_failed AS failed FROM ntf_subscriptions ORDER BY conn_id",
        renew: Some(|test| renew(test, ntf_subscriptions::KEY)),
    },
    Kind {
        name: "chunk to download",
        prepare: |test| {
            rcv_files::small_file(test, 1);
            rcv_files::small_file(test, 2);
            Box::new(move || {
                let router = rcv_files::router("one.example");
                let next = test.run(|tx| tx.get_next_rcv_chunk_to_download(&router, DAY))?;
                Ok(next.map(|next| format!("{:?}", next.chunk.rcv_file_id)))
            })
        },
        damage: "UPDATE rcv_file_chunk_replicas SET replica_key = $1
                  WHERE rcv_file_chunk_replica_id = 1",
        read: "SELECT replica_key AS bytes FROM rcv_file_chunk_replicas
                WHERE rcv_file_chunk_replica_id = 1",
        bytes: b"key",
        column: "rcv_file_chunk_replicas.replica_key",
        marks: "SELECT failed FROM rcv_files ORDER BY rcv_file_id",
        renew: None,
    },
    Kind {
        name: "file to decrypt",
        prepare: |test| {
            for seed in [1, 2] {
                let id = rcv_files::small_file(test, seed).rcv_file_id;
                test.run(|tx| tx.update_rcv_file_status(id, RcvFileStatus::Received)).unwrap();
            }
            Box::new(move || {
                let next = test.run(|tx| tx.get_next_rcv_file_to_decrypt(DAY))?;
                Ok(next.map(|file| format!("{:?}", file.rcv_file_id)))
            })
        },
        damage: "UPDATE rcv_files SET key = $1 WHERE rcv_file_id = 1",
        read: "SELECT key AS bytes FROM rcv_files WHERE rcv_file_id = 1",
        bytes: b"short",
        column: "rcv_files.key",
        marks: "SELECT failed FROM rcv_files ORDER BY rcv_file_id",
        renew: None,
    },
    Kind {
        name: "file to prepare",
        prepare: |test| {
            let user = test.user();
            snd_files::file(test, user);
            snd_files::file(test, user);
            Box::new(move || {
                let next = test.run(|tx| tx.get_next_snd_file_to_prepare(DAY))?;
                Ok(next.map(|file| format!("{:?}", file.snd_file_id)))
            })
        },
        damage: "UPDATE snd_files SET key = $1 WHERE snd_file_id = 1",
        read: "SELECT key AS bytes FROM snd_files WHERE snd_file_id = 1",
        bytes: b"short",
        column: "snd_files.key",
        marks: "SELECT failed FROM snd_files ORDER BY snd_file_id",
        renew: None,
    },
    Kind {
        name: "chunk to upload",
        prepare: |test| {
            let router = snd_files::router("a.example");
            for id in ["a", "b"] {
                snd_files::upload::uploading_file(test, &router, &[id]);
            }
            Box::new(move || {
                let next = test.run(|tx| tx.get_next_snd_chunk_to_upload(&router, DAY))?;
                Ok(next.map(|chunk| format!("{:?}", chunk.snd_file_id)))
            })
        },
        damage: "UPDATE snd_file_chunk_replicas SET replica_key = $1
                  WHERE snd_file_chunk_replica_id = 1",
        read: "SELECT replica_key AS bytes FROM snd_file_chunk_replicas
                WHERE snd_file_chunk_replica_id = 1",
        bytes: b"key",
        column: "snd_file_chunk_replicas.replica_key",
        marks: "SELECT failed FROM snd_files ORDER BY snd_file_id",
        renew: None,
    },
    Kind {
        name: "replica to delete",
        prepare: |test| {
            let (user, router) = (test.user(), snd_files::router("a.example"));
            for id in ["a", "b"] {
                snd_files::deleted_replicas::note(test, user, &router, id);
            }
            Box::new(move || {
                let next = test.run(|tx| tx.get_next_deleted_snd_chunk_replica(&router, DAY))?;
                Ok(next.map(|replica| format!("{:?}", replica.deleted_snd_chunk_replica_id)))
            })
        },
        damage: "UPDATE deleted_snd_chunk_replicas SET replica_key = $1
                  WHERE deleted_snd_chunk_replica_id = 1",
        read: "SELECT replica_key AS bytes FROM deleted_snd_chunk_replicas
                WHERE deleted_snd_chunk_replica_id = 1",
        bytes: b"key",
        column: "deleted_snd_chunk_replicas.replica_key",
        marks: "SELECT failed FROM deleted_snd_chunk_replicas ORDER BY deleted_snd_chunk_replica_id",
        renew: None,
    },
];

/// The supervisor writes an action for the first subscription.
fn renew(test: &TestStore, action: NtfSubAction) {
    let first = ConnId::from_bytes(b"1").unwrap();
    test.run(|tx| tx.supervisor_update_ntf_action(&first, action)).unwrap();
    // It is due now, and the other one after it.
    let later = "UPDATE ntf_subscriptions SET ntf_sub_action_ts = $2 WHERE conn_id <> $1";
    assert_eq!(test.execute(later, &[&first, &UtcTime::now()]), 1);
}

fn marks(test: &TestStore, kind: &Kind) -> Vec<bool> {
    test.query(kind.marks, &[], |row| row.next("items.failed"))
}

fn check(kind: &Kind, test: &TestStore) {
    let name = kind.name;
    let next = (kind.prepare)(test);
    let first = next().unwrap().expect(name);
    assert_eq!(marks(test, kind), [false, false], "{name}");
    let whole: Vec<Option<Vec<u8>>> = test.query(kind.read, &[], |row| row.next("items.bytes"));
    assert_eq!(test.execute(kind.damage, &[&kind.bytes]), 1, "{name}");
    let error = next().unwrap_err();
    let StoreError::Internal(text) = &error else { panic!("{name}: {error:?}") };
    assert!(text.contains(kind.column), "{name}: {text}");
    assert!(!error.is_work_item(), "{name}: the worker has to go on");
    assert_eq!(marks(test, kind), [true, false], "{name}");
    let second = next().unwrap().expect(name);
    assert_ne!(second, first, "{name}");
    // The mark stays when the row is put right.
    assert_eq!(test.execute(kind.damage, &[&whole[0]]), 1, "{name}");
    assert_eq!(next().unwrap(), Some(second), "{name}");
    assert_eq!(marks(test, kind), [true, false], "{name}");
    if let Some(renew) = kind.renew {
        renew(test);
        assert_eq!(next().unwrap(), Some(first), "{name}");
    }
}

#[test]
fn as34_as82_a_bad_row_of_each_kind_of_work_is_told_marked_and_passed_over() {
    for kind in &KINDS {
        for semantics in [Semantics::Strict, Semantics::Reference] {
            on_each_with(semantics, |test| check(kind, test));
        }
    }
}
