//! What does a snapshot of a whole map cost, and what does it cost those who write meanwhile?
//!
//! Writers replace the values of a map without a pause, each those of its own keys. Meanwhile snapshots are taken,
//! which is timed, and held for a moment. Then, a second with a snapshot taken at its start and held to its end is compared
//! with the second before it. Runs again are the bodies that another transaction made run again; the writers' keys are
//! their own, so what goes beyond those without snapshots is theirs. The output is one line for each number
//! of writers: engine, writers, entries, microseconds for a snapshot at the median and at the worst,
//! runs again in a million commits without snapshots and with them, the writers' commits a second without a snapshot, and the
//! ratio of those with one to those without, at the median and at the worst.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout)] // this is its report
#![allow(clippy::disallowed_methods)] // it looks at spans of time

mod common;

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use common::{ENGINE, Ids, queues};
use simplex_stores::protocol::SenderId;
use simplex_stores::stm::{Stats, TMap, atomically, stats};
use simplex_stores::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How many snapshots are timed, and how long each is held.
const SNAPSHOTS: usize = 300;
const HELD: Duration = Duration::from_millis(3);

/// How many pairs of spans are compared, and how long each is.
const PAIRS: usize = 3;
const SPAN: Duration = Duration::from_secs(1);

/// Entries that are added in one transaction before anything is timed.
const BATCH: usize = 10_000;

/// How far apart two keys are that a writer takes one after the other.
const STRIDE: usize = 7_919;

/// The map under load.
struct Load {
    map: TMap<SenderId, u64>,
    keys: Vec<SenderId>,
    commits: Vec<Count>,
    ended: AtomicBool,
}

/// A writer's count, on cache lines of its own.
#[repr(align(128))]
struct Count(AtomicU64);

impl Load {
    fn new(map: TMap<SenderId, u64>, keys: Vec<SenderId>, writers: usize) -> Self {
        let commits = (0..writers).map(|_| Count(AtomicU64::new(0))).collect();
        Self { map, keys, commits, ended: AtomicBool::new(false) }
    }

    /// Replaces the values of this writer's keys, round and round, until the end is called.
    fn write(&self, writer: usize) {
        let writers = self.commits.len();
        let own: Vec<&SenderId> = self.keys.iter().skip(writer).step_by(writers).collect();
        let places = (0..).map(|step: usize| step * STRIDE % own.len());
        for (count, place) in (1..).zip(places) {
            if self.ended.load(Ordering::Relaxed) {
                return;
            }
            let before = atomically(|tx| self.map.replace(tx, own[place].clone(), count));
            assert!(before.is_some(), "its keys stay");
            self.commits[writer].0.store(count, Ordering::Relaxed);
        }
    }

    fn committed(&self) -> u64 {
        self.commits.iter().map(|count| count.0.load(Ordering::Relaxed)).sum()
    }

    /// The writers' commits a second, over a span that starts now.
    fn rate(&self) -> f64 {
        let (before, start) = (self.committed(), Instant::now());
        thread::sleep(span());
        (self.committed() - before) as f64 / start.elapsed().as_secs_f64()
    }
}

fn span() -> Duration {
    if common::trial() { Duration::from_millis(5) } else { SPAN }
}

/// What was seen.
struct Seen {
    times: Vec<Duration>,
    plain: Vec<f64>,
    ratios: Vec<f64>,
    /// What the transactions did without snapshots, and with them.
    reruns: [Tally; 2],
}

/// Commits and runs again.
#[derive(Clone, Copy, Default)]
struct Tally {
    commits: u64,
    reruns: u64,
}

impl Tally {
    fn add(&mut self, stats: Stats) {
        self.commits += stats.commits;
        self.reruns += stats.reruns;
    }

    fn per_million(self) -> f64 {
        self.reruns as f64 * 1e6 / self.commits.max(1) as f64
    }
}

fn watch(load: &Load) -> Seen {
    let (snapshots, pairs) = if common::trial() { (5, 1) } else { (SNAPSHOTS, PAIRS) };
    let mut seen =
        Seen { times: vec![], plain: vec![], ratios: vec![], reruns: Default::default() };
    load.rate(); // so that all writers are on their way
    for _ in 0..pairs {
        let start = stats();
        let plain = load.rate();
        let middle = stats();
        let snapshot = load.map.snapshot_atomic();
        let held = load.rate();
        drop(snapshot);
        seen.reruns[0].add(middle.since(start));
        seen.reruns[1].add(stats().since(middle));
        seen.plain.push(plain);
        seen.ratios.push(held / plain);
    }
    let start = stats();
    for _ in 0..snapshots {
        let began = Instant::now();
        let snapshot = black_box(load.map.snapshot_atomic());
        seen.times.push(began.elapsed());
        thread::sleep(HELD);
        drop(snapshot);
    }
    seen.reruns[1].add(stats().since(start));
    seen
}

/// Ends the writers also when the watching fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn measure(writers: usize) {
    let keys = Ids::of(queues()).senders;
    let map = TMap::new();
    for batch in keys.chunks(BATCH) {
        atomically(|tx| map.union(tx, batch.iter().map(|key| (key.clone(), 0))));
    }
    let load = &Load::new(map, keys, writers);
    let mut seen = thread::scope(|scope| {
        (0..writers).for_each(|writer| drop(scope.spawn(move || load.write(writer))));
        let _end = End(&load.ended);
        watch(load)
    });
    seen.times.sort_unstable();
    seen.plain.sort_by(f64::total_cmp);
    seen.ratios.sort_by(f64::total_cmp);
    let micros = |time: &Duration| time.as_secs_f64() * 1e6;
    println!(
        "{ENGINE:14} {writers:>7} {:>9} {:>10.1} {:>10.1} {:>12.1} {:>12.1} {:>10.0} {:>6.2} {:>6.2}",
        load.keys.len(),
        micros(&seen.times[seen.times.len() / 2]),
        micros(seen.times.last().unwrap()),
        seen.reruns[0].per_million(),
        seen.reruns[1].per_million(),
        seen.plain[seen.plain.len() / 2],
        seen.ratios[seen.ratios.len() / 2],
        seen.ratios[0],
    );
}

fn main() {
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    println!(
        "{:14} {:>7} {:>9} {:>10} {:>10} {:>12} {:>12} {:>10} {:>6} {:>6}",
        "engine",
        "writers",
        "entries",
        "median µs",
        "worst µs",
        "reruns/M",
        "with",
        "commits/s",
        "ratio",
        "worst",
    );
    common::THREADS.into_iter().for_each(measure);
}
