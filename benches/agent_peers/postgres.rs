//! The message path on the `postgres` crate, with statements that are prepared once and kept.

use std::error::Error;

use postgres::types::{FromSql, ToSql, Type};
use postgres::{Client, Row, Statement, Transaction};
use simplex_stores::agent_store::types::{InternalId, SmpQueue as _};

use super::{Chat, Message, MessagePath, statements};

pub(crate) struct Postgres {
    client: Client,
    prepared: Prepared,
}

struct Prepared {
    rcv_ids: Statement,
    insert_rcv: Statement,
    insert_rcv_details: Statement,
    insert_hash: Statement,
    rcv_hash: Statement,
    broker_ts: Statement,
    lock_rcv: Statement,
    rcv_queue: Statement,
    set_ack: Statement,
    delete_msg: Statement,
    snd_ids: Statement,
    insert_snd: Statement,
    insert_snd_details: Statement,
    snd_hash: Statement,
    insert_delivery: Statement,
    next: Statement,
    pending: Statement,
    primary: Statement,
    delete_delivery: Statement,
    lock_snd: Statement,
    delete_delivered: Statement,
}

impl Postgres {
    /// On a connection that has the settings of the store's.
    pub(crate) fn on(mut client: Client) -> Self {
        let mut prepare = |text: &str| client.prepare(text).unwrap();
        let prepared = Prepared {
            rcv_ids: prepare(statements::RCV_IDS),
            insert_rcv: prepare(statements::INSERT_RCV),
            insert_rcv_details: prepare(statements::INSERT_RCV_DETAILS),
            insert_hash: prepare(statements::INSERT_HASH),
            rcv_hash: prepare(statements::RCV_HASH),
            broker_ts: prepare(statements::BROKER_TS),
            lock_rcv: prepare(statements::LOCK_RCV.1),
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
            delete_delivery: prepare(statements::DELETE_DELIVERY.1),
            lock_snd: prepare(statements::LOCK_SND.1),
            delete_delivered: prepare(statements::DELETE_DELIVERED.1),
        };
        Self { client, prepared }
    }

    /// The statements that this connection has prepared.
    pub(crate) fn texts(&mut self) -> Vec<String> {
        let rows = self.client.query("SELECT statement FROM pg_prepared_statements", &[]).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// What stands in a column, as the server sent it.
struct Raw(Option<Vec<u8>>);

impl<'r> FromSql<'r> for Raw {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(raw.to_vec())))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn row(tx: &mut Transaction<'_>, statement: &Statement, values: Values<'_>) -> Row {
    tx.query_opt(statement, values).unwrap().unwrap()
}

/// The columns of a row, taken out of it.
fn columns<const N: usize>(row: &Row) -> [Option<Vec<u8>>; N] {
    std::array::from_fn(|column| row.get::<_, Raw>(column).0)
}

fn changed(tx: &mut Transaction<'_>, statement: &Statement, values: Values<'_>) {
    assert_eq!(tx.execute(statement, values).unwrap(), 1);
}

impl MessagePath for Postgres {
    fn receive(&mut self, chat: &Chat, message: &mut Message) -> InternalId {
        let prepared = &self.prepared;
        let (time, message) = (&message.time, &message.received);
        let (conn_id, queue) = (&chat.conn_id.as_bytes(), &chat.rcv.number().0);
        let (kind, flags) = (&message.msg_type.text().as_bytes(), &message.msg_flags.text());
        let (hash, body) = (&message.internal_hash.0, &message.msg_body.0);
        let mut tx = self.client.transaction().unwrap();
        let ids = row(&mut tx, &prepared.rcv_ids, &[conn_id]);
        let (id, rcv_id): (i64, i64) = (ids.get(0), ids.get(1));
        let (external, before): (i64, &[u8]) = (ids.get::<_, i64>(2) + 1, ids.get(3));
        let values: Values<'_> = &[conn_id, &id, time, &rcv_id, kind, body, flags, &1_i16];
        changed(&mut tx, &prepared.insert_rcv, values);
        let broker_id = &message.msg_meta.broker.0.as_bytes();
        let ok = &&b"OK"[..];
        let values: Values<'_> =
            &[conn_id, &rcv_id, &id, &external, broker_id, time, hash, &before, ok, queue];
        changed(&mut tx, &prepared.insert_rcv_details, values);
        changed(&mut tx, &prepared.insert_hash, &[conn_id, &message.encrypted_msg_hash.0]);
        changed(&mut tx, &prepared.rcv_hash, &[&external, hash, conn_id, &rcv_id]);
        tx.execute(&prepared.broker_ts, &[time, conn_id, queue]).unwrap();
        tx.commit().unwrap();
        InternalId(id)
    }

