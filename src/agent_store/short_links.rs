//! Short links: the state of joining through one, and what a queue's own link is made of (section 4.6).
//!
//! A router's fingerprint isn't compared.

use super::error::TxResult;
use super::store::AgentTx;
use super::types::{
    AuthPrivateKey, InvShortLink, LinkId, RcvQueue, SenderId, ShortLinkCreds, SmpServer,
};
use crate::db::{Sql, ToParam};

const LINK: Sql = Sql::new(
    "look for a short link",
    "SELECT link_key, snd_private_key, snd_id FROM inv_short_links
      WHERE host = $1 AND port = $2 AND link_id = $3",
);
const KEYS: Sql = Sql::new(
    "look for a short link's keys",
    "SELECT link_id, snd_private_key FROM inv_short_links
      WHERE host = $1 AND port = $2 AND snd_id = $3 LIMIT 1",
);
const DELETE: Sql = Sql::new(
    "delete a short link",
    "DELETE FROM inv_short_links WHERE host = $1 AND port = $2 AND link_id = $3",
);
const CREATE: Sql = Sql::new(
    "keep a short link",
    "INSERT INTO inv_short_links
       (host, port, server_key_hash, link_id, link_key, snd_private_key, snd_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (host, port, link_id) DO UPDATE SET
         server_key_hash = excluded.server_key_hash,
         link_key = excluded.link_key,
         snd_private_key = excluded.snd_private_key,
         snd_id = excluded.snd_id",
);
const SET_SND_ID: Sql = Sql::new(
    "add the sender's id to a short link",
    "UPDATE inv_short_links SET snd_id = $1 WHERE host = $2 AND port = $3 AND link_id = $4",
);
const SET_CREDS: Sql = Sql::new(
    "change a queue's short link",
    "UPDATE rcv_queues
        SET link_id = $1, link_key = $2, link_priv_sig_key = $3, link_enc_fixed_data = $4
      WHERE host = $5 AND port = $6 AND rcv_id = $7",
);

impl AgentTx<'_> {
    /// The state of joining through a link, by hosts, port and the link's id (F-081). Its router is the one that
    /// was asked for.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_inv_short_link(
        &mut self,
        server: &SmpServer,
        link_id: &LinkId,
    ) -> TxResult<Option<InvShortLink>> {
        Ok(self.tx.query_opt(&LINK, &[&server.hosts, &server.port, link_id], |row| {
            Ok(InvShortLink {
                server: server.clone(),
                link_id: link_id.clone(),
                link_key: row.next("inv_short_links.link_key")?,
                snd_private_key: row.next("inv_short_links.snd_private_key")?,
                snd_id: row.next("inv_short_links.snd_id")?,
            })
        })?)
    }

    /// The link's id and the key, by hosts, port and the queue's id for the sender (F-082).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_inv_short_link_keys(
        &mut self,
        server: &SmpServer,
        snd_id: &SenderId,
    ) -> TxResult<Option<(LinkId, AuthPrivateKey)>> {
        Ok(self.tx.query_opt(&KEYS, &[&server.hosts, &server.port, snd_id], |row| {
            let link_id = row.next("inv_short_links.link_id")?;
            Ok((link_id, row.next("inv_short_links.snd_private_key")?))
        })?)
    }

    /// Deletes the state of joining through a link (F-083).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_inv_short_link(&mut self, server: &SmpServer, link_id: &LinkId) -> TxResult<()> {
        self.tx.execute(&DELETE, &[&server.hosts, &server.port, link_id])?;
        Ok(())
    }

    /// Registers the router (AS-37) and keeps the state of joining through a link; what there was of the same link
    /// is replaced (F-084).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn create_inv_short_link(&mut self, link: &InvShortLink) -> TxResult<()> {
        let InvShortLink { server, link_id, link_key, snd_private_key, snd_id } = link;
        let own_key_hash = self.create_server(server)?;
        let SmpServer { hosts, port, .. } = server;
        let row: [&dyn ToParam; 7] =
            [hosts, port, &own_key_hash, link_id, link_key, snd_private_key, snd_id];
        self.tx.execute(&CREATE, &row)?;
        Ok(())
    }

    /// Keeps the queue's id for the sender, which reading the link told (F-085).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_inv_short_link_snd_id(
        &mut self,
        link: &InvShortLink,
        snd_id: &SenderId,
    ) -> TxResult<()> {
        let InvShortLink { server: SmpServer { hosts, port, .. }, link_id, .. } = link;
        self.tx.execute(&SET_SND_ID, &[snd_id, hosts, port, link_id])?;
        Ok(())
    }

    /// Changes what a queue's own link is made of (F-086). The root key isn't kept (AS-24).
    ///
    /// # Errors
    ///
    /// A failure of the database, also when another queue on the router has this link.
    pub fn update_short_link_creds(
        &mut self,
        queue: &RcvQueue,
        creds: &ShortLinkCreds,
    ) -> TxResult<()> {
        let ShortLinkCreds { link_id, link_key, link_priv_sig_key, link_enc_fixed_data, .. } =
            creds;
        let SmpServer { hosts, port, .. } = &queue.server;
        let row: [&dyn ToParam; 7] =
            [link_id, link_key, link_priv_sig_key, link_enc_fixed_data, hosts, port, &queue.rcv_id];
        self.tx.execute(&SET_CREDS, &row)?;
        Ok(())
    }
}
