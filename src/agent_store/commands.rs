//! Asynchronous commands that wait to be executed (section 4.9).

use std::collections::BTreeSet;

use super::error::{StoreError, TxResult};
use super::store::AgentTx;
use super::types::{AgentCommand, AsyncCmdId, ConnId, CorrId, KeyHash, PendingCommand, SmpServer};
use super::work_items::get_work_item;
use crate::db::{DbError, Dialect, Param, Row, Sql, Texts, ToParam, UtcTime};

const CREATE: Sql = Sql::new(
    "keep a command",
    "INSERT INTO commands
       (host, port, corr_id, conn_id, command_tag, command, server_key_hash, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
);

/// Columns of commands' routers, for [`conn_and_server`]; a command without one has none in `servers` either.
macro_rules! select_servers {
    () => {
        "SELECT DISTINCT c.conn_id, c.host, c.port,
           COALESCE(c.server_key_hash, s.key_hash) AS key_hash
           FROM commands c
           LEFT JOIN servers s ON s.host = c.host AND s.port = c.port"
    };
}
const SERVERS_OF_ONE: Sql = Sql::new(
    "list routers with commands of a connection",
    concat!(select_servers!(), " WHERE c.conn_id = $1"),
);
const SERVERS_OF_MANY: Sql = Sql::new(
    "list routers with commands of connections",
    concat!(select_servers!(), " WHERE c.conn_id = ANY ($1) ORDER BY c.conn_id"),
);
const SERVERS_OF_ALL: Sql = Sql::new(
    "list routers with commands",
    concat!(
        select_servers!(),
        " JOIN connections cs ON cs.conn_id = c.conn_id WHERE cs.deleted = 0"
    ),
);
/// SQLite would look through the commands of all connections for the router, in the index that has them in
/// order.
macro_rules! next {
    (@text $index:literal, $server:literal) => {
        concat!(
            "SELECT command_id FROM commands",
            $index,
            " WHERE conn_id = $1 AND ",
            $server,
            " AND failed = 0 ORDER BY created_at, command_id LIMIT 1"
        )
    };
    ($server:literal) => {
        Texts {
            sqlite: next!(@text " INDEXED BY idx_commands_conn_id", $server),
            postgres: next!(@text "", $server),
        }
    };
}
const NEXT_ON_SERVER: Sql =
    Sql::differing("find the next command for a router", next!("host = $2 AND port = $3"));
const NEXT_WITHOUT_SERVER: Sql =
    Sql::differing("find the next command", next!("host IS NULL AND port IS NULL"));
const LOAD: Sql = Sql::new(
    "load a command",
    "SELECT c.corr_id, cs.user_id, c.command
       FROM commands c
       JOIN connections cs ON cs.conn_id = c.conn_id
      WHERE c.command_id = $1",
);
const MARK_FAILED: Sql =
    Sql::new("mark a command as failed", "UPDATE commands SET failed = 1 WHERE command_id = $1");
const SET_SERVER: Sql = Sql::new(
    "change a command's router",
    "UPDATE commands SET host = $1, port = $2, server_key_hash = $3 WHERE command_id = $4",
);
const DELETE: Sql = Sql::new("delete a command", "DELETE FROM commands WHERE command_id = $1");

/// A router that commands wait for, or none for those that wait for no router.
pub type CommandServer = Option<SmpServer>;

impl AgentTx<'_> {
    /// Keeps a command of a connection, for a router or for none (F-126).
    ///
    /// A constraint that refuses it means that the connection was deleted meanwhile: the command is dropped,
    /// which is logged and no error, and the transaction goes on (AS-75).
    ///
    /// # Errors
    ///
    /// [`StoreError::ServerNotFound`] when the router isn't registered; [`StoreError::Internal`] for a command
    /// that has no text, [`UnwritableCommand`](super::types::UnwritableCommand).
    pub fn create_command(
        &mut self,
        corr_id: &CorrId,
        conn_id: &ConnId,
        server: Option<&SmpServer>,
        command: &AgentCommand,
    ) -> TxResult<()> {
        let text = command.to_bytes().map_err(|error| StoreError::Internal(error.to_string()))?;
        let key_hash = server.map(|server| self.server_key_hash(server)).transpose()?.flatten();
        let (hosts, port) = (server.map(|one| &one.hosts), server.map(|one| &one.port));
        let (tag, now) = (command.tag(), UtcTime::now());
        let kept = self.unless_violated(|tx| {
            let row: [&dyn ToParam; 8] =
                [&hosts, &port, corr_id, conn_id, &tag, &text, &key_hash, &now];
            Ok(tx.tx.execute(&CREATE, &row)?)
        })?;
        if let Err(error) = kept {
            tracing::warn!("command {} is dropped: {error}", tag.text());
        }
        Ok(())
    }

    /// The connections among these that have commands, in the order of their ids, each with the routers that its
    /// commands wait for, at least one and in no order (F-127). Commands that failed count too (AS-35), and so do
    /// connections that are marked as deleted.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_pending_command_servers(
        &mut self,
        conn_ids: &[ConnId],
    ) -> TxResult<Vec<(ConnId, Vec<CommandServer>)>> {
        let mut found: Vec<(ConnId, Vec<CommandServer>)> = Vec::new();
        let mut add = |row: &mut Row<'_>| {
            let (conn_id, server) = conn_and_server(row)?;
            match found.last_mut() {
                Some((last, servers)) if *last == conn_id => servers.push(server),
                _ => found.push((conn_id, vec![server])),
            }
            Ok(())
        };
        if self.tx.dialect() == Dialect::Postgres {
            let ids = Param::Blobs(conn_ids.iter().map(ConnId::as_bytes).collect());
            self.tx.query_each(&SERVERS_OF_MANY, &[&ids], &mut add)?;
            return Ok(found);
        }
        for conn_id in conn_ids.iter().collect::<BTreeSet<_>>() {
            self.tx.query_each(&SERVERS_OF_ONE, &[conn_id], &mut add)?;
        }
        Ok(found)
    }

    /// All connections that have commands and aren't marked as deleted, with the routers that these wait for, each
    /// pair once and in no order (F-128). Commands that failed count too (AS-35).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_all_pending_command_conns(&mut self) -> TxResult<Vec<(ConnId, CommandServer)>> {
        Ok(self.tx.query(&SERVERS_OF_ALL, &[], conn_and_server)?)
    }

    /// Hands out the oldest command of a connection that waits for this router, or for none, and hasn't failed
    /// (F-129). One that can't be read is marked as failed, and its error is the answer (AS-34). The router's
    /// fingerprint isn't compared (AS-76).
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] for a command that can't be read; [`StoreError::WorkItem`], on which a worker has
    /// to stop (AS-97).
    pub fn get_pending_server_command(
        &mut self,
        conn_id: &ConnId,
        server: Option<&SmpServer>,
    ) -> TxResult<Option<PendingCommand>> {
        get_work_item(
            self,
            "command",
            |tx| tx.next_command(conn_id, server),
            |tx, id| tx.load_command(conn_id, *id),
            |tx, id| {
                tx.tx.execute(&MARK_FAILED, &[id])?;
                Ok(())
            },
        )
    }

    fn next_command(
        &mut self,
        conn_id: &ConnId,
        server: Option<&SmpServer>,
    ) -> TxResult<Option<AsyncCmdId>> {
        let id = |row: &mut Row<'_>| row.next("commands.command_id");
        Ok(match server {
            Some(SmpServer { hosts, port, .. }) => {
                self.tx.query_opt(&NEXT_ON_SERVER, &[conn_id, hosts, port], id)?
            }
            None => self.tx.query_opt(&NEXT_WITHOUT_SERVER, &[conn_id], id)?,
        })
    }

    fn load_command(&mut self, conn_id: &ConnId, cmd_id: AsyncCmdId) -> TxResult<PendingCommand> {
        let found = self.tx.query_opt(&LOAD, &[&cmd_id], |row| {
            Ok(PendingCommand {
                cmd_id,
                corr_id: row.next("commands.corr_id")?,
                user_id: row.next("connections.user_id")?,
                conn_id: conn_id.clone(),
                command: row.next("commands.command")?,
            })
        })?;
        let missing = || StoreError::Internal(format!("command {}: no connection", cmd_id.0));
        Ok(found.ok_or_else(missing)?)
    }

    /// Makes a command wait for another router (F-130). One that isn't there is passed over.
    ///
    /// # Errors
    ///
    /// [`StoreError::ServerNotFound`] when the router isn't registered.
    pub fn update_command_server(
        &mut self,
        cmd_id: AsyncCmdId,
        server: &SmpServer,
    ) -> TxResult<()> {
        let key_hash = self.server_key_hash(server)?;
        self.tx.execute(&SET_SERVER, &[&server.hosts, &server.port, &key_hash, &cmd_id])?;
        Ok(())
    }

    /// Deletes a command, which was executed (F-131).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_command(&mut self, cmd_id: AsyncCmdId) -> TxResult<()> {
        self.tx.execute(&DELETE, &[&cmd_id])?;
        Ok(())
    }
}

