//! Creating connections (F-016, F-019).

use rand::Rng;

use crate::agent_store::error::{StoreError, TxError, TxResult};
use crate::agent_store::queues::inserting::{Owner, TakeOver};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{ConnId, ConnectionMode, NewConnData, NewSndQueue, SndQueue};
use crate::db::Sql;

/// `duplex_handshake` is for versions of the agent that nobody has any more.
const CREATE: Sql = Sql::new(
    "create a connection",
    "INSERT INTO connections (
       conn_id, conn_mode, user_id, smp_agent_version, enable_ntfs, pq_support, duplex_handshake
     ) VALUES ($1, $2, $3, $4, $5, $6, 1)",
);

impl AgentTx<'_> {
    /// Creates a connection without queues (F-016), with the id given or a random one (AS-38).
    ///
    /// What a refused attempt wrote is taken back, also on SQLite and with an id that was given, and the
    /// transaction goes on (AS-2, AS-39).
    ///
    /// # Errors
    ///
    /// - With an id given, [`StoreError::ConnDuplicate`] when a constraint refuses it (AS-13): also when
    ///   there is no such user.
    /// - Otherwise [`StoreError::UniqueId`] after three attempts (AS-40).
    /// - [`StoreError::Internal`] for any other failure of the database.
    pub fn create_new_conn(
        &mut self,
        rng: &mut impl Rng,
        data: &NewConnData,
        mode: ConnectionMode,
    ) -> TxResult<ConnId> {
        self.with_conn_id(rng, data.conn_id.as_ref(), |tx, conn_id| {
            tx.create_conn(conn_id, data, mode)?;
            Ok(conn_id.clone())
        })
    }

    /// Creates a connection to one peer together with its send queue (F-019), with the id given or a random
    /// one. A row of the queue's address that is still `new` is written over (AS-45), so that a retry after
    /// a lost answer works.
    ///
    /// # Errors
    ///
    /// - [`StoreError::SndQueueExists`] when there is a send queue with this address that is past `new`, of
    ///   any connection; nothing is written then (AS-42).
    /// - As [`create_new_conn`](Self::create_new_conn).
    pub fn create_snd_conn(
        &mut self,
        rng: &mut impl Rng,
        data: &NewConnData,
        queue: &NewSndQueue,
    ) -> TxResult<(ConnId, SndQueue)> {
        self.check_unconfirmed(queue)?;
        self.with_conn_id(rng, data.conn_id.as_ref(), |tx, conn_id| {
            tx.create_conn(conn_id, data, ConnectionMode::Invitation)?;
            let owner = Owner::new(conn_id, data);
            let queue = tx.insert_snd_queue(owner, queue, TakeOver::Unconfirmed)?;
            Ok((conn_id.clone(), queue))
        })
    }

    fn create_conn(
        &mut self,
        conn_id: &ConnId,
        data: &NewConnData,
        mode: ConnectionMode,
    ) -> TxResult<()> {
        let NewConnData { conn_id: _, user_id, agent_version, enable_ntfs, pq_support } = data;
        let params: [&dyn crate::db::ToParam; 6] =
            [conn_id, &mode, user_id, agent_version, enable_ntfs, pq_support];
        self.tx.execute(&CREATE, &params)?;
        Ok(())
    }

    /// Runs `create` with the id given, or with random ones.
    fn with_conn_id<T>(
        &mut self,
        rng: &mut impl Rng,
        given: Option<&ConnId>,
        mut create: impl FnMut(&mut AgentTx<'_>, &ConnId) -> TxResult<T>,
    ) -> TxResult<T> {
        let Some(conn_id) = given else {
            return self.with_random_id(rng, |tx, id| {
                let conn_id = ConnId::from_bytes(id).ok_or(StoreError::UniqueId)?;
                create(tx, &conn_id)
            });
        };
        match self.unless_violated(|tx| create(tx, conn_id)) {
            Ok(Ok(created)) => Ok(created),
            Ok(Err(_)) => Err(StoreError::ConnDuplicate.into()),
            Err(error @ TxError::Store(_)) => Err(error),
            Err(error) => Err(error.into_answer().into()),
        }
    }
}
