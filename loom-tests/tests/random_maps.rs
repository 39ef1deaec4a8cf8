//! The maps of the native engine at sizes that loom can't reach: dozens of keys in several maps, four to seven threads, snapshots held across many commits,
//! in random schedules with programs drawn from their seeds. A shard splits at two entries here.
//!
//! **The twins.** The same programs without one of the engine's guards: each fails, and its seed makes it fail again.
//! `RUSTFLAGS="--cfg shuttle --cfg native_engine"`.
#![cfg(all(shuttle, native_engine))]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use loom_tests::record;
use quickcheck::{Arbitrary, Gen};
use simplex_stores::stm::{
    EngineFault, Snapshot, StmResult, TMap, Transaction, atomically, guard, retry,
    snapshot_together, without,
};
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::model_check::{Checker, seed};
use std::sync::Arc;

/// Runs `scenario` in so many schedules, and notes how many there were.
fn explore(name: &str, schedules: u64, scenario: fn()) {
    record(name, Checker::new().schedules(schedules).check(scenario));
}

/// Runs the scenario without the guard until it fails, and once more by its seed.
fn must_fail_and_again(fault: EngineFault, text: &str, scenario: fn()) {
    without(fault, || {
        let failure = Checker::new().must_fail(text, scenario);
        let again = Checker::replay(failure.seed.unwrap(), scenario).unwrap_err();
        assert_eq!(again.text, failure.text, "{fault:?}: the seed gave another failure");
    });
}

/// What decides the program of this schedule.
fn draw() -> Gen {
    Gen::from_size_and_seed(60, seed())
}

fn below(g: &mut Gen, bound: u64) -> u64 {
    u64::arbitrary(g) % bound
}

/// Runs each piece of work on a thread of its own.
fn on_threads<W: FnOnce() + Send + 'static>(works: impl IntoIterator<Item = W>) {
    let threads: Vec<_> = works.into_iter().map(spawn).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

// ---- a bank ----

const PURSES: u32 = 24;
const STEPS: usize = 10;

/// So much money, and what tells whether anything still holds it.
#[derive(Clone)]
struct Coins {
    amount: u64,
    _alive: Arc<()>,
}

type Purses = TMap<u32, Coins>;

/// Three maps; an empty purse is no entry.
#[derive(Clone)]
struct Bank {
    maps: [Purses; 3],
    alive: Arc<()>,
    total: u64,
}

/// Which purse of which map.
#[derive(Clone, Copy)]
struct Place(usize, u32);

#[derive(Clone, Copy)]
struct Carry {
    from: Place,
    to: Place,
    amount: u64,
}

enum Step {
    Carry(Carry),
    /// Makes money in a branch that retries, and carries in the other.
    Branches(Place, Carry),
    /// Carries, and counts everything in the same transaction.
    Count(Carry),
    /// Takes a snapshot of all maps, and keeps it.
    Hold,
    /// Reads a kept snapshot once more.
    Look(usize),
    /// Drops a kept snapshot.
    Let(usize),
}

impl Place {
    fn arbitrary(g: &mut Gen) -> Self {
        Place(below(g, 3) as usize, below(g, PURSES.into()) as u32)
    }
}

impl Carry {
    fn arbitrary(g: &mut Gen) -> Self {
        Carry { from: Place::arbitrary(g), to: Place::arbitrary(g), amount: 1 + below(g, 5) }
    }
}

impl Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let any = below(g, 8) as usize;
        match below(g, 8) {
            0..=2 => Step::Carry(Carry::arbitrary(g)),
            3 => Step::Branches(Place::arbitrary(g), Carry::arbitrary(g)),
            4 => Step::Count(Carry::arbitrary(g)),
            5 => Step::Hold,
            6 => Step::Look(any),
            _ => Step::Let(any),
        }
    }
}

impl Bank {
    fn arbitrary(g: &mut Gen) -> Self {
        let maps = [(); 3].map(|()| Purses::new());
        let mut bank = Bank { maps, alive: Arc::new(()), total: 0 };
        for key in 0..PURSES / 2 {
            let (place, amount) = (Place(below(g, 3) as usize, key), 1 + below(g, 5));
            bank.total += amount;
            atomically(|tx| bank.set(tx, place, amount));
        }
        bank
    }

    fn amount(&self, tx: &mut Transaction<'_>, Place(map, key): Place) -> StmResult<u64> {
        Ok(self.maps[map].get(tx, &key)?.map_or(0, |coins| coins.amount))
    }

    fn set(&self, tx: &mut Transaction<'_>, Place(map, key): Place, amount: u64) -> StmResult<()> {
        match amount {
            0 => self.maps[map].remove(tx, &key),
            _ => self.maps[map].insert(tx, key, Coins { amount, _alive: self.alive.clone() }),
        }
    }

