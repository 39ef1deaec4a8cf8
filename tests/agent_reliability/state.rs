//! What a worker has in the database: as it should be, and as the rows say.

use std::collections::{BTreeMap, BTreeSet};

use simplex_stores::agent_store::AgentTx;
use simplex_stores::db::{DbError, Row, Sql};

/// Everything that belongs to one worker. Whatever it makes has a name that begins with the worker's number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) conns: BTreeMap<String, Conn>,
    /// Bodies that messages share.
    pub(crate) bodies: BTreeSet<String>,
    pub(crate) rcv_files: BTreeMap<String, FileState>,
    pub(crate) snd_files: BTreeMap<String, FileState>,
}

/// A connection, and what is below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conn {
    pub(crate) rcv_queues: i64,
    pub(crate) snd_queues: i64,
    /// The last numbers of a message: of all, received, sent.
    pub(crate) last: [i64; 3],
    /// The hash at the head of each chain: received, sent.
    pub(crate) heads: [String; 2],
    /// How many hashes of what was received there are.
    pub(crate) hashes: i64,
    pub(crate) messages: BTreeMap<i64, Message>,
    /// The messages that are still to be delivered.
    pub(crate) deliveries: BTreeSet<i64>,
    /// In the order in which they were made.
    pub(crate) commands: Vec<String>,
    /// The status of its subscription for notifications, and what is to be done for it.
    pub(crate) ntf: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) body: String,
    /// Of a received message, whether it was acknowledged.
    pub(crate) received: Option<bool>,
    /// Of a sent message, the body that it shares.
    pub(crate) sent: Option<String>,
}

/// Its status, and how many chunks and replicas of them it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileState {
    pub(crate) status: String,
    pub(crate) chunks: i64,
    pub(crate) replicas: i64,
}

const CONNS: Sql = Sql::new(
    "connections",
    "SELECT conn_id, last_internal_msg_id, last_internal_rcv_msg_id, last_internal_snd_msg_id,
       last_rcv_msg_hash, last_snd_msg_hash FROM connections",
);
const RCV_QUEUES: Sql = Sql::new("receive queues", "SELECT conn_id FROM rcv_queues");
const SND_QUEUES: Sql = Sql::new("send queues", "SELECT conn_id FROM snd_queues");
const HASHES: Sql = Sql::new("hashes", "SELECT conn_id FROM encrypted_rcv_message_hashes");
const MESSAGES: Sql = Sql::new("messages", "SELECT conn_id, internal_id, msg_body FROM messages");
const RECEIVED: Sql =
    Sql::new("received messages", "SELECT conn_id, internal_id, user_ack FROM rcv_messages");
const SENT: Sql = Sql::new(
    "sent messages",
    "SELECT s.conn_id, s.internal_id, b.agent_msg FROM snd_messages s
       JOIN snd_message_bodies b ON b.snd_message_body_id = s.snd_message_body_id",
);
const DELIVERIES: Sql =
    Sql::new("deliveries", "SELECT conn_id, internal_id FROM snd_message_deliveries");
const COMMANDS: Sql =
    Sql::new("commands", "SELECT conn_id, command FROM commands ORDER BY command_id");
const NTFS: Sql = Sql::new(
    "subscriptions",
    "SELECT conn_id, ntf_sub_status, ntf_sub_action FROM ntf_subscriptions",
);
const BODIES: Sql = Sql::new("bodies", "SELECT agent_msg FROM snd_message_bodies");
const RCV_FILES: Sql = Sql::new(
    "received files",
    "SELECT f.save_path AS path, f.status, count(DISTINCT c.rcv_file_chunk_id) AS chunks,
            count(r.rcv_file_chunk_replica_id) AS replicas
       FROM rcv_files f
       LEFT JOIN rcv_file_chunks c ON c.rcv_file_id = f.rcv_file_id
       LEFT JOIN rcv_file_chunk_replicas r ON r.rcv_file_chunk_id = c.rcv_file_chunk_id
      GROUP BY f.rcv_file_id, f.save_path, f.status",
);
const SND_FILES: Sql = Sql::new(
    "sent files",
    "SELECT f.path, f.status, count(c.snd_file_chunk_id) AS chunks, 0 AS replicas
       FROM snd_files f LEFT JOIN snd_file_chunks c ON c.snd_file_id = f.snd_file_id
      GROUP BY f.snd_file_id, f.path, f.status",
);

