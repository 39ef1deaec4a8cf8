//! Notices that routers attach to queues, for example that one is blocked for a time (section 2.13).

use std::collections::BTreeMap;

use super::error::{StoreError, TxError, TxResult};
use super::queues::rows;
use super::store::AgentTx;
use super::types::{ClientNotice, NoticeId, RcvQueueSub, RecipientId, SmpServer};
use crate::db::{DbError, Row, Sql};
use crate::protocol::RoundedSeconds;

const ALL: Sql = Sql::new(
    "read notices",
    "SELECT n.host, n.port, n.server_key_hash, s.key_hash, n.created_at, n.notice_ttl
       FROM client_notices n JOIN servers s ON s.host = n.host AND s.port = n.port
      WHERE n.protocol = 'smp'",
);
const WRITE: Sql = Sql::new(
    "write a notice",
    "INSERT INTO client_notices
       (protocol, host, port, entity_id, server_key_hash, notice_ttl, created_at, updated_at)
       VALUES ('smp', $1, $2, $3, $4, $5, $6, $6)
       ON CONFLICT (protocol, host, port, entity_id) DO UPDATE
         SET server_key_hash = excluded.server_key_hash, notice_ttl = excluded.notice_ttl,
             updated_at = excluded.updated_at
       RETURNING client_notice_id",
);
const ATTACH: Sql = Sql::new(
    "attach a notice to its queue",
    "UPDATE rcv_queues SET client_notice_id = $4 WHERE host = $1 AND port = $2 AND rcv_id = $3",
);
const DELETE: Sql =
    Sql::new("delete a notice", "DELETE FROM client_notices WHERE client_notice_id = $1");

/// Which notices are shown as one: those of a router, or, with none, those of all preset routers.
type Shown = Option<SmpServer>;

impl AgentTx<'_> {
    /// Until when there are notices of each router, and, under `None`, of all preset routers together
    /// (F-020); a time of `None` is for ever.
    ///
    /// Notices that are shown as one last from the latest of their starts for the sum of their times, and
    /// for ever when one of them does (AS-46). Sums that are out of range are the greatest, or least, time.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_client_notices(
        &mut self,
        preset_servers: &[SmpServer],
    ) -> TxResult<BTreeMap<Shown, Option<RoundedSeconds>>> {
        let mut merged: BTreeMap<Shown, Lasting> = BTreeMap::new();
        self.tx.query_each(&ALL, &[], |row| {
            let (server, lasting) = notice(row)?;
            let shown = Some(server).filter(|server| !is_preset(server, preset_servers));
            let so_far = merged.remove(&shown);
            merged.insert(shown, so_far.map_or(lasting, |so_far| so_far.merge(lasting)));
            Ok(())
        })?;
        Ok(merged.into_iter().map(|(shown, lasting)| (shown, lasting.end())).collect())
    }

    /// Writes what routers said about queues, and gives the number of each queue's notice, in order (F-021).
    ///
    /// With a notice, the one of the queue's id on the *session's* router is made or changed, and attached
    /// to the queue; a change leaves its start as it was (AS-47). Where the queue's own router isn't
    /// registered, nothing is written, and there is no number. Without a notice, the one that the queue has
    /// is deleted.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_client_notices(
        &mut self,
        session: &SmpServer,
        now: RoundedSeconds,
        queues: &[(RcvQueueSub, Option<ClientNotice>)],
    ) -> TxResult<Vec<(RecipientId, Option<NoticeId>)>> {
        let mut written = Vec::with_capacity(queues.len());
        for (queue, notice) in queues {
            let number = match (notice, queue.client_notice_id) {
                (Some(notice), _) => self.write_notice(session, now, queue, *notice)?,
                (None, Some(number)) => {
                    self.tx.execute(&DELETE, &[&number])?;
                    None
                }
                (None, None) => None,
            };
            written.push((queue.rcv_id.clone(), number));
        }
        Ok(written)
    }

    fn write_notice(
        &mut self,
        session: &SmpServer,
        now: RoundedSeconds,
        queue: &RcvQueueSub,
        notice: ClientNotice,
    ) -> TxResult<Option<NoticeId>> {
        let key_hash = match self.server_key_hash(&queue.server) {
            Err(TxError::Store(StoreError::ServerNotFound)) => return Ok(None),
            result => result?,
        };
        let number: NoticeId = self.tx.query_one(
            &WRITE,
            &[&session.hosts, &session.port, &queue.rcv_id, &key_hash, &notice.ttl, &now.seconds()],
            |row| row.next("client_notices.client_notice_id"),
        )?;
        let SmpServer { hosts, port, .. } = &queue.server;
        self.tx.execute(&ATTACH, &[hosts, port, &queue.rcv_id, &number])?;
        Ok(Some(number))
    }
}

/// When a notice starts, and for how many seconds it lasts; for ever without a number.
#[derive(Clone, Copy)]
struct Lasting {
    start: i64,
    // Wide enough for the sum of as many as there can be.
    seconds: Option<i128>,
}

impl Lasting {
    fn merge(self, other: Self) -> Self {
        let both = self.seconds.zip(other.seconds);
        Self {
            start: self.start.max(other.start),
            seconds: both.map(|(one, other)| one.saturating_add(other)),
        }
    }

    fn end(self) -> Option<RoundedSeconds> {
        let end = i128::from(self.start).saturating_add(self.seconds?);
        let end = end.clamp(i64::MIN.into(), i64::MAX.into());
        i64::try_from(end).ok().map(RoundedSeconds::from_seconds)
    }
}

const SERVER: [&str; 3] =
    ["client_notices.host", "client_notices.port", "client_notices.server_key_hash"];

fn notice(row: &mut Row<'_>) -> Result<(SmpServer, Lasting), DbError> {
    let server = rows::server(row, SERVER)?;
    let start = row.next("client_notices.created_at")?;
    let seconds: Option<i64> = row.next("client_notices.notice_ttl")?;
    Ok((server, Lasting { start, seconds: seconds.map(i128::from) }))
}

/// Ports at which a preset router is reached when its own port isn't said.
const DEFAULT_PORTS: [&str; 2] = ["443", "5223"];

/// Whether it is one of the preset routers, perhaps with fewer of its hosts (AS-46).
fn is_preset(server: &SmpServer, preset_servers: &[SmpServer]) -> bool {
    let hosts = server.hosts.as_slice();
    preset_servers.iter().any(|preset| {
        let preset_hosts = preset.hosts.as_slice();
        preset_hosts.first() == hosts.first()
            && hosts.iter().all(|host| preset_hosts.contains(host))
            && preset.key_hash == server.key_hash
            && (preset.port == server.port
                || preset.port.0.is_empty() && DEFAULT_PORTS.contains(&&*server.port.0))
    })
}