    fn carry(&self, tx: &mut Transaction<'_>, carry: Carry) -> StmResult<()> {
        let there = self.amount(tx, carry.from)?;
        let carried = there.min(carry.amount);
        self.set(tx, carry.from, there - carried)?;
        let here = self.amount(tx, carry.to)?;
        self.set(tx, carry.to, here + carried)
    }

    fn count(&self, tx: &mut Transaction<'_>) -> StmResult<u64> {
        let mut sum = 0;
        for map in &self.maps {
            sum += amounts(&map.snapshot(tx)?).iter().map(|(_, amount)| amount).sum::<u64>();
        }
        Ok(sum)
    }

    fn assert_total(&self, sum: u64) {
        assert_eq!(sum, self.total, "the sum is another");
    }

    fn hold(&self) -> Held {
        let [a, b, c] = &self.maps;
        let (a, b, c) = snapshot_together((a, b, c));
        let snapshots = [a, b, c];
        let read = snapshots.each_ref().map(amounts);
        self.assert_total(read.iter().flatten().map(|(_, amount)| amount).sum());
        Held { snapshots, read }
    }

    fn work(&self, steps: Vec<Step>) {
        let mut held: Vec<Held> = Vec::new();
        for step in steps {
            match step {
                Step::Carry(carry) => atomically(|tx| self.carry(tx, carry)),
                Step::Branches(place, carry) => atomically(|tx| {
                    tx.or_else(
                        |tx| {
                            self.set(tx, place, 100)?;
                            retry()
                        },
                        |tx| self.carry(tx, carry),
                    )
                }),
                Step::Count(carry) => atomically(|tx| {
                    self.carry(tx, carry)?;
                    self.assert_total(self.count(tx)?);
                    Ok(())
                }),
                Step::Hold => held.push(self.hold()),
                Step::Look(any) if !held.is_empty() => held[any % held.len()].look(),
                Step::Let(any) if !held.is_empty() => drop(held.remove(any % held.len())),
                Step::Look(_) | Step::Let(_) => {}
            }
        }
        held.iter().for_each(Held::look);
    }
}

fn amounts(snapshot: &Snapshot<u32, Coins>) -> Vec<(u32, u64)> {
    let mut all: Vec<_> = snapshot.iter().map(|(key, coins)| (key, coins.amount)).collect();
    all.sort_unstable();
    all
}

/// Snapshots of one moment, and what was read in them at once.
struct Held {
    snapshots: [Snapshot<u32, Coins>; 3],
    read: [Vec<(u32, u64)>; 3],
}

impl Held {
    fn look(&self) {
        for (snapshot, read) in self.snapshots.iter().zip(&self.read) {
            assert_eq!(amounts(snapshot), *read, "the snapshot is another");
            assert_eq!(snapshot.len(), read.len(), "the snapshot's length is another");
            for (key, amount) in read {
                let found = snapshot.get(key).map(|coins| coins.amount);
                assert_eq!(found, Some(*amount), "the snapshot's value is another");
            }
        }
    }
}

/// Four threads carry money and look at all of it. In the end it is all there, and nothing else is alive.
fn a_bank() {
    let mut g = draw();
    let bank = Bank::arbitrary(&mut g);
    let programs: Vec<Vec<_>> =
        (0..4).map(|_| (0..STEPS).map(|_| Step::arbitrary(&mut g)).collect()).collect();
    on_threads(programs.into_iter().map(|steps| {
        let bank = bank.clone();
        move || bank.work(steps)
    }));
    let counted = atomically(|tx| bank.count(tx));
    bank.assert_total(counted);
    let entries: usize = bank.maps.iter().map(TMap::len_atomic).sum();
    assert_eq!(Arc::strong_count(&bank.alive) - 1, entries, "an old value stays alive");
}

#[test]
fn money_is_neither_lost_nor_made_and_snapshots_stay_as_they_are() {
    explore("random_maps/bank", 5_000, a_bank);
}

#[test]
fn twins_of_the_bank() {
    for fault in [
        EngineFault::UncheckedReads,
        EngineFault::UncheckedCommits,
        EngineFault::EarlyNumber,
        EngineFault::UncheckedKeys,
        EngineFault::UncheckedAbsence,
        EngineFault::UncheckedShards,
        EngineFault::UncheckedTargets,
        EngineFault::ForgottenSnapshots,
        EngineFault::LateSnapshots,
        EngineFault::GreedySweeps,
        EngineFault::KeptBranches,
    ] {
        must_fail_and_again(fault, "is another", a_bank);
    }
    must_fail_and_again(EngineFault::UnsweptHalves, "stays alive", a_bank);
}

// ---- who is where ----

