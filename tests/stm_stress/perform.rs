//! Performs random transactions, and notes what each of them read and wrote.

use crate::program::{Act, BLOCKS, KEYS, MEMBERS, Object, Op, Outside, Program, REGISTERS, Whole};
use simplex_stores::stm::{
    Snapshot, TMap, TSet, TVar, Transaction, TxError, TxResult, abort, atomically, guard,
    try_atomically,
};
use simplex_stores::sync::thread::yield_now;
use simplex_stores::testing::history::Recorder;
use simplex_stores::testing::serializability::{self, Step, Steps};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

/// What stands for an absent key or member, and is in every variable at first.
pub(crate) const NOTHING: u64 = 0;
/// What stands for a member of the set. It doesn't tell who put it there.
const PRESENT: u64 = 1;

pub(crate) type Recorded = serializability::Transaction<Object, u64>;

/// What the threads share. A clone is the same.
#[derive(Clone)]
pub(crate) struct Shared {
    registers: [TVar<u64>; REGISTERS as usize],
    map: TMap<u16, u64>,
    set: TSet<u8>,
}

/// One run of a body, or what takes its place.
pub(crate) struct Run {
    steps: Steps<Object, u64>,
    /// What is written next; no two transactions write the same.
    next: u64,
    /// Whether two ways of asking the same gave the same.
    agrees: bool,
}

impl Run {
    pub(crate) fn new(number: u64) -> RefCell<Run> {
        RefCell::new(Run { steps: Steps::new(), next: number << 16 | PRESENT, agrees: true })
    }

    pub(crate) fn into_steps(self) -> Vec<Step<Object, u64>> {
        self.steps.into()
    }

    fn read(&mut self, object: Object, value: u64) {
        self.steps.read(object, value);
    }

    /// Notes a write of a new value.
    fn write(&mut self, object: Object) -> u64 {
        self.next += 1;
        self.steps.write(object, self.next)
    }

    fn remove(&mut self, object: Object) {
        self.steps.write(object, NOTHING);
    }
}

impl Shared {
    pub(crate) fn new() -> Self {
        Shared {
            registers: std::array::from_fn(|_| TVar::new(NOTHING)),
            map: TMap::new(),
            set: TSet::new(),
        }
    }

    /// Runs a program that has this number, which no other one has.
    pub(crate) fn run(&self, recorder: &Recorder, number: u64, program: &Program) -> Recorded {
        match program {
            Program::Transaction { ops, aborts } => {
                self.transaction(recorder, number, ops, *aborts)
            }
            Program::Outside(outside) => {
                let name = format!("T{number} outside");
                Recorded::committed(recorder.record(name, |_| self.outside(*outside)))
            }
        }
    }

    fn transaction(&self, recorder: &Recorder, number: u64, ops: &[Op], aborts: bool) -> Recorded {
        let mut committed = true;
        let call = recorder.record(format!("T{number}"), |_| {
            let mut last = Run::new(number);
            let end: Result<(), ()> = try_atomically(|tx| {
                last = Run::new(number);
                self.perform(tx, ops, &last)?;
                if aborts { abort(()) } else { Ok(()) }
            });
            committed = end.is_ok();
            let last = last.into_inner();
            assert!(last.agrees, "T{number}: two ways of asking the same gave different answers");
            last.steps
        });
        if committed { Recorded::committed(call) } else { Recorded::aborted(call) }
    }

    fn outside(&self, outside: Outside) -> Steps<Object, u64> {
        let mut steps = Steps::new();
        match outside {
            Outside::Look(object) => {
                let found = match object {
                    Object::Register(n) => self.registers[usize::from(n)].read_atomic(),
                    Object::Key(key) => self.map.get_atomic(&key.into()).unwrap_or(NOTHING),
                    Object::Block(n) => self.map.get_atomic(&block(n).start).unwrap_or(NOTHING),
                    Object::Member(n) => u64::from(self.set.contains_atomic(&n)),
                };
                steps.read(object, found);
            }
            Outside::MapSnapshot => {
                let whole = note_map(&mut steps, &entries(&self.map.snapshot_atomic()));
                assert!(whole, "a snapshot has a part of what one transaction wrote");
            }
            Outside::MapLen => {
                if self.map.len_atomic() == 0 {
                    note_map(&mut steps, &[]);
                }
            }
            Outside::SetSnapshot => {
                let found = self.set.snapshot_atomic();
                (0..MEMBERS).for_each(|n| note_member(&mut steps, n, found.contains(&n)));
            }
        }
        steps
    }