    fn acknowledge(&mut self, chat: &Chat, id: InternalId) {
        let prepared = &self.prepared;
        let conn_id = &chat.conn_id.as_bytes();
        let mut tx = self.client.transaction().unwrap();
        let message = row(&mut tx, &prepared.lock_rcv, &[conn_id, &id.0]);
        let (queue, broker_id): (i64, Vec<u8>) = (message.get(0), message.get(1));
        let queue = row(&mut tx, &prepared.rcv_queue, &[conn_id, &queue]);
        let queue: [Option<Vec<u8>>; statements::RCV_QUEUE] = columns(&queue);
        changed(&mut tx, &prepared.set_ack, &[conn_id, &id.0]);
        changed(&mut tx, &prepared.delete_msg, &[conn_id, &id.0]);
        tx.commit().unwrap();
        std::hint::black_box((queue, broker_id));
    }

    fn send(&mut self, chat: &Chat, message: &mut Message) -> InternalId {
        let prepared = &self.prepared;
        let (time, message) = (&message.time, &message.sent);
        let (conn_id, queue) = (&chat.conn_id.as_bytes(), &chat.snd.number().0);
        let (kind, flags) = (&message.msg_type.text().as_bytes(), &message.msg_flags.text());
        let (hash, body) = (&message.internal_hash.0, &message.msg_body.0);
        let mut tx = self.client.transaction().unwrap();
        let ids = row(&mut tx, &prepared.snd_ids, &[conn_id]);
        let (id, snd_id): (i64, i64) = (ids.get(0), ids.get(1));
        let before: &[u8] = ids.get(2);
        let values: Values<'_> = &[conn_id, &id, time, &snd_id, kind, body, flags, &1_i16];
        changed(&mut tx, &prepared.insert_snd, values);
        let (key, length, shared) = (&None::<&[u8]>, &None::<i64>, &None::<i64>);
        let values: Values<'_> = &[conn_id, &snd_id, &id, hash, &before, key, length, shared];
        changed(&mut tx, &prepared.insert_snd_details, values);
        changed(&mut tx, &prepared.snd_hash, &[hash, conn_id, &snd_id]);
        changed(&mut tx, &prepared.insert_delivery, &[conn_id, queue, &id]);
        tx.commit().unwrap();
        InternalId(id)
    }

    fn take_pending(&mut self, chat: &Chat) -> InternalId {
        let prepared = &self.prepared;
        let (conn_id, queue) = (&chat.conn_id.as_bytes(), &chat.snd.number().0);
        let mut tx = self.client.transaction().unwrap();
        let id: i64 = row(&mut tx, &prepared.next, &[conn_id, queue]).get(0);
        let message = row(&mut tx, &prepared.pending, &[conn_id, &id]);
        let message: [Option<Vec<u8>>; statements::PENDING_MSG] = columns(&message);
        let queue = row(&mut tx, &prepared.primary, &[conn_id]);
        let queue: [Option<Vec<u8>>; statements::RCV_QUEUE] = columns(&queue);
        tx.commit().unwrap();
        std::hint::black_box((message, queue));
        InternalId(id)
    }

    fn delete_delivered(&mut self, chat: &Chat, id: InternalId) {
        let prepared = &self.prepared;
        let (conn_id, queue) = (&chat.conn_id.as_bytes(), &chat.snd.number().0);
        let mut tx = self.client.transaction().unwrap();
        changed(&mut tx, &prepared.delete_delivery, &[conn_id, queue, &id.0]);
        let message = row(&mut tx, &prepared.lock_snd, &[conn_id, &id.0]);
        assert_eq!(message.get::<_, Option<i64>>(1), None);
        changed(&mut tx, &prepared.delete_delivered, &[conn_id, &id.0]);
        tx.commit().unwrap();
    }
}
