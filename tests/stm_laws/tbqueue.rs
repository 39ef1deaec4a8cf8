//! `TBQueue`, hard: the one of GHC broke twice, in flushing and in its capacity.

use super::harness::{STEPS, explore, explore_as, once, spawn};
use quickcheck::{Arbitrary, Gen, QuickCheck};
use simplex_stores::stm::{StmResult, TBQueue, Transaction, atomically, retry};
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Op {
    Write(u8),
    Read,
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
        match u8::arbitrary(g) % if nested { 17 } else { 19 } {
            0..7 => Op::Write(element),
            7..9 => Op::Read,
            9..12 => Op::TryRead,
            12 => Op::Peek,
            13..15 => Op::Unget(element),
            15..17 => Op::Flush,
            _ => Op::TakenBack((0..5).map(|_| Op::random(g, true)).collect()),
        }
    }
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        Op::random(g, false)
    }
}

/// What an operation returned, or that it would have waited.
type Answer = Option<Vec<u8>>;

fn perform(op: &Op, queue: &TBQueue<u8>, tx: &mut Transaction<'_>) -> StmResult<Answer> {
    let part = |tx: &mut Transaction<'_>| {
        Ok(match op {
            Op::Write(element) => queue.write(tx, *element).map(|()| Vec::new())?,
            Op::Read => vec![queue.read(tx)?],
            Op::TryRead => queue.try_read(tx)?.into_iter().collect(),
            Op::Peek => queue.try_peek(tx)?.into_iter().collect(),
            Op::Unget(element) => queue.unget(tx, *element).map(|()| Vec::new())?,
            Op::Flush => queue.flush(tx)?,
            Op::TakenBack(ops) => {
                ops.iter().try_for_each(|op| perform(op, queue, tx).map(drop))?;
                retry()?
            }
        })
    };
    tx.or_else(|tx| part(tx).map(Some), |_| Ok(None))
}

fn apply(op: &Op, model: &mut VecDeque<u8>, capacity: usize) -> Answer {
    let full = model.len() == capacity;
    match op {
        Op::Write(_) | Op::Unget(_) if full => None,
        Op::Write(element) => {
            model.push_back(*element);
            Some(Vec::new())
        }
        Op::Unget(element) => {
            model.push_front(*element);
            Some(Vec::new())
        }
        Op::Read => model.pop_front().map(|element| vec![element]),
        Op::TryRead => Some(model.pop_front().into_iter().collect()),
        Op::Peek => Some(model.front().copied().into_iter().collect()),
        Op::Flush => Some(model.drain(..).collect()),
        Op::TakenBack(_) => None,
    }
}

/// Every answer, and after each transaction the length and whether it is full or empty, are those of a `VecDeque` with a
/// bound. A wrong account of the free room would show as a wait too many or too few.
#[test]
fn random_operations_agree_with_a_bounded_vecdeque() {
    fn property(capacity: u8, transactions: Vec<Vec<Op>>) -> bool {
        let capacity = usize::from(capacity % 6);
        once(move || {
            let (queue, mut model) = (TBQueue::new(capacity), VecDeque::new());
            for ops in &transactions {
                let expected: Vec<_> =
                    ops.iter().map(|op| apply(op, &mut model, capacity)).collect();
                let results: Vec<_> = atomically(|tx| {
                    ops.iter().map(|op| perform(op, &queue, tx)).collect::<Result<_, _>>()
                });
                assert_eq!(results, expected);
                let (length, full, empty) =
                    atomically(|tx| Ok((queue.len(tx)?, queue.is_full(tx)?, queue.is_empty(tx)?)));
                assert_eq!(length, model.len());
                assert_eq!((full, empty), (model.len() == capacity, model.is_empty()));
            }
        });
        true
    }
    let tests = if cfg!(any(loom, shuttle)) { 20 } else { 200 };
    QuickCheck::new().tests(tests).quickcheck(property as fn(u8, Vec<Vec<Op>>) -> bool);
}