    /// Performs one part of what should be a transaction in a transaction of its own.
    pub(crate) fn perform_alone(&self, op: &Op, run: &RefCell<Run>) {
        atomically(|tx| match self.op(tx, op, run) {
            Ok(()) | Err(TxError::Abort(())) => Ok(()),
            Err(TxError::Stm(error)) => Err(error),
        });
    }

    fn perform(
        &self,
        tx: &mut Transaction<'_>,
        ops: &[Op],
        run: &RefCell<Run>,
    ) -> TxResult<(), ()> {
        ops.iter().try_for_each(|op| self.op(tx, op, run))
    }

    fn op(&self, tx: &mut Transaction<'_>, op: &Op, run: &RefCell<Run>) -> TxResult<(), ()> {
        let mark = run.borrow().steps.len();
        match op {
            Op::On(Object::Register(n), act) => {
                self.on_register(tx, *n, *act, &mut run.borrow_mut())?
            }
            Op::On(Object::Key(key), act) => self.on_key(tx, *key, *act, &mut run.borrow_mut())?,
            Op::On(Object::Member(n), act) => {
                self.on_member(tx, *n, *act, &mut run.borrow_mut())?
            }
            Op::On(Object::Block(n), act) => {
                self.on_block(tx, *n, *act, &mut run.borrow_mut())?;
            }
            Op::Whole(whole) => self.on_whole(tx, *whole, &mut run.borrow_mut())?,
            Op::OrElse { left, needs, right } => tx.or_else(
                |tx| {
                    self.perform(tx, left, run)?;
                    self.on_key(tx, *needs, Act::Look, &mut run.borrow_mut())?;
                    Ok(guard(self.map.contains_key(tx, &u16::from(*needs))?)?)
                },
                |tx| {
                    run.borrow_mut().steps.roll_back(mark);
                    self.perform(tx, right, run)
                },
            )?,
            Op::Catch { part, aborts } => {
                let end = tx.catch_abort(|tx| {
                    self.perform(tx, part, run)?;
                    if *aborts { abort(()) } else { Ok(()) }
                });
                if end.map_err(TxError::Stm)?.is_err() {
                    run.borrow_mut().steps.roll_back(mark);
                }
            }
            Op::Pause => yield_now(),
        }
        Ok(())
    }

    fn on_register(
        &self,
        tx: &mut Transaction<'_>,
        n: u8,
        act: Act,
        run: &mut Run,
    ) -> TxResult<(), ()> {
        let (object, register) = (Object::Register(n), &self.registers[usize::from(n)]);
        match act {
            Act::Look | Act::Ask => run.read(object, register.read(tx)?),
            Act::Put => register.write(tx, run.write(object))?,
            Act::Replace | Act::Take => {
                run.read(object, register.read(tx)?);
                register.write(tx, run.write(object))?;
            }
            Act::Remove => {
                register.write(tx, NOTHING)?;
                run.remove(object);
            }
        }
        Ok(())
    }

    fn on_key(
        &self,
        tx: &mut Transaction<'_>,
        key: u8,
        act: Act,
        run: &mut Run,
    ) -> TxResult<(), ()> {
        let (object, key) = (Object::Key(key), u16::from(key));
        match act {
            Act::Look => run.read(object, self.map.get(tx, &key)?.unwrap_or(NOTHING)),
            Act::Ask => {
                if !self.map.contains_key(tx, &key)? {
                    run.read(object, NOTHING);
                }
            }
            Act::Put => self.map.insert(tx, key, run.write(object))?,
            Act::Replace => {
                // The read comes first, but what it gives is known only after the write.
                let found = self.map.get(tx, &key)?;
                run.read(object, found.unwrap_or(NOTHING));
                let replaced = self.map.replace(tx, key, run.write(object))?;
                run.agrees &= replaced == found;
            }
            Act::Remove => {
                self.map.remove(tx, &key)?;
                run.remove(object);
            }
            Act::Take => {
                run.read(object, self.map.take(tx, &key)?.unwrap_or(NOTHING));
                run.remove(object);
            }
        }
        Ok(())
    }

