//! A history in numbers, once each transaction by itself has been found sound.

use super::words::read_of;
use super::{Anomaly, Step, Transaction, Unexplained};
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

/// The value that every object holds at first.
pub(super) const INITIAL: usize = 0;

/// What a transaction is to the others: the first read of each object that it had not written, and its last write of each.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) started: u64,
    pub(super) ended: u64,
    /// Objects and values.
    pub(super) reads: Vec<(usize, usize)>,
    /// Objects and values; of one that aborted, none.
    pub(super) writes: Vec<(usize, usize)>,
}

#[derive(Debug)]
pub(super) struct Interned<O, V> {
    pub(super) nodes: Vec<Node>,
    /// By object: who wrote it, and what.
    pub(super) writers: Vec<Vec<(usize, usize)>>,
    pub(super) objects: Vec<O>,
    pub(super) values: Vec<V>,
}

impl<O, V> Interned<O, V>
where
    O: Eq + Hash + Clone + fmt::Debug,
    V: Eq + Hash + Clone + fmt::Debug,
{
    /// # Errors
    ///
    /// The anomalies that are no cycles.
    pub(super) fn of(initial: &V, history: &[Transaction<O, V>]) -> Result<Self, Unexplained> {
        let mut numbers = Numbers { objects: Names::default(), values: Names::default() };
        numbers.values.number(initial);
        let mut nodes = Vec::with_capacity(history.len());
        for (at, transaction) in history.iter().enumerate() {
            nodes.push(numbers.node(at, transaction)?);
        }
        let mut writers = vec![Vec::new(); numbers.objects.list.len()];
        for (at, node) in nodes.iter().enumerate() {
            for &(object, value) in &node.writes {
                if let Some(writers) = writers.get_mut(object) {
                    writers.push((at, value));
                }
            }
        }
        let (objects, values) = (numbers.objects.list, numbers.values.list);
        let interned = Interned { nodes, writers, objects, values };
        interned.all_reads_have_writers(history)?;
        Ok(interned)
    }

    fn all_reads_have_writers(&self, history: &[Transaction<O, V>]) -> Result<(), Unexplained> {
        for (at, node) in self.nodes.iter().enumerate() {
            for &(object, value) in &node.reads {
                let mut others = self.writers[object].iter().filter(|(writer, _)| *writer != at);
                if value != INITIAL && !others.any(|(_, written)| *written == value) {
                    return Err(self.nobody_wrote(at, (object, value), history));
                }
            }
        }
        Ok(())
    }

    fn nobody_wrote(
        &self,
        at: usize,
        (object, value): (usize, usize),
        history: &[Transaction<O, V>],
    ) -> Unexplained {
        let (object, value) = (&self.objects[object], &self.values[value]);
        let wrote = |transaction: &Transaction<O, V>| {
            let step =
                |step: &Step<O, V>| matches!(step, Step::Write(o, v) if o == object && v == value);
            transaction.steps.iter().any(step)
        };
        let others = || {
            history
                .iter()
                .enumerate()
                .filter(|&(other, transaction)| other != at && wrote(transaction))
        };
        let reads = read_of(&history[at].name, object, value);
        let writer = others().find(|(_, transaction)| transaction.committed);
        let (anomaly, writer, because) = match writer.or_else(|| others().next()) {
            None => (Anomaly::Unwritten, None, "which no transaction wrote".to_owned()),
            Some((writer, transaction)) if transaction.committed => {
                let because = format!("which {} wrote and then wrote over", transaction.name);
                (Anomaly::IntermediateRead, Some(writer), because)
            }
            Some((writer, transaction)) => {
                let because = format!("which {} wrote and did not publish", transaction.name);
                (Anomaly::AbortedRead, Some(writer), because)
            }
        };
        Unexplained::Anomalous {
            anomaly,
            transactions: writer.into_iter().chain([at]).collect(),
            because: vec![format!("{reads}, {because}")],
        }
    }
}

struct Numbers<O, V> {
    objects: Names<O>,
    values: Names<V>,
}

impl<O, V> Numbers<O, V>
where
    O: Eq + Hash + Clone + fmt::Debug,
    V: Eq + Hash + Clone + fmt::Debug,
{
    fn node(&mut self, at: usize, transaction: &Transaction<O, V>) -> Result<Node, Unexplained> {
        let Transaction { started, ended, .. } = *transaction;
        let mut node = Node { started, ended, ..Node::default() };
        let (mut holds, mut written) = (HashMap::new(), Vec::new());
        for step in &transaction.steps {
            let (Step::Read(object, value) | Step::Write(object, value)) = step;
            let (o, v) = (self.objects.number(object), self.values.number(value));
            let before = holds.insert(o, v);
            match (step, before) {
                (Step::Write(..), _) => written.push(o),
                (Step::Read(..), None) => node.reads.push((o, v)),
                (Step::Read(..), Some(before)) if before == v => {}
                (Step::Read(..), Some(before)) => {
                    let reads = read_of(&transaction.name, object, value);
                    let before = &self.values.list[before];
                    return Err(Unexplained::Anomalous {
                        anomaly: Anomaly::Internal,
                        transactions: vec![at],
                        because: vec![format!("{reads}, where it had left {before:?}")],
                    });
                }
            }
        }
        written.sort_unstable();
        written.dedup();
        if transaction.committed {
            node.writes = written.into_iter().map(|object| (object, holds[&object])).collect();
        }
        Ok(node)
    }
}

/// Numbers in the order of first mention.
struct Names<T> {
    list: Vec<T>,
    numbers: HashMap<T, usize>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { list: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Eq + Hash + Clone> Names<T> {
    fn number(&mut self, name: &T) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.list.len();
        self.list.push(name.clone());
        self.numbers.insert(name.clone(), number);
        number
    }
}
