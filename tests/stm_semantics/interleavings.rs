//! What the semantics allows threads to come to: a transaction is one step, and any thread whose next one doesn't
//! wait may take it.

use super::interpreter::{Cells, Interpreter, Plain, Published};
use super::observe::{Observation, observe};
use super::program::Block;
use super::values::Answer;
use std::collections::BTreeSet;

/// What a program can come to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcomes {
    /// Each of these, and nothing else. Whether a transaction waits on the way, in some schedule.
    All { seen: BTreeSet<Observation>, waits: bool },
    /// In some schedule all threads that haven't ended wait for ever.
    Stuck,
}

/// What the program can come to, in every order of its transactions.
pub(crate) fn outcomes(program: &[Vec<Block>]) -> Outcomes {
    let mut search = Search {
        program,
        interpreter: Interpreter::new(),
        answers: program.iter().map(|_| Vec::new()).collect(),
        found: BTreeSet::new(),
        waits: false,
    };
    match search.explore() {
        Ok(()) => Outcomes::All { seen: search.found, waits: search.waits },
        Err(Deadlock) => Outcomes::Stuck,
    }
}

struct Deadlock;

struct Search<'p> {
    program: &'p [Vec<Block>],
    interpreter: Interpreter<Published>,
    /// The answers of each thread so far.
    answers: Vec<Vec<Answer<Plain>>>,
    found: BTreeSet<Observation>,
    waits: bool,
}

impl Search<'_> {
    /// Finds all that the program can come to from the present heap and answers, which are the same afterwards.
    fn explore(&mut self) -> Result<(), Deadlock> {
        let before = self.interpreter.heap.clone();
        let (mut ended, mut moved) = (true, false);
        for thread in 0..self.program.len() {
            let Some(next) = self.program[thread].get(self.answers[thread].len()) else { continue };
            ended = false;
            moved |= self.step(thread, next, &before)?;
        }
        if ended {
            self.found.insert(observe(&self.interpreter, &self.answers));
        }
        if ended || moved { Ok(()) } else { Err(Deadlock) }
    }

    /// Lets a thread run its next transaction, and goes on from there; false when it waits.
    fn step(&mut self, thread: usize, next: &Block, before: &Cells) -> Result<bool, Deadlock> {
        let answer = self.interpreter.atomically(next);
        if matches!(answer, Answer::Waits) {
            self.waits = true;
            return Ok(false);
        }
        self.answers[thread].push(answer);
        self.explore()?;
        self.answers[thread].pop();
        self.interpreter.heap = before.clone();
        Ok(true)
    }
}

mod tests {
    use super::*;
    use crate::program::{Operand, Place, Statement, Test};

    const X: Place = Place::Root(0);
    const Y: Place = Place::Root(1);

    fn wait_for(place: Place) -> Statement {
        Statement::Guard(place, Test::AtLeast(1))
    }

    fn set(place: Place) -> Statement {
        Statement::Write(place, Operand::Int(1))
    }

    #[test]
    fn of_two_increments_one_comes_first() {
        let add = || vec![vec![Statement::Update(X, 1)]];
        let Outcomes::All { seen, waits } = outcomes(&[add(), add()]) else { panic!("stuck") };
        assert_eq!((seen.len(), waits), (2, false), "{seen:?}");
    }

    #[test]
    fn a_transaction_that_waits_comes_after_what_it_waits_for() {
        let waiter = vec![vec![wait_for(X), Statement::Read(Y)]];
        let setter = vec![vec![set(Y)], vec![set(X)]];
        let Outcomes::All { seen, waits } = outcomes(&[waiter, setter]) else { panic!("stuck") };
        assert_eq!((seen.len(), waits), (1, true), "{seen:?}");
    }

    #[test]
    fn threads_that_wait_for_each_other_are_stuck() {
        let program =
            [vec![vec![wait_for(X)], vec![set(Y)]], vec![vec![wait_for(Y)], vec![set(X)]]];
        assert_eq!(outcomes(&program), Outcomes::Stuck);
    }

    #[test]
    fn one_bad_order_is_enough_to_be_stuck() {
        let waiter = vec![vec![wait_for(X)]];
        let setter = vec![vec![set(X)], vec![Statement::Write(X, Operand::Int(0))]];
        assert_eq!(outcomes(&[waiter, setter]), Outcomes::Stuck);
    }
}
