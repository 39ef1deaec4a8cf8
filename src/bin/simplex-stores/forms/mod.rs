//! The JSON forms of records and states, byte for byte those of the recorded runs: keys in their
//! order, ids and keys as in the log, bytes as base64url.

mod records;
mod state;

use serde::{Serialize, Serializer};
use simplex_stores::{encoding::base64url, protocol::TextEncode};

pub(crate) use records::{NtfForm, QueueForm, RecForm, SvcForm};
#[cfg(feature = "postgres")]
pub(crate) use state::state_lines_counted;
pub(crate) use state::{CountsForm, state_lines};

/// The text form of a value; all of them are ASCII, but for what an error may quote.
pub(crate) fn text(value: &impl TextEncode) -> String {
    String::from_utf8_lossy(&value.to_text()).into_owned()
}

/// A value as JSON. The forms hold strings, numbers and maps with text keys: nothing that JSON
/// cannot say.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Bytes as base64url with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    base64url::to_string(bytes)
}

/// Pairs as a JSON object, in the order given.
pub(crate) struct Pairs<I>(pub(crate) I);

impl<K, V, I> Serialize for Pairs<I>
where
    K: Serialize,
    V: Serialize,
    I: Iterator<Item = (K, V)> + Clone,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.clone())
    }
}
