//! The fourteen records of the journal (JR-1 to JR-14), one line each.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::encoding::{ParseError, ParseResult, Parser};
use crate::protocol::{
    AuthKey, BlockingInfo, LinkData, LinkId, NtfCreds, QueueLink, QueueRec, RecipientId,
    RecipientKeys, RoundedDate, Semantics, ServiceId, ServiceParty, ServiceRec, TextDecode,
    TextEncode,
};

/// One line of the journal. Every recipient id names a queue, whatever the operation.
///
/// ```
/// use simplex_stores::protocol::Semantics;
/// use simplex_stores::store_log::LogRecord;
///
/// let record = LogRecord::parse(b"TIME AAECAwQFBgcICQoLDA0ODxAREhMUFRYX +1735689600", Semantics::Strict)?;
/// assert_eq!(record.operation_name(), "UpdateTime");
///
/// let mut line = Vec::new();
/// record.encode(&mut line);
/// assert_eq!(line, b"TIME AAECAwQFBgcICQoLDA0ODxAREhMUFRYX 1735689600");
///
/// let refused = LogRecord::parse(b"TIME AAEC soon", Semantics::Strict).unwrap_err();
/// assert_eq!(refused.to_string(), "at byte 10: expected a 64-bit integer");
/// # Ok::<(), simplex_stores::encoding::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogRecord {
    /// `CREATE`: the queue with all its present state (JR-1).
    CreateQueue(RecipientId, Arc<QueueRec>),
    /// `LINK`: sets or replaces link data (JR-2).
    CreateLink(RecipientId, QueueLink),
    /// `LDELETE`: removes link and link data (JR-3).
    DeleteLink(RecipientId),
    /// `SECURE`: sets the sender key (JR-4).
    SecureQueue(RecipientId, AuthKey),
    /// `KEYS`: replaces all recipient keys (JR-5).
    UpdateKeys(RecipientId, RecipientKeys),
    /// `NOTIFIER`: sets or replaces the notifier (JR-6).
    AddNotifier(RecipientId, Box<NtfCreds>),
    /// `SUSPEND`: status off (JR-7).
    SuspendQueue(RecipientId),
    /// `BLOCK`: status blocked (JR-8).
    BlockQueue(RecipientId, BlockingInfo),
    /// `UNBLOCK`: status active (JR-9).
    UnblockQueue(RecipientId),
    /// `DELETE`: removes the queue (JR-10).
    DeleteQueue(RecipientId),
    /// `NDELETE`: removes the notifier (JR-11).
    DeleteNotifier(RecipientId),
    /// `TIME`: sets the update date (JR-12).
    UpdateTime(RecipientId, RoundedDate),
    /// `NEW_SERVICE`: registers a service (JR-13).
    NewService(Box<ServiceRec>),
    /// `QUEUE_SERVICE`: sets or clears the service of the queue or of its notifier (JR-14).
    QueueService(RecipientId, ServiceParty, Option<ServiceId>),
}

