//! Random calls on the store in memory and on the one in a database, side by side.
//!
//! Under `Strict` every answer is the same, the journals are the same to the byte, and so is what is stored in
//! the end. Under `Reference` answers differ where the specification says so, and nowhere else: `documented`
//! has a row for each such difference, and each row has to be met. `SIMPLEX_STORES_HISTORIES` says how many
//! sequences there are of each kind.

mod case;
mod documented;
mod pair;
mod sequence;

use std::collections::BTreeMap;

use simplex_stores::protocol::Semantics;
use simplex_stores::testing::queue_store::QueueOp;

use self::documented::DOCUMENTED;
use self::pair::{Place, Played};

fn runs(default: u64) -> u64 {
    let runs = std::env::var("SIMPLEX_STORES_HISTORIES").ok();
    runs.map_or(default, |runs| runs.parse().unwrap())
}

/// Plays a sequence; when the stores differ, fails with the shortest that still makes them.
fn play(place: &Place, ops: &[QueueOp]) -> Played {
    let difference = match place.play(ops) {
        Ok(played) => return played,
        Err(difference) => difference,
    };
    let shrunk = shortest(place, ops);
    let difference = place.play(&shrunk).err().unwrap_or(difference);
    panic!("{difference}\nafter {shrunk:#?}");
}

fn shortest(place: &Place, ops: &[QueueOp]) -> Vec<QueueOp> {
    sequence::shrink(ops.to_vec(), |ops| place.play(ops).is_err())
}

fn strict(use_cache: bool, first_seed: u64) {
    let place = Place::new(Semantics::Strict, use_cache);
    for seed in first_seed..first_seed + runs(8) {
        let played = play(&place, &sequence::any(seed, 60));
        assert!(played.met.is_empty(), "no difference is documented for Strict");
    }
}

#[test]
fn cached_and_strict_it_is_the_store_in_memory() {
    strict(true, 1_000);
}

#[test]
fn uncached_and_strict_it_is_the_store_in_memory() {
    strict(false, 2_000);
}

#[test]
fn under_reference_it_differs_as_documented_and_each_difference_is_met() {
    let (mut met, mut to_the_end) = (BTreeMap::<&str, u64>::new(), 0);
    for (use_cache, first_seed) in [(true, 3_000), (false, 4_000)] {
        let place = Place::new(Semantics::Reference, use_cache);
        let random = first_seed..first_seed + runs(8);
        let random = random.map(|seed| sequence::mostly_of_a_router(seed, 80));
        for ops in sequence::examples().into_iter().chain(random) {
            let played = play(&place, &ops);
            to_the_end += u64::from(!played.parted);
            for row in played.met {
                *met.entry(row.what).or_default() += 1;
            }
        }
    }
    let never: Vec<_> = DOCUMENTED.iter().filter(|row| !met.contains_key(row.what)).collect();
    assert!(never.is_empty(), "never met: {never:#?}; met: {met:#?}");
    assert!(to_the_end >= 8, "the states of {to_the_end} sequences were compared");
}

#[test]
fn a_difference_that_is_not_documented_fails_with_a_short_sequence() {
    let bad = Place::known_bad();
    let sequences = (5_000..).map(|seed| sequence::any(seed, 60));
    let mut failing = sequences.filter(|ops| bad.play(ops).is_err());
    let shrunk = shortest(&bad, &failing.next().unwrap());
    assert!(bad.play(&shrunk).is_err() && (1..=3).contains(&shrunk.len()), "{shrunk:#?}");
}
