//! The text forms: how a type is written and read.

use serde::{Deserialize, Serialize};

use crate::encoding::{ParseResult, Parser};

/// Whose answers are given where the reference breaks its own rules.
///
/// For the text forms the two differ in a few places only. The reference writes what it cannot read
/// back: an empty part of link data (JR-20), an empty registration code, message id or metadata of a
/// notification (NE-8, NE-12, NE-15), a receiving service after a blocking notice (JR-21). It reads
/// a service flag after an error status as a part of the error (NE-11), and a nonce of any length as
/// one of 24 bytes (NE-9). `Strict` reads what was written where that is certain, and refuses such
/// nonces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Semantics {
    /// One sane answer, the same on every store.
    #[default]
    Strict,
    /// The reference's answers, defects included.
    Reference,
}

/// A type with a text form (string family, formats.md section 2).
pub trait TextEncode {
    /// Appends the text form to `out`, exactly as the reference writes it.
    fn encode_text(&self, out: &mut Vec<u8>);

    /// The text form in a buffer of its own.
    fn to_text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_text(&mut out);
        out
    }
}

/// A type that can be read from its text form.
pub trait TextDecode: Sized {
    /// Reads a value from where the cursor stands and leaves the cursor after it.
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self>;

    /// Reads a value from the whole of `text`, refusing anything left over (SE-1).
    fn from_text(text: &[u8], semantics: Semantics) -> ParseResult<Self> {
        Parser::whole(text, |parser| Self::decode_text(parser, semantics))
    }
}
