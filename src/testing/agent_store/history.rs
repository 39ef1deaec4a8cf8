//! Histories: operations, grouped in transactions that are kept or taken back.

use quickcheck::{Arbitrary, Gen};

use super::draw::below;
use super::ops::{self, AgentOp, Area};

/// How the operations of a transaction stand together, and how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is committed, unless an operation fails.
    Together,
    /// Each operation stands behind a savepoint, so that the next go on after one that was refused.
    Apart,
    /// It is taken back at its end.
    TakenBack,
}

/// Operations of one transaction.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// How they stand together.
    pub mode: Mode,
    /// What is done, in this order.
    pub ops: Vec<AgentOp>,
}

/// Transactions, one after the other, on a database that was empty before.
#[derive(Clone, Debug)]
pub struct History(pub Vec<Transaction>);

/// So many operations at most in one transaction.
const LONGEST: u8 = 5;

impl Transaction {
    fn about(areas: &[Area], g: &mut Gen) -> Self {
        let mode = match below(g, 6) {
            0 => Mode::TakenBack,
            1 | 2 => Mode::Apart,
            _ => Mode::Together,
        };
        let op = |g: &mut Gen| {
            let others = if below(g, 5) == 0 { Area::ALL } else { areas };
            let area = g.choose(others).copied();
            // What can't be read any more keeps its history from much else.
            let area = area.filter(|area| *area != Area::Damage || below(g, 4) == 0);
            AgentOp::of(area.unwrap_or(Area::Connections), g)
        };
        Self { mode, ops: (0..=below(g, LONGEST)).map(|_| op(g)).collect() }
    }
}

/// A history is about two areas, so that its operations meet each other, and begins with what the others need:
/// users, routers, connections, and some of what these areas are about.
impl Arbitrary for History {
    fn arbitrary(g: &mut Gen) -> Self {
        let areas = Area::of_the_store();
        let about: Vec<Area> = (0..2).filter_map(|_| g.choose(&areas).copied()).collect();
        let made = about.iter().flat_map(|area| ops::making(*area, g)).collect::<Vec<_>>();
        let ops = [ops::preparation(g), made].concat();
        let prepare = Transaction { mode: Mode::Apart, ops };
        let length = g.size();
        let mut history = vec![prepare];
        history.extend((0..length).map(|_| Transaction::about(&about, g)));
        Self(history)
    }

    /// Without one of the transactions; then without one of the operations.
    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let history = self.0.clone();
        let without_one = {
            let history = history.clone();
            (0..history.len()).map(move |at| {
                let mut shorter = history.clone();
                shorter.remove(at);
                Self(shorter)
            })
        };
        let places: Vec<(usize, usize)> = (history.iter().enumerate())
            .flat_map(|(at, one)| (0..one.ops.len()).map(move |op| (at, op)))
            .collect();
        let shorter = places.into_iter().map(move |(at, op)| {
            let mut shorter = history.clone();
            if let Some(one) = shorter.get_mut(at) {
                one.ops.remove(op);
            }
            Self(shorter)
        });
        Box::new(without_one.chain(shorter))
    }
}

impl History {
    /// Its operations, in order.
    pub fn ops(&self) -> impl Iterator<Item = &AgentOp> {
        self.0.iter().flat_map(|transaction| &transaction.ops)
    }
}
