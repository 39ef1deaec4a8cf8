//! Random transactions over a few variables, a map and a set, as data.

use quickcheck::{Arbitrary, Gen};

pub(crate) const REGISTERS: u8 = 3;
pub(crate) const KEYS: u8 = 4;
pub(crate) const MEMBERS: u8 = 3;
pub(crate) const BLOCKS: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Object {
    Register(u8),
    Key(u8),
    Member(u8),
    /// Many keys of the map that are written and removed together, so that it grows.
    Block(u8),
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    On(Object, Act),
    Whole(Whole),
    /// The left branch retries when the key is absent in the end.
    OrElse {
        left: Vec<Op>,
        needs: u8,
        right: Vec<Op>,
    },
    Catch {
        part: Vec<Op>,
        aborts: bool,
    },
    /// Lets another thread run.
    Pause,
}

/// What is done with one object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Look,
    /// Only whether it is there.
    Ask,
    Put,
    Replace,
    Remove,
    Take,
}

/// What is done with all keys or members.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whole {
    MapSnapshot,
    MapLen,
    SetSnapshot,
    SetLen,
    Clear,
    Union,
}

#[derive(Clone, Debug)]
pub(crate) enum Program {
    Transaction { ops: Vec<Op>, aborts: bool },
    Outside(Outside),
}

/// What is looked at without a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outside {
    Look(Object),
    MapSnapshot,
    MapLen,
    SetSnapshot,
}

fn below(g: &mut Gen, end: u8) -> u8 {
    u8::arbitrary(g) % end
}

impl Program {
    pub(crate) fn random(g: &mut Gen) -> Program {
        match below(g, 16) {
            0 => Program::Outside(Outside::Look(Object::random(g))),
            1 => Program::Outside(Outside::MapSnapshot),
            2 => Program::Outside(*g.choose(&[Outside::MapLen, Outside::SetSnapshot]).unwrap()),
            n => Program::Transaction { ops: Op::several(g, 6, 2), aborts: n == 3 },
        }
    }

    /// Looks at everything.
    pub(crate) fn look_at_all() -> Program {
        let registers = (0..REGISTERS).map(|n| Op::On(Object::Register(n), Act::Look));
        let wholes = [Whole::MapSnapshot, Whole::SetSnapshot].map(Op::Whole);
        Program::Transaction { ops: registers.chain(wholes).collect(), aborts: false }
    }
}

impl Object {
    fn random(g: &mut Gen) -> Object {
        match below(g, 18) {
            0..6 => Object::Register(below(g, REGISTERS)),
            6..12 => Object::Key(below(g, KEYS)),
            12..16 => Object::Member(below(g, MEMBERS)),
            _ => Object::Block(below(g, BLOCKS)),
        }
    }
}

impl Op {
    fn several(g: &mut Gen, most: u8, depth: u8) -> Vec<Op> {
        (0..1 + below(g, most)).map(|_| Op::random(g, depth)).collect()
    }

    fn random(g: &mut Gen, depth: u8) -> Op {
        let wholes = [
            Whole::MapSnapshot,
            Whole::MapLen,
            Whole::SetSnapshot,
            Whole::SetLen,
            Whole::Clear,
            Whole::Union,
        ];
        let acts = [Act::Look, Act::Look, Act::Ask, Act::Put, Act::Replace, Act::Remove, Act::Take];
        match below(g, if depth > 0 { 20 } else { 17 }) {
            0..12 => Op::On(Object::random(g), *g.choose(&acts).unwrap()),
            12..15 => Op::Pause,
            15..17 => Op::Whole(*g.choose(&wholes).unwrap()),
            17..19 => Op::OrElse {
                left: Op::several(g, 2, depth - 1),
                needs: below(g, KEYS),
                right: Op::several(g, 2, depth - 1),
            },
            _ => Op::Catch { part: Op::several(g, 2, depth - 1), aborts: bool::arbitrary(g) },
        }
    }

    /// One operation each on different objects, or two where the first reads and the second one writes.
    pub(crate) fn on_different_objects(g: &mut Gen) -> Vec<Op> {
        let mut objects: Vec<Object> = (0..3 + below(g, 4)).map(|_| Object::random(g)).collect();
        objects.sort_unstable();
        objects.dedup();
        let acts: [&[Act]; 5] =
            [&[Act::Look], &[Act::Put], &[Act::Replace], &[Act::Take], &[Act::Look, Act::Put]];
        let ops = |object| g.choose(&acts).unwrap().iter().map(move |act| Op::On(object, *act));
        objects.into_iter().flat_map(ops).collect()
    }
}
