//! What a running transaction has read and will write.
//!
//! **The promise.** Nothing a transaction does is seen by others, and each part of it can be taken
//! back, until the engine publishes the log.
//!
//! **The algorithm.** One entry a variable: the value that was read, if any, and the value to be
//! written, if any. A branch that might be taken back starts with a [`Checkpoint`]; the first write
//! to an entry after it saves the entry's earlier value, and [`Log::roll_back`] puts the saved
//! values back, newest first. Reads are never taken back: a branch that retried has decided what
//! runs next by them, so they must be validated, and a change to them must wake the thread.
//!
//! **In place.** The value to be written is changed in place when the log alone holds it. Saving
//! it shares it, so the first change after a checkpoint copies it and the saved one stays whole.
//!
//! **Tests.** Unit tests below; `tests/stm_laws/`, through the interface, on every engine.

use super::engine::{Value, Var};
use super::sequence::Sequence;
use super::stats::Count;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Up to so many entries, looking at each is faster than hashing.
const SCANNED: usize = 12;
/// A log that grew beyond this isn't kept for the thread's next transaction.
const KEPT: usize = 1024;

#[derive(Default)]
pub(super) struct Log {
    entries: Vec<Entry>,
    /// Where each variable's entry is; filled only beyond [`SCANNED`] entries.
    index: HashMap<usize, usize, BuildHasherDefault<AddressHasher>>,
    undo: Vec<Saved>,
    /// Memory for the next commit's list of writes.
    #[cfg(native_engine)]
    spare_writes: Vec<(usize, Value)>,
    /// The maps.
    #[cfg(native_engine)]
    pub(super) parts: super::engine::Parts,
    /// Under which label the transaction is counted.
    pub(super) count: Count,
    /// What gives the transaction a number when it commits.
    pub(super) sequence: Option<Sequence>,
    /// The number, once it has one.
    pub(super) number: Option<u64>,
    /// Values to drop only when the thread runs no transaction any more.
    pub(super) retired: Vec<Value>,
    /// Which checkpoint is the innermost; 0 outside all of them.
    branch: u64,
    branches: u64,
}

pub(super) struct Entry {
    pub(super) var: Var,
    pub(super) read: Option<Value>,
    pub(super) written: Option<Value>,
    /// Whether a commit has taken `written`, to publish it.
    #[cfg(native_engine)]
    pub(super) publishing: bool,
    /// The branch for which `written` was saved last.
    saved_for: u64,
}

struct Saved {
    entry: usize,
    written: Option<Value>,
}

/// Where a branch began that might be taken back.
#[must_use]
pub(super) struct Checkpoint {
    undo_len: usize,
    outer: u64,
    #[cfg(native_engine)]
    branch: u64,
}

thread_local! {
    static SPARE: RefCell<Option<Log>> = const { RefCell::new(None) };
}