    fn on_block(
        &self,
        tx: &mut Transaction<'_>,
        n: u8,
        act: Act,
        run: &mut Run,
    ) -> TxResult<(), ()> {
        let object = Object::Block(n);
        if matches!(act, Act::Look | Act::Ask | Act::Replace | Act::Take) {
            let first = self.map.get(tx, &block(n).start)?;
            run.agrees &= self.map.get(tx, &(block(n).end - 1))? == first;
            run.read(object, first.unwrap_or(NOTHING));
        }
        match act {
            Act::Look | Act::Ask => {}
            Act::Put | Act::Replace => {
                let value = run.write(object);
                self.map.union(tx, block(n).map(|key| (key, value)))?;
            }
            Act::Remove | Act::Take => {
                block(n).try_for_each(|key| self.map.remove(tx, &key))?;
                run.remove(object);
            }
        }
        Ok(())
    }

    fn on_member(
        &self,
        tx: &mut Transaction<'_>,
        n: u8,
        act: Act,
        run: &mut Run,
    ) -> TxResult<(), ()> {
        let object = Object::Member(n);
        match act {
            Act::Look | Act::Ask => note_member(&mut run.steps, n, self.set.contains(tx, &n)?),
            Act::Put | Act::Replace => {
                let new = self.set.insert(tx, n)?;
                note_member(&mut run.steps, n, !new);
                run.steps.write(object, PRESENT);
            }
            Act::Remove | Act::Take => {
                let was_there = self.set.remove(tx, &n)?;
                note_member(&mut run.steps, n, was_there);
                run.remove(object);
            }
        }
        Ok(())
    }

    fn on_whole(&self, tx: &mut Transaction<'_>, whole: Whole, run: &mut Run) -> TxResult<(), ()> {
        match whole {
            Whole::MapSnapshot => {
                let found = entries(&self.map.snapshot(tx)?);
                run.agrees &= self.map.len(tx)? == found.len();
                run.agrees &= note_map(&mut run.steps, &found);
            }
            Whole::MapLen => {
                if self.map.len(tx)? == 0 {
                    note_map(&mut run.steps, &[]);
                }
            }
            Whole::SetSnapshot => {
                let found = self.set.snapshot(tx)?;
                run.agrees &= self.set.len(tx)? == found.len();
                (0..MEMBERS).for_each(|n| note_member(&mut run.steps, n, found.contains(&n)));
            }
            Whole::SetLen => {
                let found = self.set.len(tx)?;
                if [0, usize::from(MEMBERS)].contains(&found) {
                    (0..MEMBERS).for_each(|n| note_member(&mut run.steps, n, found > 0));
                }
            }
            Whole::Clear => {
                self.map.clear(tx)?;
                (0..KEYS).for_each(|key| run.remove(Object::Key(key)));
                (0..BLOCKS).for_each(|n| run.remove(Object::Block(n)));
            }
            Whole::Union => {
                let entries: Vec<_> =
                    (0..KEYS).map(|key| (key.into(), run.write(Object::Key(key)))).collect();
                self.map.union(tx, entries)?;
            }
        }
        Ok(())
    }
}

fn entries(snapshot: &Snapshot<u16, u64>) -> Vec<(u16, u64)> {
    snapshot.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// The keys of a block: with three of them there, a map of the native engine has split.
fn block(n: u8) -> Range<u16> {
    let start = 1_000 * (u16::from(n) + 1);
    start..start + 100
}

/// Notes what a snapshot of the map says of every key, and says whether all keys of a block have the same value.
fn note_map(steps: &mut Steps<Object, u64>, found: &[(u16, u64)]) -> bool {
    let found: HashMap<u16, u64> = found.iter().copied().collect();
    let value = |key| found.get(&key).copied().unwrap_or(NOTHING);
    (0..KEYS).for_each(|key| {
        steps.read(Object::Key(key), value(key.into()));
    });
    (0..BLOCKS).all(|n| {
        let first = steps.read(Object::Block(n), value(block(n).start));
        block(n).all(|key| value(key) == first)
    })
}

fn note_member(steps: &mut Steps<Object, u64>, n: u8, is_there: bool) {
    steps.read(Object::Member(n), if is_there { PRESENT } else { NOTHING });
}
