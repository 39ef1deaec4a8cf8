//! Values that are bound to a statement's parameters, on any database.

use std::borrow::Cow;

use super::UtcTime;

/// The values bound to a statement's `$1`, `$2` and so on.
pub type Params<'a> = &'a [&'a dyn ToParam];

/// A value as a parameter takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Param<'a> {
    /// No value.
    Null,
    /// A flag: 0 or 1.
    Bool(bool),
    /// An integer; where the column is narrower, it must fit.
    Int(i64),
    /// A text.
    Text(Cow<'a, str>),
    /// Bytes.
    Blob(Cow<'a, [u8]>),
    /// A point in time.
    Time(UtcTime),
    /// A list of bytes, for `= ANY ($1)`. PostgreSQL only: SQLite has no such type.
    Blobs(Vec<&'a [u8]>),
    /// A list of integers, for `= ANY ($1)`. PostgreSQL only.
    Ints(Vec<i64>),
}

/// A type whose values can be bound to parameters.
pub trait ToParam {
    /// The value as a parameter takes it.
    fn to_param(&self) -> Param<'_>;
}

impl<T: ToParam + ?Sized> ToParam for &T {
    fn to_param(&self) -> Param<'_> {
        (**self).to_param()
    }
}

impl<T: ToParam> ToParam for Option<T> {
    fn to_param(&self) -> Param<'_> {
        self.as_ref().map_or(Param::Null, ToParam::to_param)
    }
}

impl ToParam for bool {
    fn to_param(&self) -> Param<'_> {
        Param::Bool(*self)
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl ToParam for $type {
            fn to_param(&self) -> Param<'_> {
                Param::Int(i64::from(*self))
            }
        }
    )*};
}
integers!(i64, i32, i16, u32, u16, u8);

macro_rules! texts {
    ($($type:ty),*) => {$(
        impl ToParam for $type {
            fn to_param(&self) -> Param<'_> {
                Param::Text(Cow::Borrowed(self))
            }
        }
    )*};
}
texts!(str, String);

macro_rules! blobs {
    ($($type:ty),*) => {$(
        impl ToParam for $type {
            fn to_param(&self) -> Param<'_> {
                Param::Blob(Cow::Borrowed(self))
            }
        }
    )*};
}
blobs!([u8], Vec<u8>);

impl<const N: usize> ToParam for [u8; N] {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(Cow::Borrowed(self))
    }
}

impl ToParam for UtcTime {
    fn to_param(&self) -> Param<'_> {
        Param::Time(*self)
    }
}

impl ToParam for Param<'_> {
    fn to_param(&self) -> Param<'_> {
        self.clone()
    }
}