impl Log {
    /// An empty log, from this thread's last transaction when there is one.
    pub(super) fn take() -> Log {
        SPARE
            .try_with(|spare| spare.try_borrow_mut().ok()?.take())
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    /// Empties the log and keeps its memory for this thread's next transaction. Runs destructors.
    pub(super) fn give_back(mut self) {
        self.clear();
        self.retired.clear();
        if self.entries.capacity() > KEPT {
            return;
        }
        let _ = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut() {
                *spare = Some(self);
            }
        });
    }

    /// Forgets what was read and written. Runs destructors of users' values.
    pub(super) fn clear(&mut self) {
        self.branch = 0;
        self.sequence = None;
        self.number = None;
        self.undo.clear();
        self.index.clear();
        self.entries.clear();
        #[cfg(native_engine)]
        self.parts.clear();
    }

    /// Forgets what was read and written, and keeps the values until the log is given back.
    #[cfg_attr(
        any(not(any(loom, shuttle)), native_engine),
        allow(dead_code, reason = "for the model engine, which holds a lock")
    )]
    pub(super) fn retire_all(&mut self) {
        let saved = self.undo.drain(..).filter_map(|saved| saved.written);
        self.retired.extend(saved);
        for entry in self.entries.drain(..) {
            self.retired.extend(entry.read);
            self.retired.extend(entry.written);
        }
        self.clear();
    }

    pub(super) fn entries_mut(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The variables, the maps, and where the number goes.
    #[cfg(native_engine)]
    pub(super) fn split(&mut self) -> (&[Entry], &mut super::engine::Parts, &mut Option<u64>) {
        (&self.entries, &mut self.parts, &mut self.number)
    }

    /// The variables that were read.
    #[cfg(native_engine)]
    pub(super) fn reads(&self) -> impl Iterator<Item = &Var> {
        self.entries.iter().filter(|entry| entry.read.is_some()).map(|entry| &entry.var)
    }

    /// Takes what was written, each value with the place of its entry.
    #[cfg(native_engine)]
    pub(super) fn take_writes(&mut self) -> Vec<(usize, Value)> {
        let mut writes = std::mem::take(&mut self.spare_writes);
        for (at, entry) in self.entries.iter_mut().enumerate() {
            if let Some(value) = entry.written.take() {
                entry.publishing = true;
                writes.push((at, value));
            }
        }
        writes
    }

    /// Keeps the memory of an emptied list of writes.
    #[cfg(native_engine)]
    pub(super) fn give_back_writes(&mut self, writes: Vec<(usize, Value)>) {
        self.spare_writes = writes;
    }

    pub(super) fn has_read(&self) -> bool {
        #[cfg(native_engine)]
        if self.parts.has_read() {
            return true;
        }
        self.entries.iter().any(|entry| entry.read.is_some())
    }

    /// The number of the innermost branch; 0 outside all of them.
    #[cfg(native_engine)]
    pub(super) fn branch(&self) -> u64 {
        self.branch
    }

    #[cfg_attr(
        any(loom, shuttle),
        allow(dead_code, reason = "the model engine finds out as it publishes")
    )]
    pub(super) fn has_written(&self) -> bool {
        #[cfg(native_engine)]
        if self.parts.has_written() {
            return true;
        }
        self.entries.iter().any(|entry| entry.written.is_some())
    }

    /// Whether every variable still holds the value that was read from it.
    ///
    /// The log keeps each value it read alive, so an equal address means the very same value; and since all
    /// reads came before all comparisons, equality everywhere means that there was a moment, after the
    /// last read, at which all of them held together.
    #[cfg_attr(native_engine, allow(dead_code, reason = "that engine compares versions"))]
    pub(super) fn is_current(&self) -> bool {
        self.entries.iter().all(Entry::is_current)
    }

    /// The first variable that doesn't hold any more what was read from it.
    #[cfg(not(any(loom, shuttle, native_engine)))]
    pub(super) fn changed(&self) -> Option<usize> {
        self.entries.iter().find(|entry| !entry.is_current()).map(|entry| entry.var.id())
    }

    /// The entry of `var`, made when there is none.
    pub(super) fn entry(&mut self, var: &Var) -> (usize, &mut Entry) {
        let at = self.position(var).unwrap_or_else(|| self.add(var));
        (at, &mut self.entries[at])
    }

    fn position(&self, var: &Var) -> Option<usize> {
        let id = var.id();
        if self.entries.len() <= SCANNED {
            return self.entries.iter().position(|entry| entry.var.id() == id);
        }
        self.index.get(&id).copied()
    }

    fn add(&mut self, var: &Var) -> usize {
        let at = self.entries.len();
        self.entries.push(Entry {
            var: var.clone(),
            read: None,
            written: None,
            #[cfg(native_engine)]
            publishing: false,
            saved_for: 0,
        });
        if at == SCANNED {
            let all = self.entries.iter().enumerate().map(|(at, entry)| (entry.var.id(), at));
            self.index.extend(all);
        } else if at > SCANNED {
            self.index.insert(var.id(), at);
        }
        at
    }

    /// Must come before each change of `written` of the entry at `at`.
    pub(super) fn before_write(&mut self, at: usize) {
        let entry = &mut self.entries[at];
        if entry.saved_for == self.branch {
            return;
        }
        entry.saved_for = self.branch;
        if self.branch != 0 {
            self.undo.push(Saved { entry: at, written: entry.written.clone() });
        }
    }

    /// Begins a branch that might be taken back.
    pub(super) fn checkpoint(&mut self) -> Checkpoint {
        self.branches += 1;
        let outer = std::mem::replace(&mut self.branch, self.branches);
        Checkpoint {
            undo_len: self.undo.len(),
            outer,
            #[cfg(native_engine)]
            branch: self.branches,
        }
    }

    /// Keeps what was written since the checkpoint.
    pub(super) fn keep(&mut self, checkpoint: Checkpoint) {
        self.branch = checkpoint.outer;
        if self.branch == 0 {
            self.undo.clear();
        }
    }

    /// Takes back every write since the checkpoint, and no read.
    pub(super) fn roll_back(&mut self, checkpoint: Checkpoint) {
        while self.undo.len() > checkpoint.undo_len {
            if let Some(saved) = self.undo.pop() {
                self.entries[saved.entry].written = saved.written;
            }
        }
        #[cfg(native_engine)]
        self.parts.roll_back(checkpoint.branch);
        self.branch = checkpoint.outer;
    }
}

