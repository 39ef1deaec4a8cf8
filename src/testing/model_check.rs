//! Model checking: the threads of a scenario in every interleaving, or in many random schedules.
//!
//! **The promise.** One test, three ways to run it, chosen by a flag of the compiler:
//!
//! | build | the scenario runs | when [`Checker::check`] returns |
//! |---|---|---|
//! | `RUSTFLAGS="--cfg loom"` | in every interleaving with a bounded number of [preemptions](Checker::preemptions), by loom | no such interleaving fails |
//! | `RUSTFLAGS="--cfg shuttle"` | in so many [random schedules](Checker::schedules), by shuttle | none of them fails; each can be replayed by its seed |
//! | neither | on real threads, as often | it did not fail this time |
//!
//! An exploration is never cut short without a word: loom's own limits, which would end one early
//! and call it a success, are off, and the number of executions is returned.
//!
//! **What is seen.** The checker sees the locks, atomics, threads and channels of
//! [`sync`](crate::sync) and the transactions of [`stm`](crate::stm), which are one step each; the
//! journal and the store are made of these. So must be your own code that is to be checked: a lock of the
//! standard library is not interleaved, and may stop the checker for ever. Disks are in memory:
//! [`MemStorage`](super::MemStorage). A scenario must do the same whenever it is run: no clock, no
//! random numbers but seeded ones. To loom it must be small: two or three threads of a few steps.
//!
//! # In your own crate
//!
//! ```toml
//! [dependencies]
//! simplex-stores = "0.1"
//!
//! [dev-dependencies]
//! simplex-stores = { version = "0.1", features = ["testing"] }
//!
//! [lints.rust] # only if your code says `cfg(loom)` or `cfg(shuttle)` itself
//! unexpected_cfgs = { level = "warn", check-cfg = ["cfg(loom)", "cfg(shuttle)"] }
//! ```
//!
//! Nothing else is needed: the crate brings loom or shuttle along when the flag is there, and neither otherwise. A
//! test of yours, `hits`:
//!
//! ```
//! use simplex_stores::stm::{TVar, atomically};
//! use simplex_stores::sync::thread::spawn;
//! use simplex_stores::testing::model_check::Checker;
//!
//! let executions = Checker::new().preemptions(2).check(|| {
//!     let hits = TVar::new(0);
//!     let other = hits.clone();
//!     let thread = spawn(move || atomically(|tx| other.modify(tx, |n| n + 1)));
//!     atomically(|tx| hits.modify(tx, |n| n + 1));
//!     thread.join().unwrap();
//!     assert_eq!(hits.read_atomic(), 2);
//! });
//! assert!(executions >= 2);
//!
//! // The twin, with its guard taken out, shows that the test above can fail.
//! # #[cfg(any(loom, shuttle))]
//! Checker::new().preemptions(2).must_fail("a hit is lost", || {
//!     let hits = TVar::new(0);
//!     let other = hits.clone();
//!     let hit = |hits: &TVar<i32>| {
//!         let seen = hits.read_atomic();
//!         atomically(|tx| hits.write(tx, seen + 1));
//!     };
//!     let thread = spawn(move || hit(&other));
//!     hit(&hits);
//!     thread.join().unwrap();
//!     assert_eq!(hits.read_atomic(), 2, "a hit is lost");
//! });
//! ```
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test --release --test hits       # every interleaving
//! RUSTFLAGS="--cfg shuttle" cargo test --release --test hits    # random schedules
//! SIMPLEX_STORES_SCHEDULES=100000 RUSTFLAGS="--cfg shuttle" cargo test --release --test hits
//! SIMPLEX_STORES_SEED=17 RUSTFLAGS="--cfg shuttle" cargo test --release --test hits lost_hit
//! ```
//!
//! Each flag wants a target folder of its own (`CARGO_TARGET_DIR`), or all is compiled anew at each change. The example
//! `examples/quota.rs` of this crate catches a race in code around the store in all three ways.
//!
//! **Tests.** `loom-tests/tests/model_check.rs`; all of `loom-tests` stands on it.

