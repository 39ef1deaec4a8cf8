//! Random histories of real threads, checked for strict serializability.

use crate::harness::{histories, together};
use crate::perform::{NOTHING, Recorded, Shared};
use crate::program::Program;
use quickcheck::Gen;
use simplex_stores::stm::stats;
use simplex_stores::testing::history::Recorder;
use simplex_stores::testing::serializability::{Unexplained, check};
use std::sync::Arc;

const THREADS: usize = 4;
const EACH: usize = 15;

/// What random transactions of four threads did, and what was there in the end.
fn history(seed: u64) -> Vec<Recorded> {
    let mut g = Gen::from_size_and_seed(10, seed);
    let programs: Vec<Vec<_>> =
        (0..THREADS).map(|_| (0..EACH).map(|_| Program::random(&mut g)).collect()).collect();
    let (shared, recorder) = (Shared::new(), Arc::new(Recorder::new()));
    let (last, moments) = (shared.clone(), recorder.clone());
    let recorded = together(THREADS, move |thread| {
        let number = |at| (thread * EACH + at) as u64;
        let run = |(at, program)| shared.run(&recorder, number(at), program);
        programs[thread].iter().enumerate().map(run).collect::<Vec<_>>()
    });
    let end = last.run(&moments, (THREADS * EACH) as u64, &Program::look_at_all());
    recorded.into_iter().flatten().chain([end]).collect()
}

/// The transactions that an anomaly is about, a line each.
fn in_question(why: &Unexplained, history: &[Recorded]) -> String {
    let Unexplained::Anomalous { transactions, .. } = why else { return String::new() };
    transactions.iter().map(|&at| format!("{:?}\n", history[at])).collect()
}

#[test]
#[allow(clippy::print_stdout, reason = "docs/update-claims.sh reads it there")]
fn random_histories_are_strictly_serializable() {
    let before = stats();
    let (mut transactions, mut aborted, mut dependencies, mut decisions) = (0, 0, 0, 0);
    for seed in 0..histories() {
        let history = history(seed);
        match check(&NOTHING, &history) {
            Ok(serial) => {
                transactions += history.len();
                aborted += history.iter().filter(|transaction| !transaction.committed).count();
                dependencies += serial.dependencies;
                decisions += serial.decisions;
            }
            Err(why) => panic!("seed {seed}: {why}\n{}", in_question(&why, &history)),
        }
    }
    let (histories, reruns) = (histories(), stats().since(before).reruns);
    println!(
        "claim: {histories} histories, {transactions} transactions, {aborted} of them aborted, {reruns} runs again after a \
         conflict, {dependencies} dependencies, {decisions} open questions tried"
    );
}
