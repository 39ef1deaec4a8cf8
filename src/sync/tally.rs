//! A counter that many threads add to and somebody reads now and then.
#![allow(clippy::disallowed_types, reason = "this is the facade")]

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

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

impl Default for Tally {
    fn default() -> Self {
        Tally::new()
    }
}
