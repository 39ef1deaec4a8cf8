//! Values of the layer above that the store keeps without reading them: connection requests, short links,
//! data of links, queues for the reply. The same bytes come back; what is checked is that they can be told
//! from what stands beside them (decision 0034). They hold keys: `Debug` shows lengths.

use std::borrow::Cow;
use std::fmt;

use crate::db::{Cell, FromCell, Param, ToParam, Unreadable};

macro_rules! hide {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}(<{} bytes>)", stringify!($name), self.0.len())
            }
        }
    )*};
}
hide!(ConnReq, ShortLink, LinkSetParams, ReplyQueues);

/// A URI: at least one byte, no space and no control character.
macro_rules! uri {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Box<[u8]>);

        impl $name {
            /// The one with this text; `None` when there is none, and with a space or a control character
            /// in it.
            pub fn from_bytes(uri: &[u8]) -> Option<Self> {
                let is_control = |byte: &u8| *byte <= b' ' || *byte == 0x7f;
                (!uri.is_empty() && !uri.iter().any(is_control)).then(|| Self(uri.into()))
            }

            /// Its text.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl ToParam for $name {
            fn to_param(&self) -> Param<'_> {
                Param::Blob(Cow::Borrowed(&self.0))
            }
        }

        impl FromCell<'_> for $name {
            fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
                let uri = Self::from_bytes(<&[u8]>::from_cell(cell)?);
                uri.ok_or_else(|| Unreadable::expected($what))
            }
        }
    };
}
uri! {
    /// A connection request, as its URI.
    ConnReq, "the URI of a connection request"
}
uri! {
    /// A short link, as its URI.
    ShortLink, "the URI of a short link"
}

/// What a command sets as the data of a link: the user's data in its binary form and, after a space, the
/// client's text. Only who knows the binary form can tell where it ends.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkSetParams(Box<[u8]>);

impl LinkSetParams {
    /// These two; `None` without the user's data.
    pub fn new(user_link_data: &[u8], client_data: Option<&str>) -> Option<Self> {
        let client_data = client_data.map(|text| [" ", text].concat());
        let both = [user_link_data, client_data.unwrap_or_default().as_bytes()].concat();
        (!user_link_data.is_empty()).then(|| Self(both.into()))
    }

    /// What a command holds; `None` when that is nothing.
    pub fn from_bytes(both: &[u8]) -> Option<Self> {
        (!both.is_empty()).then(|| Self(both.into()))
    }

    /// What a command holds.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The user's data and the client's text; `measure` says how many of the bytes are the user's data.
    /// `None` when it doesn't, and when what follows isn't a space and a text.
    pub fn split(
        &self,
        measure: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Option<(&[u8], Option<&str>)> {
        let (data, rest) = self.0.split_at_checked(measure(&self.0)?)?;
        if rest.is_empty() {
            return Some((data, None));
        }
        let text = std::str::from_utf8(rest.strip_prefix(b" ")?).ok()?;
        Some((data, Some(text)))
    }
}

/// The queues that the sender of a confirmation offers for the reply: one byte with their number, then each
/// in its binary form. Only who knows that form can tell where each ends.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplyQueues(Box<[u8]>);

/// None.
impl Default for ReplyQueues {
    fn default() -> Self {
        Self([0].into())
    }
}

impl ReplyQueues {
    /// The list of queues in these forms; `None` for more than 255, and for a form without bytes.
    pub fn new(forms: &[&[u8]]) -> Option<Self> {
        let count = u8::try_from(forms.len()).ok()?;
        let sound = forms.iter().all(|form| !form.is_empty());
        sound.then(|| Self([&[count][..], &forms.concat()].concat().into()))
    }

    /// What the database keeps; `None` when there is no number, or so many queues can't follow it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (count, forms) = bytes.split_first()?;
        let sound = if *count == 0 { forms.is_empty() } else { forms.len() >= usize::from(*count) };
        sound.then(|| Self(bytes.into()))
    }

    /// What the database keeps.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many queues there are.
    #[allow(clippy::len_without_is_empty, reason = "the number is asked for, not whether")]
    pub fn len(&self) -> usize {
        self.0.first().copied().map_or(0, usize::from)
    }

    /// Each queue's form; `measure` says how many of the bytes are the next one's. `None` when it doesn't,
    /// and when there are bytes too many.
    pub fn split(&self, mut measure: impl FnMut(&[u8]) -> Option<usize>) -> Option<Vec<&[u8]>> {
        let mut rest = self.0.get(1..)?;
        let mut forms = Vec::new();
        for _ in 0..self.len() {
            let (form, next) = rest.split_at_checked(measure(rest)?)?;
            forms.push(form);
            rest = next;
        }
        rest.is_empty().then_some(forms)
    }
}

impl ToParam for ReplyQueues {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(Cow::Borrowed(&self.0))
    }
}

/// A null is no queues.
impl FromCell<'_> for ReplyQueues {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        if cell == Cell::Null {
            return Ok(Self::default());
        }
        let queues = Self::from_bytes(<&[u8]>::from_cell(cell)?);
        queues.ok_or_else(|| Unreadable::expected("a list of queues"))
    }
}
