//! Loading a connection (F-029 to F-031, F-036, F-048).
//!
//! Its kind follows from what it is for and which queues it has (AS-50); receive queues that are marked as
//! deleted don't count.

use crate::agent_store::error::{StoreError, TxResult};
use crate::agent_store::queues::rows::{
    self, rcv_queue_order, select_conn_data, select_rcv_queue_subs, select_rcv_queues,
    select_snd_queues, snd_queue_order,
};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    Conn, ConnData, ConnId, ConnQueues, ConnectionMode, RcvQueue, RcvQueueSub, RecipientId,
    SmpServer, SndQueue,
};
use crate::db::{DbError, Dialect, Row, Sql};

const LIVE_IDS: Sql =
    Sql::new("list connections", "SELECT conn_id FROM connections WHERE deleted = 0");
const DATA: Sql = Sql::new(
    "load a connection",
    concat!(select_conn_data!(), " WHERE c.conn_id = $1 AND c.deleted = $2"),
);
const DATA_TO_CHANGE: Sql = DATA.locking("FOR UPDATE");
const SND_QUEUES: Sql = Sql::new(
    "load a connection's send queues",
    concat!(select_snd_queues!(), " WHERE q.conn_id = $1", snd_queue_order!()),
);
const LOCK: Sql =
    Sql::new("lock a connection", "SELECT conn_id FROM connections WHERE conn_id = $1")
        .locking("FOR UPDATE");
const RCV_QUEUE_AT: Sql = Sql::new(
    "find a receive queue",
    concat!(
        select_rcv_queues!(),
        " WHERE q.host = $1 AND q.port = $2 AND q.rcv_id = $3 AND q.deleted = 0"
    ),
);

/// A form in which receive queues are loaded with their connections.
pub(super) trait RcvForm: Clone {
    /// Those of one connection that aren't marked as deleted, in queue order.
    const OF_ONE: Sql;
    /// Those of several, each connection's in queue order. PostgreSQL only.
    const OF_MANY: Sql;

    fn read(row: &mut Row<'_>) -> Result<Self, DbError>;

    fn conn_id(&self) -> &ConnId;
}

macro_rules! rcv_form {
    ($name:ident, $select:ident, $read:expr) => {
        impl RcvForm for $name {
            const OF_ONE: Sql = Sql::new(
                "load a connection's receive queues",
                concat!($select!(), " WHERE q.conn_id = $1 AND q.deleted = 0", rcv_queue_order!()),
            );
            const OF_MANY: Sql = Sql::new(
                "load the receive queues of connections",
                concat!(
                    $select!(),
                    " WHERE q.conn_id = ANY ($1) AND q.deleted = 0",
                    rcv_queue_order!()
                ),
            );

            fn read(row: &mut Row<'_>) -> Result<Self, DbError> {
                $read(row)
            }

            fn conn_id(&self) -> &ConnId {
                &self.conn_id
            }
        }
    };
}
rcv_form!(RcvQueue, select_rcv_queues, rows::rcv_queue);
rcv_form!(RcvQueueSub, select_rcv_queue_subs, rows::rcv_queue_sub);

/// Which connections are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Those {
    /// Those that aren't marked as deleted.
    Live,
    /// Those that are.
    Deleted,
}

impl Those {
    /// What stands in the column `deleted`.
    pub(super) fn deleted(self) -> bool {
        self == Self::Deleted
    }
}

impl AgentTx<'_> {
    /// The connections that aren't marked as deleted, in no order (F-029).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_conn_ids(&mut self) -> TxResult<Vec<ConnId>> {
        Ok(self.tx.query(&LIVE_IDS, &[], |row| row.next("connections.conn_id"))?)
    }

    /// The connection with its queues, unless it is marked as deleted (F-030, AS-50).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`], also for one whose queues fit no kind.
    pub fn get_conn(&mut self, conn_id: &ConnId) -> TxResult<Conn> {
        self.load_conn(Those::Live, conn_id)
    }

    /// The same, only when it is marked as deleted (F-031).
    ///
    /// # Errors
    ///
    /// As [`get_conn`](Self::get_conn).
    pub fn get_deleted_conn(&mut self, conn_id: &ConnId) -> TxResult<Conn> {
        self.load_conn(Those::Deleted, conn_id)
    }

    /// The receive queue with this id on this router, and its connection, unless one of them is marked as
    /// deleted (F-048). The router's fingerprint is not compared.
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`] when there isn't any such queue, or its connection is not found.
    pub fn get_rcv_conn(
        &mut self,
        server: &SmpServer,
        rcv_id: &RecipientId,
    ) -> TxResult<(RcvQueue, Conn)> {
        let SmpServer { hosts, port, .. } = server;
        let queue = self.find_rcv_queue(&RCV_QUEUE_AT, &[hosts, port, rcv_id])?;
        let conn = self.get_conn(&queue.conn_id)?;
        Ok((queue, conn))
    }

    /// Keeps other transactions from changing the connection until this one ends, where they run side by
    /// side (F-036, AS-52): for operations on what belongs to it that don't write its own row. SQLite has one
    /// writer at a time, so nothing is done there.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn lock_conn_for_update(&mut self, conn_id: &ConnId) -> TxResult<()> {
        if self.tx.dialect() == Dialect::Postgres {
            self.tx.exists(&LOCK, &[conn_id])?;
        }
        Ok(())
    }

    /// The connection with its queues, its row locked for the rest of the transaction (AS-10): for
    /// operations that give it another queue.
    ///
    /// # Errors
    ///
    /// As [`get_conn`](Self::get_conn).
    pub(super) fn get_conn_for_update(&mut self, conn_id: &ConnId) -> TxResult<Conn> {
        let found = self.tx.query_opt(&DATA_TO_CHANGE, &[conn_id, &false], rows::conn_data)?;
        self.with_queues(found.ok_or(StoreError::ConnNotFound)?)
    }

    pub(super) fn load_conn<R: RcvForm>(
        &mut self,
        those: Those,
        conn_id: &ConnId,
    ) -> TxResult<Conn<R>> {
        let found = self.load_conn_data(those, conn_id)?;
        self.with_queues(found.ok_or(StoreError::ConnNotFound)?)
    }

    pub(super) fn load_conn_data(
        &mut self,
        those: Those,
        conn_id: &ConnId,
    ) -> TxResult<Option<(ConnData, ConnectionMode)>> {
        Ok(self.tx.query_opt(&DATA, &[conn_id, &those.deleted()], rows::conn_data)?)
    }

    fn with_queues<R: RcvForm>(
        &mut self,
        (data, mode): (ConnData, ConnectionMode),
    ) -> TxResult<Conn<R>> {
        let rcv = self.tx.query(&R::OF_ONE, &[&data.conn_id], R::read)?;
        let snd: Vec<SndQueue> = self.tx.query(&SND_QUEUES, &[&data.conn_id], rows::snd_queue)?;
        let queues = ConnQueues::of(mode, rcv, snd).ok_or(StoreError::ConnNotFound)?;
        Ok(Conn { data, queues })
    }
}
