//! Commands as text (section 3.10): writing and reading their parameters.

use super::{
    AgentCommand, AgentCommandTag as Tag, ClientCommand, InitialKeys, InternalCommand,
    UnwritableCommand,
};
use crate::agent_store::types::{
    AgentMsgId, ConfirmationId, ConnReq, ConnectionMode, InternalId, LinkSetParams, MsgId,
    RecipientId, ShortLink, SubscriptionMode,
};
use crate::encoding::{ParseResult, Parser, base64url, number};
use crate::protocol::{AuthKey, Blob, Semantics, TextDecode, TextEncode};

const INVITATION: &[u8] = b"pq=invitation";
const ENABLE: &[u8] = b"pq=enable";
const DISABLE: &[u8] = b"pq=disable";
const SUBSCRIBE: &[u8] = b"subscribe";
const ONLY_CREATE: &[u8] = b"only-create";

const SUBSCRIPTIONS: &[(&[u8], SubscriptionMode)] =
    &[(SUBSCRIBE, SubscriptionMode::Subscribe), (ONLY_CREATE, SubscriptionMode::OnlyCreate)];
const INITIAL_KEYS: &[(&[u8], InitialKeys)] = &[
    (INVITATION, InitialKeys::Invitation),
    (ENABLE, InitialKeys::Enable),
    (DISABLE, InitialKeys::Disable),
];
const PQ_SUPPORT: &[(&[u8], bool)] = &[(ENABLE, true), (DISABLE, false)];

/// Appends a client's command without its kind.
pub(super) fn write_client(
    command: &ClientCommand,
    out: &mut Vec<u8>,
) -> Result<(), UnwritableCommand> {
    match command {
        ClientCommand::New { enable_ntfs, mode, initial_keys, subscription } => {
            write_flag(*enable_ntfs, out);
            write_word(mode.text().as_bytes(), out);
            write_word(text_of(*initial_keys, INITIAL_KEYS), out);
            write_word(text_of(*subscription, SUBSCRIPTIONS), out);
        }
        ClientCommand::LSet(params) => write_word(params.as_bytes(), out),
        ClientCommand::LGet(link) => write_word(link.as_bytes(), out),
        ClientCommand::Join { enable_ntfs, conn_req, pq_support, subscription, conn_info } => {
            write_flag(*enable_ntfs, out);
            write_word(conn_req.as_bytes(), out);
            write_word(text_of(*pq_support, PQ_SUPPORT), out);
            write_word(text_of(*subscription, SUBSCRIPTIONS), out);
            write_free(conn_info, out);
        }
        ClientCommand::Let { confirmation_id, conn_info } => {
            let id = confirmation_id.as_bytes();
            if id.contains(&b' ') {
                return Err(UnwritableCommand);
            }
            write_word(id, out);
            write_free(conn_info, out);
        }
        ClientCommand::Ack { message_id, receipt_info } => {
            write_number(message_id.0, out);
            if let Some(info) = receipt_info {
                write_free(info, out);
            }
        }
        ClientCommand::Swch | ClientCommand::Del => {}
    }
    Ok(())
}

/// Appends a command of the agent's own without its kind.
pub(super) fn write_internal(command: &InternalCommand, out: &mut Vec<u8>) {
    match command {
        InternalCommand::Ack(rcv_id, msg_id) => {
            write_encoded(rcv_id.as_bytes(), out);
            write_encoded(msg_id.as_bytes(), out);
        }
        InternalCommand::AckDel(rcv_id, msg_id, internal_id) => {
            write_encoded(rcv_id.as_bytes(), out);
            write_encoded(msg_id.as_bytes(), out);
            write_number(internal_id.0, out);
        }
        InternalCommand::AllowSecure(rcv_id, key) => {
            write_encoded(rcv_id.as_bytes(), out);
            out.push(b' ');
            if let Some(key) = key {
                key.encode_text(out);
            }
        }
        InternalCommand::DuplexSecure(rcv_id, key) | InternalCommand::QSecure(rcv_id, key) => {
            write_encoded(rcv_id.as_bytes(), out);
            out.push(b' ');
            key.encode_text(out);
        }
        InternalCommand::DeleteRcvQueue(rcv_id) | InternalCommand::QDelete(rcv_id) => {
            write_encoded(rcv_id.as_bytes(), out);
        }
        InternalCommand::DeleteConn => {}
    }
}

