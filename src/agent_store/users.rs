//! Users (section 4.2).

use super::error::{StoreError, TxResult};
use super::store::AgentTx;
use super::types::{ConnId, UserId};
use crate::db::Sql;

const CREATE: Sql = Sql::new("create a user", "INSERT INTO users DEFAULT VALUES RETURNING user_id");
const LIVE_IDS: Sql = Sql::new("list users", "SELECT user_id FROM users WHERE deleted = 0");
const IS_LIVE: Sql =
    Sql::new("look for a user", "SELECT user_id FROM users WHERE user_id = $1 AND deleted = 0");
const DELETE: Sql = Sql::new("delete a user", "DELETE FROM users WHERE user_id = $1");
const MARK_DELETED: Sql =
    Sql::new("mark a user as deleted", "UPDATE users SET deleted = 1 WHERE user_id = $1");
const CONN_IDS: Sql =
    Sql::new("list a user's connections", "SELECT conn_id FROM connections WHERE user_id = $1");
/// A connection that is being made is waited for: it would go with its user, unseen.
const LOCK_MARKED: Sql = Sql::new(
    "lock a user to delete it",
    "SELECT user_id FROM users WHERE user_id = $1 AND deleted = 1",
)
.locking("FOR UPDATE");
const LOCK_ALL_MARKED: Sql = Sql::new(
    "lock users to delete them",
    "SELECT user_id FROM users WHERE deleted = 1 ORDER BY user_id",
)
.locking("FOR UPDATE");
const DELETE_WITHOUT_CONNS: Sql = Sql::new(
    "delete a user without connections",
    "DELETE FROM users
      WHERE user_id = $1 AND deleted = 1
        AND NOT EXISTS (SELECT 1 FROM connections c WHERE c.user_id = users.user_id)",
);
const DELETE_ALL_WITHOUT_CONNS: Sql = Sql::new(
    "delete users without connections",
    "DELETE FROM users
      WHERE deleted = 1
        AND NOT EXISTS (SELECT 1 FROM connections c WHERE c.user_id = users.user_id)
      RETURNING user_id",
);

impl AgentTx<'_> {
    /// Makes a user (F-001). A number is never given twice.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn create_user_record(&mut self) -> TxResult<UserId> {
        Ok(self.tx.query_one(&CREATE, &[], |row| row.next("users.user_id"))?)
    }

    /// The users that aren't marked as deleted, in no order (F-002).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_user_ids(&mut self) -> TxResult<Vec<UserId>> {
        Ok(self.tx.query(&LIVE_IDS, &[], |row| row.next("users.user_id"))?)
    }

    /// Deletes a user and everything below it: connections, files, services (F-003).
    ///
    /// # Errors
    ///
    /// [`StoreError::UserNotFound`], also for one that is marked as deleted.
    pub fn delete_user_record(&mut self, user_id: UserId) -> TxResult<()> {
        self.check_user(user_id)?;
        self.tx.execute(&DELETE, &[&user_id])?;
        Ok(())
    }

    /// Marks a user as deleted and gives all of its connections, in no order, whatever their own state
    /// (F-004).
    ///
    /// # Errors
    ///
    /// [`StoreError::UserNotFound`], also for one that is marked already.
    pub fn set_user_deleted(&mut self, user_id: UserId) -> TxResult<Vec<ConnId>> {
        self.check_user(user_id)?;
        self.tx.execute(&MARK_DELETED, &[&user_id])?;
        Ok(self.tx.query(&CONN_IDS, &[&user_id], |row| row.next("connections.conn_id"))?)
    }

    /// Deletes a user that is marked as deleted and has no connections; says whether it did (F-005). The
    /// user's row is locked before its connections are looked for, where writers run side by side.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_user_without_conns(&mut self, user_id: UserId) -> TxResult<bool> {
        if !self.tx.exists(&LOCK_MARKED, &[&user_id])? {
            return Ok(false);
        }
        Ok(self.tx.execute(&DELETE_WITHOUT_CONNS, &[&user_id])? > 0)
    }

    /// Deletes all users that are marked as deleted and have no connections, and gives their numbers, in no
    /// order (F-006). Their rows are locked as by [`delete_user_without_conns`](Self::delete_user_without_conns).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_users_without_conns(&mut self) -> TxResult<Vec<UserId>> {
        if !self.tx.exists(&LOCK_ALL_MARKED, &[])? {
            return Ok(Vec::new());
        }
        Ok(self.tx.query(&DELETE_ALL_WITHOUT_CONNS, &[], |row| row.next("users.user_id"))?)
    }

    /// Whether there is such a user, and it isn't marked as deleted (F-007).
    ///
    /// # Errors
    ///
    /// [`StoreError::UserNotFound`] when it isn't so.
    pub fn check_user(&mut self, user_id: UserId) -> TxResult<()> {
        match self.tx.exists(&IS_LIVE, &[&user_id])? {
            true => Ok(()),
            false => Err(StoreError::UserNotFound.into()),
        }
    }
}
