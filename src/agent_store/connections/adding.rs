//! Giving queues to connections (F-017, F-018, F-053 to F-056).
//!
//! Each operation loads the connection and locks its row (AS-10), checks its kind, and inserts the queue.
//!
//! A send queue whose address is known already is written over the row that is there (AS-45). The reference
//! does so whatever that row is, and a confirmed queue, also of another connection, is lost. Under
//! [`Semantics::Strict`] only a row that is still `new` is written over, as `create_snd_conn` does (AS-42): a retry
//! works, and anything else is [`StoreError::SndQueueExists`].

use crate::agent_store::error::{StoreError, TxResult};
use crate::agent_store::queues::inserting::{Owner, TakeOver};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    Conn, ConnData, ConnId, ConnQueues, NewRcvQueue, NewSndQueue, RcvQueue, Semantics, SndQueue,
    SubscriptionMode,
};

impl AgentTx<'_> {
    /// Adds a receive queue to a connection that has no queues, or only one such (F-017): then this is a
    /// retry after a lost answer, with a new queue, and the connection keeps both (AS-41, Q-3).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`]; [`StoreError::BadConnType`] for any other kind; a failure of the
    /// database for a queue that is there already (AS-44).
    pub fn update_new_conn_rcv(
        &mut self,
        conn_id: &ConnId,
        queue: &NewRcvQueue,
        sub_mode: SubscriptionMode,
    ) -> TxResult<RcvQueue> {
        let conn = self.get_conn_for_update(conn_id)?;
        match conn.queues {
            ConnQueues::New | ConnQueues::Rcv(_) => {
                self.insert_rcv_queue(Owner::from(&conn.data), queue, sub_mode)
            }
            _ => bad_conn_type("updateNewConnRcv", &conn),
        }
    }

    /// Adds a send queue to a connection that has no queues (F-018).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`]; [`StoreError::BadConnType`] for any other kind;
    /// [`StoreError::SndQueueExists`] under [`Semantics::Strict`] when there is a confirmed one with this
    /// address.
    pub fn update_new_conn_snd(
        &mut self,
        conn_id: &ConnId,
        queue: &NewSndQueue,
    ) -> TxResult<SndQueue> {
        let conn = self.get_conn_for_update(conn_id)?;
        match conn.queues {
            ConnQueues::New => self.add_snd_queue(&conn.data, queue),
            _ => bad_conn_type("updateNewConnSnd", &conn),
        }
    }

    /// Adds a send queue to a connection that has a receive queue only (F-053).
    ///
    /// # Errors
    ///
    /// As [`update_new_conn_snd`](Self::update_new_conn_snd).
    pub fn upgrade_rcv_conn_to_duplex(
        &mut self,
        conn_id: &ConnId,
        queue: &NewSndQueue,
    ) -> TxResult<SndQueue> {
        let conn = self.get_conn_for_update(conn_id)?;
        match conn.queues {
            ConnQueues::Rcv(_) => self.add_snd_queue(&conn.data, queue),
            _ => bad_conn_type("upgradeRcvConnToDuplex", &conn),
        }
    }

    /// Adds a receive queue to a connection that has a send queue only (F-054).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`] (AS-55); [`StoreError::BadConnType`] for any other kind; a failure of
    /// the database for a queue that is there already (AS-44).
    pub fn upgrade_snd_conn_to_duplex(
        &mut self,
        conn_id: &ConnId,
        queue: &NewRcvQueue,
        sub_mode: SubscriptionMode,
    ) -> TxResult<RcvQueue> {
        let conn = self.get_conn_for_update(conn_id)?;
        match conn.queues {
            ConnQueues::Snd(_) => self.insert_rcv_queue(Owner::from(&conn.data), queue, sub_mode),
            _ => bad_conn_type("upgradeSndConnToDuplex", &conn),
        }
    }

    /// Adds a receive queue to a connection that has queues in both directions (F-055).
    ///
    /// # Errors
    ///
    /// As [`upgrade_snd_conn_to_duplex`](Self::upgrade_snd_conn_to_duplex).
    pub fn add_conn_rcv_queue(
        &mut self,
        conn_id: &ConnId,
        queue: &NewRcvQueue,
        sub_mode: SubscriptionMode,
    ) -> TxResult<RcvQueue> {
        let conn = self.get_conn_for_update(conn_id)?;
        match conn.queues {
            ConnQueues::Duplex(..) => {
                self.insert_rcv_queue(Owner::from(&conn.data), queue, sub_mode)
            }
            _ => bad_conn_type("addConnRcvQueue", &conn),
        }
    }

    /// Adds a send queue to a connection that has queues in both directions (F-056).
    ///
    /// # Errors
    ///
    /// As [`update_new_conn_snd`](Self::update_new_conn_snd).
    pub fn add_conn_snd_queue(
        &mut self,
        conn_id: &ConnId,
        queue: &NewSndQueue,
    ) -> TxResult<SndQueue> {
        let conn = self.get_conn_for_update(conn_id)?;
        match conn.queues {
            ConnQueues::Duplex(..) => self.add_snd_queue(&conn.data, queue),
            _ => bad_conn_type("addConnSndQueue", &conn),
        }
    }

    fn add_snd_queue(&mut self, data: &ConnData, queue: &NewSndQueue) -> TxResult<SndQueue> {
        match self.semantics {
            Semantics::Strict => {
                self.check_unconfirmed(queue)?;
                self.insert_snd_queue(data.into(), queue, TakeOver::Unconfirmed)
            }
            Semantics::Reference => self.insert_snd_queue(data.into(), queue, TakeOver::Any),
        }
    }
}

fn bad_conn_type<T>(context: &'static str, conn: &Conn) -> TxResult<T> {
    Err(StoreError::BadConnType { context, found: conn.conn_type() }.into())
}