/// A name that begins with the worker's number.
fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl State {
    /// What the rows say of this worker.
    pub(crate) fn load(tx: &mut AgentTx<'_>, worker: u8) -> Result<Self, DbError> {
        let mut loader = Loader { tx, prefix: format!("{worker}-"), state: Self::default() };
        loader.each(&CONNS, |conn, row| {
            conn.last = [
                row.next("connections.last_internal_msg_id")?,
                row.next("connections.last_internal_rcv_msg_id")?,
                row.next("connections.last_internal_snd_msg_id")?,
            ];
            conn.heads = [
                name(row.next("connections.last_rcv_msg_hash")?),
                name(row.next("connections.last_snd_msg_hash")?),
            ];
            Ok(())
        })?;
        loader.count(&RCV_QUEUES, |conn| &mut conn.rcv_queues)?;
        loader.count(&SND_QUEUES, |conn| &mut conn.snd_queues)?;
        loader.count(&HASHES, |conn| &mut conn.hashes)?;
        loader.message(&MESSAGES, |message, row| {
            message.body = name(row.next("messages.msg_body")?);
            Ok(())
        })?;
        loader.message(&RECEIVED, |message, row| {
            message.received = Some(row.next("rcv_messages.user_ack")?);
            Ok(())
        })?;
        loader.message(&SENT, |message, row| {
            message.sent = Some(name(row.next("snd_message_bodies.agent_msg")?));
            Ok(())
        })?;
        loader.each(&DELIVERIES, |conn, row| {
            conn.deliveries.insert(row.next("deliveries.internal_id")?);
            Ok(())
        })?;
        loader.each(&COMMANDS, |conn, row| {
            conn.commands.push(name(row.next("commands.command")?));
            Ok(())
        })?;
        loader.each(&NTFS, |conn, row| {
            let status: &str = row.next("ntf_subscriptions.ntf_sub_status")?;
            let status = status.to_owned();
            let action: Option<&str> = row.next("ntf_subscriptions.ntf_sub_action")?;
            conn.ntf = Some(format!("{status} {}", action.unwrap_or("-")));
            Ok(())
        })?;
        loader.bodies()?;
        loader.state.rcv_files = loader.files(&RCV_FILES)?;
        loader.state.snd_files = loader.files(&SND_FILES)?;
        Ok(loader.state)
    }
}

struct Loader<'l, 't> {
    tx: &'l mut AgentTx<'t>,
    prefix: String,
    state: State,
}

impl Loader<'_, '_> {
    /// Each row of one of the worker's connections. One that isn't there gets an entry, which no state has.
    fn each(
        &mut self,
        sql: &Sql,
        mut read: impl FnMut(&mut Conn, &mut Row<'_>) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        let (state, prefix) = (&mut self.state, &self.prefix);
        self.tx.statements().query_each(sql, &[], |row| {
            let conn = name(row.next("connections.conn_id")?);
            if !conn.starts_with(prefix) {
                return Ok(());
            }
            read(state.conns.entry(conn).or_default(), row)
        })
    }

    fn count(&mut self, sql: &Sql, of: impl Fn(&mut Conn) -> &mut i64) -> Result<(), DbError> {
        self.each(sql, |conn, _| {
            *of(conn) += 1;
            Ok(())
        })
    }

    /// The same, of a message of the connection.
    fn message(
        &mut self,
        sql: &Sql,
        mut read: impl FnMut(&mut Message, &mut Row<'_>) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.each(sql, |conn, row| {
            let id = row.next("messages.internal_id")?;
            read(conn.messages.entry(id).or_default(), row)
        })
    }

    fn bodies(&mut self) -> Result<(), DbError> {
        let (state, prefix) = (&mut self.state, &self.prefix);
        self.tx.statements().query_each(&BODIES, &[], |row| {
            let body = name(row.next("snd_message_bodies.agent_msg")?);
            if body.starts_with(prefix) {
                state.bodies.insert(body);
            }
            Ok(())
        })
    }

    fn files(&mut self, sql: &Sql) -> Result<BTreeMap<String, FileState>, DbError> {
        let mut files = BTreeMap::new();
        let prefix = &self.prefix;
        self.tx.statements().query_each(sql, &[], |row| {
            let path: String = row.next("files.path")?;
            let file = FileState {
                status: row.next("files.status")?,
                chunks: row.next("chunks.chunks")?,
                replicas: row.next("replicas.replicas")?,
            };
            if path.starts_with(prefix) {
                assert_eq!(files.insert(path, file), None, "a file is there twice");
            }
            Ok(())
        })?;
        Ok(files)
    }
}
