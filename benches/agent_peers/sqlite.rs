//! The message path on rusqlite, with statements that are prepared once and kept.

use std::path::Path;

use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Params, Statement, params};
use simplex_stores::agent_store::types::{InternalId, SmpQueue as _};

use super::{Chat, Message, MessagePath, statements};

pub(crate) struct Sqlite {
    begin: Statement<'static>,
    commit: Statement<'static>,
    rcv_ids: Statement<'static>,
    insert_rcv: Statement<'static>,
    insert_rcv_details: Statement<'static>,
    insert_hash: Statement<'static>,
    rcv_hash: Statement<'static>,
    broker_ts: Statement<'static>,
    lock_rcv: Statement<'static>,
    rcv_queue: Statement<'static>,
    set_ack: Statement<'static>,
    delete_msg: Statement<'static>,
    snd_ids: Statement<'static>,
    insert_snd: Statement<'static>,
    insert_snd_details: Statement<'static>,
    snd_hash: Statement<'static>,
    insert_delivery: Statement<'static>,
    next: Statement<'static>,
    pending: Statement<'static>,
    primary: Statement<'static>,
    delete_delivery: Statement<'static>,
    lock_snd: Statement<'static>,
    delete_delivered: Statement<'static>,
}

impl Sqlite {
    /// With the settings of the store's own connections. The file's synchronous mode and journal are SQLite's
    /// defaults for both: FULL, and a journal that is deleted.
    pub(crate) fn open(file: &Path) -> Self {
        // Statements borrow it, and it is needed until the end.
        let connection: &'static Connection = Box::leak(Box::new(Connection::open(file).unwrap()));
        connection.busy_timeout(std::time::Duration::from_millis(100)).unwrap();
        let settings =
            "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA auto_vacuum = FULL;";
        connection.execute_batch(settings).unwrap();
        // Triggers name it; none of them calls it for a message.
        let name = "simplex_xor_md5_combine";
        let flags = FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
        let called = |_: &rusqlite::functions::Context<'_>| -> rusqlite::Result<Vec<u8>> {
            panic!("a trigger of services was called")
        };
        connection.create_scalar_function(name, 2, flags, called).unwrap();
        let prepare = |text: &str| connection.prepare(text).unwrap();
        Self {
            begin: prepare("BEGIN IMMEDIATE"),
            commit: prepare("COMMIT"),
            rcv_ids: prepare(statements::RCV_IDS),
            insert_rcv: prepare(statements::INSERT_RCV),
            insert_rcv_details: prepare(statements::INSERT_RCV_DETAILS),
            insert_hash: prepare(statements::INSERT_HASH),
            rcv_hash: prepare(statements::RCV_HASH),
            broker_ts: prepare(statements::BROKER_TS),
            lock_rcv: prepare(statements::LOCK_RCV.0),
            rcv_queue: prepare(statements::RCV_QUEUE_BY_ID),
            set_ack: prepare(statements::SET_ACK),
            delete_msg: prepare(statements::DELETE_MSG),
            snd_ids: prepare(statements::SND_IDS),
            insert_snd: prepare(statements::INSERT_SND),
            insert_snd_details: prepare(statements::INSERT_SND_DETAILS),
            snd_hash: prepare(statements::SND_HASH),
            insert_delivery: prepare(statements::INSERT_DELIVERY),
            next: prepare(statements::NEXT),
            pending: prepare(statements::PENDING),
            primary: prepare(statements::PRIMARY_RCV_QUEUE),
            delete_delivery: prepare(statements::DELETE_DELIVERY.0),
            lock_snd: prepare(statements::LOCK_SND.0),
            delete_delivered: prepare(statements::DELETE_DELIVERED.0),
        }
    }
}

/// The columns of the row that a statement gives, as values of the driver's own.
fn row<const N: usize>(statement: &mut Statement<'_>, params: impl Params) -> Option<[Value; N]> {
    let read = |row: &rusqlite::Row<'_>| Ok(std::array::from_fn(|column| row.get_unwrap(column)));
    statement.query_row(params, read).optional().unwrap()
}

fn changed(statement: &mut Statement<'_>, params: impl Params) {
    assert_eq!(statement.execute(params).unwrap(), 1);
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Integer(number) => *number,
        other => panic!("{other:?}"),
    }
}

