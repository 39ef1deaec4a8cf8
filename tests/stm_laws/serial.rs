//! The laws together: random programs, held against an interpreter that runs one transaction at a time.
//!
//! A program is a few threads, each with a few transactions over three variables, made of reads, writes, guards,
//! `or_else`, caught aborts and aborts. The interpreter runs the threads' transactions in every order there is
//! and collects the outcomes: what each transaction returned, and the final values. Whatever the
//! engine does with real threads, or under a model checker, must be among them.
//!
//! The idea of an executable semantics that the real one is held against is io-sim's.

use super::harness::{runs, spawn};
#[cfg(not(any(loom, shuttle)))]
use quickcheck::QuickCheck;
use quickcheck::{Arbitrary, Gen};
use simplex_stores::stm::{
    TVar, Transaction, TxError, TxResult, abort, guard, retry, try_atomically,
};
use std::collections::BTreeSet;
use std::sync::Arc;

const VARS: usize = 3;

#[derive(Clone, Debug)]
enum Op {
    Read(usize),
    Write(usize, u8),
    /// The second variable becomes the first one plus one, if that is below 4.
    Copy(usize, usize),
    Guard(usize, u8),
    OrElse(Vec<Op>, Vec<Op>),
    Catch(Vec<Op>),
    Retry,
    Abort,
}

/// What a transaction returned: the values that it read, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Committed(Vec<u8>),
    Aborted(Vec<u8>),
    Waited,
}

#[derive(Clone, Debug)]
struct Program {
    threads: Vec<Vec<Vec<Op>>>,
}

type Results = (Vec<Vec<Outcome>>, [u8; VARS]);

// The interpreter. `Err(None)` is a retry, `Err(Some(()))` an abort.

type State = [u8; VARS];

fn interpret(ops: &[Op], state: &mut State, trace: &mut Vec<u8>) -> Result<(), Option<()>> {
    for op in ops {
        match op {
            Op::Read(var) => trace.push(state[*var]),
            Op::Write(var, value) => state[*var] = *value,
            Op::Copy(from, to) => {
                if state[*from] < 4 {
                    state[*to] = state[*from] + 1;
                }
            }
            Op::Guard(var, value) => {
                if state[*var] != *value {
                    return Err(None);
                }
            }
            Op::OrElse(left, right) => {
                let (mut inner, mut inner_trace) = (*state, trace.clone());
                match interpret(left, &mut inner, &mut inner_trace) {
                    Err(None) => interpret(right, state, trace)?,
                    result => {
                        (*state, *trace) = (inner, inner_trace);
                        result?;
                    }
                }
            }
            Op::Catch(part) => {
                let mut inner = *state;
                match interpret(part, &mut inner, trace) {
                    Ok(()) => *state = inner,
                    Err(Some(())) => trace.push(u8::MAX),
                    Err(None) => return Err(None),
                }
            }
            Op::Retry => return Err(None),
            Op::Abort => return Err(Some(())),
        }
    }
    Ok(())
}

fn one_transaction(ops: &[Op], state: &mut State) -> Outcome {
    let (mut after, mut trace) = (*state, Vec::new());
    match interpret(ops, &mut after, &mut trace) {
        Ok(()) => {
            *state = after;
            Outcome::Committed(trace)
        }
        Err(Some(())) => Outcome::Aborted(trace),
        Err(None) => Outcome::Waited,
    }
}

/// Every outcome that some order of the transactions has.
fn all_outcomes(program: &Program) -> BTreeSet<Results> {
    fn go(
        program: &Program,
        done: &mut Vec<Vec<Outcome>>,
        state: State,
        found: &mut BTreeSet<Results>,
    ) {
        let mut ended = true;
        for thread in 0..program.threads.len() {
            let Some(ops) = program.threads[thread].get(done[thread].len()) else { continue };
            ended = false;
            let mut after = state;
            done[thread].push(one_transaction(ops, &mut after));
            go(program, done, after, found);
            done[thread].pop();
        }
        if ended {
            found.insert((done.clone(), state));
        }
    }
    let mut found = BTreeSet::new();
    go(program, &mut vec![Vec::new(); program.threads.len()], [0; VARS], &mut found);
    found
}

// The engine.

fn perform(
    tx: &mut Transaction<'_>,
    ops: &[Op],
    vars: &[TVar<u8>],
    trace: &mut Vec<u8>,
) -> TxResult<(), ()> {
    for op in ops {
        match op {
            Op::Read(var) => trace.push(vars[*var].read(tx)?),
            Op::Write(var, value) => vars[*var].write(tx, *value)?,
            Op::Copy(from, to) => {
                let value = vars[*from].read(tx)?;
                if value < 4 {
                    vars[*to].update(tx, |to| *to = value + 1)?;
                }
            }
            Op::Guard(var, value) => guard(vars[*var].read(tx)? == *value)?,
            Op::OrElse(left, right) => {
                let mut inner = trace.clone();
                let mut outer = trace.clone();
                let (after, result) = tx.or_else(
                    |tx| match perform(tx, left, vars, &mut inner) {
                        Err(TxError::Stm(error)) => Err(error),
                        result => Ok((inner, result)),
                    },
                    |tx| match perform(tx, right, vars, &mut outer) {
                        Err(TxError::Stm(error)) => Err(error),
                        result => Ok((outer, result)),
                    },
                )?;
                *trace = after;
                result?;
            }
            Op::Catch(part) => {
                if tx.catch_abort(|tx| perform(tx, part, vars, trace))?.is_err() {
                    trace.push(u8::MAX);
                }
            }
            Op::Retry => retry()?,
            Op::Abort => return abort(()),
        }
    }
    Ok(())
}

