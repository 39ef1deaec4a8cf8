//! The device's token for notifications, and tokens that are to be deleted on their routers (section 4.10).
//!
//! Tokens are few, in practice one. A token is addressed by its device token and its router's hosts and
//! port; a change of one that isn't there does nothing.

use std::time::Duration;

use super::error::{StoreError, TxResult};
use super::store::AgentTx;
use super::types::{
    DeviceToken, NotificationsMode, NtfServer, NtfTknAction, NtfTknStatus, NtfToken, NtfTokenId,
    NtfTokenToDelete, NtfTokenToDeleteId, Server, X25519PublicKey,
};
use super::work_items::get_work_item;
use crate::db::{DbError, Params, Row, Sql, ToParam, UtcTime};
use crate::protocol::DhSecret;
use crate::protocol::ntf::{AuthPrivateKey, X25519KeyPair};

const CREATE: Sql = Sql::new(
    "create a token",
    "INSERT INTO ntf_tokens
       (provider, device_token, ntf_host, ntf_port, tkn_id, tkn_pub_key, tkn_priv_key,
        tkn_pub_dh_key, tkn_priv_dh_key, tkn_dh_secret, tkn_status, tkn_action, ntf_mode)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
);

/// Tokens with their routers, for [`token`].
macro_rules! select_tokens {
    () => {
        "SELECT t.provider, t.device_token, t.ntf_host, t.ntf_port, s.ntf_key_hash, t.tkn_id,
           t.tkn_pub_key, t.tkn_priv_key, t.tkn_pub_dh_key, t.tkn_priv_dh_key, t.tkn_dh_secret,
           t.tkn_status, t.tkn_action, t.ntf_mode
           FROM ntf_tokens t
           JOIN ntf_servers s ON s.ntf_host = t.ntf_host AND s.ntf_port = t.ntf_port"
    };
}
const SAVED: Sql = Sql::new("load the token", concat!(select_tokens!(), " LIMIT 1"));
const WITH_STATUS: Sql = Sql::new(
    "load a token with a status",
    concat!(select_tokens!(), " WHERE t.tkn_status = $1 LIMIT 1"),
);

const REGISTERED: Sql = Sql::new(
    "register a token",
    "UPDATE ntf_tokens
        SET tkn_id = $5, tkn_dh_secret = $6, tkn_status = $7, tkn_action = NULL, updated_at = $8
      WHERE provider = $1 AND device_token = $2 AND ntf_host = $3 AND ntf_port = $4",
);
const REPLACE_DEVICE_TOKEN: Sql = Sql::new(
    "replace a device token",
    "UPDATE ntf_tokens
        SET provider = $5, device_token = $6, tkn_status = $7, tkn_action = NULL, updated_at = $8
      WHERE provider = $1 AND device_token = $2 AND ntf_host = $3 AND ntf_port = $4",
);
const UPDATE_MODE: Sql = Sql::new(
    "change a token's mode",
    "UPDATE ntf_tokens SET ntf_mode = $5, updated_at = $6
      WHERE provider = $1 AND device_token = $2 AND ntf_host = $3 AND ntf_port = $4",
);
const UPDATE: Sql = Sql::new(
    "change a token's status and action",
    "UPDATE ntf_tokens SET tkn_status = $5, tkn_action = $6, updated_at = $7
      WHERE provider = $1 AND device_token = $2 AND ntf_host = $3 AND ntf_port = $4",
);
const REMOVE: Sql = Sql::new(
    "remove a token",
    "DELETE FROM ntf_tokens
      WHERE provider = $1 AND device_token = $2 AND ntf_host = $3 AND ntf_port = $4",
);

const ADD_TO_DELETE: Sql = Sql::new(
    "record a token for deletion",
    "INSERT INTO ntf_tokens_to_delete (ntf_host, ntf_port, ntf_key_hash, tkn_id, tkn_priv_key)
     VALUES ($1, $2, $3, $4, $5)",
);
const DELETE_EXPIRED: Sql = Sql::new(
    "forget expired tokens to delete",
    "DELETE FROM ntf_tokens_to_delete WHERE created_at < $1",
);
/// The number decides between those of one moment.
const NEXT_TO_DELETE: Sql = Sql::new(
    "find a token to delete",
    "SELECT ntf_token_to_delete_id FROM ntf_tokens_to_delete
      WHERE ntf_host = $1 AND ntf_port = $2 AND del_failed = 0
      ORDER BY created_at, ntf_token_to_delete_id LIMIT 1",
);
const TO_DELETE: Sql = Sql::new(
    "load a token to delete",
    "SELECT ntf_token_to_delete_id, tkn_priv_key, tkn_id FROM ntf_tokens_to_delete
      WHERE ntf_token_to_delete_id = $1",
);
const MARK_FAILED: Sql = Sql::new(
    "mark a token to delete as failed",
    "UPDATE ntf_tokens_to_delete SET del_failed = 1 WHERE ntf_token_to_delete_id = $1",
);
const PENDING_SERVERS: Sql = Sql::new(
    "list routers with tokens to delete",
    "SELECT DISTINCT ntf_host, ntf_port, ntf_key_hash FROM ntf_tokens_to_delete",
);
const DELETE_TO_DELETE: Sql = Sql::new(
    "forget a token to delete",
    "DELETE FROM ntf_tokens_to_delete WHERE ntf_token_to_delete_id = $1",
);

