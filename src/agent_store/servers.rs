//! Routers of all three protocols (F-015, and what other areas register them with).

use super::error::{StoreError, TxError, TxResult};
use super::store::AgentTx;
use super::types::{KeyHash, NtfServer, SmpServer, XftpServer, XftpServerId};
use crate::db::{DbError, DbErrorKind, Row, Sql};

const CREATE: Sql = Sql::new(
    "register a message router",
    "INSERT INTO servers (host, port, key_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
);
const KEY_HASH: Sql = Sql::new(
    "look for a message router",
    "SELECT key_hash FROM servers WHERE host = $1 AND port = $2",
);
const CREATE_NTF: Sql = Sql::new(
    "register a notification router",
    "INSERT INTO ntf_servers (ntf_host, ntf_port, ntf_key_hash) VALUES ($1, $2, $3)
       ON CONFLICT (ntf_host, ntf_port) DO UPDATE SET ntf_key_hash = excluded.ntf_key_hash",
);
const CREATE_XFTP: Sql = Sql::new(
    "register a file router",
    "INSERT INTO xftp_servers (xftp_host, xftp_port, xftp_key_hash) VALUES ($1, $2, $3)
       ON CONFLICT (xftp_host, xftp_port, xftp_key_hash) DO NOTHING
       RETURNING xftp_server_id",
);
const XFTP_ID: Sql = Sql::new(
    "look for a file router",
    "SELECT xftp_server_id FROM xftp_servers
      WHERE xftp_host = $1 AND xftp_port = $2 AND xftp_key_hash = $3",
);

impl AgentTx<'_> {
    /// Registers a message router, if its hosts and port are new (F-015), and gives the override that a
    /// row which belongs to it has to keep (AS-37): none when the stored fingerprint is this one, this one
    /// when another is stored. What is stored is never changed.
    ///
    /// # Errors
    ///
    /// A failure of the database; also a router that is neither inserted nor found, because somebody
    /// else removed it at that moment.
    pub fn create_server(&mut self, server: &SmpServer) -> TxResult<Option<KeyHash>> {
        let SmpServer { hosts, port, key_hash, .. } = server;
        if self.tx.execute(&CREATE, &[hosts, port, key_hash])? > 0 {
            return Ok(None);
        }
        self.server_key_hash(server).map_err(|error| match error {
            TxError::Store(answer) => {
                DbError::new(CREATE.name(), DbErrorKind::Other, answer).into()
            }
            failure => failure,
        })
    }

    /// The override for a row that belongs to a message router which must be registered already: for
    /// commands, subscriptions and notices (AS-37).
    ///
    /// # Errors
    ///
    /// [`StoreError::ServerNotFound`] when it isn't.
    pub(super) fn server_key_hash(&mut self, server: &SmpServer) -> TxResult<Option<KeyHash>> {
        let SmpServer { hosts, port, key_hash, .. } = server;
        let stored: Option<KeyHash> =
            self.tx.query_opt(&KEY_HASH, &[hosts, port], |row| row.next("servers.key_hash"))?;
        match stored {
            None => Err(StoreError::ServerNotFound.into()),
            Some(stored) if stored == *key_hash => Ok(None),
            Some(_) => Ok(Some(key_hash.clone())),
        }
    }

    /// Registers a notification router; of one with the same hosts and port, the fingerprint is replaced.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn create_ntf_server(&mut self, server: &NtfServer) -> TxResult<()> {
        let NtfServer { hosts, port, key_hash, .. } = server;
        self.tx.execute(&CREATE_NTF, &[hosts, port, key_hash])?;
        Ok(())
    }

    /// Registers a file router, if there is none with the same hosts, port and fingerprint, and gives its
    /// number either way.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn create_xftp_server(&mut self, server: &XftpServer) -> TxResult<XftpServerId> {
        let XftpServer { hosts, port, key_hash, .. } = server;
        let column = "xftp_servers.xftp_server_id";
        let made =
            self.tx.query_opt(&CREATE_XFTP, &[hosts, port, key_hash], |row| row.next(column))?;
        match made {
            Some(id) => Ok(id),
            None => {
                Ok(self.tx.query_one(&XFTP_ID, &[hosts, port, key_hash], |row| row.next(column))?)
            }
        }
    }
}

/// The file router in the next three columns: hosts, port and fingerprint.
pub(super) fn xftp_server(row: &mut Row<'_>) -> Result<XftpServer, DbError> {
    let hosts = row.next("xftp_servers.xftp_host")?;
    let port = row.next("xftp_servers.xftp_port")?;
    Ok(XftpServer::new(hosts, port, row.next("xftp_servers.xftp_key_hash")?))
}