/// Four threads carry guests between two rooms, and look for one: each is in one room.
fn guests() {
    const GUESTS: u64 = 4;
    let mut g = draw();
    let rooms = [(); 2].map(|()| TMap::<u64, ()>::new());
    atomically(|tx| rooms[0].union(tx, (0..GUESTS).map(|guest| (guest, ()))));
    let programs: Vec<Vec<(bool, u64)>> = (0..4)
        .map(|_| (0..12).map(|_| (bool::arbitrary(&mut g), below(&mut g, GUESTS))).collect())
        .collect();
    on_threads(programs.into_iter().map(|program| {
        let rooms = rooms.clone();
        move || {
            for (carries, guest) in program {
                atomically(|tx| {
                    let here =
                        [rooms[0].contains_key(tx, &guest)?, rooms[1].contains_key(tx, &guest)?];
                    assert!(here[0] != here[1], "a guest is in two rooms or none");
                    let (from, to) = (usize::from(here[1]), usize::from(here[0]));
                    if carries {
                        rooms[from].remove(tx, &guest)?;
                        rooms[to].insert(tx, guest, ())?;
                    }
                    Ok(())
                });
            }
        }
    }));
    assert_eq!(rooms[0].len_atomic() as u64 + rooms[1].len_atomic() as u64, GUESTS);
}

#[test]
fn each_guest_is_in_one_room() {
    explore("random_maps/guests", 5_000, guests);
}

#[test]
fn twins_of_the_guests() {
    for fault in [EngineFault::ForgottenRemovals, EngineFault::UncheckedReads] {
        must_fail_and_again(fault, "in two rooms or none", guests);
    }
}

// ---- seats ----

/// Four threads take seats and give them back; there are never more taken than there are.
fn seats() {
    const SEATS: usize = 9;
    let mut g = draw();
    let taken = TMap::<u64, ()>::new();
    let programs: Vec<Vec<(u64, u64)>> =
        (0..4).map(|_| (0..12).map(|_| (below(&mut g, 4), below(&mut g, 30))).collect()).collect();
    on_threads(programs.into_iter().map(|program| {
        let taken = taken.clone();
        move || {
            for (what, who) in program {
                match what {
                    0 => atomically(|tx| taken.remove(tx, &who)),
                    _ => atomically(|tx| match taken.len(tx)? < SEATS {
                        true => taken.insert(tx, who, ()),
                        false => Ok(()),
                    }),
                }
                assert!(taken.len_atomic() <= SEATS, "too many seats are taken");
            }
        }
    }));
    assert!(taken.len_atomic() <= SEATS, "too many seats are taken");
}

#[test]
fn never_more_seats_are_taken_than_there_are() {
    explore("random_maps/seats", 5_000, seats);
}

#[test]
fn twin_unchecked_whole_maps_take_too_many_seats() {
    must_fail_and_again(EngineFault::UncheckedWhole, "too many seats", seats);
}

// ---- waiting ----

/// Four threads hand on a baton by keys of one map, which grows and splits meanwhile; two more wait until half of it is
/// there, and all.
fn a_relay() {
    const LEGS: u64 = 24;
    let mut g = draw();
    let first = below(&mut g, 1 << 40);
    let keys: Vec<u64> = (0..=LEGS).map(|leg| 2 * (first + leg)).collect();
    let map = TMap::<u64, u64>::new();
    let runner = |first: u64| {
        let (map, keys) = (map.clone(), keys.clone());
        move || {
            for leg in (first..LEGS).step_by(4) {
                let (baton, next) = (keys[leg as usize], keys[leg as usize + 1]);
                atomically(|tx| guard(map.contains_key(tx, &baton)?));
                atomically(|tx| map.insert(tx, next ^ 1, leg));
                atomically(|tx| map.insert(tx, next, leg));
            }
        }
    };
    let watcher = {
        let (map, keys) = (map.clone(), keys.clone());
        move || {
            atomically(|tx| guard(map.get(tx, &keys[LEGS as usize])? == Some(LEGS - 1)));
            atomically(|tx| guard(map.len(tx)? as u64 == 2 * LEGS + 1));
        }
    };
    let counter = {
        let map = map.clone();
        move || atomically(|tx| guard(map.len(tx)? as u64 >= LEGS))
    };
    let mut threads: Vec<_> = (0..4).map(|first| spawn(runner(first))).collect();
    threads.extend([spawn(watcher), spawn(counter)]);
    atomically(|tx| map.insert(tx, keys[0], 0));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(map.len_atomic() as u64, 2 * LEGS + 1);
}

#[test]
fn a_baton_is_handed_on_through_all_splits() {
    explore("random_maps/relay", 2_000, a_relay);
}

#[test]
fn twins_of_the_relay() {
    for fault in [EngineFault::UncheckedSleep, EngineFault::ForgottenWaiters] {
        must_fail_and_again(fault, "deadlock", a_relay);
    }
}
