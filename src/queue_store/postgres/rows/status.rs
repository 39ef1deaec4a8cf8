//! The column `status`, with a damage that can be undone.

use crate::encoding::ParseResult;
use crate::protocol::{EntityStatus, Semantics, TextDecode};

/// What stands before a notice whose quotes are gone, and what stood there.
const UNQUOTED: &str = ",notice={ttl:";
const QUOTED: &str = ",notice={\"ttl\":";

/// The status in a column (SE-37, SE-41).
///
/// The reference's import drops the quotes of a notice, and then can't read the status. Under `Strict`
/// it is read as what it certainly was (RACE-16).
pub(super) fn read(text: &str, semantics: Semantics) -> ParseResult<EntityStatus> {
    let read = EntityStatus::from_text(text.as_bytes(), semantics);
    if read.is_ok() || semantics == Semantics::Reference || !text.contains(UNQUOTED) {
        return read;
    }
    EntityStatus::from_text(text.replacen(UNQUOTED, QUOTED, 1).as_bytes(), semantics)
}
