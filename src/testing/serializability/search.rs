//! Finding the order: what follows from what is known, and then trying what is still open.

use super::Serial;
use super::graph::{Closure, Edge, Graph, Why};
use super::intern::{INITIAL, Interned, Node};
use std::collections::HashMap;

/// How many open questions are tried before giving up.
const MAX_DECISIONS: usize = 1_000;

/// What besides the dependencies an order must respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    RealTime,
    Any,
}

#[derive(Debug)]
pub(super) enum Failure {
    Cycle(Found),
    Undecided,
}

/// Why there is no order.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) cycle: Vec<Edge>,
    /// A read whose value several transactions wrote, all of which are excluded; the cycle excludes one of them.
    pub(super) ambiguous: Option<Ambiguous>,
    /// Whether it was found after something else had been assumed that might have been otherwise, and failed likewise.
    pub(super) assumed: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Ambiguous {
    pub(super) reader: usize,
    pub(super) object: usize,
    pub(super) writers: usize,
}

/// Who wrote what was read; none when it was there at first.
type Source = Option<usize>;

/// What one transaction saw of one object.
#[derive(Clone, Debug)]
struct Read {
    reader: usize,
    object: usize,
    /// How many there were at first.
    writers: usize,
    /// Those that it still may have been.
    sources: Vec<Source>,
}

/// Something that is settled by trying.
#[derive(Clone, Copy, Debug)]
enum Assumption {
    Source { read: usize, source: Source },
    Edge(Edge),
}

/// Finds an order.
pub(super) fn solve<O, V>(history: &Interned<O, V>, order: Order) -> Result<Serial, Failure> {
    let mut graph = Graph::new(history.nodes.len());
    if order == Order::RealTime {
        real_time(&history.nodes, &mut graph);
    }
    let reads = reads(history);
    let mut search =
        Search { nodes: &history.nodes, writers: &history.writers, graph, reads, decisions: 0 };
    let order = search.solve()?;
    Ok(Serial { order, dependencies: search.graph.dependencies(), decisions: search.decisions })
}

fn reads<O, V>(history: &Interned<O, V>) -> Vec<Read> {
    let mut reads = Vec::new();
    for (reader, node) in history.nodes.iter().enumerate() {
        for &(object, value) in &node.reads {
            let initial = (value == INITIAL).then_some(None);
            let written = history.writers[object]
                .iter()
                .filter(|&&(writer, written)| writer != reader && written == value)
                .map(|&(writer, _)| Some(writer));
            let sources: Vec<_> = initial.into_iter().chain(written).collect();
            reads.push(Read { reader, object, writers: sources.len(), sources });
        }
    }
    reads
}

/// An edge where nothing lies in between; the others follow.
fn real_time(nodes: &[Node], graph: &mut Graph) {
    let mut by_start: Vec<usize> = (0..nodes.len()).collect();
    by_start.sort_unstable_by_key(|&node| nodes[node].started);
    for (from, node) in nodes.iter().enumerate() {
        let mut first_end = u64::MAX;
        let later = by_start.partition_point(|&other| nodes[other].started <= node.ended);
        for &to in &by_start[later..] {
            if nodes[to].started > first_end {
                break;
            }
            first_end = first_end.min(nodes[to].ended);
            graph.add(Edge { from, to, why: Why::RealTime });
        }
    }
}

struct Search<'h> {
    nodes: &'h [Node],
    writers: &'h [Vec<(usize, usize)>],
    graph: Graph,
    reads: Vec<Read>,
    decisions: usize,
}

