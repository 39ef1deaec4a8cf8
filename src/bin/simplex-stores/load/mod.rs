//! Concurrent random work on a store, shared by `stress`, `demo` and `ntf stress`.
//!
//! Every thread picks queues from the same field, some of them from a small hot part of it, so that threads
//! meet. What an operation answers depends on what the others did; what may never happen is an
//! error that only a failing store gives, or a state that breaks an invariant.

mod args;
mod field;
mod transactions;
mod work;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use serde::Serialize;
use simplex_stores::{
    queue_store::StmQueueStore,
    stm::{Stats, VarId, stats, watch_conflicts},
    sync::thread,
};

pub(crate) use self::{args::LoadArgs, field::Field, work::Answer};
use self::{
    transactions::{ConflictsOn, LabelCounts},
    work::Worker,
};
use crate::{failure::Failure, output::Out, report::rate};

/// Operations between two looks at the clock.
const STRETCH: u64 = 64;
/// How many failures each thread describes.
const SHOWN_FAILURES: usize = 5;

/// How much work to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) threads: usize,
    pub(crate) seed: u64,
    pub(crate) end: End,
}

/// When the work ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    After(Duration),
    /// After so many operations in all.
    Operations(u64),
}

/// What came of the work.
#[derive(Debug, Default, Serialize)]
pub(crate) struct LoadForm {
    pub(crate) threads: usize,
    pub(crate) seed: u64,
    pub(crate) seconds: f64,
    pub(crate) operations: u64,
    pub(crate) operations_per_second: Option<u64>,
    pub(crate) by_operation: BTreeMap<&'static str, Answers>,
    pub(crate) transactions: u64,
    pub(crate) conflicts: u64,
    pub(crate) conflict_fallbacks: u64,
    pub(crate) waited_seconds: f64,
    /// By label, of those under which transactions have run.
    by_label: BTreeMap<&'static str, LabelCounts>,
    /// The variables for which transactions were repeated, most often first.
    conflicts_on: Vec<ConflictsOn>,
    pub(crate) failures_total: u64,
    pub(crate) failures: Vec<String>,
}

/// How often an operation was done, and how often refused (`AUTH`, `DUPLICATE_`, `SERVICE`).
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Answers {
    pub(crate) done: u64,
    pub(crate) refused: u64,
}

/// What one thread did.
#[derive(Debug, Default)]
struct Tally {
    by_operation: BTreeMap<&'static str, Answers>,
    failures_total: u64,
    failures: Vec<String>,
}

/// One thread's work, an operation at a time.
pub(crate) trait Work: Send + 'static {
    /// Does one operation; its name and how it ended.
    fn operation(&mut self) -> (&'static str, Answer);
}

/// Runs the plan on a queue store; `bar` counts operations.
pub(crate) fn run(
    store: &Arc<StmQueueStore>,
    field: &Arc<Field>,
    plan: Plan,
    bar: &ProgressBar,
) -> Result<LoadForm, Failure> {
    let worker = |seed| Worker::new(Arc::clone(store), Arc::clone(field), seed);
    run_workers(plan, bar, &store.variable_names(), worker)
}

