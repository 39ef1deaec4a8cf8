//! Loading many connections (F-032 to F-035): on PostgreSQL by three statements for all of them, on SQLite, which
//! is in this process, one after the other (AS-12).

use std::collections::HashMap;

use super::loading::{RcvForm, Those};
use crate::agent_store::error::{StoreError, TxError, TxResult};
use crate::agent_store::queues::rows::{
    self, select_conn_data, select_snd_queues, snd_queue_order,
};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    Conn, ConnData, ConnId, ConnQueues, ConnSub, ConnectionMode, Semantics, SndQueue,
};
use crate::db::{DbErrorKind, Dialect, Param, Sql};

const DATA: Sql = Sql::new(
    "load connections",
    concat!(select_conn_data!(), " WHERE c.conn_id = ANY ($1) AND c.deleted = $2"),
);
const SND_QUEUES: Sql = Sql::new(
    "load the send queues of connections",
    concat!(select_snd_queues!(), " WHERE q.conn_id = ANY ($1)", snd_queue_order!()),
);

/// What is found of one connection of many.
type Found<T> = Result<T, StoreError>;
type Data = (ConnData, ConnectionMode);

impl AgentTx<'_> {
    /// The connections with their queues, one answer for each id, in the order given (F-032).
    ///
    /// One that can't be read is [`StoreError::Internal`] in its place, and the others are still loaded
    /// (AS-51). Under [`Semantics::Reference`] that is so on SQLite only, and on PostgreSQL the whole call
    /// fails.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_conns(&mut self, ids: &[ConnId]) -> TxResult<Vec<Found<Conn>>> {
        self.load_conns(Those::Live, ids)
    }

    /// The same with receive queues in the reduced form (F-033).
    ///
    /// # Errors
    ///
    /// As [`get_conns`](Self::get_conns).
    pub fn get_conn_subs(&mut self, ids: &[ConnId]) -> TxResult<Vec<Found<ConnSub>>> {
        self.load_conns(Those::Live, ids)
    }

    /// The same as [`get_conns`](Self::get_conns), for connections that are marked as deleted (F-034).
    ///
    /// # Errors
    ///
    /// As [`get_conns`](Self::get_conns).
    pub fn get_deleted_conns(&mut self, ids: &[ConnId]) -> TxResult<Vec<Found<Conn>>> {
        self.load_conns(Those::Deleted, ids)
    }

    /// What is known of connections that aren't marked as deleted, without their queues, one answer for
    /// each id, in the order given; `None` for one that isn't found (F-035).
    ///
    /// # Errors
    ///
    /// As [`get_conns`](Self::get_conns).
    pub fn get_conns_data(&mut self, ids: &[ConnId]) -> TxResult<Vec<Found<Option<Data>>>> {
        self.together_or_each(
            ids,
            |tx| {
                let found = tx.load_data_together(Those::Live, &param(ids))?;
                Ok(ids.iter().map(|id| Ok(found.get(id).cloned())).collect())
            },
            |tx, id| tx.load_conn_data(Those::Live, id),
        )
    }

    fn load_conns<R: RcvForm>(
        &mut self,
        those: Those,
        ids: &[ConnId],
    ) -> TxResult<Vec<Found<Conn<R>>>> {
        self.together_or_each(
            ids,
            |tx| tx.load_conns_together(those, ids),
            |tx, id| tx.load_conn(those, id),
        )
    }

    /// Loads all by a few statements where that is faster, and one after the other where it isn't, or where
    /// a row among them can't be read.
    fn together_or_each<T>(
        &mut self,
        ids: &[ConnId],
        together: impl FnOnce(&mut Self) -> TxResult<Vec<Found<T>>>,
        mut each: impl FnMut(&mut Self, &ConnId) -> TxResult<T>,
    ) -> TxResult<Vec<Found<T>>> {
        if self.tx.dialect() == Dialect::Postgres {
            match together(self) {
                Err(error) if self.semantics == Semantics::Strict && is_unreadable(&error) => {}
                result => return result,
            }
        }
        Ok(ids.iter().map(|id| each(self, id).map_err(TxError::into_answer)).collect())
    }

    fn load_conns_together<R: RcvForm>(
        &mut self,
        those: Those,
        ids: &[ConnId],
    ) -> TxResult<Vec<Found<Conn<R>>>> {
        let param = param(ids);
        let data = self.load_data_together(those, &param)?;
        let mut rcv: HashMap<ConnId, Vec<R>> = HashMap::new();
        self.tx.query_each(&R::OF_MANY, &[&param], |row| {
            let queue = R::read(row)?;
            rcv.entry(queue.conn_id().clone()).or_default().push(queue);
            Ok(())
        })?;
        let mut snd: HashMap<ConnId, Vec<SndQueue>> = HashMap::new();
        self.tx.query_each(&SND_QUEUES, &[&param], |row| {
            let queue = rows::snd_queue(row)?;
            snd.entry(queue.conn_id.clone()).or_default().push(queue);
            Ok(())
        })?;
        // An id may stand there twice, so nothing is taken out.
        let one = |id: &ConnId| {
            let (data, mode) = data.get(id).cloned()?;
            let rcv = rcv.get(id).cloned().unwrap_or_default();
            let snd = snd.get(id).cloned().unwrap_or_default();
            Some(Conn { data, queues: ConnQueues::of(mode, rcv, snd)? })
        };
        Ok(ids.iter().map(|id| one(id).ok_or(StoreError::ConnNotFound)).collect())
    }

    fn load_data_together(
        &mut self,
        those: Those,
        ids: &Param<'_>,
    ) -> TxResult<HashMap<ConnId, Data>> {
        let all = self.tx.query(&DATA, &[ids, &those.deleted()], rows::conn_data)?;
        Ok(all.into_iter().map(|found| (found.0.conn_id.clone(), found)).collect())
    }
}

fn param(ids: &[ConnId]) -> Param<'_> {
    Param::Blobs(ids.iter().map(ConnId::as_bytes).collect())
}

fn is_unreadable(error: &TxError) -> bool {
    matches!(error, TxError::Database(error) if matches!(error.kind(), DbErrorKind::Row { .. }))
}
