//! Types of [`crate::protocol`] as columns (section 1.7).

use std::borrow::Cow;

use crate::db::{Cell, FromCell, Param, ToParam, Unreadable};
use crate::protocol::ntf::{AuthPrivateKey, PushProvider, TokenStatus};
use crate::protocol::{
    AuthKey, DhSecret, IdsHash, LinkId, NotifierId, QueueMode, RecipientId, Semantics, SenderId,
    ServiceId, TextDecode, TextEncode,
};

macro_rules! ids {
    ($($name:ident),*) => {$(
        impl ToParam for $name {
            fn to_param(&self) -> Param<'_> {
                Param::Blob(Cow::Borrowed(self.as_bytes()))
            }
        }

        impl FromCell<'_> for $name {
            fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
                Self::from_bytes(<&[u8]>::from_cell(cell)?)
                    .ok_or_else(|| Unreadable::expected("an id: it is empty"))
            }
        }
    )*};
}
ids!(LinkId, NotifierId, RecipientId, SenderId, ServiceId);

macro_rules! texts {
    ($($name:ident, $what:literal);*) => {$(
        impl ToParam for $name {
            fn to_param(&self) -> Param<'_> {
                Param::Text(Cow::Owned(String::from_utf8_lossy(&self.to_text()).into_owned()))
            }
        }

        impl FromCell<'_> for $name {
            fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
                let text = <&str>::from_cell(cell)?;
                Self::from_text(text.as_bytes(), Semantics::Strict)
                    .map_err(|_| Unreadable::expected($what))
            }
        }
    )*};
}
texts!(
    PushProvider, "a push provider";
    QueueMode, "a queue's mode";
    TokenStatus, "a token's status"
);

/// The DER form (SE-25 to SE-28).
impl ToParam for AuthKey {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(Cow::Owned(self.to_der()))
    }
}

impl FromCell<'_> for AuthKey {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let key = Self::from_der(<&[u8]>::from_cell(cell)?);
        key.ok_or_else(|| Unreadable::expected("a public key"))
    }
}

/// The PKCS#8 form.
impl ToParam for AuthPrivateKey {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(Cow::Owned(self.to_der()))
    }
}

impl FromCell<'_> for AuthPrivateKey {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let key = Self::from_der(<&[u8]>::from_cell(cell)?);
        key.ok_or_else(|| Unreadable::expected("a private key"))
    }
}

/// The secret's bytes.
impl ToParam for DhSecret {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(Cow::Borrowed(self.as_bytes()))
    }
}

impl FromCell<'_> for DhSecret {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        <[u8; 32]>::from_cell(cell).map(Self::new)
    }
}

impl ToParam for IdsHash {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(Cow::Borrowed(self.as_bytes()))
    }
}

impl FromCell<'_> for IdsHash {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let hash = Self::from_bytes(<&[u8]>::from_cell(cell)?);
        hash.ok_or_else(|| Unreadable::expected("a hash of 16 bytes"))
    }
}