impl LogRecord {
    /// Appends the record's line to `out`, without the newline (JR-15 to JR-19).
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.tag());
        match self {
            Self::CreateQueue(queue, record) => {
                out.extend_from_slice(b" rid=");
                queue.encode_text(out);
                part(out, record.as_ref());
            }
            Self::CreateLink(queue, link) => {
                part(out, queue);
                part(out, &link.id);
                part(out, &link.data);
            }
            Self::SecureQueue(queue, key) => {
                part(out, queue);
                part(out, key);
            }
            Self::UpdateKeys(queue, keys) => {
                part(out, queue);
                part(out, keys);
            }
            Self::AddNotifier(queue, credentials) => {
                part(out, queue);
                part(out, credentials.as_ref());
            }
            Self::BlockQueue(queue, info) => {
                part(out, queue);
                part(out, info);
            }
            Self::UpdateTime(queue, date) => {
                part(out, queue);
                part(out, date);
            }
            Self::NewService(service) => part(out, service.as_ref()),
            Self::QueueService(queue, party, service) => {
                part(out, queue);
                part(out, party);
                // The space stays when no service follows (JR-19).
                out.push(b' ');
                if let Some(service) = service {
                    service.encode_text(out);
                }
            }
            Self::DeleteLink(queue)
            | Self::SuspendQueue(queue)
            | Self::UnblockQueue(queue)
            | Self::DeleteQueue(queue)
            | Self::DeleteNotifier(queue) => part(out, queue),
        }
    }

    /// Reads a record from the whole of `line`, which is without its newline.
    ///
    /// [`Semantics::Strict`] reads every line whose meaning is certain; [`Semantics::Reference`]
    /// reads those that the reference reads, which leaves out two kinds of line that it writes
    /// (JR-20, JR-21). Both refuse integers that overflow and keys that are not canonical DER.
    pub fn parse(line: &[u8], semantics: Semantics) -> Result<Self, ParseError> {
        Parser::whole(line, |parser| parse_record(parser, semantics))
    }

    /// The operation's name, as reports about a journal give it.
    pub fn operation_name(&self) -> &'static str {
        match self {
            Self::CreateQueue(..) => "CreateQueue",
            Self::CreateLink(..) => "CreateLink",
            Self::DeleteLink(..) => "DeleteLink",
            Self::SecureQueue(..) => "SecureQueue",
            Self::UpdateKeys(..) => "UpdateKeys",
            Self::AddNotifier(..) => "AddNotifier",
            Self::SuspendQueue(..) => "SuspendQueue",
            Self::BlockQueue(..) => "BlockQueue",
            Self::UnblockQueue(..) => "UnblockQueue",
            Self::DeleteQueue(..) => "DeleteQueue",
            Self::DeleteNotifier(..) => "DeleteNotifier",
            Self::UpdateTime(..) => "UpdateTime",
            Self::NewService(..) => "NewService",
            Self::QueueService(..) => "QueueService",
        }
    }

    /// The queue that the record is about; `None` for a service's registration.
    pub fn recipient_id(&self) -> Option<&RecipientId> {
        match self {
            Self::CreateQueue(queue, _)
            | Self::CreateLink(queue, _)
            | Self::DeleteLink(queue)
            | Self::SecureQueue(queue, _)
            | Self::UpdateKeys(queue, _)
            | Self::AddNotifier(queue, _)
            | Self::SuspendQueue(queue)
            | Self::BlockQueue(queue, _)
            | Self::UnblockQueue(queue)
            | Self::DeleteQueue(queue)
            | Self::DeleteNotifier(queue)
            | Self::UpdateTime(queue, _)
            | Self::QueueService(queue, ..) => Some(queue),
            Self::NewService(_) => None,
        }
    }

    /// The word that the line begins with.
    fn tag(&self) -> &'static [u8] {
        match self {
            Self::CreateQueue(..) => b"CREATE",
            Self::CreateLink(..) => b"LINK",
            Self::DeleteLink(..) => b"LDELETE",
            Self::SecureQueue(..) => b"SECURE",
            Self::UpdateKeys(..) => b"KEYS",
            Self::AddNotifier(..) => b"NOTIFIER",
            Self::SuspendQueue(..) => b"SUSPEND",
            Self::BlockQueue(..) => b"BLOCK",
            Self::UnblockQueue(..) => b"UNBLOCK",
            Self::DeleteQueue(..) => b"DELETE",
            Self::DeleteNotifier(..) => b"NDELETE",
            Self::UpdateTime(..) => b"TIME",
            Self::NewService(..) => b"NEW_SERVICE",
            Self::QueueService(..) => b"QUEUE_SERVICE",
        }
    }
}

/// Appends a space and a value.
fn part(out: &mut Vec<u8>, value: &impl TextEncode) {
    out.push(b' ');
    value.encode_text(out);
}

fn parse_record(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<LogRecord> {
    let unknown = parser.error("the name of a record");
    let tag = parser.take_while(|byte| byte != b' ');
    Ok(match tag {
        b"CREATE" => {
            parser.literal(b" rid=", " rid=")?;
            let queue = RecipientId::decode_text(parser, semantics)?;
            LogRecord::CreateQueue(queue, Arc::new(next(parser, semantics)?))
        }
        b"LINK" => {
            let queue = next(parser, semantics)?;
            let id: LinkId = next(parser, semantics)?;
            let data: LinkData = next(parser, semantics)?;
            LogRecord::CreateLink(queue, QueueLink { id, data })
        }
        b"LDELETE" => LogRecord::DeleteLink(next(parser, semantics)?),
        b"SECURE" => LogRecord::SecureQueue(next(parser, semantics)?, next(parser, semantics)?),
        b"KEYS" => LogRecord::UpdateKeys(next(parser, semantics)?, next(parser, semantics)?),
        b"NOTIFIER" => {
            let queue = next(parser, semantics)?;
            LogRecord::AddNotifier(queue, Box::new(next(parser, semantics)?))
        }
        b"SUSPEND" => LogRecord::SuspendQueue(next(parser, semantics)?),
        b"BLOCK" => LogRecord::BlockQueue(next(parser, semantics)?, next(parser, semantics)?),
        b"UNBLOCK" => LogRecord::UnblockQueue(next(parser, semantics)?),
        b"DELETE" => LogRecord::DeleteQueue(next(parser, semantics)?),
        b"NDELETE" => LogRecord::DeleteNotifier(next(parser, semantics)?),
        b"TIME" => LogRecord::UpdateTime(next(parser, semantics)?, next(parser, semantics)?),
        b"NEW_SERVICE" => LogRecord::NewService(Box::new(next(parser, semantics)?)),
        b"QUEUE_SERVICE" => {
            let (queue, party) = (next(parser, semantics)?, next(parser, semantics)?);
            parser.space()?;
            let service = match parser.is_at_end() {
                true => None,
                false => Some(ServiceId::decode_text(parser, semantics)?),
            };
            LogRecord::QueueService(queue, party, service)
        }
        _ => return Err(unknown),
    })
}

/// Reads a space and a value (SE-20).
fn next<T: TextDecode>(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<T> {
    parser.space()?;
    T::decode_text(parser, semantics)
}
