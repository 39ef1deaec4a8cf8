//! The semantics, rule by rule.
//!
//! The paper's judgement `M; Θ, Δ ⇒* N; Θ', Δ'` is [`Interpreter::block`]: a block in a [`State`], which is the
//! heap Θ and the allocations Δ, comes to an [`Ending`] (`return`, `throw` or `retry`) in another state. States are
//! values, so a state that a rule goes back to is simply the earlier one.
//!
//! | rule | where |
//! |---|---|
//! | READ, WRITE, NEW | `statement` |
//! | OR1, OR2, OR3 | `or_else` |
//! | XSTM1, XSTM2, XSTM3 | `catch` |
//! | ARET, ATHROW | `atomically`; no rule lets a transaction go on that ends in `retry` |
//!
//! What the rules decide stands in the trait [`Rules`], so that the twins can decide otherwise.

use super::observe;
use super::program::{Block, MAPS, Place, Statement, VARS};
use super::values::{Answer, Handles, Results as ResultsOf, Roots, Value as ValueOf};
use std::collections::{BTreeMap, BTreeSet};

/// The name of a cell: the paper's `r`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Location(usize);

#[derive(Clone, PartialEq)]
pub(crate) struct Plain;

impl Handles for Plain {
    type Var = Location;
    type Map = Location;
    type Entries = Entries;
    type Keys = BTreeSet<u8>;
}

pub(crate) type Value = ValueOf<Plain>;
pub(crate) type Results = ResultsOf<Plain>;
pub(crate) type Entries = BTreeMap<u8, Value>;

#[derive(Clone, PartialEq)]
pub(crate) enum Cell {
    Value(Value),
    Entries(Entries),
    Keys(BTreeSet<u8>),
}

/// Θ, or Δ.
pub(crate) type Cells = BTreeMap<Location, Cell>;

#[derive(Clone)]
pub(crate) struct State {
    /// Θ: what each cell holds.
    pub(crate) heap: Cells,
    /// Δ: the cells that were made, each with what it held at first.
    made: Cells,
}

/// What a block comes to.
pub(crate) enum Ending {
    Returned(Results),
    Threw(Value),
    Retried,
}

/// The decisions of the semantics, as they were published. A twin takes one of them otherwise.
pub(crate) trait Rules: Default {
    /// OR3: the state in which the right branch begins.
    fn right_begins_in(&self, before: State, _left: State) -> State {
        before
    }

    /// OR2: how the left branch has ended for the `or_else`. One that threw has not retried.
    fn left_as_seen(&self, left: Ending) -> Ending {
        left
    }

    /// XSTM2: the heap in which the handler begins: the one before, with what was made, as it was made.
    fn handler_begins_in(&self, before: Cells, thrown: State) -> Cells {
        union(before, thrown.made)
    }

    /// XSTM3: how the part has ended for the `catch`. One that retried has not thrown.
    fn part_as_seen(&self, part: Ending) -> Ending {
        part
    }

    /// ATHROW: the heap after a transaction that threw.
    fn heap_after_throw(&self, before: Cells, thrown: State) -> Cells {
        union(before, thrown.made)
    }

    /// TM-10: the map into which a computed value is inserted, of those before and after the computation.
    fn inserted_into(&self, _early: Entries, late: Entries) -> Entries {
        late
    }

    /// TM-17: the map whose key is altered, of those before and after the action.
    fn altered(&self, early: Entries, _late: Entries) -> Entries {
        early
    }

    /// TM-18: the incoming value wins.
    fn united(&self, mut present: Entries, incoming: Entries) -> Entries {
        present.extend(incoming);
        present
    }
}

/// The rules as they were published.
#[derive(Default)]
pub(crate) struct Published;

impl Rules for Published {}

/// Cells of both.
fn union(mut cells: Cells, others: Cells) -> Cells {
    cells.extend(others);
    cells
}

impl State {
    /// WRITE.
    pub(crate) fn write(&mut self, at: Location, cell: Cell) {
        self.heap.insert(at, cell);
    }

    /// READ, of a variable.
    fn value(&self, at: Location) -> Value {
        value(&self.heap, at)
    }

