//! A process killed under load, and a server that stops as in a crash: the database opens, its check finds
//! nothing, everything that was told as done is there, and what had begun is there whole or not at all.
//!
//! The child tells each step before and after; its parent reads a random number of these lines, so that it
//! strikes between two transactions or in one. All kills of a test are on one database.
//! `SIMPLEX_STORES_KILLS` sets how many.

use std::hint::black_box;
use std::io::Write as _;

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use simplex_stores::testing::postgres::{Cluster, StopMode};

use super::child::{Fault, Line, Role};
use super::fixture::{Place, on_each_place};
use super::parent::{Child, Open, Told};
use super::worker::prepare;

fn kills(default: u32) -> u32 {
    let set = std::env::var("SIMPLEX_STORES_KILLS");
    set.map_or(default, |number| number.parse().expect("SIMPLEX_STORES_KILLS is a number"))
}

/// Lets the child come further than to the line that was read: a bit, or as far as to its commit.
fn dawdle(rng: &mut SmallRng) {
    let most = 1_u32 << rng.random_range(0..23);
    for number in 0..rng.random_range(0..most) {
        black_box(number);
    }
}

/// Whether a process ended while SQLite was writing the file.
fn has_journal(place: &Place) -> bool {
    let journal = place.path().with_extension("db-journal");
    std::fs::metadata(journal).is_ok_and(|journal| journal.len() > 0)
}

/// Strikes so many times while workers are at it; when they have ended, mends what was struck.
fn campaign(
    what: &str,
    place: &Place,
    times: u32,
    mut strike: impl FnMut(&mut Child),
    mut mend: impl FnMut(&Told),
) {
    drop(prepare(&place.config()));
    let mut rng = SmallRng::seed_from_u64(u64::from(times));
    let (mut told, mut open, mut journals) = (Told::of([0, 1]), Open::default(), 0);
    for time in 0..times {
        let mut child = Child::set_to_work(&Role::of(place));
        for _ in 0..rng.random_range(1..80) {
            assert!(told.hear(&mut child), "it ended by itself");
        }
        dawdle(&mut rng);
        strike(&mut child);
        told.hear_all(&mut child);
        child.kill();
        mend(&told);
        journals += u32::from(has_journal(place));
        let found = told.find(place).unwrap_or_else(|error| panic!("{what} {time}: {error}"));
        open.there += found.there;
        open.not_there += found.not_there;
    }
    assert!(open.there + open.not_there > 0, "it never struck within a transaction");
    let Told { done, .. } = told;
    let Open { there, not_there } = open;
    let journals = match place {
        Place::File(_) => format!("; {journals} journals were left for SQLite to take back"),
        Place::Server(_) => String::new(),
    };
    let count = format!(
        "claim: {times} {what}, {done} transactions that returned, {there} begun ones found done and \
         {not_there} not{journals}\n"
    );
    std::io::stdout().write_all(count.as_bytes()).unwrap();
}

#[test]
fn a_killed_process_leaves_a_sqlite_file_whole() {
    campaign("kills", &Place::file(), kills(10), Child::kill, |_| ());
}

#[test]
fn a_killed_process_leaves_a_postgresql_database_whole() {
    campaign("kills", &Place::server(), kills(6), Child::kill, |_| ());
}

/// What an error may say of a transaction whose server stopped.
const ADVICE: [&str; 3] = [
    "nothing was changed; try again",
    "the change may have been made; read it again before retrying",
    "check that the server runs",
];

#[test]
fn a_server_that_crashes_leaves_the_database_whole() {
    let cluster = Cluster::start().unwrap();
    let place = Place::Server(cluster.database().unwrap());
    let crash = |_: &mut Child| cluster.stop(StopMode::Immediate).unwrap();
    let mend = |told: &Told| {
        assert_eq!(told.failed.len(), 2);
        for error in told.failed.values() {
            assert!(ADVICE.iter().any(|advice| error.contains(advice)), "{error}");
        }
        cluster.start_again().unwrap();
    };
    campaign("crashes of the server", &place, kills(2), crash, mend);
}

/// What watches has to see a store that is not as good.
fn is_seen(fault: Fault) {
    on_each_place(|place| {
        drop(prepare(&place.config()));
        let mut child = Child::set_to_work(&Role::of(place).with(fault));
        let mut told = Told::of([0]);
        told.hear_until(&mut child, &Line::Faulty);
        child.kill();
        let seen = told.find(place).expect_err("nobody saw it");
        assert!(seen.contains("with a fault"), "{seen}");
    });
}

#[test]
fn what_is_told_before_its_commit_is_seen() {
    is_seen(Fault::Early);
}

#[test]
fn what_is_done_by_halves_is_seen() {
    is_seen(Fault::Torn);
}
