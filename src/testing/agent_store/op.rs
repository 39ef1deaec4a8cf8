//! Operations as data.

use quickcheck::Gen;
use rand::rngs::SmallRng;

use super::answer::Value;
use crate::agent_store::types::{ConfirmationId, ConnId, InvitationId, RcvFileId, SndFileId};
use crate::agent_store::{AgentTx, TxResult};

/// What a runner remembers from one operation to the next: the ids that the store made up. They are the same
/// on both databases, because the generator is.
pub(super) struct Memory {
    pub(super) rng: SmallRng,
    /// With the connections that they are of.
    pub(super) confirmations: Vec<(ConfirmationId, ConnId)>,
    pub(super) invitations: Vec<InvitationId>,
    pub(super) rcv_files: Vec<RcvFileId>,
    pub(super) snd_files: Vec<SndFileId>,
}

/// Operations of one area.
pub(super) trait Operations: Sized {
    /// What each is called.
    const NAMES: &'static [&'static str];
    fn draw(g: &mut Gen) -> Self;
    fn name(&self) -> &'static str;
    fn run(&self, tx: &mut AgentTx<'_>, memory: &mut Memory) -> TxResult<Box<dyn Value>>;
}

pub(super) fn boxed<T: Value + 'static>(value: T) -> Box<dyn Value> {
    Box::new(value)
}

/// Operations of one area: what each is called, how often it is drawn, its arguments, and how it is made. What
/// follows `=>` is a result of any value.
macro_rules! operations {
    ($name:ident, |$tx:ident, $memory:ident| {
        $($variant:ident * $weight:literal { $($field:ident: $type:ty),* } => $run:expr;)+
    }) => {
        #[allow(clippy::enum_variant_names, reason = "no two areas have one of the same name")]
        #[derive(Clone, Debug)]
        pub(in crate::testing::agent_store) enum $name {
            $($variant { $($field: $type),* },)+
        }

        impl $crate::testing::agent_store::op::Operations for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($variant)),+];

            fn draw(g: &mut quickcheck::Gen) -> Self {
                let weights: &[u32] = &[$($weight),+];
                let all: u32 = weights.iter().sum();
                let mut left = <u32 as quickcheck::Arbitrary>::arbitrary(g) % all;
                let mut number = 0;
                while let Some(weight) = weights.get(number).filter(|weight| left >= **weight) {
                    left -= weight;
                    number += 1;
                }
                let makers: &[fn(&mut quickcheck::Gen) -> Self] = &[
                    $(|_g| Self::$variant { $($field: <$type as $crate::testing::agent_store::draw::Draw>::draw(_g)),* },)+
                ];
                makers[number](g)
            }

            fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => stringify!($variant),)+ }
            }

            #[allow(unused_variables, reason = "not each operation has random ids")]
            fn run(
                &self,
                $tx: &mut $crate::agent_store::AgentTx<'_>,
                $memory: &mut $crate::testing::agent_store::op::Memory,
            ) -> $crate::agent_store::TxResult<Box<dyn $crate::testing::agent_store::Value>> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $run.map($crate::testing::agent_store::op::boxed)
                    })+
                }
            }
        }
    };
}
pub(super) use operations;