/// Reads [`select_servers`]: a connection and a router, or none, with the fingerprint that counts (AS-31).
fn conn_and_server(row: &mut Row<'_>) -> Result<(ConnId, CommandServer), DbError> {
    let conn_id = row.next("commands.conn_id")?;
    let (hosts, port) = (row.next("commands.host")?, row.next("commands.port")?);
    let key_hash: Option<KeyHash> = row.next("servers.key_hash")?;
    let server = match (hosts, port, key_hash) {
        (Some(hosts), Some(port), Some(key_hash)) => Some(SmpServer::new(hosts, port, key_hash)),
        _ => None,
    };
    Ok((conn_id, server))
}

#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use crate::agent_store::{AgentStore, SchemaOptions};
    use crate::db::migrations::ConfirmMode;
    use crate::db::sqlite::rusqlite;
    use crate::protocol::Semantics;

    #[test]
    fn the_next_command_is_looked_for_among_those_of_its_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.db");
        let config = AgentStore::config(path.to_str().unwrap()).unwrap();
        let options = SchemaOptions { confirm: ConfirmMode::YesUp, create_schema: true };
        AgentStore::open(&config, options, Semantics::Strict, |_| false).unwrap();
        let database = rusqlite::Connection::open(&path).unwrap();
        for sql in [NEXT_ON_SERVER, NEXT_WITHOUT_SERVER] {
            let explain = format!("EXPLAIN QUERY PLAN {}", sql.sqlite());
            let mut statement = database.prepare(&explain).unwrap();
            let mut rows = statement.raw_query();
            let first: String = rows.next().unwrap().unwrap().get("detail").unwrap();
            assert_eq!(first, "SEARCH commands USING INDEX idx_commands_conn_id (conn_id=?)");
        }
    }
}
