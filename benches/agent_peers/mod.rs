//! The message path of an agent, as the store does it and as it is done on the bare drivers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub(crate) mod postgres;
pub(crate) mod sqlite;
mod statements;

use std::time::{Duration, SystemTime};

use simplex_stores::agent_store::AgentStore;
use simplex_stores::agent_store::types::{
    AgentMessageType, ConnId, ExternalSndId, InternalId, InternalRcvId, InternalSndId, MsgBody,
    MsgFlags, MsgHash, MsgId, MsgIntegrity, MsgMeta, RcvMsgData, RcvQueue, SmpQueue as _,
    SndMsgData, SndQueue,
};
use simplex_stores::db::UtcTime;

/// A connection with a queue in each direction.
pub(crate) struct Chat {
    pub(crate) conn_id: ConnId,
    pub(crate) rcv: RcvQueue,
    pub(crate) snd: SndQueue,
}

/// A message in each direction. What was read from the network and decrypted is there before anything is timed, and
/// so are times in the form that a driver takes.
pub(crate) struct Message {
    pub(crate) received: RcvMsgData,
    pub(crate) sent: SndMsgData,
    pub(crate) time: SystemTime,
    pub(crate) time_text: String,
}

impl Message {
    /// The message with this number, which no other has.
    pub(crate) fn new(number: u64) -> Self {
        let now = UtcTime::now();
        let micros = u64::try_from(now.micros()).unwrap();
        let bytes = |length: usize| {
            number.to_be_bytes().into_iter().cycle().take(length).collect::<Vec<u8>>()
        };
        let hash = MsgHash(bytes(32));
        let (msg_type, msg_flags) = (AgentMessageType::Message, MsgFlags { notification: true });
        let msg_meta = MsgMeta {
            integrity: MsgIntegrity::Ok,
            recipient: (InternalId(0), now),
            broker: (MsgId::from_bytes(&bytes(24)).unwrap(), now),
            snd_msg_id: ExternalSndId(0),
            pq_encryption: true,
        };
        let received = RcvMsgData {
            msg_meta,
            msg_type,
            msg_flags,
            msg_body: MsgBody(bytes(1_000)),
            internal_rcv_id: InternalRcvId(0),
            internal_hash: hash.clone(),
            external_prev_snd_hash: MsgHash::default(),
            encrypted_msg_hash: hash.clone(),
        };
        let sent = SndMsgData {
            internal_id: InternalId(0),
            internal_snd_id: InternalSndId(0),
            internal_ts: now,
            msg_type,
            msg_flags,
            msg_body: MsgBody(bytes(1_000)),
            pq_encryption: true,
            internal_hash: hash,
            prev_msg_hash: MsgHash::default(),
            prep_data: None,
        };
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
        Self { received, sent, time, time_text: now.to_text() }
    }
}

/// A way to do what an agent does with a message. Each is one transaction.
pub(crate) trait MessagePath {
    /// Reserves numbers, stores a received message with its hash.
    fn receive(&mut self, chat: &Chat, message: &mut Message) -> InternalId;

    /// Marks it as acknowledged, and deletes it.
    fn acknowledge(&mut self, chat: &Chat, id: InternalId);

    /// Reserves numbers, stores a message and its delivery.
    fn send(&mut self, chat: &Chat, message: &mut Message) -> InternalId;

    /// Loads the next message to be delivered, and the queue for the answer.
    fn take_pending(&mut self, chat: &Chat) -> InternalId;

    /// Ends its delivery, which deletes it.
    fn delete_delivered(&mut self, chat: &Chat, id: InternalId);
}

impl MessagePath for AgentStore {
    fn receive(&mut self, chat: &Chat, message: &mut Message) -> InternalId {
        let message = &mut message.received;
        self.transaction("receive", |tx| {
            let ids = tx.update_rcv_ids(&chat.conn_id)?;
            message.msg_meta.recipient.0 = ids.internal_id;
            message.msg_meta.snd_msg_id = ExternalSndId(ids.prev_external_snd_id.0 + 1);
            message.internal_rcv_id = ids.internal_rcv_id;
            message.external_prev_snd_hash = ids.prev_rcv_hash;
            tx.create_rcv_msg(&chat.rcv, message)?;
            Ok(ids.internal_id)
        })
        .unwrap()
    }

    fn acknowledge(&mut self, chat: &Chat, id: InternalId) {
        let found = self.transaction("acknowledge", |tx| {
            let found = tx.set_msg_user_ack(&chat.conn_id, id)?;
            tx.delete_msg(&chat.conn_id, id)?;
            Ok(found)
        });
        assert_eq!(found.unwrap().0.number(), chat.rcv.number());
    }

    fn send(&mut self, chat: &Chat, message: &mut Message) -> InternalId {
        let message = &mut message.sent;
        self.transaction("send", |tx| {
            let ids = tx.update_snd_ids(&chat.conn_id)?;
            message.internal_id = ids.internal_id;
            message.internal_snd_id = ids.internal_snd_id;
            message.prev_msg_hash = ids.prev_snd_hash;
            tx.create_snd_msg(&chat.conn_id, message)?;
            tx.create_snd_msg_delivery(&chat.snd, ids.internal_id)?;
            Ok(ids.internal_id)
        })
        .unwrap()
    }

    fn take_pending(&mut self, chat: &Chat) -> InternalId {
        let found = self.transaction("take pending", |tx| tx.get_pending_queue_msg(&chat.snd));
        let (queue, message) = found.unwrap().unwrap();
        assert!(queue.is_some());
        message.msg_id
    }

    fn delete_delivered(&mut self, chat: &Chat, id: InternalId) {
        self.transaction("delete delivered", |tx| tx.delete_snd_msg_delivery(&chat.snd, id, false))
            .unwrap();
    }
}