impl Search<'_> {
    /// Its depth is the number of decisions.
    fn solve(&mut self) -> Result<Vec<usize>, Failure> {
        let closure = self.propagate()?;
        if let Some(order) = self.order() {
            return Ok(order);
        }
        let question = self.open_question(&closure);
        // It is large, and there may be a thousand calls of this function around.
        drop(closure);
        let mut failure = Failure::Undecided;
        for assumption in question {
            if self.decisions == MAX_DECISIONS {
                return Err(Failure::Undecided);
            }
            self.decisions += 1;
            let (edges, reads) = (self.graph.len(), self.reads.clone());
            self.assume(assumption);
            failure = match self.solve() {
                Err(Failure::Cycle(found)) => Failure::Cycle(Found { assumed: true, ..found }),
                end => return end,
            };
            self.graph.truncate(edges);
            self.reads = reads;
        }
        Err(failure)
    }

    /// Adds all that follows from what is known.
    fn propagate(&mut self) -> Result<Closure, Failure> {
        loop {
            let Some(closure) = self.graph.closure() else { return Err(self.found(None)) };
            let mut follows = Vec::new();
            for at in 0..self.reads.len() {
                self.narrow(at, &closure)?;
                let read = &self.reads[at];
                if let [source] = read.sources[..] {
                    self.consequences(read, source, &closure, &mut follows);
                }
            }
            let mut new = false;
            for edge in follows {
                new |= self.graph.add(edge);
            }
            if !new {
                return Ok(closure);
            }
        }
    }

    /// Drops the sources that a read can't have had.
    fn narrow(&mut self, at: usize, closure: &Closure) -> Result<(), Failure> {
        let read = &self.reads[at];
        if read.sources.len() <= 1 {
            return Ok(());
        }
        let possible: Vec<_> = read
            .sources
            .iter()
            .copied()
            .filter(|&source| self.is_possible(read, source, closure))
            .collect();
        if possible.is_empty() {
            return Err(self.exclude_all(at, closure));
        }
        self.reads[at].sources = possible;
        Ok(())
    }

    fn is_possible(&self, read: &Read, source: Source, closure: &Closure) -> bool {
        let reader = read.reader;
        if source.is_some_and(|writer| closure.comes_before(reader, writer)) {
            return false;
        }
        !self.others(read, source).any(|other| {
            closure.comes_before(other, reader)
                && source.is_none_or(|writer| closure.comes_before(writer, other))
        })
    }

    /// Who else wrote the object.
    fn others(&self, read: &Read, source: Source) -> impl Iterator<Item = usize> {
        let reader = read.reader;
        let writers = self.writers[read.object].iter().map(|&(writer, _)| writer);
        writers.filter(move |&writer| writer != reader && Some(writer) != source)
    }

    /// What follows when a read had this source.
    fn consequences(
        &self,
        read: &Read,
        source: Source,
        closure: &Closure,
        follows: &mut Vec<Edge>,
    ) {
        let Read { reader, object, .. } = *read;
        if let Some(writer) = source {
            follows.push(Edge { from: writer, to: reader, why: Why::ReadFrom { object } });
        }
        for other in self.others(read, source) {
            match source {
                Some(writer) if closure.comes_before(other, reader) => {
                    let why = Why::WroteBefore { object, reader };
                    follows.push(Edge { from: other, to: writer, why });
                }
                Some(writer) if !closure.comes_before(writer, other) => {}
                Some(_) | None => {
                    follows.push(Edge { from: reader, to: other, why: Why::ReadBefore { object } });
                }
            }
        }
    }

    /// Shows why a read can't have had any source, by a cycle that the one gives whose cycle is shortest.
    fn exclude_all(&mut self, at: usize, closure: &Closure) -> Failure {
        let read = self.reads[at].clone();
        let ambiguous =
            Ambiguous { reader: read.reader, object: read.object, writers: read.writers };
        let edges = self.graph.len();
        let mut shortest: Option<Found> = None;
        for &source in &read.sources {
            let mut follows = Vec::new();
            self.consequences(&read, source, closure, &mut follows);
            for edge in follows {
                self.graph.add(edge);
            }
            if let Failure::Cycle(found) = self.found(Some(ambiguous))
                && shortest.as_ref().is_none_or(|known| found.cycle.len() < known.cycle.len())
            {
                shortest = Some(found);
            }
            self.graph.truncate(edges);
        }
        shortest.map_or(Failure::Undecided, Failure::Cycle)
    }

    fn found(&self, ambiguous: Option<Ambiguous>) -> Failure {
        match self.graph.cycle() {
            Some(cycle) => Failure::Cycle(Found { cycle, ambiguous, assumed: false }),
            None => Failure::Undecided,
        }
    }

    /// The ways in which the first open question may be answered, the likely one first.
    fn open_question(&self, closure: &Closure) -> Vec<Assumption> {
        for (at, read) in self.reads.iter().enumerate() {
            let [source] = read.sources[..] else {
                let mut sources = read.sources.clone();
                sources.sort_by_key(|source| source.map(|writer| self.nodes[writer].ended));
                let assume = |source| Assumption::Source { read: at, source };
                return sources.into_iter().rev().map(assume).collect();
            };
            let Some(writer) = source else { continue };
            let (reader, object) = (read.reader, read.object);
            let open = self.others(read, source).find(|&other| {
                !closure.comes_before(other, writer) && !closure.comes_before(reader, other)
            });
            let Some(other) = open else { continue };
            let before = Edge { from: other, to: writer, why: Why::WroteBefore { object, reader } };
            let after = Edge { from: reader, to: other, why: Why::ReadBefore { object } };
            let mut both = [before, after].map(Assumption::Edge);
            if self.nodes[other].ended > self.nodes[writer].ended {
                both.reverse();
            }
            return both.into();
        }
        Vec::new()
    }

    fn assume(&mut self, assumption: Assumption) {
        match assumption {
            Assumption::Edge(edge) => {
                self.graph.add(edge);
            }
            Assumption::Source { read, source } => self.reads[read].sources = vec![source],
        }
    }

    /// Runs the transactions one at a time, each when all are done that must come before it and when it would read what it
    /// did read, those that ended first as early as possible. Gives the order if all have their turn.
    fn order(&self) -> Option<Vec<usize>> {
        let (mut before, after) = self.graph.neighbours();
        let mut ready: Vec<usize> =
            (0..self.nodes.len()).filter(|&node| before[node] == 0).collect();
        let mut holds: HashMap<usize, usize> = HashMap::new();
        let mut order = Vec::with_capacity(self.nodes.len());
        while !ready.is_empty() {
            let reads_so = |&node: &usize| {
                let now = |object| holds.get(&object).copied().unwrap_or(INITIAL);
                self.nodes[node].reads.iter().all(|&(object, value)| now(object) == value)
            };
            let likely = |&(_, &node): &(usize, &usize)| {
                (!self.nodes[node].writes.is_empty(), self.nodes[node].ended)
            };
            let runs = ready.iter().enumerate().filter(|(_, node)| reads_so(node));
            let (at, _) = runs.min_by_key(likely)?;
            let node = ready.swap_remove(at);
            order.push(node);
            holds.extend(self.nodes[node].writes.iter().copied());
            for &next in &after[node] {
                before[next] -= 1;
                if before[next] == 0 {
                    ready.push(next);
                }
            }
        }
        Some(order)
    }
}