impl MessagePath for Sqlite {
    fn receive(&mut self, chat: &Chat, message: &mut Message) -> InternalId {
        let (time, message) = (&message.time_text, &message.received);
        let (conn_id, queue) = (chat.conn_id.as_bytes(), chat.rcv.number().0);
        let (kind, flags) = (message.msg_type.text().as_bytes(), message.msg_flags.text());
        let hash = &message.internal_hash.0;
        self.begin.execute([]).unwrap();
        let [id, rcv_id, external, before] = row(&mut self.rcv_ids, params![conn_id]).unwrap();
        let external = number(&external) + 1;
        let body = &message.msg_body.0;
        changed(&mut self.insert_rcv, params![conn_id, id, time, rcv_id, kind, body, flags, true]);
        let broker_id = message.msg_meta.broker.0.as_bytes();
        let ok = &b"OK"[..];
        let details =
            params![conn_id, rcv_id, id, external, broker_id, time, hash, before, ok, queue];
        changed(&mut self.insert_rcv_details, details);
        changed(&mut self.insert_hash, params![conn_id, message.encrypted_msg_hash.0]);
        changed(&mut self.rcv_hash, params![external, hash, conn_id, rcv_id]);
        self.broker_ts.execute(params![time, conn_id, queue]).unwrap();
        self.commit.execute([]).unwrap();
        InternalId(number(&id))
    }

    fn acknowledge(&mut self, chat: &Chat, id: InternalId) {
        let conn_id = chat.conn_id.as_bytes();
        self.begin.execute([]).unwrap();
        let [queue, _broker_id] = row(&mut self.lock_rcv, params![conn_id, id.0]).unwrap();
        let found: [Value; statements::RCV_QUEUE] =
            row(&mut self.rcv_queue, params![conn_id, queue]).unwrap();
        changed(&mut self.set_ack, params![conn_id, id.0]);
        changed(&mut self.delete_msg, params![conn_id, id.0]);
        self.commit.execute([]).unwrap();
        std::hint::black_box(found);
    }

    fn send(&mut self, chat: &Chat, message: &mut Message) -> InternalId {
        let (time, message) = (&message.time_text, &message.sent);
        let (conn_id, queue) = (chat.conn_id.as_bytes(), chat.snd.number().0);
        let (kind, flags) = (message.msg_type.text().as_bytes(), message.msg_flags.text());
        let (hash, body) = (&message.internal_hash.0, &message.msg_body.0);
        self.begin.execute([]).unwrap();
        let [id, snd_id, before] = row(&mut self.snd_ids, params![conn_id]).unwrap();
        changed(&mut self.insert_snd, params![conn_id, id, time, snd_id, kind, body, flags, true]);
        let none = Value::Null;
        let details = params![conn_id, snd_id, id, hash, before, none, none, none];
        changed(&mut self.insert_snd_details, details);
        changed(&mut self.snd_hash, params![hash, conn_id, snd_id]);
        changed(&mut self.insert_delivery, params![conn_id, queue, id]);
        self.commit.execute([]).unwrap();
        InternalId(number(&id))
    }

    fn take_pending(&mut self, chat: &Chat) -> InternalId {
        let (conn_id, queue) = (chat.conn_id.as_bytes(), chat.snd.number().0);
        self.begin.execute([]).unwrap();
        let [id] = row(&mut self.next, params![conn_id, queue]).unwrap();
        let message: [Value; statements::PENDING_MSG] =
            row(&mut self.pending, params![conn_id, id]).unwrap();
        let queue: [Value; statements::RCV_QUEUE] =
            row(&mut self.primary, params![conn_id]).unwrap();
        self.commit.execute([]).unwrap();
        std::hint::black_box((message, queue));
        InternalId(number(&id))
    }

    fn delete_delivered(&mut self, chat: &Chat, id: InternalId) {
        let (conn_id, queue) = (chat.conn_id.as_bytes(), chat.snd.number().0);
        self.begin.execute([]).unwrap();
        changed(&mut self.delete_delivery, params![conn_id, queue, id.0]);
        let [_status, body] = row(&mut self.lock_snd, params![conn_id, id.0]).unwrap();
        assert_eq!(body, Value::Null);
        changed(&mut self.delete_delivered, params![conn_id, id.0]);
        self.commit.execute([]).unwrap();
    }
}
