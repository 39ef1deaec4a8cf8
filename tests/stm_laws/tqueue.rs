//! `TQueue`.

use super::harness::{STEPS, explore, once, spawn};
use quickcheck::{Arbitrary, Gen, QuickCheck};
use simplex_stores::stm::{StmResult, TQueue, Transaction, atomically, retry};
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Op {
    Write(u8),
    TryRead,
    Peek,
    Unget(u8),
    Flush,
    /// Done and taken back.
    TakenBack(Vec<Op>),
}

impl Op {
    fn random(g: &mut Gen, nested: bool) -> Op {
        let element = u8::arbitrary(g);
        match u8::arbitrary(g) % if nested { 16 } else { 18 } {
            0..6 => Op::Write(element),
            6..12 => Op::TryRead,
            12 => Op::Peek,
            13..15 => Op::Unget(element),
            15 => Op::Flush,
            _ => Op::TakenBack((0..4).map(|_| Op::random(g, true)).collect()),
        }
    }
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        Op::random(g, false)
    }
}

fn perform(op: &Op, queue: &TQueue<u8>, tx: &mut Transaction<'_>) -> StmResult<Vec<u8>> {
    match op {
        Op::Write(element) => queue.write(tx, *element)?,
        Op::TryRead => return Ok(queue.try_read(tx)?.into_iter().collect()),
        Op::Peek => return Ok(queue.try_peek(tx)?.into_iter().collect()),
        Op::Unget(element) => queue.unget(tx, *element)?,
        Op::Flush => return queue.flush(tx),
        Op::TakenBack(ops) => tx.or_else(
            |tx| {
                ops.iter().try_for_each(|op| perform(op, queue, tx).map(drop))?;
                retry()
            },
            |_| Ok(()),
        )?,
    }
    Ok(Vec::new())
}

fn apply(op: &Op, model: &mut VecDeque<u8>) -> Vec<u8> {
    match op {
        Op::Write(element) => model.push_back(*element),
        Op::TryRead => return model.pop_front().into_iter().collect(),
        Op::Peek => return model.front().copied().into_iter().collect(),
        Op::Unget(element) => model.push_front(*element),
        Op::Flush => return model.drain(..).collect(),
        Op::TakenBack(_) => {}
    }
    Vec::new()
}

#[test]
fn random_operations_agree_with_a_vecdeque() {
    fn property(transactions: Vec<Vec<Op>>) -> bool {
        once(move || {
            let (queue, mut model) = (TQueue::new(), VecDeque::new());
            for ops in &transactions {
                let expected: Vec<_> = ops.iter().map(|op| apply(op, &mut model)).collect();
                let results: Vec<_> = atomically(|tx| {
                    ops.iter().map(|op| perform(op, &queue, tx)).collect::<Result<_, _>>()
                });
                assert_eq!(results, expected);
                assert_eq!(atomically(|tx| queue.is_empty(tx)), model.is_empty());
            }
            let rest = atomically(|tx| queue.flush(tx));
            assert_eq!(VecDeque::from(rest), model);
        });
        true
    }
    let tests = if cfg!(any(loom, shuttle)) { 20 } else { 200 };
    QuickCheck::new().tests(tests).quickcheck(property as fn(Vec<Vec<Op>>) -> bool);
}

#[test]
fn an_empty_queue_makes_readers_wait() {
    once(|| {
        let queue = TQueue::<u8>::new();
        let waits = |peek: bool| {
            atomically(|tx| {
                let wait = |tx: &mut Transaction<'_>| {
                    if peek { queue.peek(tx) } else { queue.read(tx) }
                };
                tx.or_else(|tx| wait(tx).map(|_| false), |_| Ok(true))
            })
        };
        assert!(waits(true) && waits(false));
    });
}

#[test]
fn what_is_written_is_read_once_and_in_its_writers_order() {
    explore(|| {
        let queue = TQueue::new();
        let writers = [0, 1].map(|writer| {
            let queue = queue.clone();
            spawn(move || {
                for n in 0..STEPS {
                    atomically(|tx| queue.write(tx, (writer, n)));
                }
            })
        });
        let mut next = [0, 0];
        for _ in 0..2 * STEPS {
            let (writer, n) = atomically(|tx| queue.read(tx));
            assert_eq!(n, next[writer]);
            next[writer] += 1;
        }
        for writer in writers {
            writer.join().unwrap();
        }
        assert!(atomically(|tx| queue.is_empty(tx)));
    });
}

#[test]
fn two_readers_never_get_the_same_element() {
    explore(|| {
        let queue = TQueue::new();
        let readers = [(); 2].map(|()| {
            let queue = queue.clone();
            spawn(move || (0..STEPS).map(|_| atomically(|tx| queue.read(tx))).collect::<Vec<_>>())
        });
        for n in 0..2 * STEPS {
            atomically(|tx| queue.write(tx, n));
        }
        let mut all: Vec<_> =
            readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..2 * STEPS).collect::<Vec<_>>());
    });
}
