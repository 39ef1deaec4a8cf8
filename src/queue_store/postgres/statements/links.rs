//! Setting and removing a queue's link.

use super::change::{Change, change, live_queue};
use super::ids::{Ids, is_open};
use crate::db::Sql;
use crate::db::postgres::{Statements, Transaction};
use crate::protocol::{QueueLink, RecipientId, Semantics};
use crate::queue_store::database::{Refusal, StatementError};
use crate::queue_store::postgres::PostgresQueues;

/// PG-21: the fixed part is set only once.
macro_rules! may_have_link {
    () => {
        "(q.link_id IS NULL
          OR q.link_id = $2 AND (q.fixed_data IS NULL OR q.fixed_data = $3))"
    };
}

const SET_LINK: Change = change!(
    "set link",
    [
        "UPDATE msg_queues q SET link_id = $2, fixed_data = $3, user_data = $4 WHERE ",
        live_queue!(),
        " AND ",
        may_have_link!()
    ]
);
const LOCK_FOR_LINK: Sql = Sql::new(
    "lock a queue for a link",
    concat!(
        "SELECT 1 FROM msg_queues q WHERE ",
        live_queue!(),
        " AND ",
        may_have_link!(),
        " FOR UPDATE"
    ),
);
const DELETE_LINK: Change = change!(
    "delete link",
    [
        "UPDATE msg_queues q SET link_id = NULL, fixed_data = NULL, user_data = NULL WHERE ",
        live_queue!()
    ]
);

impl PostgresQueues {
    pub(in crate::queue_store::postgres) fn update_link(
        &self,
        id: &RecipientId,
        link: &QueueLink,
    ) -> Result<(), StatementError> {
        let (fixed, user) = (link.data.fixed.as_bytes(), link.data.user.as_bytes());
        let (id, link) = (id.as_bytes(), link.id.as_bytes());
        let set = self.change_queue(&SET_LINK, &[&id, &link, &fixed, &user]);
        if !is_open(&set) {
            return set;
        }
        if self.semantics() == Semantics::Reference {
            return Err(Refusal::Taken.into());
        }
        let ids = Ids { link: Some(link), own: Some(id), ..Ids::default() };
        let sql = SET_LINK.sql(self.announces());
        self.transaction(SET_LINK.quiet.name(), |tx| {
            if tx.query(&LOCK_FOR_LINK, &[&id, &link, &fixed])?.is_empty() {
                return Err(Refusal::Missing.into());
            }
            ids.freed(tx, |tx: &mut Transaction<'_>| {
                tx.execute(sql, &[&id, &link, &fixed, &user])
                    .map(drop)
                    .map_err(StatementError::from)
            })
        })
    }

    pub(in crate::queue_store::postgres) fn remove_link(
        &self,
        id: &RecipientId,
    ) -> Result<(), StatementError> {
        self.change_queue(&DELETE_LINK, &[&id.as_bytes()])
    }
}
