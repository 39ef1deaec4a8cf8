//! Named fields of a record, as several records have them.

use super::{Semantics, TextDecode, TextEncode};
use crate::encoding::{ParseResult, Parser};

/// Appends a field's name and its value.
pub(super) fn field(out: &mut Vec<u8>, name: &[u8], value: &impl TextEncode) {
    out.extend_from_slice(name);
    value.encode_text(out);
}

/// Reads a field that must be there.
pub(super) fn required<T: TextDecode>(
    parser: &mut Parser<'_>,
    name: &'static str,
    semantics: Semantics,
) -> ParseResult<T> {
    parser.literal(name.as_bytes(), name)?;
    T::decode_text(parser, semantics)
}

/// Reads a field that may be absent. Where its name stands, its value must be right: no later
/// field starts with that name, so taking a malformed field for an absent one could only lead to
/// the same refusal one step later (SE-2).
pub(super) fn optional<T: TextDecode>(
    parser: &mut Parser<'_>,
    name: &[u8],
    semantics: Semantics,
) -> ParseResult<Option<T>> {
    if parser.skip(name) { T::decode_text(parser, semantics).map(Some) } else { Ok(None) }
}
