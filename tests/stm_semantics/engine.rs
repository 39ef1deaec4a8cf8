//! The programs on the library: variables are `TVar`s, maps `TMap`s, and every construct is the library's own.

use super::observe::Heap;
use super::program::{Block, KEYS, MAPS, MapStep, SetStep, Statement, VARS};
use super::values::{Answer, Handles, Outcome, Results as ResultsOf, Roots, Value as ValueOf};
use simplex_stores::stm::{
    SetSnapshot, Snapshot, StmResult, Stop, TMap, TSet, TVar, Transaction, TxError, TxResult,
    abort, guard, retry, snapshot_together, try_atomically,
};

#[derive(Clone)]
pub(crate) struct Real;

impl Handles for Real {
    type Var = TVar<Value>;
    type Map = TMap<u8, Value>;
    type Entries = Snapshot<u8, Value>;
    type Keys = SetSnapshot<u8>;
}

pub(crate) type Value = ValueOf<Real>;
pub(crate) type Results = ResultsOf<Real>;

/// How a transaction that would wait is made to say so.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asks {
    /// By the other branch of an `or_else` around it.
    OrElse,
    /// By an abort, so that it runs outside of all branches.
    Abort,
}

/// Which construct is done in a wrong way: as a user would who takes errors for values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    OrElse,
    Catch,
}

pub(crate) struct Engine {
    roots: Roots<Real>,
    set: TSet<u8>,
    /// Called before each statement.
    pause: fn(),
    wrong: Option<Wrong>,
}

impl Engine {
    pub(crate) fn new() -> Self {
        let roots = Roots {
            vars: (0..VARS).map(|_| TVar::new(Value::Int(0))).collect(),
            maps: (0..MAPS).map(|_| TMap::new()).collect(),
        };
        Engine { roots, set: TSet::new(), pause: || (), wrong: None }
    }

    pub(crate) fn pausing(self, pause: fn()) -> Self {
        Engine { pause, ..self }
    }

    pub(crate) fn wrong(self, wrong: Option<Wrong>) -> Self {
        Engine { wrong, ..self }
    }

    /// Runs a transaction, which waits where it has to.
    pub(crate) fn run(&self, block: &Block) -> Answer<Real> {
        match try_atomically(|tx| self.block(tx, block, Results::new())) {
            Ok(results) => Answer::Returned(results),
            Err(error) => Answer::Threw(error),
        }
    }

    /// Runs a transaction that says so instead of waiting.
    pub(crate) fn attempt(&self, block: &Block, asks: Asks) -> Answer<Real> {
        match asks {
            Asks::OrElse => try_atomically(|tx| {
                tx.or_else(
                    |tx| self.block(tx, block, Results::new()).map(Answer::Returned),
                    |_| Ok(Answer::Waits),
                )
            })
            .unwrap_or_else(Answer::Threw),
            Asks::Abort => try_atomically(|tx| match self.block(tx, block, Results::new()) {
                Err(error) if error.is_retry() => abort(Answer::Waits),
                Err(error) => Err(error.map_abort(Answer::Threw)),
                Ok(results) => Ok(Answer::Returned(results)),
            })
            .unwrap_or_else(|answer| answer),
        }
    }

    fn block(
        &self,
        tx: &mut Transaction<'_>,
        block: &Block,
        mut results: Results,
    ) -> TxResult<Results, Value> {
        for statement in block {
            (self.pause)();
            results = self.statement(tx, statement, results)?;
        }
        Ok(results)
    }

