//! Histories made by hand, one for each anomaly, and small random ones, held against trying every order.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::{Anomaly, MAX_TRANSACTIONS, Serial, Step, Steps, Transaction, Unexplained, check};
use quickcheck::{Arbitrary, Gen};
use std::collections::HashMap;

type Object = &'static str;
/// When a transaction started and ended, and what it did.
type Timed = (u64, u64, Vec<Step<Object, i32>>);
type History = Vec<Transaction<Object, i32>>;

fn r(object: Object, value: i32) -> Step<Object, i32> {
    Step::Read(object, value)
}

fn w(object: Object, value: i32) -> Step<Object, i32> {
    Step::Write(object, value)
}

/// Transactions that all overlap, with the names T0, T1, …
fn at_once<const N: usize>(steps: [Vec<Step<Object, i32>>; N]) -> History {
    history(steps.map(|steps| (0, 9, steps)))
}

/// Transactions with the moments of their start and their end.
fn history<const N: usize>(transactions: [Timed; N]) -> History {
    let named = |(at, (started, ended, steps))| Transaction {
        name: format!("T{at}"),
        started,
        ended,
        committed: true,
        steps,
    };
    transactions.into_iter().enumerate().map(named).collect()
}

fn order(history: &History) -> Vec<usize> {
    let Serial { order, .. } = check(&0, history).unwrap();
    assert!(explains(&order, history), "{order:?} does not explain {history:?}");
    order
}

/// The anomaly, the transactions in question, and the report.
fn anomaly(history: &History) -> (Anomaly, Vec<usize>, String) {
    let why = check(&0, history).unwrap_err();
    match &why {
        Unexplained::Anomalous { anomaly, transactions, .. } => {
            (*anomaly, transactions.clone(), why.to_string())
        }
        other => panic!("{other}"),
    }
}

/// Runs the transactions one at a time.
fn explains(order: &[usize], history: &History) -> bool {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    let all_once = sorted.into_iter().eq(0..history.len());
    let mut state = HashMap::new();
    let reads_so = |&at: &usize| {
        let mut own = state.clone();
        let mut fits = true;
        for step in &history[at].steps {
            match step {
                Step::Read(object, value) => fits &= own.get(object).unwrap_or(&0) == value,
                Step::Write(object, value) => {
                    own.insert(*object, *value);
                }
            }
        }
        if history[at].committed {
            state = own;
        }
        fits
    };
    let later = |at: usize| order[at..].iter().map(|&other| history[other].ended);
    let in_time = |(at, &node): (usize, &usize)| later(at).all(|end| history[node].started <= end);
    all_once && order.iter().all(reads_so) && order.iter().enumerate().all(in_time)
}

#[test]
fn a_good_history_has_its_order() {
    let transfer = vec![r("a", 1), w("a", 0), r("b", 0), w("b", 1)];
    let history = at_once([vec![r("a", 0), r("b", 1)], transfer, vec![w("a", 1)]]);
    assert_eq!(order(&history), [2, 1, 0]);
    assert_eq!(check(&0, &history).unwrap().dependencies, 4);
    assert!(order(&Vec::new()).is_empty());
}

#[test]
fn a_transaction_must_see_what_it_wrote_and_read() {
    for steps in [vec![w("a", 1), r("a", 0)], vec![r("a", 0), r("a", 1)]] {
        let (anomaly, transactions, _) = anomaly(&at_once([vec![w("a", 1)], steps]));
        assert_eq!((anomaly, transactions), (Anomaly::Internal, vec![1]));
    }
    order(&at_once([vec![w("a", 1), r("a", 1), w("a", 2), r("a", 2)]]));
}