impl AgentTx<'_> {
    /// Keeps a token and registers its router (F-132); of a known router, the fingerprint is replaced.
    ///
    /// # Errors
    ///
    /// A failure of the database, also because there is the token already.
    pub fn create_ntf_token(&mut self, token: &NtfToken) -> TxResult<()> {
        self.create_ntf_server(&token.ntf_server)?;
        let values: [&dyn ToParam; 9] = [
            &token.ntf_token_id,
            &token.ntf_pub_key,
            &token.ntf_priv_key,
            &X25519PublicKey::new(*token.ntf_dh_keys.public()),
            &token.ntf_dh_keys,
            &token.ntf_dh_secret,
            &token.ntf_tkn_status,
            &token.ntf_tkn_action,
            &token.ntf_mode,
        ];
        self.with_token(&CREATE, token, &values)
    }

    /// A token, if there is one (F-133); which one, if there are several, is not said.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_saved_ntf_token(&mut self) -> TxResult<Option<NtfToken>> {
        Ok(self.tx.query_opt(&SAVED, &[], token)?)
    }

    /// A token that is in use, if there is one (F-157).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_active_ntf_token(&mut self) -> TxResult<Option<NtfToken>> {
        Ok(self.tx.query_opt(&WITH_STATUS, &[&NtfTknStatus::Active], token)?)
    }

    /// Writes down that a token was registered, with what its router gave; nothing else is to be done with
    /// it (F-134).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_ntf_token_registration(
        &mut self,
        token: &NtfToken,
        token_id: &NtfTokenId,
        dh_secret: &DhSecret,
    ) -> TxResult<()> {
        let registered = NtfTknStatus::Registered;
        self.with_token(&REGISTERED, token, &[token_id, dh_secret, &registered, &UtcTime::now()])
    }

    /// Writes down that a token was registered with another device token; nothing else is to be done with it
    /// (F-135).
    ///
    /// # Errors
    ///
    /// A failure of the database, also because there is a token with that one already.
    pub fn update_device_token(&mut self, token: &NtfToken, new: &DeviceToken) -> TxResult<()> {
        let registered = NtfTknStatus::Registered;
        let (provider, text) = (new.provider(), new.text().as_bytes());
        let values: [&dyn ToParam; 4] = [&provider, &text, &registered, &UtcTime::now()];
        self.with_token(&REPLACE_DEVICE_TOKEN, token, &values)
    }

    /// Changes how notifications come (F-136).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_ntf_mode(&mut self, token: &NtfToken, mode: NotificationsMode) -> TxResult<()> {
        self.with_token(&UPDATE_MODE, token, &[&mode, &UtcTime::now()])
    }

    /// Changes a token's status, and what is to be done with it (F-137).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_ntf_token(
        &mut self,
        token: &NtfToken,
        status: NtfTknStatus,
        action: Option<&NtfTknAction>,
    ) -> TxResult<()> {
        self.with_token(&UPDATE, token, &[&status, &action, &UtcTime::now()])
    }

    /// Removes a token (F-138). What is left on the router is another record's:
    /// [`add_ntf_token_to_delete`](Self::add_ntf_token_to_delete), in the same transaction.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn remove_ntf_token(&mut self, token: &NtfToken) -> TxResult<()> {
        self.with_token(&REMOVE, token, &[])
    }

    /// Records that a token has to be deleted on its router, which a worker does later (F-139, AS-77). There
    /// is nothing to record of one that has no id there.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn add_ntf_token_to_delete(
        &mut self,
        server: &NtfServer,
        priv_key: &AuthPrivateKey,
        token_id: &NtfTokenId,
    ) -> TxResult<()> {
        let NtfServer { hosts, port, key_hash, .. } = server;
        self.tx.execute(&ADD_TO_DELETE, &[hosts, port, key_hash, token_id, priv_key])?;
        Ok(())
    }

    /// Forgets the tokens that were recorded for deletion longer ago than this, whether it failed or not
    /// (F-140).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_expired_ntf_tokens_to_delete(&mut self, ttl: Duration) -> TxResult<()> {
        self.tx.execute(&DELETE_EXPIRED, &[&UtcTime::now().before(ttl)])?;
        Ok(())
    }

    /// The next token to delete on a router, the oldest one (F-141); the fingerprint isn't compared. One that
    /// can't be read is marked, and isn't given again (AS-34).
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] for a row that can't be read; [`StoreError::WorkItem`], on which the worker
    /// has to stop, when none could be looked for, or the bad one not be marked.
    pub fn get_next_ntf_token_to_delete(
        &mut self,
        server: &NtfServer,
    ) -> TxResult<Option<NtfTokenToDelete>> {
        get_work_item(
            self,
            "ntf tkn del",
            |tx| {
                let column = "ntf_tokens_to_delete.ntf_token_to_delete_id";
                let address: [&dyn ToParam; 2] = [&server.hosts, &server.port];
                Ok(tx.tx.query_opt(&NEXT_TO_DELETE, &address, |row| row.next(column))?)
            },
            |tx, id| {
                let found = tx.tx.query_opt(&TO_DELETE, &[id], token_to_delete)?;
                found.ok_or_else(|| {
                    StoreError::Internal(format!("no token to delete {id:?}")).into()
                })
            },
            |tx, id| tx.mark_ntf_token_to_delete_failed(*id),
        )
    }

    /// Marks a token to delete as failed, if it is there (F-142).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn mark_ntf_token_to_delete_failed(&mut self, id: NtfTokenToDeleteId) -> TxResult<()> {
        self.tx.execute(&MARK_FAILED, &[&id])?;
        Ok(())
    }

    /// The routers on which tokens are to be deleted, also those where it failed (F-143, AS-35).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_pending_del_tkn_servers(&mut self) -> TxResult<Vec<NtfServer>> {
        Ok(self.tx.query(&PENDING_SERVERS, &[], |row| {
            let hosts = row.next("ntf_tokens_to_delete.ntf_host")?;
            let port = row.next("ntf_tokens_to_delete.ntf_port")?;
            Ok(Server::new(hosts, port, row.next("ntf_tokens_to_delete.ntf_key_hash")?))
        })?)
    }

    /// Forgets a token to delete: it is deleted (F-144).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_ntf_token_to_delete(&mut self, id: NtfTokenToDeleteId) -> TxResult<()> {
        self.tx.execute(&DELETE_TO_DELETE, &[&id])?;
        Ok(())
    }

    /// Runs a statement whose first parameters are what a token is addressed by.
    fn with_token(&mut self, sql: &Sql, token: &NtfToken, values: Params<'_>) -> TxResult<()> {
        let NtfToken { device_token, ntf_server, .. } = token;
        let (provider, text) = (device_token.provider(), device_token.text().as_bytes());
        let address: [&dyn ToParam; 4] = [&provider, &text, &ntf_server.hosts, &ntf_server.port];
        self.tx.execute(sql, &[&address, values].concat())?;
        Ok(())
    }
}