fn write_word(word: &[u8], out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(word);
}

fn write_flag(flag: bool, out: &mut Vec<u8>) {
    out.push(b' ');
    number::write_bool(flag, out);
}

fn write_number(value: i64, out: &mut Vec<u8>) {
    out.push(b' ');
    number::write_i64(value, out);
}

fn write_encoded(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b' ');
    base64url::write(bytes, out);
}

/// Free bytes: their length, a line feed, and they.
fn write_free(bytes: &Blob, out: &mut Vec<u8>) {
    out.push(b' ');
    number::write_u64(bytes.as_bytes().len() as u64, out);
    out.push(b'\n');
    out.extend_from_slice(bytes.as_bytes());
}

/// The word for a value; every value has one.
fn text_of<T: PartialEq>(value: T, words: &'static [(&'static [u8], T)]) -> &'static [u8] {
    words.iter().find(|(_, meant)| *meant == value).map_or(b"", |(word, _)| word)
}

/// Reads a whole command.
pub(super) fn parse(parser: &mut Parser<'_>) -> ParseResult<AgentCommand> {
    let tag = parse_tag(parser)?;
    let client = match tag {
        Tag::New => parse_new(parser)?,
        Tag::LSet => parse_link_set(parser)?,
        Tag::LGet => {
            ClientCommand::LGet(parse_word(parser, "a short link", ShortLink::from_bytes)?)
        }
        Tag::Join => parse_join(parser)?,
        Tag::Let => ClientCommand::Let {
            confirmation_id: parse_word(parser, "an id", ConfirmationId::from_bytes)?,
            conn_info: parse_free(parser)?,
        },
        Tag::Ack => parse_ack(parser)?,
        Tag::Swch => ClientCommand::Swch,
        Tag::Del => ClientCommand::Del,
        internal => return parse_internal(internal, parser).map(AgentCommand::Internal),
    };
    Ok(AgentCommand::Client(client))
}

/// Reads the kind; what follows it is unread.
fn parse_tag(parser: &mut Parser<'_>) -> ParseResult<Tag> {
    let words = Tag::ALL.iter().map(|tag| (tag.text().as_bytes(), *tag));
    parse_one_of(parser, words).ok_or_else(|| parser.error("a kind of command"))
}

fn parse_new(parser: &mut Parser<'_>) -> ParseResult<ClientCommand> {
    let enable_ntfs = parse_flag(parser)?;
    let mode = |word: &[u8]| ConnectionMode::from_text(std::str::from_utf8(word).ok()?);
    let mode = parse_word(parser, "INV or CON", mode)?;
    let initial_keys = parse_option(parser, INITIAL_KEYS).unwrap_or(InitialKeys::Disable);
    let subscription = parse_subscription(parser);
    if parser.rest() == b" " {
        parser.space()?;
    }
    Ok(ClientCommand::New { enable_ntfs, mode, initial_keys, subscription })
}

fn parse_link_set(parser: &mut Parser<'_>) -> ParseResult<ClientCommand> {
    parser.space()?;
    let params = LinkSetParams::from_bytes(parser.take_rest());
    params.map(ClientCommand::LSet).ok_or_else(|| parser.error("data of a link"))
}

fn parse_join(parser: &mut Parser<'_>) -> ParseResult<ClientCommand> {
    Ok(ClientCommand::Join {
        enable_ntfs: parse_flag(parser)?,
        conn_req: parse_word(parser, "a connection request", ConnReq::from_bytes)?,
        pq_support: parse_option(parser, PQ_SUPPORT).unwrap_or(false),
        subscription: parse_subscription(parser),
        conn_info: parse_free(parser)?,
    })
}

fn parse_ack(parser: &mut Parser<'_>) -> ParseResult<ClientCommand> {
    parser.space()?;
    let message_id = AgentMsgId(number::parse_i64(parser)?);
    let receipt_info = if parser.is_at_end() { None } else { Some(parse_free(parser)?) };
    Ok(ClientCommand::Ack { message_id, receipt_info })
}

