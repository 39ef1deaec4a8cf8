//! Messages (sections 3.8 and 3.9).

use std::borrow::Cow;

use super::macros::column_enum;
use super::{AgentMsgId, ExternalSndId};
use crate::db::{Cell, FromCell, Param, ToParam, Unreadable};
use crate::encoding::{ParseResult, Parser, number};

column_enum! {
    /// What a message is.
    AgentMessageType as bytes, "a kind of message" {
        /// Information about the connection.
        ConnInfo = "C",
        /// The same, with queues for the reply.
        ConnInfoReply = "D",
        /// Information for the ratchet.
        RatchetInfo = "S",
        /// The first message.
        Hello = "H",
        /// A message of the application.
        Message = "M",
        /// A receipt for one.
        Receipt = "V",
        /// The queue may go on.
        QueueContinue = "QC",
        /// A queue to be added.
        QueueAdd = "QA",
        /// A key for it.
        QueueKey = "QK",
        /// It is to be used.
        QueueUse = "QU",
        /// Whether it works.
        QueueTest = "QT",
        /// The ratchet is ready.
        RatchetReady = "E",
    }
}

column_enum! {
    /// What a receipt says of its message.
    MsgReceiptStatus as text, "a receipt's status" {
        /// It arrived.
        Ok = "ok",
        /// It arrived, and its hash is another.
        BadMsgHash = "badMsgHash",
    }
}

/// Whether a message continues the chain of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MsgIntegrity {
    /// It does.
    Ok,
    /// It doesn't.
    Error(MsgErrorType),
}

/// What is wrong with a message's place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MsgErrorType {
    /// These are missing, the first and the last of them.
    Skipped {
        /// The first that is missing.
        from: AgentMsgId,
        /// The last that is missing.
        to: AgentMsgId,
    },
    /// The number isn't above this one.
    BadId {
        /// The number before it.
        previous: ExternalSndId,
    },
    /// The hash of the message before it is another.
    BadHash,
    /// It came before.
    Duplicate,
}

impl MsgIntegrity {
    /// What the database keeps.
    pub fn to_text(self) -> String {
        match self {
            Self::Ok => "OK".to_owned(),
            Self::Error(MsgErrorType::Skipped { from, to }) => {
                format!("ERR NO_ID {} {}", from.0, to.0)
            }
            Self::Error(MsgErrorType::BadId { previous }) => format!("ERR ID {}", previous.0),
            Self::Error(MsgErrorType::BadHash) => "ERR HASH".to_owned(),
            Self::Error(MsgErrorType::Duplicate) => "ERR DUPLICATE".to_owned(),
        }
    }

    /// The value that the database keeps as these bytes.
    pub fn from_text(text: &[u8]) -> Option<Self> {
        Parser::whole(text, Self::parse).ok()
    }

    fn parse(parser: &mut Parser<'_>) -> ParseResult<Self> {
        if parser.skip(b"OK") {
            return Ok(Self::Ok);
        }
        parser.literal(b"ERR ", "OK or ERR")?;
        let error = if parser.skip(b"NO_ID ") {
            let from = AgentMsgId(number::parse_i64(parser)?);
            parser.space()?;
            MsgErrorType::Skipped { from, to: AgentMsgId(number::parse_i64(parser)?) }
        } else if parser.skip(b"ID ") {
            MsgErrorType::BadId { previous: ExternalSndId(number::parse_i64(parser)?) }
        } else if parser.skip(b"HASH") {
            MsgErrorType::BadHash
        } else {
            parser.literal(b"DUPLICATE", "NO_ID, ID, HASH or DUPLICATE")?;
            MsgErrorType::Duplicate
        };
        Ok(Self::Error(error))
    }
}

impl ToParam for MsgIntegrity {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(Cow::Owned(self.to_text().into_bytes()))
    }
}

impl FromCell<'_> for MsgIntegrity {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let read = Self::from_text(<&[u8]>::from_cell(cell)?);
        read.ok_or_else(|| Unreadable::expected("a message's integrity"))
    }
}

/// What a message asks of its router. The default asks nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MsgFlags {
    /// Whether the recipient is to be notified.
    pub notification: bool,
}

impl MsgFlags {
    /// What the database keeps.
    pub const fn text(self) -> &'static str {
        if self.notification { "T" } else { "F" }
    }
}

impl ToParam for MsgFlags {
    fn to_param(&self) -> Param<'_> {
        Param::Text(Cow::Borrowed(self.text()))
    }
}

/// What follows the first character, up to a space, is for flags of later versions.
impl FromCell<'_> for MsgFlags {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let text = <&str>::from_cell(cell)?;
        let expected = || Unreadable::expected("a message's flags");
        if text.contains(' ') {
            return Err(expected());
        }
        match text.as_bytes().first() {
            Some(b'T') => Ok(Self { notification: true }),
            Some(b'F') => Ok(Self { notification: false }),
            _ => Err(expected()),
        }
    }
}

/// How long the next attempts at sending a message wait, kept with each message so that one that fails
/// doesn't slow the others down (AS-30).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryState2 {
    /// In microseconds, while the router can't be reached.
    pub slow_interval: i64,
    /// In microseconds, while the queue is full.
    pub fast_interval: i64,
}