/// Runs the plan with a worker for each thread, made with the thread's own seed; `bar` counts operations, and `names` says what
/// conflicts may be on.
pub(crate) fn run_workers<W: Work>(
    plan: Plan,
    bar: &ProgressBar,
    names: &[(VarId, &'static str)],
    worker: impl Fn(u64) -> W,
) -> Result<LoadForm, Failure> {
    let before = stats();
    let before_by_label = transactions::by_label();
    watch_conflicts(true);
    let started = Instant::now();
    let workers: Vec<_> = (0..plan.threads)
        .map(|number| {
            let own = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let worker = worker(plan.seed.wrapping_add(own));
            let bar = bar.clone();
            let share = share(plan, number);
            thread::spawn(move || work(worker, share, started, &bar))
        })
        .collect();
    let mut tally = Tally::default();
    for worker in workers {
        let done = worker.join();
        tally.add(done.map_err(|_| Failure::broken("a thread of the work panicked"))?);
    }
    let elapsed = started.elapsed();
    bar.finish_and_clear();
    watch_conflicts(false);
    let mut form = LoadForm::new(plan, elapsed, tally, stats().since(before));
    form.by_label = transactions::since(&before_by_label);
    form.conflicts_on = transactions::conflicts_on(names);
    Ok(form)
}

/// A thread's part of the work.
fn share(plan: Plan, number: usize) -> End {
    let threads = plan.threads.max(1) as u64;
    match plan.end {
        End::Operations(all) => {
            End::Operations(all / threads + u64::from((number as u64) < all % threads))
        }
        after @ End::After(_) => after,
    }
}

fn work(mut worker: impl Work, end: End, started: Instant, bar: &ProgressBar) -> Tally {
    let mut tally = Tally::default();
    let mut done = 0;
    loop {
        let next = match end {
            End::Operations(all) => STRETCH.min(all - done),
            End::After(time) if started.elapsed() >= time => 0,
            End::After(_) => STRETCH,
        };
        if next == 0 {
            return tally;
        }
        for _ in 0..next {
            let (operation, result) = worker.operation();
            tally.count(operation, result);
        }
        done += next;
        bar.inc(next);
    }
}

impl Tally {
    fn count(&mut self, operation: &'static str, result: Answer) {
        let answers = self.by_operation.entry(operation).or_default();
        match result {
            Answer::Done => answers.done += 1,
            Answer::Refused => answers.refused += 1,
            Answer::Failed(error) => {
                self.failures_total += 1;
                if self.failures.len() < SHOWN_FAILURES {
                    self.failures.push(format!("{operation}: {error}"));
                }
            }
        }
    }

    fn add(&mut self, other: Self) {
        for (operation, answers) in other.by_operation {
            let sum = self.by_operation.entry(operation).or_default();
            sum.done += answers.done;
            sum.refused += answers.refused;
        }
        self.failures_total += other.failures_total;
        self.failures.extend(other.failures);
    }
}

impl LoadForm {
    fn new(plan: Plan, elapsed: Duration, tally: Tally, stats: Stats) -> Self {
        let seconds = elapsed.as_secs_f64();
        let counts = tally.by_operation.values();
        let operations = counts.map(|it| it.done + it.refused).sum::<u64>() + tally.failures_total;
        Self {
            threads: plan.threads,
            seed: plan.seed,
            seconds,
            operations,
            operations_per_second: rate(operations, seconds),
            by_operation: tally.by_operation,
            transactions: stats.commits,
            conflicts: stats.reruns,
            conflict_fallbacks: stats.turns,
            waited_seconds: stats.waited.as_secs_f64(),
            by_label: BTreeMap::new(),
            conflicts_on: Vec::new(),
            failures_total: tally.failures_total,
            failures: tally.failures,
        }
    }

    pub(crate) fn print(&self, out: &mut Out) {
        out.line(format_args!(
            "{} operations on {} threads in {:.1} s: {} a second",
            self.operations,
            self.threads,
            self.seconds,
            crate::report::or_unknown(self.operations_per_second)
        ));
        out.line(format_args!(
            "transactions: {}, repeated after a conflict: {}, given the way: {}, waited: {:.3} s",
            self.transactions, self.conflicts, self.conflict_fallbacks, self.waited_seconds
        ));
        transactions::print(out, &self.by_label, &self.conflicts_on);
        out.line(format_args!("  {:<26}{:>12}{:>12}", "operation", "done", "refused"));
        for (operation, Answers { done, refused }) in &self.by_operation {
            out.line(format_args!("  {operation:<26}{done:>12}{refused:>12}"));
        }
        out.line(format_args!("failures: {}", self.failures_total));
        for failure in &self.failures {
            out.line(format_args!("  {failure}"));
        }
    }
}