/// Reads [`select_tokens`].
fn token(row: &mut Row<'_>) -> Result<NtfToken, DbError> {
    let provider = row.next("ntf_tokens.provider")?;
    let device_token = row.read("ntf_tokens.device_token", |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).map_err(|_| "not a device token")?;
        Ok::<_, &str>(DeviceToken::new(provider, text))
    })?;
    let (hosts, port) = (row.next("ntf_tokens.ntf_host")?, row.next("ntf_tokens.ntf_port")?);
    let ntf_server = Server::new(hosts, port, row.next("ntf_servers.ntf_key_hash")?);
    Ok(NtfToken {
        device_token,
        ntf_server,
        ntf_token_id: row.next("ntf_tokens.tkn_id")?,
        ntf_pub_key: row.next("ntf_tokens.tkn_pub_key")?,
        ntf_priv_key: row.next("ntf_tokens.tkn_priv_key")?,
        ntf_dh_keys: dh_keys(row)?,
        ntf_dh_secret: row.next("ntf_tokens.tkn_dh_secret")?,
        ntf_tkn_status: row.next("ntf_tokens.tkn_status")?,
        ntf_tkn_action: row.next("ntf_tokens.tkn_action")?,
        // Rows older than the column have none.
        ntf_mode: row
            .next::<Option<NotificationsMode>>("ntf_tokens.ntf_mode")?
            .unwrap_or(NotificationsMode::Periodic),
    })
}

/// Both halves are stored; halves that don't belong together are damage.
fn dh_keys(row: &mut Row<'_>) -> Result<X25519KeyPair, DbError> {
    let public: X25519PublicKey = row.next("ntf_tokens.tkn_pub_dh_key")?;
    row.read("ntf_tokens.tkn_priv_dh_key", |keys: X25519KeyPair| {
        match keys.public() == public.as_bytes() {
            true => Ok(keys),
            false => Err("not the private half of tkn_pub_dh_key"),
        }
    })
}

fn token_to_delete(row: &mut Row<'_>) -> Result<NtfTokenToDelete, DbError> {
    Ok(NtfTokenToDelete {
        id: row.next("ntf_tokens_to_delete.ntf_token_to_delete_id")?,
        priv_key: row.next("ntf_tokens_to_delete.tkn_priv_key")?,
        token_id: row.next("ntf_tokens_to_delete.tkn_id")?,
    })
}
