//! The queues of one connection in one direction.

use super::{QueueNumber, RcvQueue, SenderId, SmpQueue, SmpServer, SndQueue, StoredEntity};

/// The queues of one connection in one direction, at least one, in queue order: the primary one is first,
/// the one that is to replace it second (AS-33).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queues<Q> {
    // Apart, so that a list of two directions is small beside a connection with one queue.
    first: Box<Q>,
    rest: Vec<Q>,
}

impl<Q> Queues<Q> {
    /// The list of these; `None` when there are none.
    pub fn new(queues: Vec<Q>) -> Option<Self> {
        let mut queues = queues.into_iter();
        let first = Box::new(queues.next()?);
        Some(Self { first, rest: queues.collect() })
    }

    /// The first in queue order.
    pub fn first(&self) -> &Q {
        &self.first
    }

    /// The first in queue order, without the others.
    pub fn into_first(self) -> Q {
        *self.first
    }

    /// How many there are: one or more.
    #[allow(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        1 + self.rest.len()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Q> {
        std::iter::once(&*self.first).chain(&self.rest)
    }

    /// All of them, in order.
    pub fn into_vec(self) -> Vec<Q> {
        let mut all = self.rest;
        all.insert(0, *self.first);
        all
    }
}

impl<Q: SmpQueue<Entity = StoredEntity>> Queues<Q> {
    /// The queue with this id on this router; its fingerprint is not compared.
    pub fn find(&self, server: &SmpServer, id: &Q::Id) -> Option<&Q> {
        self.iter().find(|queue| queue.is_at(server, id))
    }

    /// The queue with this number.
    pub fn with_number(&self, number: QueueNumber) -> Option<&Q> {
        self.iter().find(|queue| queue.number() == number)
    }

    /// The queue with this id on this router, apart from the others, in order; `None` when there isn't
    /// any such.
    pub fn split(self, server: &SmpServer, id: &Q::Id) -> Option<(Q, Vec<Q>)> {
        let mut all = self.into_vec();
        let place = all.iter().position(|queue| queue.is_at(server, id))?;
        let found = all.remove(place);
        Some((found, all))
    }

    /// Puts `queue` in the place of the one with the same number, if there is such a one.
    pub fn replace(&mut self, queue: Q) {
        let number = queue.number();
        let mut all = std::iter::once(&mut *self.first).chain(&mut self.rest);
        if let Some(place) = all.find(|one| one.number() == number) {
            *place = queue;
        }
    }
}

impl Queues<RcvQueue> {
    /// The queue with this address for its sender.
    pub fn find_by_sender(&self, server: &SmpServer, snd_id: &SenderId) -> Option<&RcvQueue> {
        self.iter().find(|queue| queue.server.same_address(server) && queue.snd_id == *snd_id)
    }

    /// The queue that is being replaced, however far that has come.
    pub fn switching(&self) -> Option<&RcvQueue> {
        self.iter().find(|queue| queue.rcv_switch_status.is_some())
    }
}

impl Queues<SndQueue> {
    /// The queue that is being replaced, however far that has come.
    pub fn switching(&self) -> Option<&SndQueue> {
        self.iter().find(|queue| queue.snd_switch_status.is_some())
    }
}
