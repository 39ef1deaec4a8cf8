//! The language: transactions over variables, maps and a set.
//!
//! Every program means something. A statement adds what it yields to the results so far, and later ones refer to
//! results by how long ago they were: where there is none of the kind, a fixed value or variable takes its place. So
//! a program stays one when any part of it is taken out.

/// How many variables, maps and keys of maps there are from the beginning. There is one set.
pub(crate) const VARS: u8 = 3;
pub(crate) const MAPS: u8 = 2;
pub(crate) const KEYS: u8 = 4;

/// Statements, one after the other: `>>=`.
pub(crate) type Block = Vec<Statement>;

/// Each with what it yields, if anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Statement {
    /// The value.
    Read(Place),
    /// A blind write.
    Write(Place, Operand),
    /// Adds in place; the new value.
    Update(Place, u8),
    /// Adds by reading and writing.
    Modify(Place, u8),
    /// The value before.
    Replace(Place, Operand),
    /// A new variable.
    New(Operand),
    /// A new map without entries.
    NewMap,
    /// A new map with one entry.
    Singleton(u8, Operand),
    If(Operand, Test, Block, Block),
    /// Retries unless the variable's value passes.
    Guard(Place, Test),
    Retry,
    Throw(Operand),
    OrElse(Block, Block),
    /// What the first block threw is the latest result when the second one, the handler, begins.
    Catch(Block, Block),
    OnMap(Place, MapStep),
    OnSet(SetStep),
}

/// Which variable, or which map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// One of those that are there from the beginning.
    Root(u8),
    /// The one that was a result so many results of its kind ago; one from the beginning when there is none.
    Held(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Int(u8),
    /// The value that was a result so many values ago; 0 when there is none.
    Latest(u8),
    /// The variable itself.
    Var(Place),
    /// The map itself.
    Map(Place),
}

/// What is asked of a value. One that is no number passes no test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Below(u8),
    AtLeast(u8),
}

/// The operations of a `TMap`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MapStep {
    Get(u8),
    Contains(u8),
    Len,
    IsEmpty,
    /// All entries, kept: later changes must not be seen in them.
    Snapshot,
    Clear,
    Insert(u8, Operand),
    /// Inserts the latest result of the block, or what it threw: the part that the interface takes can't abort.
    InsertWith(u8, Block),
    Remove(u8),
    Replace(u8, Operand),
    Take(u8),
    /// Adds to the value.
    Adjust(u8, u8),
    /// Removes an even number, adds one to everything else.
    Update(u8),
    /// As `Update`, and inserts 7 where there is nothing.
    Alter(u8),
    /// The block begins with the present value as its latest result. Its latest result at the end, or what it
    /// threw, is inserted; a 0 removes the key.
    AlterWith(u8, Block),
    Union(Vec<(u8, u8)>),
}

/// The operations of a `TSet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetStep {
    Insert(u8),
    Remove(u8),
    Contains(u8),
    Len,
    IsEmpty,
    Snapshot,
    Clear,
}

impl Statement {
    /// The blocks inside.
    pub(crate) fn parts(&self) -> Vec<&Block> {
        match self {
            Statement::If(_, _, first, second)
            | Statement::OrElse(first, second)
            | Statement::Catch(first, second) => vec![first, second],
            Statement::OnMap(_, MapStep::InsertWith(_, part) | MapStep::AlterWith(_, part)) => {
                vec![part]
            }
            _ => vec![],
        }
    }

    /// The same statement with another block as its `n`th.
    pub(crate) fn with_part(&self, n: usize, block: Block) -> Statement {
        let mut statement = self.clone();
        match (&mut statement, n) {
            (Statement::If(_, _, part, _) | Statement::OrElse(part, _), 0)
            | (Statement::If(_, _, _, part) | Statement::OrElse(_, part), 1)
            | (Statement::Catch(part, _), 0)
            | (Statement::Catch(_, part), 1)
            | (Statement::OnMap(_, MapStep::InsertWith(_, part)), 0)
            | (Statement::OnMap(_, MapStep::AlterWith(_, part)), 0) => *part = block,
            _ => panic!("{self:?} has no block {n}"),
        }
        statement
    }
}