/// From every fill level, reached in every way that mixes reads into the writes: flushing returns all and leaves room for
/// exactly the capacity.
#[test]
fn flushing_at_any_fill_level_gives_back_all_the_room() {
    once(|| {
        for capacity in 1..6 {
            for read_first in 0..=capacity {
                for fill in 0..=capacity {
                    let queue = TBQueue::new(capacity);
                    write_all(&queue, read_first);
                    for _ in 0..read_first {
                        atomically(|tx| queue.read(tx));
                    }
                    write_all(&queue, fill);
                    assert_eq!(atomically(|tx| queue.flush(tx)).len(), fill);
                    assert!(atomically(|tx| queue.is_empty(tx)));
                    assert_eq!(write_until_full(&queue), capacity);
                    assert_eq!(atomically(|tx| queue.flush(tx)).len(), capacity);
                }
            }
        }
    });
}

fn write_all(queue: &TBQueue<usize>, n: usize) {
    for n in 0..n {
        atomically(|tx| queue.write(tx, n));
    }
}

fn write_until_full(queue: &TBQueue<usize>) -> usize {
    (0..)
        .find(|n| {
            !atomically(|tx| tx.or_else(|tx| queue.write(tx, *n).map(|()| true), |_| Ok(false)))
        })
        .unwrap()
}

#[test]
fn a_queue_without_room_makes_writers_wait() {
    once(|| {
        assert_eq!(write_until_full(&TBQueue::new(0)), 0);
        assert_eq!(TBQueue::<u8>::new(3).capacity(), 3);
    });
}

/// A writer that waits for room gets it from a read, a flush, or both ends at once.
#[test]
fn a_waiting_writer_wakes_when_room_is_made() {
    for flush in [false, true] {
        let name = format!("tbqueue/a_waiting_writer_wakes_when_room_is_made/{flush}");
        explore_as(&name, move || {
            let queue = TBQueue::new(1);
            atomically(|tx| queue.write(tx, 1));
            let writer = {
                let queue = queue.clone();
                spawn(move || atomically(|tx| queue.write(tx, 2)))
            };
            let first =
                atomically(|tx| if flush { queue.flush(tx) } else { Ok(vec![queue.read(tx)?]) });
            let second = atomically(|tx| queue.read(tx));
            writer.join().unwrap();
            let mut all = first;
            all.push(second);
            assert_eq!(all, [1, 2]);
        });
    }
}

#[test]
fn a_writer_and_an_unget_compete_for_the_last_room() {
    explore(|| {
        let queue = TBQueue::new(1);
        let writer = {
            let queue = queue.clone();
            spawn(move || atomically(|tx| queue.write(tx, 1)))
        };
        let put_back =
            atomically(|tx| tx.or_else(|tx| queue.unget(tx, 0).map(|()| true), |_| Ok(false)));
        if put_back {
            assert_eq!(atomically(|tx| queue.read(tx)), 0);
        }
        writer.join().unwrap();
        assert_eq!(atomically(|tx| queue.read(tx)), 1);
    });
}

#[test]
fn what_is_written_is_read_once_in_order_and_never_too_much_at_a_time() {
    explore(|| {
        let queue = TBQueue::new(2);
        let writer = {
            let queue = queue.clone();
            spawn(move || {
                for n in 0..3 * STEPS {
                    atomically(|tx| {
                        queue.write(tx, n)?;
                        assert!(queue.len(tx)? <= 2);
                        Ok(())
                    });
                }
            })
        };
        let mut next = 0;
        while next < 3 * STEPS {
            let got = atomically(|tx| {
                if next % 2 == 0 {
                    return Ok(vec![queue.read(tx)?]);
                }
                let all = queue.flush(tx)?;
                if all.is_empty() { retry() } else { Ok(all) }
            });
            for n in got {
                assert_eq!(n, next);
                next += 1;
            }
        }
        writer.join().unwrap();
        assert!(atomically(|tx| queue.is_empty(tx)));
    });
}

#[cfg(not(any(loom, shuttle)))]
#[test]
fn many_writers_and_readers_lose_and_double_nothing() {
    let queue = TBQueue::new(3);
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let queue = queue.clone();
            spawn(move || {
                for n in 0..1_000 {
                    atomically(|tx| queue.write(tx, writer * 1_000 + n));
                }
            })
        })
        .collect();
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let queue = queue.clone();
            spawn(move || (0..1_000).map(|_| atomically(|tx| queue.read(tx))).collect::<Vec<_>>())
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let mut all: Vec<_> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..4_000).collect::<Vec<_>>());
}