#[cfg(loom)]
#[path = "model_check/exhaustive.rs"]
mod chosen;
#[cfg(shuttle)]
#[path = "model_check/random.rs"]
mod chosen;
#[cfg(not(any(loom, shuttle)))]
#[path = "model_check/real.rs"]
mod chosen;
#[cfg(shuttle)]
#[path = "model_check/schedule.rs"]
mod schedule;

use crate::sync::Tally;
use std::any::Any;
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

/// Takes the place of the number of schedules of every [`Checker`], and of the repetitions on real threads.
const SCHEDULES: &str = "SIMPLEX_STORES_SCHEDULES";
/// Has every [`Checker`] run the one schedule that has this seed.
const SEED: &str = "SIMPLEX_STORES_SEED";

/// How many schedules are run when nobody says how many.
const FEW: u64 = 1_000;
/// In how many schedules an outcome is looked for that must be there.
#[cfg(any(loom, shuttle, doc))]
const MANY: u64 = 200_000;

/// How far a scenario is explored.
///
/// What the other checker needs may be set, too, and changes nothing: one test serves both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checker {
    preemptions: usize,
    schedules: u64,
    first_seed: u64,
}

impl Default for Checker {
    fn default() -> Self {
        Self::new()
    }
}

impl Checker {
    /// Three preemptions, and 1,000 schedules with the seeds 0 to 999.
    #[must_use]
    pub const fn new() -> Self {
        Self { preemptions: 3, schedules: FEW, first_seed: 0 }
    }

    /// loom: how often an execution may switch away from a thread that could have gone on. Switches where a thread
    /// ends or waits are free. Most known races need two or three.
    #[must_use]
    pub const fn preemptions(self, preemptions: usize) -> Self {
        Self { preemptions, ..self }
    }

    /// shuttle: how many schedules to run. The environment variable `SIMPLEX_STORES_SCHEDULES` takes this number's place.
    #[must_use]
    pub const fn schedules(self, schedules: u64) -> Self {
        Self { schedules, ..self }
    }

    /// shuttle: the first schedule's seed; the next one's is greater by one.
    #[must_use]
    pub const fn first_seed(self, first_seed: u64) -> Self {
        Self { first_seed, ..self }
    }

    /// Runs `scenario` as far as was set, and returns the number of executions.
    ///
    /// # Panics
    ///
    /// When an execution panics, deadlocks or, under loom, leaks what loom watches; the message says how to repeat it. Also when
    /// `SIMPLEX_STORES_SCHEDULES` or `SIMPLEX_STORES_SEED` is not a number.
    pub fn check(&self, scenario: impl Fn() + Send + Sync + 'static) -> u64 {
        match self.try_check(scenario) {
            Ok(executions) => executions,
            Err(failure) => fail(&failure.to_string()),
        }
    }

    /// As [`check`](Self::check), with a failed execution as a value.
    ///
    /// # Errors
    ///
    /// The first execution that failed.
    ///
    /// # Panics
    ///
    /// When `SIMPLEX_STORES_SCHEDULES` or `SIMPLEX_STORES_SEED` is not a number.
    pub fn try_check(&self, scenario: impl Fn() + Send + Sync + 'static) -> Result<u64, Failure> {
        let schedules = number(SCHEDULES).unwrap_or(self.schedules);
        self.run(self.seeds(schedules), move || {
            scenario();
            ControlFlow::Continue(())
        })
    }

    /// Runs a scenario that says whether it came out in the way looked for, as a witness of a race does: some execution must. Under
    /// shuttle it is looked for in 200,000 schedules, until it is found.
    ///
    /// Only under `--cfg loom` and `--cfg shuttle`: real threads find a race when they please.
    ///
    /// # Panics
    ///
    /// As [`check`](Self::check), and when no execution came out that way.
    #[cfg(any(loom, shuttle, doc))]
    pub fn must_find(&self, scenario: impl Fn() -> bool + Send + Sync + 'static) -> u64 {
        let found = Arc::new(Tally::new());
        let counted = found.clone();
        let explored = self.run(self.seeds(MANY), move || {
            if !scenario() {
                return ControlFlow::Continue(());
            }
            counted.add(1);
            ControlFlow::Break(())
        });
        match explored {
            Err(failure) => fail(&failure.to_string()),
            Ok(executions) if found.sum() == 0 => {
                fail(&format!("none of {executions} executions came out as it should"))
            }
            Ok(executions) => executions,
        }
    }

