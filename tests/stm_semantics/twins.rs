//! Wrong semantics and wrong engines: the comparison finds each of them out.
//!
//! Were a construct missing in the programs, or a difference overlooked, its twin would pass.

use super::engine::Wrong;
use super::generate::{Concurrent, Sequential};
use super::interleavings::{Outcomes, outcomes};
use super::interpreter::{Cells, Ending, Entries, Interpreter, Published, Rules, State, Value};
use super::observe::observe;
use super::sequential::{by_engine, by_rules, check, same};
use quickcheck::TestResult;

/// Within so many programs a twin is found out.
const PROGRAMS: u64 = 1_000;

/// A twin that decides one thing otherwise than the published rules, and a test that finds it out.
macro_rules! twin {
    ($(#[$about:meta])* $twin:ident, $test:ident, $($decision:tt)*) => {
        $(#[$about])*
        #[derive(Default)]
        struct $twin;

        impl Rules for $twin {
            $($decision)*
        }

        #[test]
        fn $test() {
            fn agrees(program: Sequential) -> TestResult {
                same(&by_engine(&program, None), &by_rules::<$twin>(&program))
            }
            assert!(check(0, PROGRAMS, agrees).is_err(), "no program tells");
        }
    };
}

twin! {
    /// A left branch that retried leaves its writes.
    LeftWritesStay, writes_that_stay_when_the_left_branch_retried_are_found_out,
    fn right_begins_in(&self, _before: State, left: State) -> State {
        left
    }
}

twin! {
    /// A throw on the left runs the right branch.
    RightAfterThrow, a_right_branch_that_runs_after_a_throw_is_found_out,
    fn left_as_seen(&self, left: Ending) -> Ending {
        match left {
            Ending::Threw(_) => Ending::Retried,
            left => left,
        }
    }
}

twin! {
    /// A part that threw leaves its writes to the handler.
    PartWritesStay, writes_that_stay_when_a_part_threw_are_found_out,
    fn handler_begins_in(&self, _before: Cells, thrown: State) -> Cells {
        thrown.heap
    }
}

twin! {
    /// What a part made that threw keeps what the part wrote to it afterwards.
    MadeAndWritten, writes_that_stay_in_what_a_part_made_that_threw_are_found_out,
    fn handler_begins_in(&self, mut before: Cells, thrown: State) -> Cells {
        let fresh = thrown.heap.into_iter().filter(|(at, _)| !before.contains_key(at));
        let fresh: Vec<_> = fresh.collect();
        before.extend(fresh);
        before
    }
}

twin! {
    /// A `catch` stops a retry.
    RetryIsCaught, a_catch_that_stops_a_retry_is_found_out,
    fn part_as_seen(&self, part: Ending) -> Ending {
        match part {
            Ending::Retried => Ending::Threw(Value::Int(0)),
            part => part,
        }
    }
}

twin! {
    /// A transaction that threw has published what it wrote.
    ThrownIsPublished, a_transaction_that_throws_and_publishes_is_found_out,
    fn heap_after_throw(&self, _before: Cells, thrown: State) -> Cells {
        thrown.heap
    }
}

twin! {
    /// TM-10 with the map as it was before the computation.
    InsertedIntoEarlyCopy, an_insert_with_that_loses_changes_is_found_out,
    fn inserted_into(&self, early: Entries, _late: Entries) -> Entries {
        early
    }
}

twin! {
    /// TM-17 with the map as it is after the action.
    AlteredAfterAction, an_alter_with_that_keeps_changes_is_found_out,
    fn altered(&self, _early: Entries, late: Entries) -> Entries {
        late
    }
}

twin! {
    /// TM-18 with the present value winning.
    PresentWins, a_union_that_keeps_present_values_is_found_out,
    fn united(&self, present: Entries, mut incoming: Entries) -> Entries {
        incoming.extend(present);
        incoming
    }
}

#[test]
fn an_engine_whose_left_branch_is_not_taken_back_is_found_out() {
    fn agrees(program: Sequential) -> TestResult {
        same(&by_engine(&program, Some(Wrong::OrElse)), &by_rules::<Published>(&program))
    }
    assert!(check(0, PROGRAMS, agrees).is_err(), "no program tells");
}

#[test]
fn an_engine_whose_caught_part_is_not_taken_back_is_found_out() {
    fn agrees(program: Sequential) -> TestResult {
        same(&by_engine(&program, Some(Wrong::Catch)), &by_rules::<Published>(&program))
    }
    assert!(check(0, PROGRAMS, agrees).is_err(), "no program tells");
}

/// One transaction of each thread, all on the same heap, and then everything that each has written is published: no
/// read is checked.
#[test]
fn threads_that_publish_without_validation_are_found_out() {
    fn agrees(Concurrent(mut program): Concurrent) -> TestResult {
        program.iter_mut().for_each(|transactions| transactions.truncate(1));
        let Outcomes::All { seen, waits: false } = outcomes(&program) else {
            return TestResult::discard();
        };
        let mut interpreter = Interpreter::<Published>::new();
        let before = interpreter.heap.clone();
        let (mut after, mut answers) = (before.clone(), Vec::new());
        for transactions in &program {
            interpreter.heap = before.clone();
            answers.push([interpreter.atomically(&transactions[0])]);
            if interpreter.heap.len() > before.len() {
                // Two threads would have made the same cell.
                return TestResult::discard();
            }
            after.extend(changed(&before, &interpreter.heap));
        }
        interpreter.heap = after;
        TestResult::from_bool(seen.contains(&observe(&interpreter, &answers)))
    }
    assert!(check(0, PROGRAMS, agrees).is_err(), "no program tells");
}

/// The cells that hold something else than before.
fn changed(before: &Cells, after: &Cells) -> Cells {
    let same = |at, cell: &_| before.get(at).is_some_and(|before| before == cell);
    let changed = after.iter().filter(|(at, cell)| !same(at, cell));
    changed.map(|(at, cell)| (*at, cell.clone())).collect()
}
