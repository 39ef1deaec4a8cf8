//! A queue's mode and its record (SE-34, SE-35, section 3.1 of formats.md).

use serde::{Deserialize, Serialize};

use super::fields::{field, optional};
use super::{
    AuthKey, DhSecret, EntityStatus, LinkData, LinkId, NtfCreds, QueueLink, RecipientKeys,
    RoundedDate, Semantics, SenderId, ServiceId, TextDecode, TextEncode,
};
use crate::encoding::{ParseResult, Parser, number};

/// What a queue is for (SE-34). A queue may have no known mode, which is not the same as
/// [`QueueMode::Contact`] (SE-35).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum QueueMode {
    /// `M`: one sender.
    Messaging,
    /// `C`: a contact address.
    Contact,
}

/// Everything that a queue store keeps about a queue, but the recipient id that names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRec {
    /// The keys of its recipients.
    pub recipient_keys: RecipientKeys,
    /// The secret under which messages are encrypted for the recipient.
    pub rcv_dh_secret: DhSecret,
    /// The id by which the sender knows the queue.
    pub sender_id: SenderId,
    /// The sender's key; `None` while the queue is not secured.
    pub sender_key: Option<AuthKey>,
    /// What the queue is for; `None` when not known.
    pub queue_mode: Option<QueueMode>,
    /// Its short link.
    pub link: Option<Box<QueueLink>>,
    /// Its notifier.
    pub notifier: Option<Box<NtfCreds>>,
    /// The last day on which it was used.
    pub updated_at: Option<RoundedDate>,
    /// Whether it takes part in traffic.
    pub status: EntityStatus,
    /// The service that receives for it.
    pub rcv_service_id: Option<ServiceId>,
}

impl TextEncode for QueueMode {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Messaging => b'M',
            Self::Contact => b'C',
        });
    }
}

impl TextDecode for QueueMode {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        if parser.skip(b"M") {
            return Ok(Self::Messaging);
        }
        parser.literal(b"C", "a queue mode")?;
        Ok(Self::Contact)
    }
}

/// The part of a `CREATE` record after the recipient id.
impl TextEncode for QueueRec {
    fn encode_text(&self, out: &mut Vec<u8>) {
        field(out, b"rk=", &self.recipient_keys);
        field(out, b" rdh=", &self.rcv_dh_secret);
        field(out, b" sid=", &self.sender_id);
        out.extend_from_slice(b" sk=");
        if let Some(key) = &self.sender_key {
            key.encode_text(out);
        }
        if let Some(mode) = &self.queue_mode {
            field(out, b" queue_mode=", mode);
        }
        if let Some(link) = &self.link {
            field(out, b" link_id=", &link.id);
            field(out, b" queue_data=", &link.data);
        }
        if let Some(notifier) = &self.notifier {
            field(out, b" notifier=", notifier.as_ref());
        }
        if let Some(date) = &self.updated_at {
            field(out, b" updated_at=", date);
        }
        if self.status != EntityStatus::Active {
            field(out, b" status=", &self.status);
        }
        if let Some(service_id) = &self.rcv_service_id {
            field(out, b" rsrv=", service_id);
        }
    }
}

impl TextDecode for QueueRec {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        parser.literal(b"rk=", "rk=")?;
        let recipient_keys = RecipientKeys::decode_text(parser, semantics)?;
        parser.literal(b" rdh=", " rdh=")?;
        let rcv_dh_secret = DhSecret::decode_text(parser, semantics)?;
        parser.literal(b" sid=", " sid=")?;
        let sender_id = SenderId::decode_text(parser, semantics)?;
        parser.literal(b" sk=", " sk=")?;
        let sender_key = match parser.peek() {
            None | Some(b' ') => None,
            Some(_) => Some(AuthKey::decode_text(parser, semantics)?),
        };
        Ok(Self {
            recipient_keys,
            rcv_dh_secret,
            sender_id,
            sender_key,
            queue_mode: decode_mode(parser, semantics)?,
            link: decode_link(parser, semantics)?.map(Box::new),
            notifier: optional(parser, b" notifier=", semantics)?.map(Box::new),
            updated_at: optional(parser, b" updated_at=", semantics)?,
            status: optional(parser, b" status=", semantics)?.unwrap_or_default(),
            rcv_service_id: optional(parser, b" rsrv=", semantics)?,
        })
    }
}

/// The mode, from its own field or from the older flag (SE-35, JR-22).
fn decode_mode(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Option<QueueMode>> {
    if !parser.skip(b" sndSecure=") {
        return optional(parser, b" queue_mode=", semantics);
    }
    let secured_by_sender = number::parse_bool(parser)?;
    Ok(Some(if secured_by_sender { QueueMode::Messaging } else { QueueMode::Contact }))
}

/// The link id and its data, together or not at all (JR-15).
fn decode_link(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Option<QueueLink>> {
    let Some(id) = optional::<LinkId>(parser, b" link_id=", semantics)? else {
        return Ok(None);
    };
    parser.literal(b" queue_data=", " queue_data=")?;
    let data = LinkData::decode_text(parser, semantics)?;
    Ok(Some(QueueLink { id, data }))
}
