//! The kinds of difference that `Strict` may show against the reference, each with its items of
//! the specification. Whatever fits none of them fails a check.

use crate::recorded::Listed;

/// A kind of difference that `docs/conformance` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A subscription of a token that is not there is refused.
    UnknownToken,
    /// A token that was deleted or replaced activates nothing.
    NotTheStored,
    /// A token that was deleted or replaced takes no registration away.
    NotTheHolder,
    /// A replaced token's registration goes with it.
    StaleRegistration,
    /// A device token without registrations is not kept.
    EmptyDevice,
    /// A token that activates has its registration afterwards.
    RegistrationBack,
    /// Rivals that lost their registration are removed as well.
    RivalFound,
    /// Deleting a token leaves another's registration.
    RegistrationOfAnother,
    /// The subscription whose queue another one took is removed.
    QueueTaken,
    /// The queue of a replaced subscription leads nowhere.
    OldQueue,
    /// A replaced subscription leaves the set of its earlier token.
    OldSet,
    /// A token's set goes with its last subscription.
    EmptySet,
    /// Only so many last notifications of a token are kept.
    OldestNtf,
    /// An answer is another one because an earlier difference left another state.
    Follows,
}

impl Listed for Kind {
    fn items(self) -> &'static str {
        match self {
            Self::UnknownToken => "NS-13",
            Self::NotTheStored => "NS-2",
            Self::NotTheHolder => "NS-6",
            Self::StaleRegistration => "NS-13",
            Self::EmptyDevice | Self::RegistrationBack => "NS-5",
            Self::RivalFound => "NS-15, RACE-68",
            Self::RegistrationOfAnother => "NS-6, RACE-67",
            Self::QueueTaken | Self::OldQueue => "NS-14, RACE-66",
            Self::OldSet => "NS-14",
            Self::EmptySet => "NS-10, RACE-65",
            Self::OldestNtf => "NS-4",
            Self::Follows => "NS-13, NS-14, RACE-68",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::UnknownToken => "a subscription of a token that is not there is refused",
            Self::NotTheStored => "a token that was deleted or replaced removes no rivals",
            Self::NotTheHolder => "a token that was deleted or replaced takes no registration away",
            Self::StaleRegistration => "a replaced token leaves no registration behind",
            Self::EmptyDevice => "a device token without registrations is not kept",
            Self::RegistrationBack => "a token that activates has its registration afterwards",
            Self::RivalFound => "rivals that lost their registration are removed as well",
            Self::RegistrationOfAnother => "deleting a token leaves another's registration",
            Self::QueueTaken => "a subscription whose queue another one takes is removed",
            Self::OldQueue => "no queue leads to a subscription that is gone or watches another",
            Self::OldSet => "a replaced subscription leaves the set of its earlier token",
            Self::EmptySet => "a token's set goes with its last subscription",
            Self::OldestNtf => "only so many last notifications of a token are kept",
            Self::Follows => "an answer differs since an earlier difference left another state",
        }
    }
}
