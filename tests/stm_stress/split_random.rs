//! Random transactions whose parts are transactions by themselves, in a random order that the seed decides: no thread is needed, and
//! the same seeds have the same anomalies each time.

use crate::perform::{NOTHING, Recorded, Run, Shared};
use crate::program::{Object, Op};
use quickcheck::{Arbitrary, Gen};
use simplex_stores::testing::serializability::{Unexplained, check};
use std::cell::RefCell;
use std::collections::BTreeMap;

const TRANSACTIONS: u64 = 5;

/// A transaction of which some parts are done.
struct Running {
    number: u64,
    started: u64,
    run: RefCell<Run>,
    left: std::vec::IntoIter<Op>,
}

impl Running {
    fn ended(self, moment: u64) -> Recorded {
        let (name, started) = (format!("T{}", self.number), self.started);
        let steps = self.run.into_inner().into_steps();
        Recorded { name, started, ended: moment, committed: true, steps }
    }
}

/// Performs part after part, of one transaction until its end or each time of any.
fn history(seed: u64, split: bool) -> Vec<Recorded> {
    let mut g = Gen::from_size_and_seed(10, seed);
    let shared = Shared::new();
    let begin = |number| Running {
        number,
        started: 0,
        run: Run::new(number),
        left: Op::on_different_objects(&mut g).into_iter(),
    };
    let mut running: Vec<_> = (0..TRANSACTIONS).map(begin).collect();
    let (mut ended, mut moment) = (Vec::new(), 0);
    while let Some(last) = running.len().checked_sub(1) {
        let at = if split { usize::arbitrary(&mut g) % running.len() } else { last };
        moment += 1;
        match running[at].left.next() {
            Some(op) => shared.perform_alone(&op, &running[at].run),
            None => ended.push(running.swap_remove(at).ended(moment)),
        }
    }
    ended
}

#[test]
fn twin_random_transactions_taken_apart_are_not_serializable() {
    let mut found = BTreeMap::new();
    for seed in 0..500 {
        let verdict = match check(&NOTHING, &history(seed, true)) {
            Ok(_) => "none".to_owned(),
            Err(Unexplained::Anomalous { anomaly, .. }) => anomaly.to_string(),
            Err(other) => panic!("seed {seed}: {other}"),
        };
        *found.entry(verdict).or_insert(0) += 1;
    }
    for anomaly in ["G0", "G1c", "G-single", "G2", "lost update"] {
        assert!(found.keys().any(|name| name.contains(anomaly)), "{anomaly}: {found:?}");
    }
    assert!(found["none"] < 300, "{found:?}");
}

#[test]
fn the_same_transactions_one_after_the_other_are() {
    for seed in 0..500 {
        let history = history(seed, false);
        assert!(history.iter().any(|transaction| !transaction.steps.is_empty()));
        if let Err(why) = check::<Object, _>(&NOTHING, &history) {
            panic!("seed {seed}: {why}");
        }
    }
}
