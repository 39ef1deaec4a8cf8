//! A connection with queues, and messages of it.

use simplex_stores::agent_store::types::{
    AgentMessage, AgentMessageType, ConnId, ExternalSndId, InternalId, MsgBody, MsgEncryptKey,
    MsgEncryptKeyParts, MsgFlags, MsgHash, MsgId, MsgIntegrity, MsgMeta, QueueNumber, RcvMsgData,
    RcvQueue, SmpServer, SndMsgBodyId, SndMsgData, SndMsgPrepData, SndQueue,
};
use simplex_stores::db::{Params, UtcTime};
use simplex_stores::protocol::DhSecret;
use simplex_stores::protocol::ntf::{AuthPrivateKey, X25519KeyPair};

use crate::fixture::{TestStore, server};

const SERVER: &str = "smp.example";
const RCV_QUEUE: &str = "INSERT INTO rcv_queues
     (host, port, rcv_id, conn_id, rcv_private_key, rcv_dh_secret, e2e_priv_key, snd_id, status,
      rcv_queue_id, rcv_primary)
     VALUES ($1, '', $2, $3, $4, $5, $6, $2, 'active', $7, 1)";
const SND_QUEUE: &str = "INSERT INTO snd_queues
     (host, port, snd_id, conn_id, snd_private_key, e2e_dh_secret, status, snd_queue_id, snd_primary)
     VALUES ($1, '', $2, $3, $4, $5, 'active', $6, 1)";

/// A connection.
pub(crate) struct Conn<'t> {
    pub(super) test: &'t TestStore,
    pub(super) id: ConnId,
}

/// This many seconds after some moment long ago.
pub(crate) fn at(seconds: i64) -> UtcTime {
    UtcTime::from_micros((1_700_000_000 + seconds) * 1_000_000).unwrap()
}

pub(crate) fn hash(of: u8) -> MsgHash {
    MsgHash(vec![of; 32])
}

pub(super) fn broker_id(of: u8) -> MsgId {
    MsgId::from_bytes(&[of; 24]).unwrap()
}

pub(crate) fn agent_message(text: &str) -> AgentMessage {
    AgentMessage::new(text.as_bytes().to_vec()).unwrap()
}

pub(crate) fn encrypt_key() -> MsgEncryptKey {
    let parts = MsgEncryptKeyParts {
        ratchet_version: 3,
        associated_data: &[1; 112],
        key: &[2; 32],
        iv: &[3; 16],
        encrypted_header: &[4; 300],
    };
    MsgEncryptKey::new(parts).unwrap()
}

impl<'t> Conn<'t> {
    /// One with receive queue 1 and send queues 1 and 2.
    pub(crate) fn of(test: &'t TestStore) -> Self {
        let conn = Self::without_queues(test, 1);
        conn.add_rcv_queue(1);
        conn.add_snd_queue(1);
        conn.add_snd_queue(2);
        conn
    }

    /// One of several.
    pub(super) fn without_queues(test: &'t TestStore, id: u8) -> Self {
        let server: SmpServer = server(SERVER, "", &[1; 32]);
        test.run(|tx| tx.create_server(&server)).unwrap();
        Self { test, id: test.bare_connection(test.user(), &[id; 16]) }
    }

    pub(super) fn add_rcv_queue(&self, number: u8) {
        let (key, secret) = keys();
        let pair = X25519KeyPair::from_private([7; 32]);
        let number_ = i64::from(number);
        let params: Params<'_> =
            &[&SERVER, &self.queue_id(number), &self.id, &key, &secret, &pair, &number_];
        assert_eq!(self.test.execute(RCV_QUEUE, params), 1);
    }

    pub(super) fn add_snd_queue(&self, number: u8) {
        let (key, secret) = keys();
        let number_ = i64::from(number);
        let params: Params<'_> =
            &[&SERVER, &self.queue_id(number), &self.id, &key, &secret, &number_];
        assert_eq!(self.test.execute(SND_QUEUE, params), 1);
    }

    /// No two queues on a router have the same.
    fn queue_id(&self, number: u8) -> Vec<u8> {
        [self.id.as_bytes(), &[number; 8]].concat()
    }

    pub(super) fn rcv_queue(&self, number: i64) -> RcvQueue {
        self.test.run(|tx| tx.get_rcv_queue_by_id(&self.id, QueueNumber(number))).unwrap()
    }

    pub(crate) fn snd_queue(&self, number: i64) -> SndQueue {
        self.test.run(|tx| tx.get_snd_queue_by_id(&self.id, QueueNumber(number))).unwrap()
    }

