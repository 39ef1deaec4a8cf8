//! What must come before what, and cycles in it.

use std::collections::{HashSet, VecDeque};
use std::mem::{Discriminant, discriminant};

/// Why one transaction must come before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Why {
    /// It had ended before the other one began.
    RealTime,
    /// The other one read what it wrote.
    ReadFrom { object: usize },
    /// Both wrote the object, and `reader`, which comes after it, read what the other one wrote.
    WroteBefore { object: usize, reader: usize },
    /// It read what the other one wrote over.
    ReadBefore { object: usize },
}

impl Why {
    pub(super) fn is_anti_dependency(self) -> bool {
        matches!(self, Why::ReadBefore { .. })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) why: Why,
}

/// Which edges a cycle may be made of, beginning with what says most about what is wrong.
const KINDS: [fn(Why) -> bool; 4] = [
    |why| matches!(why, Why::WroteBefore { .. }),
    |why| matches!(why, Why::WroteBefore { .. } | Why::ReadFrom { .. }),
    |why| !matches!(why, Why::RealTime),
    |_| true,
];

#[derive(Debug)]
pub(super) struct Graph {
    nodes: usize,
    edges: Vec<Edge>,
    known: HashSet<Key>,
}

impl Graph {
    pub(super) fn new(nodes: usize) -> Self {
        Graph { nodes, edges: Vec::new(), known: HashSet::new() }
    }

    /// Adds an edge, and says whether it is new.
    pub(super) fn add(&mut self, edge: Edge) -> bool {
        let new = self.known.insert(key(edge));
        if new {
            self.edges.push(edge);
        }
        new
    }

    pub(super) fn len(&self) -> usize {
        self.edges.len()
    }

    /// Takes the edges back that were added when there were `len`.
    pub(super) fn truncate(&mut self, len: usize) {
        for edge in self.edges.drain(len..) {
            self.known.remove(&key(edge));
        }
    }

    /// How many edges are more than real time.
    pub(super) fn dependencies(&self) -> usize {
        self.edges.iter().filter(|edge| edge.why != Why::RealTime).count()
    }

    /// Of each node, how many edges lead to it, and where its own lead.
    pub(super) fn neighbours(&self) -> (Vec<usize>, Vec<Vec<usize>>) {
        let (mut before, mut after) = (vec![0; self.nodes], vec![Vec::new(); self.nodes]);
        for edge in &self.edges {
            before[edge.to] += 1;
            after[edge.from].push(edge.to);
        }
        (before, after)
    }

    /// What comes after what by all edges together, unless there is a cycle.
    pub(super) fn closure(&self) -> Option<Closure> {
        let (mut before, after) = self.neighbours();
        let mut order: Vec<usize> = (0..self.nodes).filter(|&node| before[node] == 0).collect();
        let mut done = 0;
        while let Some(&node) = order.get(done) {
            done += 1;
            for &next in &after[node] {
                before[next] -= 1;
                if before[next] == 0 {
                    order.push(next);
                }
            }
        }
        if order.len() < self.nodes {
            return None;
        }
        let mut closure = Closure::new(self.nodes);
        for &node in order.iter().rev() {
            for &next in &after[node] {
                closure.include(node, next);
            }
        }
        Some(closure)
    }

    /// The cycle that says most about what is wrong, and among those a shortest one.
    pub(super) fn cycle(&self) -> Option<Vec<Edge>> {
        let [writes, information, dependencies, any] = KINDS;
        self.shortest(writes, writes)
            .or_else(|| self.shortest(information, information))
            .or_else(|| self.lost_update())
            .or_else(|| self.with_one_anti_dependency(dependencies))
            .or_else(|| self.shortest(dependencies, dependencies))
            .or_else(|| self.with_one_anti_dependency(any))
            .or_else(|| self.shortest(any, any))
    }

    /// Two transactions, each of which read what the other one wrote over.
    fn lost_update(&self) -> Option<Vec<Edge>> {
        let anti_dependencies = self.edges.iter().filter(|edge| edge.why.is_anti_dependency());
        anti_dependencies
            .map(|&edge| [edge, Edge { from: edge.to, to: edge.from, why: edge.why }])
            .find(|[_, back]| self.known.contains(&key(*back)))
            .map(Vec::from)
    }

    fn with_one_anti_dependency(&self, kind: fn(Why) -> bool) -> Option<Vec<Edge>> {
        self.shortest(Why::is_anti_dependency, |why| kind(why) && !why.is_anti_dependency())
    }

    /// A shortest cycle of one edge of the first kind and otherwise of edges of the second.
    fn shortest(&self, first: fn(Why) -> bool, others: impl Fn(Why) -> bool) -> Option<Vec<Edge>> {
        let (mut firsts, mut after) = (vec![Vec::new(); self.nodes], vec![Vec::new(); self.nodes]);
        for (at, edge) in self.edges.iter().enumerate() {
            if first(edge.why) {
                firsts[edge.to].push(*edge);
            }
            if others(edge.why) {
                after[edge.from].push(at);
            }
        }
        let mut found: Option<Vec<Edge>> = None;
        for (node, firsts) in firsts.iter().enumerate().filter(|(_, firsts)| !firsts.is_empty()) {
            let came_by = self.search_from(node, &after);
            for &edge in firsts {
                let Some(mut cycle) = self.path(&came_by, node, edge.from) else { continue };
                cycle.insert(0, edge);
                if found.as_ref().is_none_or(|known| cycle.len() < known.len()) {
                    found = Some(cycle);
                }
            }
        }
        found
    }

    /// By which edge each node is reached from one of them, the nearest first.
    fn search_from(&self, from: usize, after: &[Vec<usize>]) -> Vec<Option<usize>> {
        let mut came_by: Vec<Option<usize>> = vec![None; self.nodes];
        let mut queue = VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            for &at in &after[node] {
                let next = self.edges[at].to;
                if next != from && came_by[next].is_none() {
                    came_by[next] = Some(at);
                    queue.push_back(next);
                }
            }
        }
        came_by
    }

    fn path(&self, came_by: &[Option<usize>], from: usize, to: usize) -> Option<Vec<Edge>> {
        let (mut path, mut node) = (Vec::new(), to);
        while node != from {
            let edge = self.edges[came_by[node]?];
            path.push(edge);
            node = edge.from;
        }
        path.reverse();
        Some(path)
    }
}

/// What makes two edges the same: not the reader that shows an order of writes.
type Key = (usize, usize, Discriminant<Why>, Option<usize>);

fn key(edge: Edge) -> Key {
    let object = match edge.why {
        Why::RealTime => None,
        Why::ReadFrom { object } | Why::WroteBefore { object, .. } | Why::ReadBefore { object } => {
            Some(object)
        }
    };
    (edge.from, edge.to, discriminant(&edge.why), object)
}

/// A bit for each pair of nodes: whether the second comes after the first.
#[derive(Debug)]
pub(super) struct Closure {
    words: usize,
    bits: Vec<u64>,
}

impl Closure {
    fn new(nodes: usize) -> Self {
        let words = nodes.div_ceil(64);
        Closure { words, bits: vec![0; nodes * words] }
    }

    /// `next` comes after `node`, and all that comes after it.
    fn include(&mut self, node: usize, next: usize) {
        for word in 0..self.words {
            let more = self.bits[next * self.words + word];
            self.bits[node * self.words + word] |= more;
        }
        self.bits[node * self.words + next / 64] |= 1 << (next % 64);
    }

    pub(super) fn comes_before(&self, node: usize, later: usize) -> bool {
        self.bits[node * self.words + later / 64] & (1 << (later % 64)) != 0
    }
}
