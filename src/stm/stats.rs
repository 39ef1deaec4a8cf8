//! How much the transactions of the process had to repeat.

use crate::sync::Tally;

pub(super) static COUNTERS: Counters = Counters {
    commits: Tally::new(),
    reruns: Tally::new(),
    retries: Tally::new(),
    turns: Tally::new(),
};

pub(super) struct Counters {
    pub(super) commits: Tally,
    pub(super) reruns: Tally,
    pub(super) retries: Tally,
    pub(super) turns: Tally,
}

/// How many transactions the process has run since it started, and how often they had to repeat.
///
/// Made by [`stats`]; take two and [subtract](Stats::since) to look at a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Transactions that ended: committed, or aborted by their body.
    pub commits: u64,
    /// Times that a body ran again because another transaction had changed what it read.
    pub reruns: u64,
    /// Times that a transaction retried and waited for a change.
    pub retries: u64,
    /// Times that a transaction met so many conflicts in a row that all others had to let it go first.
    pub turns: u64,
}

impl Stats {
    /// What was counted after `earlier`.
    #[must_use]
    pub fn since(self, earlier: Stats) -> Stats {
        Stats {
            commits: self.commits.wrapping_sub(earlier.commits),
            reruns: self.reruns.wrapping_sub(earlier.reruns),
            retries: self.retries.wrapping_sub(earlier.retries),
            turns: self.turns.wrapping_sub(earlier.turns),
        }
    }
}

/// The counts so far. Each is exact once the transactions that it counts have returned; the four are not one
/// snapshot.
#[must_use]
pub fn stats() -> Stats {
    Stats {
        commits: COUNTERS.commits.sum(),
        reruns: COUNTERS.reruns.sum(),
        retries: COUNTERS.retries.sum(),
        turns: COUNTERS.turns.sum(),
    }
}
