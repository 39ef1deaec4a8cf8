//! What the types of this folder have in common.

/// An enumeration whose values stand in a column as texts, or as bytes where it says `as bytes`.
macro_rules! column_enum {
    (@param bytes, $self:ident) => {
        $crate::db::Param::Blob(std::borrow::Cow::Borrowed($self.text().as_bytes()))
    };
    (@param text, $self:ident) => {
        $crate::db::Param::Text(std::borrow::Cow::Borrowed($self.text()))
    };
    (@read bytes, $cell:ident) => {
        std::str::from_utf8(<&[u8]>::from_cell($cell)?).unwrap_or_default()
    };
    (@read text, $cell:ident) => {
        <&str>::from_cell($cell)?
    };
    (
        $(#[$doc:meta])*
        $name:ident as $storage:ident, $what:literal {
            $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// What the database keeps.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The value that the database keeps as `text`.
            pub fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.text() == text)
            }
        }

        impl $crate::db::ToParam for $name {
            fn to_param(&self) -> $crate::db::Param<'_> {
                column_enum!(@param $storage, self)
            }
        }

        impl $crate::db::FromCell<'_> for $name {
            fn from_cell(cell: $crate::db::Cell<'_>) -> Result<Self, $crate::db::Unreadable> {
                let text = column_enum!(@read $storage, cell);
                Self::from_text(text).ok_or_else(|| $crate::db::Unreadable::expected($what))
            }
        }
    };
}

/// A number that the database gives to a row, or that stands for one.
macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl $crate::db::ToParam for $name {
            fn to_param(&self) -> $crate::db::Param<'_> {
                $crate::db::Param::Int(self.0)
            }
        }

        impl $crate::db::FromCell<'_> for $name {
            fn from_cell(cell: $crate::db::Cell<'_>) -> Result<Self, $crate::db::Unreadable> {
                i64::from_cell(cell).map(Self)
            }
        }
    };
}

/// A version of a protocol.
macro_rules! version {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $crate::db::ToParam for $name {
            fn to_param(&self) -> $crate::db::Param<'_> {
                $crate::db::Param::Int(i64::from(self.0))
            }
        }

        impl $crate::db::FromCell<'_> for $name {
            fn from_cell(cell: $crate::db::Cell<'_>) -> Result<Self, $crate::db::Unreadable> {
                u16::from_cell(cell).map(Self)
            }
        }
    };
}

/// An id of bytes, at least one.
macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::protocol::EntityId);

        impl $name {
            /// The id with these bytes; `None` when there are none.
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                $crate::protocol::EntityId::from_bytes(bytes).map(Self)
            }

            /// Its bytes.
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.0, f)
            }
        }

        impl $crate::db::ToParam for $name {
            fn to_param(&self) -> $crate::db::Param<'_> {
                $crate::db::Param::Blob(std::borrow::Cow::Borrowed(self.as_bytes()))
            }
        }

        impl $crate::db::FromCell<'_> for $name {
            fn from_cell(cell: $crate::db::Cell<'_>) -> Result<Self, $crate::db::Unreadable> {
                Self::from_bytes(<&[u8]>::from_cell(cell)?)
                    .ok_or_else(|| $crate::db::Unreadable::expected("an id: it is empty"))
            }
        }
    };
}

/// A type with `write` and `parse`, whose form the whole column is, as bytes.
macro_rules! binary_column {
    ($name:ident, $what:literal) => {
        impl $crate::db::ToParam for $name {
            fn to_param(&self) -> $crate::db::Param<'_> {
                let mut bytes = Vec::new();
                self.write(&mut bytes);
                $crate::db::Param::Blob(std::borrow::Cow::Owned(bytes))
            }
        }

        impl $crate::db::FromCell<'_> for $name {
            fn from_cell(cell: $crate::db::Cell<'_>) -> Result<Self, $crate::db::Unreadable> {
                let bytes = <&[u8]>::from_cell(cell)?;
                $crate::encoding::Parser::whole(bytes, Self::parse).map_err(|error| {
                    $crate::db::Unreadable::new(format!(concat!("not ", $what, ": {}"), error))
                })
            }
        }
    };
}

pub(super) use {binary_column, bytes_id, column_enum, row_id, version};