    /// READ, of a map.
    pub(crate) fn entries(&self, at: Location) -> Entries {
        entries(&self.heap, at)
    }

    /// READ, of the set.
    pub(crate) fn keys(&self) -> BTreeSet<u8> {
        keys(&self.heap)
    }

    /// NEW: a cell that isn't in the heap yet.
    fn make(&mut self, cell: Cell) -> Location {
        let fresh = self.heap.last_key_value().map_or(0, |(Location(last), _)| last + 1);
        self.heap.insert(Location(fresh), cell.clone());
        self.made.insert(Location(fresh), cell);
        Location(fresh)
    }
}

fn value(heap: &Cells, at: Location) -> Value {
    match &heap[&at] {
        Cell::Value(value) => value.clone(),
        Cell::Entries(_) | Cell::Keys(_) => panic!("{at:?} is no variable"),
    }
}

fn entries(heap: &Cells, at: Location) -> Entries {
    match &heap[&at] {
        Cell::Entries(entries) => entries.clone(),
        Cell::Value(_) | Cell::Keys(_) => panic!("{at:?} is no map"),
    }
}

/// Where the set is: after the variables and maps that are there from the beginning.
pub(crate) const SET: Location = Location(VARS as usize + MAPS as usize);

fn keys(heap: &Cells) -> BTreeSet<u8> {
    match &heap[&SET] {
        Cell::Keys(keys) => keys.clone(),
        Cell::Value(_) | Cell::Entries(_) => panic!("{SET:?} is no set"),
    }
}

/// A heap when no transaction runs, and the rules by which one changes it.
pub(crate) struct Interpreter<R> {
    pub(crate) heap: Cells,
    pub(crate) rules: R,
    pub(crate) roots: Roots<Plain>,
}

impl<R: Rules> Interpreter<R> {
    /// All variables 0, the maps and the set without entries.
    pub(crate) fn new() -> Self {
        let (vars, maps) = (usize::from(VARS), usize::from(MAPS));
        let roots = Roots {
            vars: (0..vars).map(Location).collect(),
            maps: (vars..vars + maps).map(Location).collect(),
        };
        let mut heap = Cells::new();
        heap.extend(roots.vars.iter().map(|at| (*at, Cell::Value(Value::Int(0)))));
        heap.extend(roots.maps.iter().map(|at| (*at, Cell::Entries(Entries::new()))));
        heap.insert(SET, Cell::Keys(BTreeSet::new()));
        Interpreter { heap, rules: R::default(), roots }
    }

    /// ARET and ATHROW: one transaction, in one step. One that waits changes nothing.
    pub(crate) fn atomically(&mut self, block: &Block) -> Answer<Plain> {
        let before = self.heap.clone();
        let state = State { heap: before.clone(), made: Cells::new() };
        let (ending, after) = self.block(block, Results::new(), state);
        match ending {
            Ending::Returned(results) => {
                self.heap = after.heap;
                Answer::Returned(results)
            }
            Ending::Threw(error) => {
                self.heap = self.rules.heap_after_throw(before, after);
                Answer::Threw(error)
            }
            Ending::Retried => Answer::Waits,
        }
    }

    /// One statement after the other, as long as they return.
    fn block(&self, block: &[Statement], results: Results, state: State) -> (Ending, State) {
        let Some((first, rest)) = block.split_first() else {
            return (Ending::Returned(results), state);
        };
        match self.statement(first, results, state) {
            (Ending::Returned(results), state) => self.block(rest, results, state),
            stopped => stopped,
        }
    }

