//! How much the transactions of the process had to repeat and to wait, in all and by label.

use super::error::{StmResult, TxResult};
use super::transaction::{self, Never, Transaction};
use crate::sync::{Noted, Switch, Tally};
use std::fmt;
use std::time::Duration;

static COUNTERS: Counters = Counters::new();
static LABELS: Noted<Vec<&'static Label>> = Noted::new(Vec::new());

/// What is counted.
pub(super) struct Counters {
    pub(super) commits: Tally,
    pub(super) reruns: Tally,
    pub(super) retries: Tally,
    pub(super) turns: Tally,
    pub(super) waited_nanos: Tally,
}

impl Counters {
    const fn new() -> Self {
        Counters {
            commits: Tally::new(),
            reruns: Tally::new(),
            retries: Tally::new(),
            turns: Tally::new(),
            waited_nanos: Tally::new(),
        }
    }

    fn sum(&self) -> Stats {
        Stats {
            commits: self.commits.sum(),
            reruns: self.reruns.sum(),
            retries: self.retries.sum(),
            turns: self.turns.sum(),
            waited: Duration::from_nanos(self.waited_nanos.sum()),
        }
    }
}

/// Counts for the process and for a transaction's label.
#[derive(Clone, Copy, Default)]
pub(super) struct Count(pub(super) Option<&'static Label>);

impl Count {
    pub(super) fn add(self, what: impl Fn(&Counters) -> &Tally, n: u64) {
        what(&COUNTERS).add(n);
        if let Some(label) = self.0 {
            what(&label.counters).add(n);
        }
    }

    #[cfg_attr(
        all(any(loom, shuttle), not(native_engine)),
        allow(dead_code, reason = "the model engine measures no time")
    )]
    pub(super) fn waited(self, time: Duration) {
        self.add(|counters| &counters.waited_nanos, time.as_nanos().try_into().unwrap_or(u64::MAX));
    }
}

/// How many transactions have run, and how often they had to repeat or to wait.
///
/// Made by [`stats`] and [`Label::stats`]; take two and [subtract](Stats::since) to look at a stretch of time.
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
    /// How long transactions waited, for a change or for another's turn to end. Zero under a model checker.
    pub waited: Duration,
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
            waited: self.waited.saturating_sub(earlier.waited),
        }
    }
}

/// The counts so far. Each is exact once the transactions that it counts have returned; they are not one
/// snapshot.
#[must_use]
pub fn stats() -> Stats {
    COUNTERS.sum()
}

/// A name under which transactions are counted, beside the counts of the whole process.
///
/// Counting is cheap enough to stay on: each thread adds to counters of its own. A label is about ten kilobytes; make one
/// for each kind of transaction, as a `static`.
///
/// ```
/// use simplex_stores::stm::{Label, TVar, labels};
///
/// static DEPOSIT: Label = Label::new("deposit");
///
/// let balance = TVar::new(3);
/// DEPOSIT.atomically(|tx| balance.update(tx, |b| *b += 1));
/// assert_eq!(DEPOSIT.stats().commits, 1);
/// assert!(labels().iter().any(|label| label.name() == "deposit"));
/// ```
pub struct Label {
    name: &'static str,
    counters: Counters,
    is_listed: Switch,
}

impl Label {
    /// A label; [`labels`] lists it once a transaction has run under it.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Label { name, counters: Counters::new(), is_listed: Switch::new() }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The counts of its transactions so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.counters.sum()
    }

    /// Runs a transaction under this label; in all else as [`atomically`](super::atomically).
    ///
    /// # Panics
    ///
    /// As [`atomically`](super::atomically).
    pub fn atomically<T>(
        &'static self,
        mut body: impl FnMut(&mut Transaction<'_>) -> StmResult<T>,
    ) -> T {
        let done = self.try_atomically(|tx| -> TxResult<T, Never> { Ok(body(tx)?) });
        transaction::never_aborted(done)
    }

    /// Runs a transaction under this label; in all else as [`try_atomically`](super::try_atomically).
    ///
    /// # Errors
    ///
    /// The error that the body aborted with.
    ///
    /// # Panics
    ///
    /// As [`atomically`](super::atomically).
    pub fn try_atomically<T, E>(
        &'static self,
        body: impl FnMut(&mut Transaction<'_>) -> TxResult<T, E>,
    ) -> Result<T, E> {
        self.try_atomically_numbered(body, |_| {}).map(|(value, _)| value)
    }

    /// Runs a transaction under this label; in all else as
    /// [`try_atomically_numbered`](super::try_atomically_numbered).
    ///
    /// # Errors
    ///
    /// The error that the body aborted with.
    ///
    /// # Panics
    ///
    /// As [`atomically`](super::atomically).
    pub fn try_atomically_numbered<T, E>(
        &'static self,
        body: impl FnMut(&mut Transaction<'_>) -> TxResult<T, E>,
        mut unused: impl FnMut(u64),
    ) -> Result<(T, Option<u64>), E> {
        self.list();
        transaction::run_numbered(Count(Some(self)), body, &mut unused)
    }

    fn list(&'static self) {
        if !self.is_listed.is_on() && !self.is_listed.set(true) {
            LABELS.with(|labels| labels.push(self));
        }
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({:?})", self.name)
    }
}

/// The labels under which transactions have run, by name.
#[must_use]
pub fn labels() -> Vec<&'static Label> {
    let mut labels = LABELS.with(|labels| labels.clone());
    labels.sort_unstable_by_key(|label| label.name);
    labels
}
