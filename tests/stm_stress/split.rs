//! Twins of serializable transactions: their reading and their writing are transactions by themselves, and another thread comes in
//! between. Meetings make it come there each time, and the checker must find what is wrong by its name.

use crate::harness::{Meeting, together};
use simplex_stores::stm::{TMap, TVar, atomically};
use simplex_stores::testing::history::Recorder;
use simplex_stores::testing::serializability::{Anomaly, Transaction, Unexplained, check};
use std::sync::Arc;

type Steps = simplex_stores::testing::serializability::Steps<&'static str, u64>;

struct Shared {
    x: TVar<u64>,
    y: TVar<u64>,
    map: TMap<&'static str, u64>,
    meeting: Meeting,
}

impl Shared {
    fn new() -> Self {
        let (x, y) = (TVar::new(0), TVar::new(0));
        Shared { x, y, map: TMap::new(), meeting: Meeting::of(2) }
    }

    fn read(&self, steps: &mut Steps, name: &'static str) {
        steps.read(name, atomically(|tx| self.named(name).read(tx)));
    }

    fn write(&self, steps: &mut Steps, name: &'static str, value: u64) {
        atomically(|tx| self.named(name).write(tx, value));
        steps.write(name, value);
    }

    fn write_both(&self, steps: &mut Steps, value: u64) {
        atomically(|tx| {
            self.x.write(tx, value)?;
            self.y.write(tx, value)
        });
        steps.write("x", value);
        steps.write("y", value);
    }

    fn named(&self, name: &str) -> &TVar<u64> {
        if name == "x" { &self.x } else { &self.y }
    }

    fn meet(&self) {
        self.meeting.wait();
    }
}

type Body = fn(&Shared, &mut Steps);

/// What the checker says of two threads that say they did one transaction each.
fn found(bodies: [Body; 2]) -> Anomaly {
    found_when([true, true], bodies)
}

/// The same; a transaction that did not commit says that it took back what it wrote.
fn found_when(committed: [bool; 2], bodies: [Body; 2]) -> Anomaly {
    let (shared, recorder) = (Arc::new(Shared::new()), Arc::new(Recorder::new()));
    let (threads, moments) = (shared.clone(), recorder.clone());
    let recorded = together(2, move |thread| {
        recorder.record(format!("T{thread}"), |_| {
            let mut steps = Steps::new();
            bodies[thread](&threads, &mut steps);
            steps
        })
    });
    let end = moments.record("the end".to_owned(), |_| {
        let mut steps = Steps::new();
        let (x, y) = atomically(|tx| Ok((shared.x.read(tx)?, shared.y.read(tx)?)));
        steps.read("x", x);
        steps.read("y", y);
        steps
    });
    let of = |(call, committed)| match committed {
        true => Transaction::committed(call),
        false => Transaction::aborted(call),
    };
    let recorded = recorded.into_iter().zip(committed).map(of);
    let history: Vec<_> = recorded.chain([Transaction::committed(end)]).collect();
    match check(&0, &history).unwrap_err() {
        Unexplained::Anomalous { anomaly, .. } => anomaly,
        other => panic!("{other}"),
    }
}

#[test]
fn twin_two_threads_lose_an_update() {
    fn add(shared: &Shared, steps: &mut Steps, own: u64) {
        shared.read(steps, "x");
        shared.meet();
        shared.write(steps, "x", own);
    }
    let found =
        found([|shared, steps| add(shared, steps, 1), |shared, steps| add(shared, steps, 2)]);
    assert_eq!(found, Anomaly::LostUpdate);
}

#[test]
fn twin_write_skew() {
    fn leave(shared: &Shared, steps: &mut Steps, own: &'static str) {
        shared.read(steps, "x");
        shared.read(steps, "y");
        shared.meet();
        shared.write(steps, own, 1);
    }
    let found = found([
        |shared, steps| leave(shared, steps, "x"),
        |shared, steps| leave(shared, steps, "y"),
    ]);
    assert_eq!(found, Anomaly::AntiDependencyCycle);
}

