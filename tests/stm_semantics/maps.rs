//! The operations of maps and of the set, as the specification words them (TM-), on one cell each.

use super::interpreter::{Cell, Ending, Entries, Interpreter, Location, Results, Rules, SET};
use super::interpreter::{State, Value};
use super::program::{Block, MapStep, SetStep};
use super::values::Outcome;

impl<R: Rules> Interpreter<R> {
    pub(crate) fn on_map(
        &self,
        at: Location,
        step: &MapStep,
        results: Results,
        state: State,
    ) -> (Ending, State) {
        match step {
            MapStep::InsertWith(key, block) => self.insert_with(at, *key, block, results, state),
            MapStep::AlterWith(key, block) => self.alter_with(at, *key, block, results, state),
            step => self.simply_on_map(at, step, results, state),
        }
    }

    /// TM-10: runs the block, then inserts into the map as it is by then.
    fn insert_with(
        &self,
        at: Location,
        key: u8,
        block: &Block,
        results: Results,
        state: State,
    ) -> (Ending, State) {
        let early = state.entries(at);
        match self.catch(block, &vec![], results, state) {
            (Ending::Returned(results), mut state) => {
                let mut entries = self.rules.inserted_into(early, state.entries(at));
                entries.insert(key, results.latest(0));
                state.write(at, Cell::Entries(entries));
                (Ending::Returned(results), state)
            }
            stopped => stopped,
        }
    }

    /// TM-17: reads the map, runs the block, then writes the map as it was before with `key` changed.
    fn alter_with(
        &self,
        at: Location,
        key: u8,
        block: &Block,
        mut results: Results,
        state: State,
    ) -> (Ending, State) {
        let early = state.entries(at);
        results.push_found(early.get(&key).cloned());
        match self.catch(block, &vec![], results, state) {
            (Ending::Returned(results), mut state) => {
                let entries = self.rules.altered(early, state.entries(at));
                let entries = set(entries, key, results.latest(0).unless_zero());
                state.write(at, Cell::Entries(entries));
                (Ending::Returned(results), state)
            }
            stopped => stopped,
        }
    }

    /// An operation without a block.
    fn simply_on_map(
        &self,
        at: Location,
        step: &MapStep,
        mut results: Results,
        mut state: State,
    ) -> (Ending, State) {
        let entries = state.entries(at);
        let found = |key: &u8| entries.get(key).cloned();
        let after = match step {
            MapStep::Get(key) => {
                results.push_found(found(key));
                None
            }
            MapStep::Contains(key) => {
                results.push_whether(entries.contains_key(key));
                None
            }
            MapStep::Len => {
                results.push_count(entries.len());
                None
            }
            MapStep::IsEmpty => {
                results.push_whether(entries.is_empty());
                None
            }
            MapStep::Snapshot => {
                results.outcomes.push(Outcome::Entries(entries));
                None
            }
            MapStep::Clear => Some(Entries::new()),
            MapStep::Insert(key, operand) => {
                let value = results.operand(*operand, &self.roots);
                Some(set(entries, *key, Some(value)))
            }
            MapStep::Remove(key) => Some(set(entries, *key, None)),
            MapStep::Replace(key, operand) => {
                let value = results.operand(*operand, &self.roots);
                results.push_found(found(key));
                Some(set(entries, *key, Some(value)))
            }
            MapStep::Take(key) => {
                results.push_found(found(key));
                Some(set(entries, *key, None))
            }
            MapStep::Adjust(key, n) => {
                let value = found(key).map(|value| value.plus(*n));
                Some(set(entries, *key, value))
            }
            MapStep::Update(key) => {
                let value = found(key).and_then(|value| value.updated());
                Some(set(entries, *key, value))
            }
            MapStep::Alter(key) => {
                let value = Value::altered(entries.get(key));
                Some(set(entries, *key, value))
            }
            MapStep::Union(incoming) => {
                let incoming = incoming.iter().map(|(key, n)| (*key, Value::Int(*n)));
                Some(self.rules.united(entries, incoming.collect()))
            }
            MapStep::InsertWith(..) | MapStep::AlterWith(..) => unreachable!("they have blocks"),
        };
        if let Some(after) = after {
            state.write(at, Cell::Entries(after));
        }
        (Ending::Returned(results), state)
    }

    pub(crate) fn on_set(&self, step: SetStep, results: &mut Results, state: &mut State) {
        let mut keys = state.keys();
        match step {
            SetStep::Insert(key) => results.push_whether(keys.insert(key)),
            SetStep::Remove(key) => results.push_whether(keys.remove(&key)),
            SetStep::Contains(key) => results.push_whether(keys.contains(&key)),
            SetStep::Len => results.push_count(keys.len()),
            SetStep::IsEmpty => results.push_whether(keys.is_empty()),
            SetStep::Snapshot => results.outcomes.push(Outcome::Keys(keys.clone())),
            SetStep::Clear => keys.clear(),
        }
        state.write(SET, Cell::Keys(keys));
    }
}

/// The entries with another value of `key`, or without it.
fn set(mut entries: Entries, key: u8, value: Option<Value>) -> Entries {
    match value {
        Some(value) => entries.insert(key, value),
        None => entries.remove(&key),
    };
    entries
}
