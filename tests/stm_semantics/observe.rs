//! What can be seen of a run: the answers, and the heap as far as it can be reached from them and from the roots.
//!
//! Variables and maps have no names that two runs could have in common, so they are numbered in the order in
//! which a walk meets them. Two runs look the same exactly when renaming their variables makes them the same.

use super::values::{Answer, Handles, Outcome, Roots, Value};
use std::marker::PhantomData;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    Nothing,
    Int(u8),
    Var(usize),
    Map(usize),
    Entries(Vec<(u8, Seen)>),
    Keys(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SeenAnswer {
    Returned(Vec<Seen>),
    Threw(Seen),
    Waits,
}

/// All of it: for each thread the answers of its transactions, then what variables, maps and the set hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Observation {
    pub(crate) answers: Vec<Vec<SeenAnswer>>,
    vars: Vec<Seen>,
    maps: Vec<Vec<(u8, Seen)>>,
    set: Vec<u8>,
}

/// What a heap says when nothing runs.
pub(crate) trait Heap<H: Handles> {
    fn roots(&self) -> &Roots<H>;
    fn same_var(one: &H::Var, other: &H::Var) -> bool;
    fn same_map(one: &H::Map, other: &H::Map) -> bool;
    fn value(&self, var: &H::Var) -> Value<H>;
    /// By ascending key.
    fn entries(&self, map: &H::Map) -> Vec<(u8, Value<H>)>;
    /// By ascending key.
    fn listed(entries: &H::Entries) -> Vec<(u8, Value<H>)>;
    fn listed_keys(keys: &H::Keys) -> Vec<u8>;
    fn set(&self) -> Vec<u8>;
}

/// What is seen of `heap` and of the answers that each thread got.
pub(crate) fn observe<H: Handles, G: Heap<H>>(
    heap: &G,
    threads: &[impl AsRef<[Answer<H>]>],
) -> Observation {
    let roots = heap.roots();
    let mut walk =
        Walk::<H, G> { vars: roots.vars.clone(), maps: roots.maps.clone(), listing: PhantomData };
    let answers = threads.iter().map(|answers| walk.answers(answers.as_ref())).collect();
    let (mut vars, mut maps) = (Vec::new(), Vec::new());
    // What is found on the way is looked into as well.
    while vars.len() < walk.vars.len() || maps.len() < walk.maps.len() {
        if let Some(var) = walk.vars.get(vars.len()) {
            vars.push(walk.value(&heap.value(var)));
        }
        if let Some(map) = walk.maps.get(maps.len()) {
            maps.push(walk.entries(&heap.entries(map)));
        }
    }
    Observation { answers, vars, maps, set: heap.set() }
}

/// The variables and maps met so far.
struct Walk<H: Handles, G> {
    vars: Vec<H::Var>,
    maps: Vec<H::Map>,
    listing: PhantomData<G>,
}

impl<H: Handles, G: Heap<H>> Walk<H, G> {
    fn answers(&mut self, answers: &[Answer<H>]) -> Vec<SeenAnswer> {
        answers.iter().map(|answer| self.answer(answer)).collect()
    }

    fn answer(&mut self, answer: &Answer<H>) -> SeenAnswer {
        match answer {
            Answer::Returned(results) => {
                let seen = results.outcomes.iter().map(|outcome| self.outcome(outcome));
                SeenAnswer::Returned(seen.collect())
            }
            Answer::Threw(value) => SeenAnswer::Threw(self.value(value)),
            Answer::Waits => SeenAnswer::Waits,
        }
    }

    fn outcome(&mut self, outcome: &Outcome<H>) -> Seen {
        match outcome {
            Outcome::Nothing => Seen::Nothing,
            Outcome::Value(value) => self.value(value),
            Outcome::Entries(entries) => Seen::Entries(self.entries(&G::listed(entries))),
            Outcome::Keys(keys) => Seen::Keys(G::listed_keys(keys)),
        }
    }

    fn entries(&mut self, entries: &[(u8, Value<H>)]) -> Vec<(u8, Seen)> {
        entries.iter().map(|(key, value)| (*key, self.value(value))).collect()
    }

    fn value(&mut self, value: &Value<H>) -> Seen {
        match value {
            Value::Int(number) => Seen::Int(*number),
            Value::Var(var) => Seen::Var(number_of(var, &mut self.vars, G::same_var)),
            Value::Map(map) => Seen::Map(number_of(map, &mut self.maps, G::same_map)),
        }
    }
}

/// The number of `one` among those met so far; it is met now when it wasn't before.
fn number_of<T: Clone>(one: &T, met: &mut Vec<T>, same: fn(&T, &T) -> bool) -> usize {
    met.iter().position(|other| same(one, other)).unwrap_or_else(|| {
        met.push(one.clone());
        met.len() - 1
    })
}
