//! Random programs. What is rare when all is equally likely, and worth most, is made likely: left branches that
//! write blindly and then retry, parts that write and then throw, blocks that change the map that waits for them.

use super::program::{Block, KEYS, MAPS, MapStep, Operand, Place, SetStep, Statement, Test, VARS};
use super::shrink::{smaller_list, smaller_threads};
use quickcheck::{Arbitrary, Gen};

/// How deep branches, parts and blocks of maps are nested.
const DEPTH: u8 = 4;

/// Transactions, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Sequential(pub(crate) Vec<Block>);

/// Threads, each with its transactions.
#[derive(Clone, Debug)]
pub(crate) struct Concurrent(pub(crate) Vec<Vec<Block>>);

impl Arbitrary for Sequential {
    fn arbitrary(g: &mut Gen) -> Self {
        let transactions = 1 + below(g, 5);
        Sequential((0..transactions).map(|_| block(g, DEPTH, 8)).collect())
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        Box::new(smaller_list(&self.0).into_iter().map(Sequential))
    }
}

impl Arbitrary for Concurrent {
    fn arbitrary(g: &mut Gen) -> Self {
        let (threads, transactions) = *g.choose(&[(2, 2), (2, 3), (3, 1), (3, 2)]).unwrap();
        let mut several = |transaction: fn(&mut Gen) -> Block| -> Vec<Block> {
            (0..transactions).map(|_| transaction(g)).collect()
        };
        let mut program = vec![several(one_that_gives)];
        program.extend((1..threads).map(|_| several(one_that_may_wait)));
        Concurrent(program)
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        Box::new(smaller_threads(&self.0).into_iter().map(Concurrent))
    }
}

/// A transaction of the first of several threads: it seldom waits, and often writes what others wait for.
fn one_that_gives(g: &mut Gen) -> Block {
    let mut transaction = one_of_many(g);
    if bool::arbitrary(g) {
        let write = Statement::Write(Place::Root(below(g, VARS)), Operand::Int(2));
        transaction.push(write);
    }
    transaction
}

/// A transaction of another thread: now and then it waits. If the first one did so too, most programs would get stuck.
fn one_that_may_wait(g: &mut Gen) -> Block {
    let mut transaction = one_of_many(g);
    if below(g, 3) == 0 {
        let guard = Statement::Guard(Place::Root(below(g, VARS)), Test::AtLeast(1));
        transaction.insert(0, guard);
    }
    transaction
}

/// A short transaction, which retries only inside of branches and parts.
fn one_of_many(g: &mut Gen) -> Block {
    let mut transaction = block(g, 2, 4);
    transaction.retain(|statement| !matches!(statement, Statement::Guard(..) | Statement::Retry));
    transaction
}

fn below(g: &mut Gen, n: u8) -> u8 {
    u8::arbitrary(g) % n
}

fn block(g: &mut Gen, depth: u8, longest: u8) -> Block {
    (0..=below(g, longest)).map(|_| statement(g, depth)).collect()
}

fn inner(g: &mut Gen, depth: u8) -> Block {
    block(g, depth - 1, 4)
}

fn statement(g: &mut Gen, depth: u8) -> Statement {
    let kinds = if depth > 0 { 36 } else { 25 };
    match below(g, kinds) {
        0..3 => Statement::Read(place(g, VARS)),
        3..6 => Statement::Write(place(g, VARS), operand(g)),
        6 => Statement::Update(place(g, VARS), 1 + below(g, 3)),
        7 => Statement::Modify(place(g, VARS), 1 + below(g, 3)),
        8 => Statement::Replace(place(g, VARS), operand(g)),
        9..11 => Statement::New(operand(g)),
        11 if below(g, 2) == 0 => Statement::NewMap,
        11 => Statement::Singleton(below(g, KEYS), operand(g)),
        12..14 => Statement::Guard(place(g, VARS), test(g)),
        14 => match below(g, 5) {
            0 => Statement::Retry,
            1..3 => Statement::Throw(operand(g)),
            _ => Statement::Read(place(g, VARS)),
        },
        15..22 => Statement::OnMap(place(g, MAPS), map_step(g)),
        22..25 => Statement::OnSet(set_step(g)),
        25..27 => Statement::If(operand(g), test(g), inner(g, depth), inner(g, depth)),
        27..31 => Statement::OrElse(ending(g, depth, Statement::Retry), inner(g, depth)),
        31..33 => {
            let throw = Statement::Throw(operand(g));
            Statement::Catch(ending(g, depth, throw), inner(g, depth))
        }
        33 => Statement::Catch(handing_out(g, depth), inner(g, depth)),
        34 => {
            let step = MapStep::InsertWith(below(g, KEYS), inner(g, depth));
            Statement::OnMap(place(g, MAPS), step)
        }
        _ => {
            let step = MapStep::AlterWith(below(g, KEYS), inner(g, depth));
            Statement::OnMap(place(g, MAPS), step)
        }
    }
}

/// A block that as often as not ends in this.
fn ending(g: &mut Gen, depth: u8, last: Statement) -> Block {
    let mut block = inner(g, depth);
    if bool::arbitrary(g) {
        block.push(last);
    }
    block
}

/// A block that throws a variable which it has made, and written to since.
fn handing_out(g: &mut Gen, depth: u8) -> Block {
    let made = Place::Held(0);
    let mut block = vec![Statement::New(operand(g)), Statement::Write(made, operand(g))];
    block.extend(inner(g, depth));
    block.push(Statement::Throw(Operand::Var(made)));
    block
}

fn place(g: &mut Gen, roots: u8) -> Place {
    match below(g, 4) {
        0 => Place::Held(below(g, 3)),
        _ => Place::Root(below(g, roots)),
    }
}

fn operand(g: &mut Gen) -> Operand {
    match below(g, 10) {
        0..5 => Operand::Int(below(g, 4)),
        5..8 => Operand::Latest(below(g, 3)),
        8 => Operand::Var(place(g, VARS)),
        _ => Operand::Map(place(g, MAPS)),
    }
}

fn test(g: &mut Gen) -> Test {
    match below(g, 3) {
        0..2 => Test::Below(1 + below(g, 3)),
        _ => Test::AtLeast(1 + below(g, 3)),
    }
}

fn map_step(g: &mut Gen) -> MapStep {
    let key = below(g, KEYS);
    match below(g, 22) {
        0..3 => MapStep::Get(key),
        3 => MapStep::Contains(key),
        4 => MapStep::Len,
        5 => MapStep::IsEmpty,
        6 | 7 => MapStep::Snapshot,
        8 => MapStep::Clear,
        9..13 => MapStep::Insert(key, operand(g)),
        13 | 14 => MapStep::Remove(key),
        15 => MapStep::Replace(key, operand(g)),
        16 => MapStep::Take(key),
        17 => MapStep::Adjust(key, 1 + below(g, 3)),
        18 => MapStep::Update(key),
        19 | 20 => MapStep::Alter(key),
        _ => MapStep::Union((0..below(g, 4)).map(|_| (below(g, KEYS), below(g, 4))).collect()),
    }
}

fn set_step(g: &mut Gen) -> SetStep {
    let key = below(g, KEYS);
    match below(g, 9) {
        0..3 => SetStep::Insert(key),
        3 => SetStep::Remove(key),
        4 => SetStep::Contains(key),
        5 => SetStep::Len,
        6 => SetStep::IsEmpty,
        7 => SetStep::Snapshot,
        _ => SetStep::Clear,
    }
}
