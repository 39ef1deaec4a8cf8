//! Random schedules, each wholly decided by its own seed.
//!
//! **The promise.** The same seed gives the same scenario the same schedule, whatever ran before.
//!
//! **The algorithm.** An even seed walks at random: each step is a step of any thread that can go on, all alike. Such
//! walks mix the threads finely, and hardly ever leave one standing for long. An odd seed does that: it
//! gives each thread a random priority, always runs the highest, and drops the one that runs below all others at up to three
//! random steps (PCT: Burckhardt et al., *A randomized scheduler with probabilistic guarantees of
//! finding bugs*, 2010). A race that needs a few switches at the right places is found so, however long the program.
//!
//! **Why not shuttle's own.** Its PCT draws the steps from the length of the longest execution so far, so that a
//! seed replays only together with all before it. Here the steps are drawn from a horizon that is itself drawn, a
//! power of two: some schedules drop priorities early, others late, and none needs to know the length.

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use std::cell::Cell;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Priorities are dropped before step two to the power of one of these.
const HORIZONS: Range<u32> = 3..14;
/// At how many steps at most.
const DROPS: usize = 3;

/// Where priorities begin that were drawn; those that were dropped count down from it.
const DRAWN: u64 = 1 << 32;

thread_local! {
    /// The seed of the schedule that runs, or ran last. To shuttle all threads of a scenario are one of the system's.
    static RUNNING: Cell<Option<u64>> = const { Cell::new(None) };
}

pub(super) fn seed() -> Option<u64> {
    RUNNING.get()
}

/// A schedule for each seed, until there are enough.
pub(super) struct Schedules {
    seeds: Range<u64>,
    enough: Arc<OnceLock<()>>,
    random: SmallRng,
    strategy: Strategy,
}

enum Strategy {
    Walk,
    Priorities(Priorities),
}

impl Schedules {
    /// `enough` ends it all after the schedule in which it is set.
    pub(super) fn new(seeds: Range<u64>, enough: Arc<OnceLock<()>>) -> Self {
        let random = SmallRng::seed_from_u64(0);
        Self { seeds, enough, random, strategy: Strategy::Walk }
    }
}

impl Scheduler for Schedules {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.enough.get().is_some() {
            return None;
        }
        let seed = self.seeds.next()?;
        RUNNING.set(Some(seed));
        self.random = SmallRng::seed_from_u64(seed);
        self.strategy = if seed % 2 == 0 {
            Strategy::Walk
        } else {
            Strategy::Priorities(Priorities::draw(&mut self.random))
        };
        Some(Schedule::new(seed))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        match &mut self.strategy {
            Strategy::Walk => {
                let at = self.random.random_range(0..runnable.len());
                runnable.get(at).map(|task| task.id())
            }
            Strategy::Priorities(priorities) => {
                priorities.next(&mut self.random, runnable, current, is_yielding)
            }
        }
    }

    fn next_u64(&mut self) -> u64 {
        self.random.random()
    }
}

struct Priorities {
    /// By the thread's number.
    of: Vec<u64>,
    drops: Vec<u64>,
    step: u64,
    lowest: u64,
}

impl Priorities {
    fn draw(random: &mut SmallRng) -> Self {
        let horizon = 1_u64 << random.random_range(HORIZONS);
        let drops = (0..random.random_range(0..=DROPS)).map(|_| random.random_range(1..horizon));
        Self { of: Vec::new(), drops: drops.collect(), step: 0, lowest: DRAWN }
    }

    fn next(
        &mut self,
        random: &mut SmallRng,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let newest = runnable.iter().map(|task| usize::from(task.id())).max()?;
        while self.of.len() <= newest {
            self.of.push(DRAWN + u64::from(random.random::<u32>()));
        }
        // Where only one thread can go on there is nothing to decide.
        if runnable.len() > 1 {
            self.step += 1;
            if is_yielding || self.drops.contains(&self.step) {
                self.drop_below_all(current);
            }
        }
        let priority = |task: &&&Task| self.of.get(usize::from(task.id()));
        runnable.iter().max_by_key(priority).map(|task| task.id())
    }

    fn drop_below_all(&mut self, thread: Option<TaskId>) {
        let priority = thread.and_then(|thread| self.of.get_mut(usize::from(thread)));
        if let Some(priority) = priority {
            self.lowest -= 1;
            *priority = self.lowest;
        }
    }
}
