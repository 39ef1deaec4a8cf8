//! What a notification server needs to watch a queue (SE-42).

use serde::{Deserialize, Serialize};

use super::{AuthKey, DhSecret, NotifierId, Semantics, ServiceId, TextDecode, TextEncode};
use crate::encoding::{ParseResult, Parser};

/// The credentials of a queue's notifier (SE-42).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NtfCreds {
    /// The id by which the notification server knows the queue.
    pub notifier_id: NotifierId,
    /// The key that authorizes its commands.
    pub key: AuthKey,
    /// The secret under which notifications are encrypted for the recipient.
    pub dh_secret: DhSecret,
    /// The service that the notifier belongs to, if any.
    pub service_id: Option<ServiceId>,
}

impl TextEncode for NtfCreds {
    fn encode_text(&self, out: &mut Vec<u8>) {
        self.notifier_id.encode_text(out);
        out.push(b' ');
        self.key.encode_text(out);
        out.push(b' ');
        self.dh_secret.encode_text(out);
        if let Some(service_id) = &self.service_id {
            out.extend_from_slice(b" nsrv=");
            service_id.encode_text(out);
        }
    }
}

impl TextDecode for NtfCreds {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let notifier_id = NotifierId::decode_text(parser, semantics)?;
        parser.space()?;
        let key = AuthKey::decode_text(parser, semantics)?;
        parser.space()?;
        let dh_secret = DhSecret::decode_text(parser, semantics)?;
        let service_id = match parser.skip(b" nsrv=") {
            true => Some(ServiceId::decode_text(parser, semantics)?),
            false => None,
        };
        Ok(Self { notifier_id, key, dh_secret, service_id })
    }
}