fn parse_internal(tag: Tag, parser: &mut Parser<'_>) -> ParseResult<InternalCommand> {
    if tag == Tag::DeleteConn {
        return Ok(InternalCommand::DeleteConn);
    }
    let rcv_id = parse_encoded(parser, "a queue's id", RecipientId::from_bytes)?;
    match tag {
        Tag::InternalAck => Ok(InternalCommand::Ack(rcv_id, parse_msg_id(parser)?)),
        Tag::AckDel => {
            let msg_id = parse_msg_id(parser)?;
            parser.space()?;
            let internal_id = InternalId(number::parse_i64(parser)?);
            Ok(InternalCommand::AckDel(rcv_id, msg_id, internal_id))
        }
        Tag::AllowSecure => {
            let key = match parser.rest() {
                b"" | b" " => {
                    parser.take_rest();
                    None
                }
                _ => Some(parse_key(parser)?),
            };
            Ok(InternalCommand::AllowSecure(rcv_id, key))
        }
        Tag::DuplexSecure => Ok(InternalCommand::DuplexSecure(rcv_id, parse_key(parser)?)),
        Tag::QSecure => Ok(InternalCommand::QSecure(rcv_id, parse_key(parser)?)),
        Tag::DeleteRcvQueue => Ok(InternalCommand::DeleteRcvQueue(rcv_id)),
        Tag::QDelete => Ok(InternalCommand::QDelete(rcv_id)),
        _ => Err(parser.error("a command of the agent's own")),
    }
}

fn parse_flag(parser: &mut Parser<'_>) -> ParseResult<bool> {
    parser.space()?;
    number::parse_bool(parser)
}

fn parse_subscription(parser: &mut Parser<'_>) -> SubscriptionMode {
    parse_option(parser, SUBSCRIPTIONS).unwrap_or(SubscriptionMode::Subscribe)
}

/// Reads a space and everything up to the next one.
fn parse_word<T>(
    parser: &mut Parser<'_>,
    expected: &'static str,
    make: impl FnOnce(&[u8]) -> Option<T>,
) -> ParseResult<T> {
    parser.space()?;
    let start = parser.clone();
    make(parser.take_while(|byte| byte != b' ')).ok_or_else(|| start.error(expected))
}

/// Reads a space and one of these words, if they come next.
fn parse_option<T: Copy>(parser: &mut Parser<'_>, words: &[(&[u8], T)]) -> Option<T> {
    let mut ahead = parser.clone();
    ahead.space().ok()?;
    let found = parse_one_of(&mut ahead, words.iter().copied())?;
    *parser = ahead;
    Some(found)
}

/// Reads one of these words, if it comes next and a space or the end after it.
fn parse_one_of<'w, T>(
    parser: &mut Parser<'_>,
    mut words: impl Iterator<Item = (&'w [u8], T)>,
) -> Option<T> {
    let (word, meant) = words.find(|(word, _)| {
        let after = parser.rest().strip_prefix(*word);
        after.is_some_and(|after| matches!(after.first(), None | Some(b' ')))
    })?;
    parser.advance(word.len());
    Some(meant)
}

fn parse_encoded<T>(
    parser: &mut Parser<'_>,
    expected: &'static str,
    make: impl FnOnce(&[u8]) -> Option<T>,
) -> ParseResult<T> {
    parser.space()?;
    let start = parser.clone();
    let bytes = base64url::parse(parser, expected)?;
    make(&bytes).ok_or_else(|| start.error(expected))
}

fn parse_msg_id(parser: &mut Parser<'_>) -> ParseResult<MsgId> {
    parse_encoded(parser, "a message's id", MsgId::from_bytes)
}

fn parse_key(parser: &mut Parser<'_>) -> ParseResult<AuthKey> {
    parser.space()?;
    AuthKey::decode_text(parser, Semantics::Strict)
}

/// Reads a space, a length, a line feed and as many bytes.
fn parse_free(parser: &mut Parser<'_>) -> ParseResult<Blob> {
    parser.space()?;
    let length = number::parse_u32(parser)?;
    parser.literal(b"\n", "a line feed")?;
    let start = parser.clone();
    let bytes = parser.advance(usize::try_from(length).unwrap_or(usize::MAX));
    if bytes.len() as u64 == u64::from(length) {
        return Ok(Blob::from(bytes));
    }
    Err(start.error("as many bytes as the length says"))
}
