//! The errors of the protocol, of which the stores return a few (section 2.13 of formats.md).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{BlockingInfo, Semantics, TextDecode, TextEncode};
use crate::encoding::{ParseResult, Parser};

/// What an operation or a command answers when it fails; displayed as its code (section 2.13).
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum ErrorType {
    /// No such queue or service, a deleted queue, or a change that is refused.
    #[error("AUTH")]
    Auth,
    /// An id is already in use. Not part of the protocol: callers must map it.
    #[error("DUPLICATE_")]
    Duplicate,
    /// The certificate is registered with another role.
    #[error("SERVICE")]
    Service,
    /// The journal or the database failed, and how.
    #[error("STORE {0}")]
    Store(String),
    /// A branch that cannot be reached was.
    #[error("INTERNAL")]
    Internal,
    /// A block could not be read. Never from a store, nor are those below.
    #[error("BLOCK")]
    Block,
    /// The session is wrong.
    #[error("SESSION")]
    Session,
    /// A command is wrong, and how.
    #[error("CMD {0}")]
    Cmd(CommandError),
    /// Forwarding failed, and how.
    #[error("PROXY {0}")]
    Proxy(ProxyError),
    /// The queue is blocked, and why.
    #[error("BLOCKED {0}")]
    Blocked(BlockingInfo),
    /// Encryption or decryption failed.
    #[error("CRYPTO")]
    Crypto,
    /// The queue is full.
    #[error("QUOTA")]
    Quota,
    /// There is no such message.
    #[error("NO_MSG")]
    NoMsg,
    /// The message is too long.
    #[error("LARGE_MSG")]
    LargeMsg,
    /// The message, or what it was for, has expired.
    #[error("EXPIRED")]
    Expired,
}

/// What is wrong with a command (section 2.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
pub enum CommandError {
    /// No such command.
    #[error("UNKNOWN")]
    Unknown,
    /// It cannot be read.
    #[error("SYNTAX")]
    Syntax,
    /// Not allowed here.
    #[error("PROHIBITED")]
    Prohibited,
    /// An authorization is missing.
    #[error("NO_AUTH")]
    NoAuth,
    /// There is an authorization where none belongs.
    #[error("HAS_AUTH")]
    HasAuth,
    /// An entity id is missing.
    #[error("NO_ENTITY")]
    NoEntity,
}

/// What went wrong in forwarding (section 2.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
pub enum ProxyError {
    /// The destination answered with an error.
    #[error("PROTOCOL")]
    Protocol,
    /// The destination could not be reached or understood.
    #[error("BROKER")]
    Broker,
    /// Forwarding needs a password.
    #[error("BASIC_AUTH")]
    BasicAuth,
    /// There is no session with the destination.
    #[error("NO_SESSION")]
    NoSession,
}

impl TextEncode for ErrorType {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.to_string().as_bytes());
    }
}

impl TextDecode for ErrorType {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let start = parser.clone();
        let name = parser.take_while(|byte| byte != b' ');
        Ok(match name {
            b"AUTH" => Self::Auth,
            b"DUPLICATE_" => Self::Duplicate,
            b"SERVICE" => Self::Service,
            b"INTERNAL" => Self::Internal,
            b"BLOCK" => Self::Block,
            b"SESSION" => Self::Session,
            b"CRYPTO" => Self::Crypto,
            b"QUOTA" => Self::Quota,
            b"NO_MSG" => Self::NoMsg,
            b"LARGE_MSG" => Self::LargeMsg,
            b"EXPIRED" => Self::Expired,
            b"STORE" => {
                parser.space()?;
                Self::Store(String::from_utf8_lossy(parser.take_rest()).into_owned())
            }
            b"CMD" => {
                parser.space()?;
                Self::Cmd(decode_command_error(parser)?)
            }
            b"PROXY" => {
                parser.space()?;
                Self::Proxy(decode_proxy_error(parser)?)
            }
            b"BLOCKED" => {
                parser.space()?;
                Self::Blocked(BlockingInfo::decode_text(parser, semantics)?)
            }
            _ => return Err(start.error("an error's name")),
        })
    }
}

fn decode_command_error(parser: &mut Parser<'_>) -> ParseResult<CommandError> {
    let start = parser.clone();
    Ok(match parser.take_while(|byte| byte != b' ') {
        b"UNKNOWN" => CommandError::Unknown,
        b"SYNTAX" => CommandError::Syntax,
        b"PROHIBITED" => CommandError::Prohibited,
        b"NO_AUTH" => CommandError::NoAuth,
        b"HAS_AUTH" => CommandError::HasAuth,
        b"NO_ENTITY" => CommandError::NoEntity,
        _ => return Err(start.error("what is wrong with a command")),
    })
}

fn decode_proxy_error(parser: &mut Parser<'_>) -> ParseResult<ProxyError> {
    let start = parser.clone();
    Ok(match parser.take_while(|byte| byte != b' ') {
        b"PROTOCOL" => ProxyError::Protocol,
        b"BROKER" => ProxyError::Broker,
        b"BASIC_AUTH" => ProxyError::BasicAuth,
        b"NO_SESSION" => ProxyError::NoSession,
        _ => return Err(start.error("what went wrong in forwarding")),
    })
}