/// Each looks how many entries the map has, and inserts its own into an empty one.
#[test]
fn twin_phantoms() {
    fn join(shared: &Shared, steps: &mut Steps, own: &'static str) {
        assert_eq!(atomically(|tx| shared.map.len(tx)), 0);
        steps.read("ann", 0);
        steps.read("bob", 0);
        shared.meet();
        atomically(|tx| shared.map.insert(tx, own, 1));
        steps.write(own, 1);
    }
    let found = found([
        |shared, steps| join(shared, steps, "ann"),
        |shared, steps| join(shared, steps, "bob"),
    ]);
    assert_eq!(found, Anomaly::AntiDependencyCycle);
}

#[test]
fn twin_a_reader_sees_two_moments() {
    let found = found([
        |shared, steps| {
            shared.read(steps, "x");
            shared.meet();
            shared.meet();
            shared.read(steps, "y");
        },
        |shared, steps| {
            shared.meet();
            shared.write_both(steps, 2);
            shared.meet();
        },
    ]);
    assert_eq!(found, Anomaly::ReadSkew);
}

#[test]
fn twin_writes_are_interleaved() {
    let found = found([
        |shared, steps| {
            shared.write(steps, "x", 1);
            shared.meet();
            shared.meet();
            shared.write(steps, "y", 1);
        },
        |shared, steps| {
            shared.meet();
            shared.write_both(steps, 2);
            shared.meet();
        },
    ]);
    assert_eq!(found, Anomaly::WriteCycle);
}

#[test]
fn twin_two_threads_see_each_other() {
    let found = found([
        |shared, steps| {
            shared.write(steps, "x", 1);
            shared.meet();
            shared.meet();
            shared.read(steps, "y");
        },
        |shared, steps| {
            shared.meet();
            shared.read(steps, "x");
            shared.write(steps, "y", 2);
            shared.meet();
        },
    ]);
    assert_eq!(found, Anomaly::CircularInformation);
}

/// Looks at the first variable between the two halves of the other thread.
fn look_between(shared: &Shared, steps: &mut Steps) {
    shared.meet();
    shared.read(steps, "x");
    shared.meet();
}

#[test]
fn twin_a_value_is_seen_that_its_writer_writes_over() {
    let found = found([
        |shared, steps| {
            shared.write(steps, "x", 1);
            shared.meet();
            shared.meet();
            shared.write(steps, "x", 2);
        },
        look_between,
    ]);
    assert_eq!(found, Anomaly::IntermediateRead);
}

#[test]
fn twin_a_value_is_seen_that_its_writer_takes_back() {
    let bodies: [Body; 2] = [
        |shared, steps| {
            shared.write(steps, "x", 1);
            shared.meet();
            shared.meet();
            atomically(|tx| shared.x.write(tx, 0));
        },
        look_between,
    ];
    assert_eq!(found_when([false, true], bodies), Anomaly::AbortedRead);
}

/// A transaction that answers from what was read before it began.
#[test]
fn twin_a_stale_snapshot() {
    let (shared, recorder) = (Shared::new(), Recorder::new());
    let stale = shared.map.snapshot_atomic();
    let insert = recorder.record("writer", |_| {
        let mut steps = Steps::new();
        atomically(|tx| shared.map.insert(tx, "ann", 1));
        steps.write("ann", 1);
        steps
    });
    let look = recorder.record("reader", |_| {
        let mut steps = Steps::new();
        steps.read("ann", u64::from(stale.contains_key(&"ann")));
        steps
    });
    let why = check(&0, &[insert, look].map(Transaction::committed)).unwrap_err();
    assert!(matches!(why, Unexplained::Anomalous { anomaly: Anomaly::RealTime, .. }), "{why}");
}