    /// Receives a message through queue 1.
    pub(super) fn receive(&self, of: u8) -> RcvMsgData {
        let queue = self.rcv_queue(1);
        let receive = |tx: &mut simplex_stores::agent_store::AgentTx<'_>| {
            let ids = tx.update_rcv_ids(&self.id)?;
            let message = RcvMsgData {
                msg_meta: MsgMeta {
                    integrity: MsgIntegrity::Ok,
                    recipient: (ids.internal_id, at(i64::from(of))),
                    broker: (broker_id(of), at(i64::from(of) - 10)),
                    snd_msg_id: ExternalSndId(ids.prev_external_snd_id.0 + 1),
                    pq_encryption: true,
                },
                msg_type: AgentMessageType::Message,
                msg_flags: MsgFlags { notification: true },
                msg_body: MsgBody(vec![of; 100]),
                internal_rcv_id: ids.internal_rcv_id,
                internal_hash: hash(of),
                external_prev_snd_hash: ids.prev_rcv_hash,
                encrypted_msg_hash: hash(of + 100),
            };
            tx.create_rcv_msg(&queue, &message)?;
            Ok(message)
        };
        self.test.run(receive).unwrap()
    }

    /// Stores a message to send, made at this second, and queues it for these queues.
    pub(crate) fn send_at(&self, second: i64, queues: &[i64]) -> SndMsgData {
        self.send(second, None, queues)
    }

    /// The same with a shared body.
    pub(super) fn send_prepared(&self, body: SndMsgBodyId, queues: &[i64]) -> SndMsgData {
        let padded_len = 16_000;
        let prepared =
            SndMsgPrepData { encrypt_key: encrypt_key(), padded_len, snd_msg_body_id: body };
        self.send(0, Some(prepared), queues)
    }

    fn send(&self, second: i64, prep_data: Option<SndMsgPrepData>, queues: &[i64]) -> SndMsgData {
        let queues: Vec<SndQueue> = queues.iter().map(|number| self.snd_queue(*number)).collect();
        let body = if prep_data.is_none() { b"what is sent".to_vec() } else { Vec::new() };
        let send = |tx: &mut simplex_stores::agent_store::AgentTx<'_>| {
            let ids = tx.update_snd_ids(&self.id)?;
            let message = SndMsgData {
                internal_id: ids.internal_id,
                internal_snd_id: ids.internal_snd_id,
                internal_ts: at(second),
                msg_type: AgentMessageType::Message,
                msg_flags: MsgFlags { notification: true },
                msg_body: MsgBody(body),
                pq_encryption: true,
                internal_hash: hash(ids.internal_id.0 as u8),
                prev_msg_hash: ids.prev_snd_hash,
                prep_data,
            };
            tx.create_snd_msg(&self.id, &message)?;
            for queue in &queues {
                tx.create_snd_msg_delivery(queue, message.internal_id)?;
            }
            Ok(message)
        };
        self.test.run(send).unwrap()
    }

    pub(super) fn body(&self) -> SndMsgBodyId {
        self.test.run(|tx| tx.create_snd_msg_body(&agent_message("for many"))).unwrap()
    }

    /// Changes rows by a statement of the test's, whose `$1` is this connection.
    pub(super) fn execute(&self, text: &'static str) -> u64 {
        self.test.execute(text, &[&self.id])
    }

    /// The deliveries: queue, message, whether it is marked as failed.
    pub(super) fn deliveries(&self) -> Vec<(i64, i64, bool)> {
        let query = "SELECT snd_queue_id, internal_id, failed FROM snd_message_deliveries
                      WHERE conn_id = $1 ORDER BY snd_queue_id, internal_id";
        self.test.query(query, &[&self.id], |row| {
            Ok((row.next("d.snd_queue_id")?, row.next("d.internal_id")?, row.next("d.failed")?))
        })
    }

    /// The messages that are there.
    pub(super) fn messages(&self) -> Vec<InternalId> {
        let query = "SELECT internal_id FROM messages WHERE conn_id = $1 ORDER BY internal_id";
        self.test.query(query, &[&self.id], |row| row.next("messages.internal_id"))
    }
}

/// The bodies that are there.
pub(super) fn bodies(test: &TestStore) -> Vec<SndMsgBodyId> {
    let query = "SELECT snd_message_body_id FROM snd_message_bodies ORDER BY snd_message_body_id";
    test.query(query, &[], |row| row.next("snd_message_bodies.snd_message_body_id"))
}

fn keys() -> (AuthPrivateKey, DhSecret) {
    let private = simplex_stores::encoding::der::KeyAlgorithm::Ed25519;
    let der = [&private.private_prefix()[..], &[5; 32]].concat();
    (AuthPrivateKey::from_der(&der).unwrap(), DhSecret::new([6; 32]))
}