    fn statement(
        &self,
        tx: &mut Transaction<'_>,
        statement: &Statement,
        mut results: Results,
    ) -> TxResult<Results, Value> {
        let roots = &self.roots;
        match statement {
            Statement::Read(place) => {
                let value = results.var(*place, roots).read(tx)?;
                results.push(value);
            }
            Statement::Write(place, operand) => {
                let value = results.operand(*operand, roots);
                results.var(*place, roots).write(tx, value)?;
            }
            Statement::Update(place, n) => {
                let value = results.var(*place, roots).update(tx, |value| {
                    *value = value.plus(*n);
                    value.clone()
                })?;
                results.push(value);
            }
            Statement::Modify(place, n) => {
                results.var(*place, roots).modify(tx, |value| value.plus(*n))?;
            }
            Statement::Replace(place, operand) => {
                let value = results.operand(*operand, roots);
                let before = results.var(*place, roots).replace(tx, value)?;
                results.push(before);
            }
            Statement::New(operand) => {
                let value = results.operand(*operand, roots);
                results.push(Value::Var(TVar::new(value)));
            }
            Statement::NewMap => results.push(Value::Map(TMap::new())),
            Statement::Singleton(key, operand) => {
                let value = results.operand(*operand, roots);
                results.push(Value::Map(TMap::singleton(tx, *key, value)?));
            }
            Statement::If(operand, test, then, otherwise) => {
                let chosen = match test.passes(&results.operand(*operand, roots)) {
                    true => then,
                    false => otherwise,
                };
                return self.block(tx, chosen, results);
            }
            Statement::Guard(place, test) => {
                guard(results.var(*place, roots).with(tx, |value| test.passes(value))?)?;
            }
            Statement::Retry => retry()?,
            Statement::Throw(operand) => return abort(results.operand(*operand, roots)),
            Statement::OrElse(left, right) => return self.or_else(tx, left, right, results),
            Statement::Catch(part, handler) => return self.catch(tx, part, handler, results),
            Statement::OnMap(place, step) => {
                let map = results.map(*place, roots);
                self.on_map(tx, &map, step, &mut results)?;
            }
            Statement::OnSet(step) => self.on_set(tx, *step, &mut results)?,
        }
        Ok(results)
    }

    fn or_else(
        &self,
        tx: &mut Transaction<'_>,
        left: &Block,
        right: &Block,
        results: Results,
    ) -> TxResult<Results, Value> {
        if self.wrong == Some(Wrong::OrElse) {
            return match self.block(tx, left, results.clone()) {
                Err(error) if error.is_retry() => self.block(tx, right, results),
                ended => ended,
            };
        }
        let from = results.clone();
        tx.or_else(|tx| self.block(tx, left, from), |tx| self.block(tx, right, results))
    }

    fn catch(
        &self,
        tx: &mut Transaction<'_>,
        part: &Block,
        handler: &Block,
        mut results: Results,
    ) -> TxResult<Results, Value> {
        match self.caught(tx, part, results.clone())? {
            Ok(results) => Ok(results),
            Err(error) => {
                results.push(error);
                self.block(tx, handler, results)
            }
        }
    }

    /// A part, or what it threw.
    fn caught(
        &self,
        tx: &mut Transaction<'_>,
        part: &Block,
        results: Results,
    ) -> StmResult<Result<Results, Value>> {
        if self.wrong == Some(Wrong::Catch) {
            return match self.block(tx, part, results) {
                Ok(results) => Ok(Ok(results)),
                Err(TxError::Abort(error)) => Ok(Err(error)),
                Err(TxError::Stm(error)) => Err(error),
            };
        }
        tx.catch_abort(|tx| self.block(tx, part, results))
    }

    /// A part that can't abort: what it threw is its latest result.
    fn whole(
        &self,
        tx: &mut Transaction<'_>,
        part: &Block,
        results: &mut Results,
    ) -> StmResult<Value> {
        match self.caught(tx, part, results.clone())? {
            Ok(after) => *results = after,
            Err(error) => results.push(error),
        }
        Ok(results.latest(0))
    }

