//! The sequential model of either semantics.

use std::num::NonZeroUsize;

use super::op::{NtfAnswer, NtfOp};
use super::reference::ReferenceNtfModel;
use super::strict::StrictNtfModel;
use crate::ntf_store::NtfSnapshot;
use crate::protocol::Semantics;
use crate::testing::history::SequentialModel;

/// What a store means, as a plain object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NtfModel {
    /// Under `Semantics::Strict`.
    Strict(StrictNtfModel),
    /// Under `Semantics::Reference`.
    Reference(ReferenceNtfModel),
}

impl NtfModel {
    /// An empty one that keeps this many last notifications of a token; `None` is all.
    pub fn new(semantics: Semantics, limit: Option<NonZeroUsize>) -> Self {
        match semantics {
            Semantics::Strict => Self::Strict(StrictNtfModel::new(limit)),
            Semantics::Reference => Self::Reference(ReferenceNtfModel::new(limit)),
        }
    }

    /// The snapshot that a store in this state gives.
    pub fn snapshot(&self) -> NtfSnapshot {
        match self {
            Self::Strict(model) => model.snapshot(),
            Self::Reference(model) => model.snapshot(),
        }
    }
}

impl SequentialModel for NtfModel {
    type Op = NtfOp;
    type Answer = NtfAnswer;

    fn apply(&mut self, op: &NtfOp) -> NtfAnswer {
        match self {
            Self::Strict(model) => model.apply(op),
            Self::Reference(model) => model.apply(op),
        }
    }
}