    fn statement(
        &self,
        statement: &Statement,
        mut results: Results,
        mut state: State,
    ) -> (Ending, State) {
        let var = |results: &Results, place: &Place| results.var(*place, &self.roots);
        match statement {
            Statement::Read(place) => results.push(state.value(var(&results, place))),
            Statement::Write(place, operand) => {
                let value = results.operand(*operand, &self.roots);
                state.write(var(&results, place), Cell::Value(value));
            }
            Statement::Update(place, n) => {
                let at = var(&results, place);
                let value = state.value(at).plus(*n);
                state.write(at, Cell::Value(value.clone()));
                results.push(value);
            }
            Statement::Modify(place, n) => {
                let at = var(&results, place);
                let value = state.value(at).plus(*n);
                state.write(at, Cell::Value(value));
            }
            Statement::Replace(place, operand) => {
                let (at, value) = (var(&results, place), results.operand(*operand, &self.roots));
                results.push(state.value(at));
                state.write(at, Cell::Value(value));
            }
            Statement::New(operand) => {
                let value = results.operand(*operand, &self.roots);
                results.push(Value::Var(state.make(Cell::Value(value))));
            }
            Statement::NewMap => {
                results.push(Value::Map(state.make(Cell::Entries(Entries::new()))));
            }
            Statement::Singleton(key, operand) => {
                let value = results.operand(*operand, &self.roots);
                let entries = Entries::from([(*key, value)]);
                results.push(Value::Map(state.make(Cell::Entries(entries))));
            }
            Statement::If(operand, test, then, otherwise) => {
                let value = results.operand(*operand, &self.roots);
                let chosen = if test.passes(&value) { then } else { otherwise };
                return self.block(chosen, results, state);
            }
            Statement::Guard(place, test) => {
                if !test.passes(&state.value(var(&results, place))) {
                    return (Ending::Retried, state);
                }
            }
            Statement::Retry => return (Ending::Retried, state),
            Statement::Throw(operand) => {
                let error = results.operand(*operand, &self.roots);
                return (Ending::Threw(error), state);
            }
            Statement::OrElse(left, right) => return self.or_else(left, right, results, state),
            Statement::Catch(part, handler) => return self.catch(part, handler, results, state),
            Statement::OnMap(place, step) => {
                let at = results.map(*place, &self.roots);
                return self.on_map(at, step, results, state);
            }
            Statement::OnSet(step) => self.on_set(*step, &mut results, &mut state),
        }
        (Ending::Returned(results), state)
    }

    /// OR1 and OR2: a left branch that returned or threw is all there is, with its heap and its allocations. OR3: one
    /// that retried never was.
    fn or_else(
        &self,
        left: &Block,
        right: &Block,
        results: Results,
        before: State,
    ) -> (Ending, State) {
        let (ending, after) = self.block(left, results.clone(), before.clone());
        match self.rules.left_as_seen(ending) {
            Ending::Retried => {
                self.block(right, results, self.rules.right_begins_in(before, after))
            }
            ending => (ending, after),
        }
    }

    /// XSTM1: a part that returned is as if there were no `catch`. XSTM2: of one that threw, the handler finds
    /// what it made, and none of its writes. XSTM3: a retry is not caught.
    pub(crate) fn catch(
        &self,
        part: &Block,
        handler: &Block,
        mut results: Results,
        before: State,
    ) -> (Ending, State) {
        let inside = State { heap: before.heap.clone(), made: Cells::new() };
        let (ending, after) = self.block(part, results.clone(), inside);
        let made = union(before.made, after.made.clone());
        match self.rules.part_as_seen(ending) {
            Ending::Threw(error) => {
                results.push(error);
                let heap = self.rules.handler_begins_in(before.heap, after);
                self.block(handler, results, State { heap, made })
            }
            ending => (ending, State { heap: after.heap, made }),
        }
    }
}

impl<R> observe::Heap<Plain> for Interpreter<R> {
    fn roots(&self) -> &Roots<Plain> {
        &self.roots
    }

    fn same_var(one: &Location, other: &Location) -> bool {
        one == other
    }

    fn same_map(one: &Location, other: &Location) -> bool {
        one == other
    }

    fn value(&self, at: &Location) -> Value {
        value(&self.heap, *at)
    }

    fn entries(&self, at: &Location) -> Vec<(u8, Value)> {
        entries(&self.heap, *at).into_iter().collect()
    }

    fn listed(entries: &Entries) -> Vec<(u8, Value)> {
        entries.clone().into_iter().collect()
    }

    fn listed_keys(keys: &BTreeSet<u8>) -> Vec<u8> {
        keys.iter().copied().collect()
    }

    fn set(&self) -> Vec<u8> {
        keys(&self.heap).into_iter().collect()
    }
}
