//! Tokens and subscriptions for notifications (sections 3.11 and 3.12).

use std::borrow::Cow;
use std::fmt;

use super::NtfSubStatus;
use super::macros::column_enum;
use crate::db::{Cell, FromCell, Param, ToParam, Unreadable};
use crate::protocol::{Semantics, TextDecode, TextEncode};

column_enum! {
    /// How notifications come.
    NotificationsMode as text, "a mode of notifications" {
        /// The device looks from time to time.
        Periodic = "PERIODIC",
        /// Each is pushed.
        Instant = "INSTANT",
    }
}

/// What is to be done with a token on its router; without one, nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum NtfTknAction {
    /// `R`: register it.
    Register,
    /// `V` and the code: verify it with the code that was pushed.
    Verify(Vec<u8>),
    /// `C`: ask for its status.
    Check,
    /// `D`: delete it.
    Delete,
}

/// The code is a secret.
impl fmt::Debug for NtfTknAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Register => "Register",
            Self::Verify(_) => "Verify(<code>)",
            Self::Check => "Check",
            Self::Delete => "Delete",
        })
    }
}

impl ToParam for NtfTknAction {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(match self {
            Self::Register => Cow::Borrowed(b"R"),
            Self::Verify(code) => Cow::Owned([b"V", code.as_slice()].concat()),
            Self::Check => Cow::Borrowed(b"C"),
            Self::Delete => Cow::Borrowed(b"D"),
        })
    }
}

impl FromCell<'_> for NtfTknAction {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        match <&[u8]>::from_cell(cell)? {
            b"R" => Ok(Self::Register),
            b"C" => Ok(Self::Check),
            b"D" => Ok(Self::Delete),
            [b'V', code @ ..] => Ok(Self::Verify(code.to_vec())),
            _ => Err(Unreadable::expected("an action for a token")),
        }
    }
}

column_enum! {
    /// What is to be done with a subscription on its notification router.
    NtfSubNtfAction as text, "an action on a notification router" {
        /// Create it.
        Create = "N",
        /// Ask for its status.
        Check = "C",
        /// Delete it; no longer given, still read.
        Delete = "D",
        /// Delete it, and its key; no longer given, still read.
        Rotate = "R",
    }
}

column_enum! {
    /// What is to be done for a subscription on the queue's message router.
    NtfSubSmpAction as text, "an action on a message router" {
        /// Create the notifier's key.
        Key = "K",
        /// Delete the notifier.
        Delete = "D",
    }
}

/// What is to be done next for a subscription. Each kind has a column of its own, and where one stands the
/// other is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NtfSubAction {
    /// On the notification router.
    Ntf(NtfSubNtfAction),
    /// On the message router.
    Smp(NtfSubSmpAction),
}

/// Which of the two routers an action is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NtfActionKind {
    /// The notification router.
    Ntf,
    /// The message router.
    Smp,
}

impl NtfSubAction {
    /// The values of the columns `ntf_sub_action` and `ntf_sub_smp_action`.
    pub fn columns(self) -> (Option<NtfSubNtfAction>, Option<NtfSubSmpAction>) {
        match self {
            Self::Ntf(action) => (Some(action), None),
            Self::Smp(action) => (None, Some(action)),
        }
    }

    /// The action of these two columns; none unless exactly one is set.
    pub fn of_columns(ntf: Option<NtfSubNtfAction>, smp: Option<NtfSubSmpAction>) -> Option<Self> {
        match (ntf, smp) {
            (Some(action), None) => Some(Self::Ntf(action)),
            (None, Some(action)) => Some(Self::Smp(action)),
            _ => None,
        }
    }

    /// Whether it deletes something.
    pub fn is_deleting(self) -> bool {
        match self {
            Self::Ntf(action) => {
                matches!(action, NtfSubNtfAction::Delete | NtfSubNtfAction::Rotate)
            }
            Self::Smp(action) => action == NtfSubSmpAction::Delete,
        }
    }

    /// Which router it is for.
    pub fn kind(self) -> NtfActionKind {
        match self {
            Self::Ntf(_) => NtfActionKind::Ntf,
            Self::Smp(_) => NtfActionKind::Smp,
        }
    }
}

/// How a subscription stands with the agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NtfAgentSubStatus {
    /// `NEW`: nothing is done yet.
    New,
    /// `KEY`: the notifier has its id on the message router.
    Key,
    /// `CREATED ` and the router's status: it is on the notification router.
    Created(NtfSubStatus),
    /// `OFF`: deleted on the notification router.
    Off,
    /// `DELETED`: its credentials are deleted on the message router; for a moment only (AS-81).
    Deleted,
}

const CREATED: &str = "CREATED ";

/// What a router's error says may have bytes that are no text, and a zero, which PostgreSQL doesn't take in one.
fn created_text(status: &NtfSubStatus) -> String {
    let text = String::from_utf8_lossy(&status.to_text()).replace('\0', "\u{fffd}");
    format!("{CREATED}{text}")
}

impl ToParam for NtfAgentSubStatus {
    fn to_param(&self) -> Param<'_> {
        Param::Text(match self {
            Self::New => Cow::Borrowed("NEW"),
            Self::Key => Cow::Borrowed("KEY"),
            Self::Created(status) => Cow::Owned(created_text(status)),
            Self::Off => Cow::Borrowed("OFF"),
            Self::Deleted => Cow::Borrowed("DELETED"),
        })
    }
}

impl FromCell<'_> for NtfAgentSubStatus {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let created = |text: &str| {
            let status = text.strip_prefix(CREATED)?;
            NtfSubStatus::from_text(status.as_bytes(), Semantics::Strict).ok().map(Self::Created)
        };
        match <&str>::from_cell(cell)? {
            "NEW" => Ok(Self::New),
            "KEY" => Ok(Self::Key),
            "OFF" => Ok(Self::Off),
            "DELETED" => Ok(Self::Deleted),
            text => created(text).ok_or_else(|| Unreadable::expected("a subscription's status")),
        }
    }
}
