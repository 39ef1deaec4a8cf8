//! A counter that many threads add to and somebody reads now and then.
#![allow(clippy::disallowed_types, reason = "this is the facade")]

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

const STRIPES: usize = 16;

/// A number that only grows, for statistics.
///
/// Each thread adds to one of sixteen stripes on cache lines of their own, so that counting does not make
/// threads wait for each other; reading adds the stripes up. It guides no decision, and so it is the one
/// type here that stays the standard library's under a model checker.
#[derive(Debug)]
pub struct Tally {
    stripes: [Stripe; STRIPES],
}

#[derive(Debug)]
#[repr(align(128))]
struct Stripe(AtomicU64);

static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static MINE: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
}

impl Tally {
    /// A counter at zero.
    #[must_use]
    pub const fn new() -> Self {
        Tally { stripes: [const { Stripe(AtomicU64::new(0)) }; STRIPES] }
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        let mine = MINE.try_with(Cell::get).unwrap_or(0);
        if let Some(stripe) = self.stripes.get(mine) {
            stripe.0.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// The sum so far. Not a snapshot: what is added meanwhile may be in it or not.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

/// A switch of statistics. It guides no decision either, and stays the standard library's.
#[derive(Debug, Default)]
pub struct Switch(AtomicBool);

impl Switch {
    /// A switch that is off.
    #[must_use]
    pub const fn new() -> Self {
        Switch(AtomicBool::new(false))
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets it, and says whether it was on.
    pub fn set(&self, on: bool) -> bool {
        self.0.swap(on, Ordering::Relaxed)
    }
}

/// A lock around statistics. It guides no decision either, and stays the standard library's.
#[derive(Debug)]
pub struct Noted<T>(std::sync::Mutex<T>);

impl<T> Noted<T> {
    /// Statistics, nobody looking.
    pub const fn new(value: T) -> Self {
        Noted(std::sync::Mutex::new(value))
    }

    /// Looks at the statistics, or changes them.
    pub fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Default for Tally {
    fn default() -> Self {
        Tally::new()
    }
}
