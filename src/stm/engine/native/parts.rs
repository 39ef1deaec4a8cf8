//! The maps of a running transaction, whatever their types.

use super::fault::{EngineFault, is_out};
use super::wait::Waiter;
use smallvec::SmallVec;
use std::any::Any;
use std::sync::Arc;

/// So many emptied parts are kept for the thread's next transaction.
const SPARE: usize = 16;

/// What a transaction has read of one map, and will write to it.
pub(super) trait MapPart: Send {
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
    /// Forgets everything, the map as well, and says whether the memory is worth keeping. Runs destructors of users' values.
    fn forget(&mut self) -> bool;
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
    /// Each with its map's id.
    parts: Vec<(usize, Box<dyn MapPart>)>,
    /// Emptied parts, kept for their memory.
    spare: Vec<Box<dyn MapPart>>,
}

impl Parts {
    /// Forgets all maps and keeps the memory of a few. Runs destructors of users' values.
    pub(in crate::stm) fn clear(&mut self) {
        for (_, mut part) in self.parts.drain(..) {
            if self.spare.len() < SPARE && part.forget() {
                self.spare.push(part);
            }
        }
    }

    pub(in crate::stm) fn has_read(&self) -> bool {
        self.iter().any(MapPart::has_read)
    }

    pub(in crate::stm) fn has_written(&self) -> bool {
        self.iter().any(MapPart::has_written)
    }

    /// Takes back the writes of a branch and of those inside it.
    pub(in crate::stm) fn roll_back(&mut self, branch: u64) {
        if is_out(EngineFault::KeptBranches) {
            return;
        }
        self.parts.iter_mut().for_each(|(_, part)| part.roll_back(branch));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn MapPart> {
        self.parts.iter().map(|(_, part)| &**part)
    }

    /// The first map of which something that was read isn't any more what it was at `time`.
    pub(super) fn changed(&self, time: u64, now: u64) -> Option<usize> {
        self.parts.iter().find(|(_, part)| !part.stands(time, now)).map(|(id, _)| *id)
    }

    /// Locks what will be written in all maps, in one order.
    pub(super) fn lock(&mut self) -> SmallVec<[Box<dyn Held + '_>; 8]> {
        self.parts.sort_unstable_by_key(|(id, _)| *id);
        self.parts.iter_mut().map(|(_, part)| part.lock()).collect()
    }

    /// Splits the shards that the last commit filled.
    pub(super) fn grow(&mut self) {
        self.parts.iter_mut().for_each(|(_, part)| part.grow());
    }

    /// The place of a map's part; when there is none, `begin` gives the map an empty one.
    pub(super) fn place<P: MapPart + Default + 'static>(
        &mut self,
        id: usize,
        begin: impl FnOnce(&mut P),
    ) -> usize {
        if let Some(at) = self.parts.iter().position(|(other, _)| *other == id) {
            return at;
        }
        let at = self.parts.len();
        let spare = self.spare.iter().rposition(|spare| spare.as_any().is::<P>());
        let part = match spare {
            Some(spare) => self.spare.swap_remove(spare),
            None => Box::new(P::default()),
        };
        self.parts.push((id, part));
        begin(self.at(at));
        at
    }

    /// The part at a place.
    pub(super) fn at<P: MapPart + 'static>(&mut self, place: usize) -> &mut P {
        match self.parts.get_mut(place).and_then(|(_, part)| part.as_any_mut().downcast_mut()) {
            Some(part) => part,
            None => unreachable!("an id is that of one map, and a map has one type"),
        }
    }
}
