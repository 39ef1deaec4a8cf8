//! What programs handle, on the interpreter and on the engine alike: values, results, answers.

use super::program::{Operand, Place, Test};

/// What stands for variables, maps and snapshots: locations for the interpreter, handles for the engine.
pub(crate) trait Handles: Clone {
    type Var: Clone;
    type Map: Clone;
    type Entries: Clone;
    type Keys: Clone;
}

/// What a variable or a map's entry holds.
#[derive(Clone, PartialEq)]
pub(crate) enum Value<H: Handles> {
    Int(u8),
    Var(H::Var),
    Map(H::Map),
}

/// What a statement yields.
#[derive(Clone)]
pub(crate) enum Outcome<H: Handles> {
    Nothing,
    Value(Value<H>),
    Entries(H::Entries),
    Keys(H::Keys),
}

/// How a transaction ended.
pub(crate) enum Answer<H: Handles> {
    Returned(Results<H>),
    Threw(Value<H>),
    /// It retries: it has to wait for a change.
    Waits,
}

/// What the statements so far have yielded.
#[derive(Clone)]
pub(crate) struct Results<H: Handles> {
    pub(crate) outcomes: Vec<Outcome<H>>,
}

/// What is there before the first transaction.
pub(crate) struct Roots<H: Handles> {
    pub(crate) vars: Vec<H::Var>,
    pub(crate) maps: Vec<H::Map>,
}

impl<H: Handles> Value<H> {
    /// The number plus `n`; just `n` when it is none.
    pub(crate) fn plus(&self, n: u8) -> Self {
        match self {
            Value::Int(number) => Value::Int((number + n) % 8),
            Value::Var(_) | Value::Map(_) => Value::Int(n),
        }
    }

    /// What `MapStep::Update` makes of the value.
    pub(crate) fn updated(&self) -> Option<Self> {
        match self {
            Value::Int(number) if number.is_multiple_of(2) => None,
            value => Some(value.plus(1)),
        }
    }

    /// What `MapStep::Alter` makes of what is there.
    pub(crate) fn altered(present: Option<&Self>) -> Option<Self> {
        match present {
            Some(value) => value.updated(),
            None => Some(Value::Int(7)),
        }
    }

    /// What `MapStep::AlterWith` makes of the block's value.
    pub(crate) fn unless_zero(self) -> Option<Self> {
        match self {
            Value::Int(0) => None,
            value => Some(value),
        }
    }
}

impl Test {
    pub(crate) fn passes<H: Handles>(self, value: &Value<H>) -> bool {
        match (self, value) {
            (Test::Below(n), Value::Int(number)) => *number < n,
            (Test::AtLeast(n), Value::Int(number)) => *number >= n,
            (_, Value::Var(_) | Value::Map(_)) => false,
        }
    }
}

impl<H: Handles> Results<H> {
    pub(crate) fn new() -> Self {
        Results { outcomes: Vec::new() }
    }

    pub(crate) fn push(&mut self, value: Value<H>) {
        self.outcomes.push(Outcome::Value(value));
    }

    pub(crate) fn push_found(&mut self, value: Option<Value<H>>) {
        self.outcomes.push(value.map_or(Outcome::Nothing, Outcome::Value));
    }

    pub(crate) fn push_count(&mut self, count: usize) {
        self.push(Value::Int(count.try_into().unwrap()));
    }

    pub(crate) fn push_whether(&mut self, is: bool) {
        self.push_count(usize::from(is));
    }

    fn values(&self) -> impl Iterator<Item = &Value<H>> {
        self.outcomes.iter().rev().filter_map(|outcome| match outcome {
            Outcome::Value(value) => Some(value),
            Outcome::Nothing | Outcome::Entries(_) | Outcome::Keys(_) => None,
        })
    }

    /// The value that was a result so many values ago.
    pub(crate) fn latest(&self, ago: u8) -> Value<H> {
        self.values().nth(ago.into()).cloned().unwrap_or(Value::Int(0))
    }

    pub(crate) fn var(&self, place: Place, roots: &Roots<H>) -> H::Var {
        let held = self.values().filter_map(|value| match value {
            Value::Var(var) => Some(var),
            Value::Int(_) | Value::Map(_) => None,
        });
        named(place, held, &roots.vars)
    }

    pub(crate) fn map(&self, place: Place, roots: &Roots<H>) -> H::Map {
        let held = self.values().filter_map(|value| match value {
            Value::Map(map) => Some(map),
            Value::Int(_) | Value::Var(_) => None,
        });
        named(place, held, &roots.maps)
    }

    pub(crate) fn operand(&self, operand: Operand, roots: &Roots<H>) -> Value<H> {
        match operand {
            Operand::Int(number) => Value::Int(number),
            Operand::Latest(ago) => self.latest(ago),
            Operand::Var(place) => Value::Var(self.var(place, roots)),
            Operand::Map(place) => Value::Map(self.map(place, roots)),
        }
    }
}

/// The handle that a place names, of those held, latest first, and the roots.
fn named<'a, T: Clone + 'a>(place: Place, mut held: impl Iterator<Item = &'a T>, roots: &[T]) -> T {
    let root = |n: u8| &roots[usize::from(n) % roots.len()];
    let found = match place {
        Place::Root(n) => root(n),
        Place::Held(ago) => held.nth(ago.into()).unwrap_or_else(|| root(ago)),
    };
    found.clone()
}