impl Entry {
    #[cfg_attr(native_engine, allow(dead_code, reason = "that engine compares versions"))]
    fn is_current(&self) -> bool {
        match &self.read {
            Some(read) => std::sync::Arc::ptr_eq(read, &self.var.peek()),
            None => true,
        }
    }
}

/// Spreads addresses, which are all multiples of eight, over 64 bits.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        let spread = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ (spread >> 32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn vars(n: usize) -> Vec<Var> {
        (0..n).map(|n| Var::new(Arc::new(n))).collect()
    }

    fn write(log: &mut Log, var: &Var, n: usize) {
        let (at, _) = log.entry(var);
        log.before_write(at);
        log.entries_mut()[at].written = Some(Arc::new(n));
    }

    fn written(log: &mut Log, var: &Var) -> Option<usize> {
        log.entry(var).1.written.as_ref()?.downcast_ref().copied()
    }

    #[test]
    fn each_variable_has_one_entry_however_many_there_are() {
        let (mut log, vars) = (Log::default(), vars(3 * SCANNED));
        for (n, var) in vars.iter().enumerate() {
            write(&mut log, var, n);
        }
        let found: Vec<_> = vars.iter().map(|var| written(&mut log, var)).collect();
        assert_eq!(found, (0..vars.len()).map(Some).collect::<Vec<_>>());
        assert_eq!(log.entries_mut().len(), vars.len());
        log.clear();
        assert!(!log.has_written() && written(&mut log, &vars[0]).is_none());
        log.clear();
        // In another order, so that each has another place than before.
        for (n, var) in vars.iter().enumerate().rev() {
            write(&mut log, var, n);
        }
        assert!((0..vars.len()).all(|n| written(&mut log, &vars[n]) == Some(n)));
    }

    #[test]
    fn rolling_back_restores_each_entry_as_it_was_at_the_checkpoint() {
        let (mut log, vars) = (Log::default(), vars(2));
        write(&mut log, &vars[0], 1);
        let outer = log.checkpoint();
        write(&mut log, &vars[0], 2);
        let inner = log.checkpoint();
        write(&mut log, &vars[0], 3);
        write(&mut log, &vars[0], 4);
        write(&mut log, &vars[1], 5);
        log.roll_back(inner);
        assert_eq!((written(&mut log, &vars[0]), written(&mut log, &vars[1])), (Some(2), None));
        let inner = log.checkpoint();
        write(&mut log, &vars[1], 6);
        log.keep(inner);
        write(&mut log, &vars[1], 7);
        log.roll_back(outer);
        assert_eq!((written(&mut log, &vars[0]), written(&mut log, &vars[1])), (Some(1), None));
    }

    #[test]
    fn rolling_back_keeps_what_was_read() {
        let (mut log, vars) = (Log::default(), vars(1));
        let branch = log.checkpoint();
        log.entry(&vars[0]).1.read = Some(vars[0].peek());
        write(&mut log, &vars[0], 1);
        log.roll_back(branch);
        assert!(log.has_read() && log.is_current());
    }

    #[test]
    fn outside_of_all_branches_nothing_is_saved() {
        let (mut log, vars) = (Log::default(), vars(2));
        write(&mut log, &vars[0], 1);
        let branch = log.checkpoint();
        write(&mut log, &vars[0], 2);
        log.keep(branch);
        assert!(log.undo.is_empty());
        write(&mut log, &vars[1], 3);
        assert!(log.undo.is_empty());
    }

    /// A panic ends a transaction in the middle of a branch.
    #[test]
    fn an_emptied_log_is_in_no_branch_and_saves_no_value() {
        let (mut log, vars) = (Log::default(), vars(1));
        write(&mut log, &vars[0], 1);
        let _never_ends = log.checkpoint();
        write(&mut log, &vars[0], 2);
        log.clear();
        assert!(log.undo.is_empty());
        write(&mut log, &vars[0], 3);
        assert!(log.undo.is_empty());
    }

    #[test]
    fn an_emptied_log_serves_the_threads_next_transaction() {
        let vars = vars(1);
        let mut log = Log::take();
        write(&mut log, &vars[0], 1);
        log.give_back();
        let mut log = Log::take();
        assert!(log.entries_mut().is_empty() && log.entries.capacity() > 0);
    }
}
