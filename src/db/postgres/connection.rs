//! A connection: the driver's, with the session's settings made and its prepared statements kept.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;
use postgres::{Client, NoTls, Statement};

use super::config::PostgresConfig;
use super::error::{classified, of_connecting};
use super::server_session::ServerSession;
use crate::db::{DbError, Sql};

/// The settings that every session begins with (PG-39), and which session it is. Names of schemas are quoted
/// by the server.
const SETTINGS: Sql = Sql::new(
    "session settings",
    "SELECT pid, extract(epoch FROM backend_start)::text AS started,
            set_config('search_path', quote_ident($1), false),
            set_config('client_min_messages', 'warning', false),
            set_config('statement_timeout', $2, false),
            set_config('lock_timeout', $3, false),
            set_config('idle_in_transaction_session_timeout', $4, false)
       FROM pg_stat_activity WHERE pid = pg_backend_pid()",
);

/// A setting of the program's own, which its statements read.
const OWN_SETTING: Sql = Sql::new("session setting", "SELECT set_config($1, $2, false)");

/// What limits the statements of a session.
pub(super) struct Limits {
    pub(super) statement: Duration,
    pub(super) lock: Duration,
    pub(super) idle_transaction: Duration,
}

/// The statements that a connection has prepared, by text and lock. Their texts are constants of the program, so there
/// is an end to them.
pub(super) type Prepared = HashMap<(&'static str, Option<&'static str>), Statement, RandomState>;

pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) prepared: Prepared,
    /// Nothing can be done with it any more.
    pub(super) broken: bool,
    /// The pool's count of broken connections when this one was last seen working.
    pub(super) seen: u64,
    /// What the server knows it by.
    pub(super) session: ServerSession,
}

impl Connection {
    pub(super) fn open(config: &PostgresConfig, limits: &Limits) -> Result<Self, DbError> {
        let place = config.place();
        let mut client =
            config.server.connect(NoTls).map_err(|error| of_connecting(&place, &error))?;
        let schema = config.schema.as_str();
        let [statement, lock, idle] =
            [limits.statement, limits.lock, limits.idle_transaction].map(milliseconds);
        let own = client
            .query_one(&*SETTINGS.postgres(), &[&schema, &statement, &lock, &idle])
            .map_err(|error| classified(SETTINGS.name(), &error))?;
        for (name, value) in &config.session {
            let set = client.query_one(&*OWN_SETTING.postgres(), &[name, value]);
            set.map_err(|error| classified(OWN_SETTING.name(), &error))?;
        }
        let session = ServerSession::read(&own)?;
        Ok(Self { client, prepared: Prepared::default(), broken: false, seen: 0, session })
    }

    /// Whether the server answers on it in time.
    pub(super) fn answers(&mut self, limit: Duration) -> Result<(), DbError> {
        let answer = self.client.is_valid(limit);
        answer.map_err(|error| classified("looking at a connection", &error))
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken || self.client.is_closed()
    }
}

/// As the server reads a limit. Its largest is a signed 32-bit integer; a limit below one
/// millisecond isn't none.
fn milliseconds(limit: Duration) -> String {
    let rounded = limit.as_millis().min(i32::MAX as u128);
    let shortest = u128::from(!limit.is_zero());
    rounded.max(shortest).to_string()
}
