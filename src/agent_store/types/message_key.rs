//! What a prepared message is encrypted with, and what is encrypted (sections 1.7 and 3.8).

use std::borrow::Cow;
use std::fmt;

use crate::db::{Cell, FromCell, Param, ToParam, Unreadable};
use crate::encoding::{ParseResult, Parser};

/// The key of one prepared message, with all that its encryption needs; `Debug` shows none of it.
///
/// It is kept as the database has it: writing it copies nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MsgEncryptKey(Vec<u8>);

/// The parts of a [`MsgEncryptKey`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct MsgEncryptKeyParts<'a> {
    /// The ratchet's version.
    pub ratchet_version: u16,
    /// The ratchet's associated data; 255 bytes at most.
    pub associated_data: &'a [u8],
    /// The message's key; 255 bytes at most.
    pub key: &'a [u8],
    /// Its initialization vector; 255 bytes at most.
    pub iv: &'a [u8],
    /// The message's header, encrypted; 65,535 bytes at most.
    pub encrypted_header: &'a [u8],
}

impl MsgEncryptKey {
    /// The key with these parts; `None` when one of them is too long.
    pub fn new(parts: MsgEncryptKeyParts<'_>) -> Option<Self> {
        let MsgEncryptKeyParts { ratchet_version, associated_data, key, iv, encrypted_header } =
            parts;
        let mut stored = ratchet_version.to_be_bytes().to_vec();
        for part in [associated_data, key, iv] {
            stored.push(u8::try_from(part.len()).ok()?);
            stored.extend_from_slice(part);
        }
        stored.extend(u16::try_from(encrypted_header.len()).ok()?.to_be_bytes());
        stored.extend_from_slice(encrypted_header);
        Some(Self(stored))
    }

    /// Its parts.
    pub fn parts(&self) -> MsgEncryptKeyParts<'_> {
        // Every value was written from parts, or read before.
        read(&self.0).unwrap_or_default()
    }
}

fn read(stored: &[u8]) -> ParseResult<MsgEncryptKeyParts<'_>> {
    let mut parser = Parser::new(stored);
    let parts = MsgEncryptKeyParts {
        ratchet_version: short(&mut parser)?,
        associated_data: after_byte(&mut parser)?,
        key: after_byte(&mut parser)?,
        iv: after_byte(&mut parser)?,
        encrypted_header: after_short(&mut parser)?,
    };
    parser.end()?;
    Ok(parts)
}

fn short(parser: &mut Parser<'_>) -> ParseResult<u16> {
    let high = parser.byte("a number of two bytes")?;
    Ok(u16::from_be_bytes([high, parser.byte("a number of two bytes")?]))
}

fn after_byte<'a>(parser: &mut Parser<'a>) -> ParseResult<&'a [u8]> {
    let length = usize::from(parser.byte("a length")?);
    bytes(parser, length)
}

fn after_short<'a>(parser: &mut Parser<'a>) -> ParseResult<&'a [u8]> {
    let length = usize::from(short(parser)?);
    bytes(parser, length)
}

fn bytes<'a>(parser: &mut Parser<'a>, length: usize) -> ParseResult<&'a [u8]> {
    let start = parser.clone();
    let taken = parser.advance(length);
    match taken.len() == length {
        true => Ok(taken),
        false => Err(start.error("as many bytes as the length says")),
    }
}

impl fmt::Debug for MsgEncryptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MsgEncryptKey(<secret>)")
    }
}

impl fmt::Debug for MsgEncryptKeyParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MsgEncryptKeyParts(<secret>)")
    }
}

impl ToParam for MsgEncryptKey {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(Cow::Borrowed(&self.0))
    }
}

impl FromCell<'_> for MsgEncryptKey {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let stored = <&[u8]>::from_cell(cell)?;
        let sound = read(stored).map(|_| Self(stored.to_vec()));
        sound.map_err(|_| Unreadable::expected("a message's encryption key"))
    }
}