    /// Runs a scenario that is wrong on purpose, as a guard's known-bad twin is, until an execution fails with a text that contains
    /// `text`. Under shuttle it is looked for in 200,000 schedules.
    ///
    /// Only under `--cfg loom` and `--cfg shuttle`: real threads find a race when they please.
    ///
    /// # Panics
    ///
    /// When all executions succeed, or one fails in another way: the test that this is the twin of can't fail.
    #[cfg(any(loom, shuttle, doc))]
    pub fn must_fail(&self, text: &str, scenario: impl Fn() + Send + Sync + 'static) -> Failure {
        let explored = self.run(self.seeds(MANY), move || {
            scenario();
            ControlFlow::Continue(())
        });
        match explored {
            Err(failure) if failure.text.contains(text) => failure,
            Err(failure) => fail(&format!("{failure}\nwanted a failure with {text:?}")),
            Ok(executions) => fail(&format!("all {executions} executions succeeded")),
        }
    }

    /// Runs the one schedule that has this seed, which [`Failure::seed`] told.
    ///
    /// Only under `--cfg shuttle`.
    ///
    /// # Errors
    ///
    /// The failure, when the execution fails: of the same scenario, the one that told the seed.
    #[cfg(any(shuttle, doc))]
    pub fn replay(seed: u64, scenario: impl Fn() + Send + Sync + 'static) -> Result<(), Failure> {
        let explored = Self::new().run(seed..seed.saturating_add(1), move || {
            scenario();
            ControlFlow::Continue(())
        });
        explored.map(drop)
    }

    /// The seeds of so many schedules, unless the environment names one.
    fn seeds(&self, schedules: u64) -> Range<u64> {
        if let Some(seed) = number(SEED) {
            return seed..seed.saturating_add(1);
        }
        self.first_seed..self.first_seed.saturating_add(schedules)
    }

    /// Runs `scenario` until it breaks off, fails, or has been explored; loom explores on when it breaks off, so that the number of executions
    /// means the same whatever is found first.
    fn run(
        &self,
        seeds: Range<u64>,
        scenario: impl Fn() -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Result<u64, Failure> {
        let executions = Arc::new(Tally::new());
        let counted = executions.clone();
        let counting = move || {
            counted.add(1);
            scenario()
        };
        let explored = chosen::run(self, seeds, counting);
        let executions = executions.sum();
        match explored {
            Ok(()) => Ok(executions),
            Err((payload, seed)) => Err(Failure { text: text_of(&*payload), executions, seed }),
        }
    }
}

/// The seed of the schedule that runs: for a scenario that draws what its threads do, so that each schedule has a program of its own and
/// a replay has the same. Under loom and on real threads, and where no scenario runs, always 0.
#[must_use]
pub fn seed() -> u64 {
    chosen::seed().unwrap_or(0)
}

/// An execution that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it panicked with; a deadlock's text has the word "deadlock" in it.
    pub text: String,
    /// How many executions there were, this one included.
    pub executions: u64,
    /// The seed of its schedule under shuttle; `None` under loom, which finds it again by exploring again, and on real threads.
    pub seed: Option<u64>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, executions, seed } = self;
        write!(f, "execution {executions} failed: {text}")?;
        match seed {
            Some(seed) => write!(f, "\nrun it again by {SEED}={seed}, with this test's name"),
            None if cfg!(loom) => f.write_str("\nrun the test again to see the same"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// What failed, and the seed of its schedule if it has one.
type Failed = (Box<dyn Any + Send>, Option<u64>);

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a text").to_owned()
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(error) => fail(&format!("the environment variable {variable} is {text:?}: {error}")),
    }
}

#[allow(clippy::panic, reason = "how a test fails, documented under # Panics")]
fn fail(text: &str) -> ! {
    panic!("{text}")
}