#[test]
fn a_value_that_nobody_wrote() {
    let (found, _, text) = anomaly(&at_once([vec![r("a", 7)]]));
    assert_eq!(found, Anomaly::Unwritten);
    assert!(text.ends_with(r#"T0 read "a" = 7, which no transaction wrote"#), "{text}");
    let own = anomaly(&at_once([vec![r("a", 7), w("a", 7)]]));
    assert_eq!(own.0, Anomaly::Unwritten, "not even by itself, before it wrote");
}

#[test]
fn g1a_an_aborted_read() {
    let mut history = at_once([vec![r("b", 0), w("a", 1)], vec![r("a", 1)]]);
    order(&history);
    history[0].committed = false;
    let (anomaly, transactions, _) = anomaly(&history);
    assert_eq!((anomaly, transactions), (Anomaly::AbortedRead, vec![0, 1]));
}

#[test]
fn g1b_an_intermediate_read() {
    let (anomaly, transactions, _) =
        anomaly(&at_once([vec![w("a", 1), w("a", 2)], vec![r("a", 1)]]));
    assert_eq!((anomaly, transactions), (Anomaly::IntermediateRead, vec![0, 1]));
}

#[test]
fn g0_a_cycle_of_writes() {
    let writes = |n| vec![w("a", n), w("b", n)];
    let history = at_once([writes(1), writes(2), vec![r("a", 1), r("b", 2)]]);
    let (found, transactions, text) = anomaly(&history);
    assert_eq!((found, transactions.len()), (Anomaly::WriteCycle, 2));
    assert!(text.contains(r#"both wrote "a", and T2 read "a" = 1 of T0 after T1"#), "{text}");
    order(&at_once([writes(1), writes(2), vec![r("a", 1), r("b", 1)]]));
}

#[test]
fn g1c_circular_information() {
    let history = at_once([vec![w("a", 1), r("b", 1)], vec![w("b", 1), r("a", 1)]]);
    let (anomaly, _, text) = anomaly(&history);
    assert_eq!(anomaly, Anomaly::CircularInformation);
    assert!(
        text.contains(r#"T0 before T1 (write-read): T1 read "a" = 1, which T0 wrote"#),
        "{text}"
    );
}

#[test]
fn a_lost_update() {
    let add = |to| vec![r("a", 0), w("a", to)];
    for last in [1, 2] {
        let (anomaly, mut transactions, _) =
            anomaly(&at_once([add(1), add(2), vec![r("a", last)]]));
        transactions.sort_unstable();
        assert_eq!((anomaly, transactions), (Anomaly::LostUpdate, vec![0, 1]));
    }
}

#[test]
fn g_single_a_reader_of_two_moments() {
    let history = at_once([vec![w("a", 1), w("b", 1)], vec![r("a", 0), r("b", 1)]]);
    let (anomaly, transactions, text) = anomaly(&history);
    assert_eq!((anomaly, transactions), (Anomaly::ReadSkew, vec![1, 0]));
    assert!(text.contains("G-single"), "{text}");
    assert!(
        text.contains(r#"T1 before T0 (read-write): T1 read "a" = 0, which T0 wrote over"#),
        "{text}"
    );
}

#[test]
fn what_an_aborted_transaction_read_is_checked_too() {
    let mut history = at_once([vec![w("a", 1), w("b", 1)], vec![r("a", 0), r("b", 1), w("a", 9)]]);
    history[1].committed = false;
    assert_eq!(anomaly(&history).0, Anomaly::ReadSkew);
}

#[test]
fn g2_write_skew() {
    let leave = |who| vec![r("a", 0), r("b", 0), w(who, 1)];
    let (anomaly, _, text) = anomaly(&at_once([leave("a"), leave("b")]));
    assert_eq!(anomaly, Anomaly::AntiDependencyCycle);
    assert!(text.contains("G2"), "{text}");
}

#[test]
fn g2_a_phantom_of_three() {
    let history = at_once([
        vec![r("b", 0), w("a", 1)],
        vec![r("c", 0), w("b", 1)],
        vec![r("a", 0), w("c", 1)],
    ]);
    let (anomaly, transactions, _) = anomaly(&history);
    assert_eq!((anomaly, transactions.len()), (Anomaly::AntiDependencyCycle, 3));
}

#[test]
fn real_time_a_stale_read() {
    let history = |started| history([(0, 1, vec![w("a", 1)]), (started, 3, vec![r("a", 0)])]);
    assert_eq!(order(&history(1)), [1, 0], "they may overlap");
    let (anomaly, _, text) = anomaly(&history(2));
    assert_eq!(anomaly, Anomaly::RealTime);
    assert!(text.contains("T0 had ended before T1 began"), "{text}");
}

#[test]
fn a_cycle_that_needs_no_real_time_is_told_without_it() {
    let add = |to| vec![r("a", 0), w("a", to)];
    let (anomaly, ..) = anomaly(&history([(0, 1, add(1)), (2, 3, add(2))]));
    assert_eq!(anomaly, Anomaly::LostUpdate);
}

/// Real time tells which of two removals was seen: none that leaves the reader's other value in place.
#[test]
fn a_value_that_many_wrote_is_tried_with_each() {
    let history = |seen| {
        history([
            (0, 1, vec![w("a", 1)]),
            (2, 3, vec![w("a", 0)]),
            (4, 5, vec![w("a", 2), w("b", 2)]),
            (6, 7, vec![w("a", 0), w("b", 3)]),
            (0, 9, vec![r("a", 0), r("b", seen)]),
        ])
    };
    for seen in [0, 3] {
        order(&history(seen));
    }
    let (anomaly, _, text) = anomaly(&history(2));
    assert_eq!(anomaly, Anomaly::RealTime);
    assert!(text.contains(r#"T4 read "a" = 0, which 3 may have put there"#), "{text}");
}

/// Blind writes of one object, which only readers of a second one put in an order.
#[test]
fn open_questions_are_tried() {
    let writes = |n| vec![w("a", n), w("b", n % 2)];
    let steps = [
        vec![r("a", 3), r("b", 1)],
        vec![r("a", 2), r("b", 0)],
        vec![r("b", 1)],
        writes(1),
        writes(2),
        writes(3),
    ];
    order(&at_once(steps));
}

#[test]
fn a_rolled_back_branch_leaves_its_reads() {
    let mut steps = Steps::new();
    steps.write("a", 1);
    let mark = steps.len();
    steps.read("a", 1);
    steps.read("b", 0);
    steps.write("b", 1);
    steps.read("b", 1);
    steps.roll_back(mark);
    assert_eq!(steps.0, [w("a", 1), r("b", 0)]);
}

#[test]
fn a_history_that_is_too_long_is_refused() {
    let one = at_once([vec![]]);
    let long: History = one.iter().cycle().take(MAX_TRANSACTIONS + 1).cloned().collect();
    assert_eq!(check(&0, &long), Err(Unexplained::TooLong));
    assert!(check(&0, &long[1..]).is_ok());
}

/// A few transactions over two objects with three values, so that many values are written twice. Mostly a transaction reads
/// what some transaction wrote, and once.
fn small(seed: u64) -> History {
    let mut g = Gen::from_size_and_seed(10, seed);
    let mut below = |end: u8| u8::arbitrary(&mut g) % end;
    let mut written = vec![("a", 0), ("b", 0)];
    let transactions = 2 + below(4);
    let mut history = Vec::new();
    for at in 0..transactions {
        let started = u64::from(below(6));
        let ended = started + u64::from(below(6));
        let writes: Vec<_> = (0..below(3))
            .map(|_| (["a", "b"][usize::from(below(2))], i32::from(below(3))))
            .collect();
        written.extend(&writes);
        let (name, committed) = (format!("T{at}"), below(8) > 0);
        let steps = writes.into_iter().map(|(object, value)| w(object, value)).collect();
        history.push(Transaction { name, started, ended, committed, steps });
    }
    for transaction in &mut history {
        let mut read = Vec::new();
        for _ in 0..below(4) {
            let (object, value) = written[usize::from(below(u8::MAX)) % written.len()];
            if below(16) == 0 || !read.contains(&object) {
                read.push(object);
                transaction.steps.insert(0, r(object, value));
            }
        }
    }
    history
}

/// Whether some order explains the history: all are tried.
fn some_order_explains(history: &History, placed: &mut Vec<usize>) -> bool {
    if placed.len() == history.len() {
        return explains(placed, history);
    }
    (0..history.len()).any(|at| {
        if placed.contains(&at) {
            return false;
        }
        placed.push(at);
        let explained = some_order_explains(history, placed);
        placed.pop();
        explained
    })
}

#[test]
fn the_answer_is_that_of_trying_every_order() {
    let (mut met, mut explained, mut decided) = (HashMap::new(), 0, 0);
    for seed in 0..20_000 {
        let history = small(seed);
        match check(&0, &history) {
            Ok(Serial { order, decisions, .. }) => {
                assert!(explains(&order, &history), "seed {seed}: {order:?}, {history:#?}");
                explained += 1;
                decided += usize::from(decisions > 0);
            }
            Err(Unexplained::Anomalous { anomaly, .. }) => {
                *met.entry(anomaly.to_string()).or_insert(0) += 1;
                let some = |history| some_order_explains(history, &mut Vec::new());
                assert!(!some(&history), "seed {seed}: {anomaly}, {history:#?}");
                let timeless = |t| Transaction { started: 0, ended: 9, ..t };
                let timeless = history.iter().cloned().map(timeless).collect();
                let only_real_time = anomaly == Anomaly::RealTime;
                assert_eq!(some(&timeless), only_real_time, "seed {seed}: {anomaly}, {history:#?}");
            }
            Err(other) => panic!("seed {seed}: {other}, {history:#?}"),
        }
    }
    assert_eq!(met.len(), 10, "every anomaly is among them: {met:?}");
    assert!(explained > 2_000 && decided > 20, "{explained} with an order, {decided} after trying");
}
