//! One thread: after each transaction of a random program, the engine and the semantics have given the same answers
//! and hold the same heap.
//!
//! All answers are looked at again after each transaction, so a snapshot that doesn't stay as it was is seen.
//! `SIMPLEX_STORES_PROGRAMS` sets how many programs (default 4,000).

use super::campaign;
use super::engine::{Asks, Engine, Wrong};
use super::generate::Sequential;
use super::interpreter::{Interpreter, Published, Rules};
use super::observe::{Observation, SeenAnswer, observe};
use quickcheck::{Arbitrary, Gen, QuickCheck, TestResult};
use std::fmt::Debug;

/// The variable that says how many programs to run.
pub(crate) const PROGRAMS: &str = "SIMPLEX_STORES_PROGRAMS";

/// The programs of one seed are always the same.
pub(crate) fn seeded(seed: u64) -> Gen {
    Gen::from_size_and_seed(30, seed)
}

/// Runs `property` on so many programs of one seed. Those that it discards don't count.
pub(crate) fn check<P: Arbitrary + Debug>(
    seed: u64,
    programs: u64,
    property: fn(P) -> TestResult,
) -> Result<(), TestResult> {
    let passed = QuickCheck::new()
        .tests(programs)
        .max_tests(100 * programs)
        .rng(seeded(seed))
        .quicktest(property)?;
    assert_eq!(passed, programs, "too many programs were discarded");
    Ok(())
}

/// As [`check`], and panics with the seed and the program, made small, on which the property fails.
pub(crate) fn hold<P: Arbitrary + Debug>(seed: u64, programs: u64, property: fn(P) -> TestResult) {
    if let Err(failure) = check(seed, programs, property) {
        panic!("seed {seed}: {failure:#?}");
    }
}

/// How a program looks after each of its transactions, by rules.
pub(crate) fn by_rules<R: Rules>(program: &Sequential) -> Vec<Observation> {
    let mut interpreter = Interpreter::<R>::new();
    let mut answers = Vec::new();
    let step = |block| {
        answers.push(interpreter.atomically(block));
        observe(&interpreter, &[&answers])
    };
    program.0.iter().map(step).collect()
}

/// How it looks on the engine. Transactions take turns in how they say that they would wait.
pub(crate) fn by_engine(program: &Sequential, wrong: Option<Wrong>) -> Vec<Observation> {
    let engine = Engine::new().wrong(wrong);
    let mut answers = Vec::new();
    let step = |(block, asks)| {
        answers.push(engine.attempt(block, asks));
        observe(&engine, &[&answers])
    };
    program.0.iter().zip([Asks::OrElse, Asks::Abort].into_iter().cycle()).map(step).collect()
}

/// Whether two runs of a program look the same, and where they don't if not.
pub(crate) fn same(engine: &[Observation], rules: &[Observation]) -> TestResult {
    let differs = engine.iter().zip(rules).position(|(engine, rules)| engine != rules);
    let Some(at) = differs else { return TestResult::passed() };
    let (engine, rules) = (&engine[at], &rules[at]);
    TestResult::error(format!(
        "after transaction {at} the engine has {engine:?}, the semantics {rules:?}"
    ))
}

fn keeps_the_semantics(program: Sequential) -> TestResult {
    same(&by_engine(&program, None), &by_rules::<Published>(&program))
}

#[test]
fn random_programs_give_the_answers_and_the_heap_of_the_semantics() {
    campaign::run(campaign::inputs(PROGRAMS, 4_000), |piece, count| {
        hold(piece, count, keeps_the_semantics);
    });
}

/// Of the random transactions enough return, throw and wait, and what they return is long.
#[test]
fn enough_of_the_transactions_end_in_each_way() {
    let mut g = seeded(0);
    let (mut returned, mut threw, mut waits, mut results) = (0, 0, 0, 0);
    for _ in 0..1_000 {
        let program = Sequential::arbitrary(&mut g);
        let last = by_rules::<Published>(&program).pop().unwrap();
        for answer in last.answers.concat() {
            match answer {
                SeenAnswer::Returned(seen) => {
                    returned += 1;
                    results += seen.len();
                }
                SeenAnswer::Threw(_) => threw += 1,
                SeenAnswer::Waits => waits += 1,
            }
        }
    }
    let counts = (returned, results, threw, waits);
    assert!(
        returned > 1_000 && results > 3 * returned && threw > 100 && waits > 100,
        "returned, results in all, threw, wait: {counts:?}"
    );
}
