//! Lists of items joined by commas (SE-18).
//!
//! An item ends at the next comma, space or newline, and its reader must take it whole. There is
//! no escape, so no item can hold those bytes. Options and tuples (SE-19, SE-20) need no code of
//! their own: an absent value is the empty text, and the parts of a tuple stand between single
//! spaces.

use super::{ParseResult, Parser};

/// Appends `items`, each with `write`, joined by commas; nothing for no items (SE-18).
pub fn write<T>(
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
}

/// Reads one item or more and hands each to `each` (SE-18). An empty list, an empty item and a
/// comma at the end are refused, provided that `item` refuses the empty text.
pub fn parse_each<'a, T>(
    parser: &mut Parser<'a>,
    mut item: impl FnMut(&mut Parser<'a>) -> ParseResult<T>,
    mut each: impl FnMut(T),
) -> ParseResult<()> {
    loop {
        each(item(parser)?);
        if !at_item_end(parser) {
            return Err(parser.error("a comma or the end of the list"));
        }
        if !parser.skip(b",") {
            return Ok(());
        }
    }
}

/// Reads a list that may be empty: no text, or text that starts with a space, is no items
/// (SE-18, SE-44).
pub fn parse_maybe_empty<'a, T>(
    parser: &mut Parser<'a>,
    item: impl FnMut(&mut Parser<'a>) -> ParseResult<T>,
) -> ParseResult<Vec<T>> {
    let mut items = Vec::new();
    if !matches!(parser.peek(), None | Some(b' ')) {
        parse_each(parser, item, |value| items.push(value))?;
    }
    Ok(items)
}

/// Whether an item may end here.
fn at_item_end(parser: &Parser<'_>) -> bool {
    matches!(parser.peek(), None | Some(b',' | b' ' | b'\n'))
}
