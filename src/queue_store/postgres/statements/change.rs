//! Changes of one queue as statements, each with a twin that also tells other processes of it.

use crate::db::Sql;

/// The columns of a queue's record, of the table by the name `q`, in the order of
/// [`QUEUE_COLUMNS`](crate::queue_store::postgres::rows::QUEUE_COLUMNS).
macro_rules! queue_columns {
    () => {
        "q.recipient_id, q.recipient_keys, q.rcv_dh_secret, q.sender_id, q.sender_key, q.queue_mode,
         q.notifier_id, q.notifier_key, q.rcv_ntf_dh_secret, q.ntf_service_id, q.status, q.updated_at,
         q.link_id, q.rcv_service_id, q.fixed_data, q.user_data"
    };
}

/// One live queue, of the table by the name `q`.
macro_rules! live_queue {
    () => {
        "q.recipient_id = $1 AND q.deleted_at IS NULL"
    };
}

/// That a queue has a notifier, of the table by the name `q` (PG-32).
macro_rules! has_notifier {
    () => {
        "q.notifier_id IS NOT NULL AND q.notifier_key IS NOT NULL AND q.rcv_ntf_dh_secret IS NOT NULL"
    };
}

/// A statement that changes rows of `msg_queues` by the name `q`.
///
/// The twin that announces does both in one statement, so in one transaction: what is announced was
/// committed, and the other way round.
#[derive(Clone, Copy, Debug)]
pub(in crate::queue_store::postgres) struct Change {
    pub(super) quiet: Sql,
    pub(super) announced: Sql,
}

impl Change {
    pub(in crate::queue_store::postgres) fn sql(&self, announced: bool) -> &Sql {
        if announced { &self.announced } else { &self.quiet }
    }
}

macro_rules! change {
    ($name:literal, [$($update:tt)+]) => {
        change!($name, concat!($($update)+), "", concat!($($update)+), "", "")
    };
    ($name:literal, [$($update:tt)+], returning [$($columns:tt)+]) => {
        change!(
            $name,
            concat!($($update)+), concat!(" RETURNING ", $($columns)+),
            concat!($($update)+), concat!($($columns)+, ", "), "c.*, "
        )
    };
    ($name:literal, $quiet:expr, $returning:expr, $update:expr, $columns:expr, $all:expr) => {
        $crate::queue_store::postgres::statements::change::Change {
            quiet: $crate::db::Sql::new($name, concat!($quiet, $returning)),
            announced: $crate::db::Sql::new(
                $name,
                concat!(
                    "WITH c AS (", $update, " RETURNING ", $columns, "q.recipient_id AS announced) ",
                    "SELECT ", $all,
                    "pg_notify('simplex_stores', current_setting('simplex_stores.sender') || ' ' ||
                       CASE WHEN octet_length(c.announced) > 3000 THEN '*'
                            ELSE encode(c.announced, 'hex') END) FROM c"
                ),
            ),
        }
    };
}

pub(super) use {change, has_notifier, live_queue, queue_columns};
