//! Why a history has no order, in words.

use super::graph::{Edge, Why};
use super::intern::{INITIAL, Interned};
use super::search::Found;
use super::{Anomaly, Transaction, Unexplained};
use std::fmt::Debug;

pub(super) fn read_of(name: &str, object: &impl Debug, value: &impl Debug) -> String {
    format!("{name} read {object:?} = {value:?}")
}

/// A cycle as the caller gets to see it.
pub(super) fn explain<O: Debug, V: Debug>(
    history: &[Transaction<O, V>],
    interned: &Interned<O, V>,
    found: &Found,
    anomaly: Option<Anomaly>,
) -> Unexplained {
    let words = Words { history, interned };
    let mut because: Vec<_> = found.cycle.iter().map(|&edge| words.edge(edge)).collect();
    if let Some(ambiguous) = found.ambiguous.filter(|ambiguous| ambiguous.writers > 1) {
        let read = words.read(ambiguous.reader, ambiguous.object);
        let writers = ambiguous.writers;
        because.push(format!(
            "{read}, which {writers} may have put there; each of them is excluded, one of them so"
        ));
    }
    if found.assumed {
        because
            .push("what else is open was tried in every way, and each ends in a cycle".to_owned());
    }
    if anomaly == Some(Anomaly::RealTime) {
        because.push("but for real time there would be an order".to_owned());
    }
    Unexplained::Anomalous {
        anomaly: anomaly.unwrap_or_else(|| name(&found.cycle)),
        transactions: found.cycle.iter().map(|edge| edge.from).collect(),
        because,
    }
}

fn name(cycle: &[Edge]) -> Anomaly {
    if cycle.iter().any(|edge| edge.why == Why::RealTime) {
        return Anomaly::RealTime;
    }
    if let [
        Edge { why: Why::ReadBefore { object: one }, .. },
        Edge { why: Why::ReadBefore { object: other }, .. },
    ] = cycle
        && one == other
    {
        return Anomaly::LostUpdate;
    }
    let anti_dependencies = cycle.iter().filter(|edge| edge.why.is_anti_dependency()).count();
    let reads = cycle.iter().any(|edge| matches!(edge.why, Why::ReadFrom { .. }));
    match anti_dependencies {
        0 if reads => Anomaly::CircularInformation,
        0 => Anomaly::WriteCycle,
        1 => Anomaly::ReadSkew,
        _ => Anomaly::AntiDependencyCycle,
    }
}

struct Words<'h, O, V> {
    history: &'h [Transaction<O, V>],
    interned: &'h Interned<O, V>,
}

impl<O: Debug, V: Debug> Words<'_, O, V> {
    fn edge(&self, Edge { from, to, why }: Edge) -> String {
        let (first, second) = (self.name(from), self.name(to));
        let reason = match why {
            Why::RealTime => format!("{first} had ended before {second} began"),
            Why::ReadFrom { object } => {
                format!("{}, which {first} wrote", self.read(to, object))
            }
            Why::WroteBefore { object, reader } => {
                let read = self.read(reader, object);
                format!(
                    "both wrote {:?}, and {read} of {second} after {first}",
                    self.interned.objects[object]
                )
            }
            Why::ReadBefore { object } => {
                format!("{}, which {second} wrote over", self.read(from, object))
            }
        };
        let kind = match why {
            Why::RealTime => "real time",
            Why::ReadFrom { .. } => "write-read",
            Why::WroteBefore { .. } => "write-write",
            Why::ReadBefore { .. } => "read-write",
        };
        format!("{first} before {second} ({kind}): {reason}")
    }

    fn read(&self, reader: usize, object: usize) -> String {
        let read = self.interned.nodes[reader].reads.iter().find(|read| read.0 == object);
        let value = read.map_or(INITIAL, |read| read.1);
        read_of(self.name(reader), &self.interned.objects[object], &self.interned.values[value])
    }

    fn name(&self, at: usize) -> &str {
        &self.history[at].name
    }
}
