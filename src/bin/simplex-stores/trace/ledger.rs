//! The kinds of difference that `Strict` may show against the reference, each with its items of
//! the specification. Whatever fits none of them fails a check.

use crate::recorded::Listed;

/// A kind of difference that `docs/conformance` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// An operation on a deleted queue does not find it.
    DeletedNotFound,
    /// A lookup by recipient id gives `AUTH` for a deleted queue.
    DeletedLookup,
    /// A lookup by link id gives `AUTH` for a deleted queue.
    DeletedLinkLookup,
    /// A batch lookup gives `AUTH` for a deleted queue.
    DeletedInBatch,
    /// Deleted queues are not counted.
    DeletedNotCounted,
    /// A deleted queue's recipient id is free again.
    RecipientIdReused,
    /// A deleted queue's link id is free again.
    LinkIdReused,
    /// A state holds no tombstones.
    NoTombstone,
    /// A state's link index does not lead to deleted queues.
    NoLinkOfDeleted,
    /// A live queue is kept without its link, which another live queue has.
    LinkOfAnother,
    /// A live queue is kept without its link, which another queue had when the journal gave it.
    LinkWasAnothers,
    /// A live queue is kept without a service that does not exist or has another role.
    ServiceCleared,
    /// A live queue is there that the reference's own replay loses.
    QueueKept,
}

impl Listed for Kind {
    fn items(self) -> &'static str {
        match self {
            Self::DeletedNotFound | Self::DeletedLookup | Self::DeletedInBatch => "QS-12",
            Self::DeletedLinkLookup | Self::LinkIdReused | Self::NoLinkOfDeleted => {
                "QS-13, RACE-20"
            }
            Self::DeletedNotCounted => "QS-24, RACE-61",
            Self::RecipientIdReused => "QS-12, RACE-44",
            Self::NoTombstone => "QS-12, RACE-21",
            Self::LinkOfAnother | Self::LinkWasAnothers => "RACE-19",
            Self::ServiceCleared => "RACE-23",
            Self::QueueKept => "RACE-13, RACE-14, RACE-19",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::DeletedNotFound => "an operation does not find a deleted queue",
            Self::DeletedLookup => "a lookup by recipient id gives AUTH for a deleted queue",
            Self::DeletedLinkLookup => "a lookup by link id gives AUTH for a deleted queue",
            Self::DeletedInBatch => "a batch lookup gives AUTH for a deleted queue",
            Self::DeletedNotCounted => "deleted queues are not counted",
            Self::RecipientIdReused => "a deleted queue's recipient id is free at once",
            Self::LinkIdReused => "a deleted queue's link id is free at once",
            Self::NoTombstone => "a state holds no tombstone of a deleted queue",
            Self::NoLinkOfDeleted => "a state's link index does not lead to a deleted queue",
            Self::LinkOfAnother => "a live queue is kept without a link that another has",
            Self::LinkWasAnothers => "a live queue is kept without a link that another had",
            Self::ServiceCleared => "a live queue is kept without a service that does not fit",
            Self::QueueKept => "a live queue is kept that the reference's replay loses",
        }
    }
}
