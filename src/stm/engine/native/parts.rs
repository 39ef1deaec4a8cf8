//! The maps of a running transaction, whatever their types.

use super::wait::Waiter;
use std::any::Any;
use std::sync::Arc;

/// What a transaction has read of one map, and will write to it.
pub(super) trait MapPart: Send {
    /// Tells maps apart, and orders them.
    fn id(&self) -> usize;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn has_read(&self) -> bool;
    fn has_written(&self) -> bool;
    /// Whether what was read, which was the state at `time`, is also the state at `now`. Waits for commits.
    fn stands(&self, time: u64, now: u64) -> bool;
    /// Takes back the writes of a branch and of those inside it.
    fn roll_back(&mut self, branch: u64);
    /// Puts a thread on the lists of what was read, unless it has changed after `time`.
    fn enlist(&self, waiter: &Arc<Waiter>, time: u64) -> bool;
    /// Takes a thread off the lists.
    fn strike(&self, waiter: &Arc<Waiter>);
    /// Locks what will be written, and waits for that.
    fn lock(&mut self) -> Box<dyn Held + '_>;
    /// Splits the shards that the last commit filled.
    fn grow(&mut self);
}

/// The locked part of a map.
pub(super) trait Held {
    /// Whether what was read, which was the state at `time`, is the state for a commit of this version.
    fn stands(&self, time: u64, version: u64) -> bool;
    /// Writes, and collects whom to wake.
    fn publish(&mut self, version: u64, wake: &mut Vec<Arc<Waiter>>);
}

/// The maps of a transaction, in the order in which it came to them.
#[derive(Default)]
pub(in crate::stm) struct Parts {
    parts: Vec<Box<dyn MapPart>>,
}

impl Parts {
    pub(in crate::stm) fn clear(&mut self) {
        self.parts.clear();
    }

    pub(in crate::stm) fn has_read(&self) -> bool {
        self.parts.iter().any(|part| part.has_read())
    }

    pub(in crate::stm) fn has_written(&self) -> bool {
        self.parts.iter().any(|part| part.has_written())
    }

    /// Takes back the writes of a branch and of those inside it.
    pub(in crate::stm) fn roll_back(&mut self, branch: u64) {
        self.parts.iter_mut().for_each(|part| part.roll_back(branch));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn MapPart> {
        self.parts.iter().map(Box::as_ref)
    }

    /// All parts, in the order in which they are locked.
    pub(super) fn ordered(&mut self) -> &mut [Box<dyn MapPart>] {
        self.parts.sort_unstable_by_key(|part| part.id());
        &mut self.parts
    }

    /// Splits the shards that the last commit filled.
    pub(super) fn grow(&mut self) {
        self.parts.iter_mut().for_each(|part| part.grow());
    }

    /// The part of the map with this id, if there is one.
    pub(super) fn get<P: 'static>(&self, id: usize) -> Option<&P> {
        let part = self.parts.iter().find(|part| part.id() == id)?;
        part.as_any().downcast_ref()
    }

    /// The part of the map with this id, made when there is none.
    pub(super) fn get_or_make<P: MapPart + 'static>(
        &mut self,
        id: usize,
        make: impl FnOnce() -> P,
    ) -> &mut P {
        let at = self.parts.iter().position(|part| part.id() == id);
        let at = at.unwrap_or_else(|| {
            self.parts.push(Box::new(make()));
            self.parts.len() - 1
        });
        match self.parts.get_mut(at).and_then(|part| part.as_any_mut().downcast_mut()) {
            Some(part) => part,
            None => unreachable!("an id is that of one map, and a map has one type"),
        }
    }
}
