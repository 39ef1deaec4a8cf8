//! Finding single queues (F-049, F-050, F-068 to F-070). Fingerprints of routers are not compared.

use super::rows::{self, rcv_queue_order, select_rcv_queues, select_snd_queues};
use crate::agent_store::error::{StoreError, TxResult};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{ConnId, QueueNumber, RcvQueue, RecipientId, SmpServer, SndQueue};
use crate::db::{Params, Sql};

const RCV_BY_NUMBER: Sql = Sql::new(
    "find a receive queue by its number",
    concat!(
        select_rcv_queues!(),
        " WHERE q.conn_id = $1 AND q.rcv_queue_id = $2 AND q.deleted = 0"
    ),
);
const SND_BY_NUMBER: Sql = Sql::new(
    "find a send queue by its number",
    concat!(select_snd_queues!(), " WHERE q.conn_id = $1 AND q.snd_queue_id = $2"),
);
const PRIMARY: Sql = Sql::new(
    "find a connection's primary receive queue",
    concat!(
        select_rcv_queues!(),
        " WHERE q.conn_id = $1 AND q.deleted = 0",
        rcv_queue_order!(),
        " LIMIT 1"
    ),
);
const RCV_AT: Sql = Sql::new(
    "find a connection's receive queue",
    concat!(
        select_rcv_queues!(),
        " WHERE q.conn_id = $1 AND q.host = $2 AND q.port = $3 AND q.rcv_id = $4
            AND q.deleted = $5"
    ),
);

impl AgentTx<'_> {
    /// The connection's receive queue with this number, unless it is marked as deleted (F-049).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`] when there isn't any such.
    pub fn get_rcv_queue_by_id(
        &mut self,
        conn_id: &ConnId,
        number: QueueNumber,
    ) -> TxResult<RcvQueue> {
        self.find_rcv_queue(&RCV_BY_NUMBER, &[conn_id, &number])
    }

    /// The connection's send queue with this number (F-050).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`] when there isn't any such.
    pub fn get_snd_queue_by_id(
        &mut self,
        conn_id: &ConnId,
        number: QueueNumber,
    ) -> TxResult<SndQueue> {
        let found = self.tx.query_opt(&SND_BY_NUMBER, &[conn_id, &number], rows::snd_queue)?;
        Ok(found.ok_or(StoreError::ConnNotFound)?)
    }

    /// The first in queue order (AS-33) of the connection's receive queues that aren't marked as deleted
    /// (F-068).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`] when there are none.
    pub fn get_primary_rcv_queue(&mut self, conn_id: &ConnId) -> TxResult<RcvQueue> {
        self.find_rcv_queue(&PRIMARY, &[conn_id])
    }

    /// The connection's receive queue with this id on this router, unless it is marked as deleted (F-069).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`] when there isn't any such.
    pub fn get_rcv_queue(
        &mut self,
        conn_id: &ConnId,
        server: &SmpServer,
        rcv_id: &RecipientId,
    ) -> TxResult<RcvQueue> {
        let SmpServer { hosts, port, .. } = server;
        self.find_rcv_queue(&RCV_AT, &[conn_id, hosts, port, rcv_id, &false])
    }

    /// The same, only when it is marked as deleted (F-070).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`] when there isn't any such.
    pub fn get_deleted_rcv_queue(
        &mut self,
        conn_id: &ConnId,
        server: &SmpServer,
        rcv_id: &RecipientId,
    ) -> TxResult<RcvQueue> {
        let SmpServer { hosts, port, .. } = server;
        self.find_rcv_queue(&RCV_AT, &[conn_id, hosts, port, rcv_id, &true])
    }

    /// The receive queue that a statement finds.
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`] when it finds none.
    pub(in crate::agent_store) fn find_rcv_queue(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
    ) -> TxResult<RcvQueue> {
        let found = self.tx.query_opt(sql, params, rows::rcv_queue)?;
        Ok(found.ok_or(StoreError::ConnNotFound)?)
    }
}