    fn on_map(
        &self,
        tx: &mut Transaction<'_>,
        map: &TMap<u8, Value>,
        step: &MapStep,
        results: &mut Results,
    ) -> StmResult<()> {
        let roots = &self.roots;
        match step {
            MapStep::Get(key) => results.push_found(map.get(tx, key)?),
            MapStep::Contains(key) => results.push_whether(map.contains_key(tx, key)?),
            MapStep::Len => results.push_count(map.len(tx)?),
            MapStep::IsEmpty => results.push_whether(map.is_empty(tx)?),
            MapStep::Snapshot => results.outcomes.push(Outcome::Entries(map.snapshot(tx)?)),
            MapStep::Clear => map.clear(tx)?,
            MapStep::Insert(key, operand) => {
                map.insert(tx, *key, results.operand(*operand, roots))?;
            }
            MapStep::InsertWith(key, block) => {
                map.insert_with(tx, *key, |tx| self.whole(tx, block, results))?;
            }
            MapStep::Remove(key) => map.remove(tx, key)?,
            MapStep::Replace(key, operand) => {
                let before = map.replace(tx, *key, results.operand(*operand, roots))?;
                results.push_found(before);
            }
            MapStep::Take(key) => results.push_found(map.take(tx, key)?),
            MapStep::Adjust(key, n) => map.adjust(tx, key, |value| value.plus(*n))?,
            MapStep::Update(key) => map.update(tx, key, |value| value.updated())?,
            MapStep::Alter(key) => {
                map.alter(tx, *key, |present| Value::altered(present.as_ref()))?;
            }
            MapStep::AlterWith(key, block) => map.alter_with(tx, *key, |tx, present| {
                results.push_found(present);
                self.whole(tx, block, results).map(Value::unless_zero)
            })?,
            MapStep::Union(entries) => {
                map.union(tx, entries.iter().map(|(key, n)| (*key, Value::Int(*n))))?;
            }
        }
        Ok(())
    }

    fn on_set(
        &self,
        tx: &mut Transaction<'_>,
        step: SetStep,
        results: &mut Results,
    ) -> StmResult<()> {
        match step {
            SetStep::Insert(key) => results.push_whether(self.set.insert(tx, key)?),
            SetStep::Remove(key) => results.push_whether(self.set.remove(tx, &key)?),
            SetStep::Contains(key) => results.push_whether(self.set.contains(tx, &key)?),
            SetStep::Len => results.push_count(self.set.len(tx)?),
            SetStep::IsEmpty => results.push_whether(self.set.is_empty(tx)?),
            SetStep::Snapshot => results.outcomes.push(Outcome::Keys(self.set.snapshot(tx)?)),
            SetStep::Clear => self.set.clear(tx)?,
        }
        Ok(())
    }
}

/// Read outside of transactions; each way of asking must say the same.
impl Heap<Real> for Engine {
    fn roots(&self) -> &Roots<Real> {
        &self.roots
    }

    fn same_var(one: &TVar<Value>, other: &TVar<Value>) -> bool {
        one.ptr_eq(other)
    }

    fn same_map(one: &TMap<u8, Value>, other: &TMap<u8, Value>) -> bool {
        one.ptr_eq(other)
    }

    fn value(&self, var: &TVar<Value>) -> Value {
        var.read_atomic()
    }

    fn entries(&self, map: &TMap<u8, Value>) -> Vec<(u8, Value)> {
        let entries = Self::listed(&map.snapshot_atomic());
        let has = |key| entries.iter().any(|(present, _)| *present == key);
        assert_eq!(map.len_atomic(), entries.len());
        for key in 0..KEYS {
            assert_eq!(map.contains_key_atomic(&key), has(key));
            assert_eq!(map.get_atomic(&key).is_some(), has(key));
        }
        entries
    }

    fn listed(entries: &Snapshot<u8, Value>) -> Vec<(u8, Value)> {
        let listed = entries.iter_sorted();
        assert_eq!((entries.len(), entries.iter().count()), (listed.len(), listed.len()));
        assert_eq!(entries.is_empty(), listed.is_empty());
        assert!(listed.iter().all(|(key, _)| entries.get(key).is_some()));
        listed
    }

    fn listed_keys(keys: &SetSnapshot<u8>) -> Vec<u8> {
        let listed = keys.iter_sorted();
        assert_eq!((keys.len(), keys.iter().count()), (listed.len(), listed.len()));
        assert!((0..KEYS).all(|key| keys.contains(&key) == listed.contains(&key)));
        listed
    }

    fn set(&self) -> Vec<u8> {
        let (map, together) = snapshot_together((&self.roots.maps[0], &self.set));
        let listed = Self::listed_keys(&self.set.snapshot_atomic());
        assert_eq!(
            (Self::listed_keys(&together), map.len()),
            (listed.clone(), self.roots.maps[0].len_atomic())
        );
        assert_eq!(self.set.len_atomic(), listed.len());
        assert!((0..KEYS).all(|key| self.set.contains_atomic(&key) == listed.contains(&key)));
        listed
    }
}
