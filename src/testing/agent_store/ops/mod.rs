//! The operations, an area in each file.

mod clock;
mod connections;
mod damage;
mod files;
mod handshake;
mod messages;
mod notifications;
mod queues;
mod services;

use quickcheck::{Arbitrary, Gen};

use super::answer::Value;
use super::op::{Memory, Operations};
use crate::agent_store::{AgentTx, TxResult};

macro_rules! areas {
    ($($area:ident = $ops:path),+ $(,)?) => {
        /// What operations are about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) enum Area {
            $($area,)+
        }

        #[derive(Clone, Debug)]
        enum Kind {
            $($area($ops),)+
        }

        impl Area {
            pub(super) const ALL: &'static [Self] = &[$(Self::$area),+];

            /// Those that a history can be about.
            pub(super) fn of_the_store() -> Vec<Self> {
                let beside = [Self::Clock, Self::Damage];
                Self::ALL.iter().copied().filter(|area| !beside.contains(area)).collect()
            }
        }

        impl AgentOp {
            /// An operation of this area.
            pub(super) fn of(area: Area, g: &mut Gen) -> Self {
                Self(match area { $(Area::$area => Kind::$area(<$ops>::draw(g)),)+ })
            }

            /// The names of all operations that there are.
            pub fn names() -> Vec<&'static str> {
                [$(<$ops>::NAMES),+].concat()
            }

            /// Its name.
            pub fn name(&self) -> &'static str {
                match &self.0 { $(Kind::$area(op) => op.name(),)+ }
            }

            pub(super) fn run(
                &self,
                tx: &mut AgentTx<'_>,
                memory: &mut Memory,
            ) -> TxResult<Box<dyn Value>> {
                match &self.0 { $(Kind::$area(op) => op.run(tx, memory),)+ }
            }
        }
    };
}
areas! {
    Connections = connections::ConnectionOp,
    Queues = queues::QueueOp,
    Services = services::ServiceOp,
    Handshake = handshake::HandshakeOp,
    Messages = messages::MessageOp,
    Notifications = notifications::NtfOp,
    Files = files::FileOp,
    Clock = clock::ClockOp,
    Damage = damage::DamageOp,
}

/// One operation of an agent's store and its arguments, or a few that belong together.
#[derive(Clone, Debug)]
pub struct AgentOp(Kind);

impl AgentOp {
    /// Whether it isn't one of the store, but makes rows unreadable.
    pub fn is_damage(&self) -> bool {
        matches!(self.0, Kind::Damage(_))
    }
}

impl Arbitrary for AgentOp {
    fn arbitrary(g: &mut Gen) -> Self {
        let area = g.choose(Area::ALL).copied().unwrap_or(Area::Connections);
        Self::of(area, g)
    }
}

/// What the operations of all areas need: two users, routers, and a connection of each kind.
pub(super) fn preparation(g: &mut Gen) -> Vec<AgentOp> {
    connections::preparation(g).into_iter().map(|op| AgentOp(Kind::Connections(op))).collect()
}

/// Some operations that make what an area is about.
pub(super) fn making(area: Area, g: &mut Gen) -> Vec<AgentOp> {
    const OTHERS: [&str; 4] = ["Receive", "Send", "UpdateSndFileEncrypted", "AddNtfTokenToDelete"];
    let is_making = |op: &AgentOp| op.name().starts_with("Create") || OTHERS.contains(&op.name());
    let drawn: Vec<AgentOp> = (0..40).map(|_| AgentOp::of(area, g)).collect();
    drawn.into_iter().filter(is_making).take(10).collect()
}