/// Runs one transaction; where it would wait, says so instead: the right branch of an `or_else` around it.
fn run(ops: &[Op], vars: &[TVar<u8>]) -> Outcome {
    let mut trace = Vec::new();
    let result = try_atomically(|tx| {
        trace.clear();
        tx.or_else(|tx| perform(tx, ops, vars, &mut trace).map(|()| true), |_| Ok(false))
    });
    match result {
        Ok(true) => Outcome::Committed(trace),
        Ok(false) => Outcome::Waited,
        Err(()) => Outcome::Aborted(trace),
    }
}

fn run_threads(program: &Program) -> Results {
    let vars: Arc<Vec<TVar<u8>>> = Arc::new((0..VARS).map(|_| TVar::new(0)).collect());
    let work = |ops: Vec<Vec<Op>>, vars: Arc<Vec<TVar<u8>>>| {
        move || ops.iter().map(|ops| run(ops, &vars)).collect::<Vec<_>>()
    };
    let mut threads = program.threads.iter().cloned();
    let own = threads.next().unwrap_or_default();
    let others: Vec<_> = threads.map(|ops| spawn(work(ops, vars.clone()))).collect();
    let mut outcomes = vec![work(own, vars.clone())()];
    outcomes.extend(others.into_iter().map(|thread| thread.join().unwrap()));
    let last: Vec<u8> = vars.iter().map(TVar::read_atomic).collect();
    (outcomes, last.try_into().unwrap())
}

/// Runs a program as often as the harness runs things, and says how often.
fn holds(program: Program) -> u64 {
    let allowed = all_outcomes(&program);
    runs(move || {
        let outcome = run_threads(&program);
        assert!(allowed.contains(&outcome), "{program:?}\ngave {outcome:?}\nwhich no order does");
    })
}

impl Op {
    fn random(g: &mut Gen, depth: usize) -> Op {
        let (var, other) = (usize::arbitrary(g) % VARS, usize::arbitrary(g) % VARS);
        let value = u8::arbitrary(g) % 3;
        match u8::arbitrary(g) % if depth > 0 { 16 } else { 12 } {
            0..3 => Op::Read(var),
            3..5 => Op::Write(var, value),
            5..8 => Op::Copy(var, other),
            8..10 => Op::Guard(var, value),
            10 => Op::Retry,
            11 => Op::Abort,
            12..15 => Op::OrElse(Op::several(g, depth - 1), Op::several(g, depth - 1)),
            _ => Op::Catch(Op::several(g, depth - 1)),
        }
    }

    fn several(g: &mut Gen, depth: usize) -> Vec<Op> {
        (0..usize::arbitrary(g) % 4).map(|_| Op::random(g, depth)).collect()
    }
}

impl Program {
    fn random(g: &mut Gen, threads: usize, transactions: usize) -> Program {
        let thread = |g: &mut Gen| (0..transactions).map(|_| Op::several(g, 2)).collect();
        Program { threads: (0..threads).map(|_| thread(g)).collect() }
    }
}

impl Arbitrary for Program {
    fn arbitrary(g: &mut Gen) -> Self {
        if usize::arbitrary(g) % 2 == 0 {
            Program::random(g, 2, 4)
        } else {
            Program::random(g, 3, 2)
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let mut smaller = Vec::new();
        for thread in 0..self.threads.len() {
            for tx in 0..self.threads[thread].len() {
                for op in 0..self.threads[thread][tx].len() {
                    let mut program = self.clone();
                    program.threads[thread][tx].remove(op);
                    smaller.push(program);
                }
            }
        }
        Box::new(smaller.into_iter())
    }
}

#[cfg(not(any(loom, shuttle)))]
#[test]
fn random_programs_have_only_outcomes_of_a_serial_order() {
    fn property(program: Program) -> bool {
        holds(program) > 0
    }
    QuickCheck::new().tests(400).quickcheck(property as fn(Program) -> bool);
}

/// Smaller programs, and always the same ones, so that their executions can be counted.
#[cfg(any(loom, shuttle))]
#[test]
fn random_programs_have_only_outcomes_of_a_serial_order() {
    let mut g = Gen::from_size_and_seed(10, 2);
    let threads = if cfg!(loom) { 2 } else { 3 };
    let executions = (0..60).map(|_| holds(Program::random(&mut g, threads, 2))).sum();
    super::harness::record("serial/random_programs", executions);
}

/// The oracle itself: it tells a program's possible outcomes from impossible ones.
#[test]
fn the_interpreter_knows_that_one_of_two_increments_comes_first() {
    let increment = || vec![Op::Copy(0, 0), Op::Read(0)];
    let program = Program { threads: vec![vec![increment()], vec![increment()]] };
    let outcomes = all_outcomes(&program);
    let committed = |n| vec![Outcome::Committed(vec![n])];
    assert!(outcomes.contains(&(vec![committed(1), committed(2)], [2, 0, 0])));
    assert!(!outcomes.contains(&(vec![committed(1), committed(1)], [1, 0, 0])));
    assert_eq!(outcomes.len(), 2);
}
