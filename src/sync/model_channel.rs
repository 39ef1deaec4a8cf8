//! Channels that the model checker sees: a queue under one lock, with two condition variables.
//!
//! The methods and errors are those of crossbeam-channel, whose own channels it can't look into.

use super::{Condvar, Mutex};
pub use crossbeam_channel::{RecvError, SendError, TryRecvError, TrySendError};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

struct State<T> {
    queue: VecDeque<T>,
    senders: usize,
    receivers: usize,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// `None`: any number of messages.
    capacity: Option<usize>,
    arrived: Condvar,
    room: Condvar,
}

/// A channel that holds at most `capacity` messages. A capacity of 0 counts as 1: there is
/// no rendezvous, which the crate doesn't use either.
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    channel(Some(capacity.max(1)))
}

/// A channel that holds any number of messages.
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    channel(None)
}

fn channel<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State { queue: VecDeque::new(), senders: 1, receivers: 1 }),
        capacity,
        arrived: Condvar::new(),
        room: Condvar::new(),
    });
    (Sender(shared.clone()), Receiver(shared))
}

impl<T> Shared<T> {
    fn is_full(&self, state: &State<T>) -> bool {
        self.capacity.is_some_and(|capacity| state.queue.len() >= capacity)
    }
}

/// The end of a channel that messages go into.
pub struct Sender<T>(Arc<Shared<T>>);

impl<T> Sender<T> {
    /// Sends a message; waits while the channel is full.
    ///
    /// # Errors
    ///
    /// Gives the message back when no receiver is left.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let mut state = self.0.state.lock();
        while state.receivers > 0 && self.0.is_full(&state) {
            self.0.room.wait(&mut state);
        }
        if state.receivers == 0 {
            return Err(SendError(message));
        }
        state.queue.push_back(message);
        self.0.arrived.notify_one();
        Ok(())
    }

    /// Sends a message if there is room at once.
    ///
    /// # Errors
    ///
    /// Gives the message back when the channel is full or no receiver is left.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let mut state = self.0.state.lock();
        if state.receivers == 0 {
            return Err(TrySendError::Disconnected(message));
        }
        if self.0.is_full(&state) {
            return Err(TrySendError::Full(message));
        }
        state.queue.push_back(message);
        self.0.arrived.notify_one();
        Ok(())
    }

    /// How many messages wait in the channel.
    pub fn len(&self) -> usize {
        self.0.state.lock().queue.len()
    }

    /// Whether no message waits in the channel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.state.lock().senders += 1;
        Sender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.senders -= 1;
        if state.senders == 0 {
            self.0.arrived.notify_all();
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender { .. }")
    }
}

/// The end of a channel that messages come out of.
pub struct Receiver<T>(Arc<Shared<T>>);

impl<T> Receiver<T> {
    /// Takes the oldest message; waits while there is none.
    ///
    /// # Errors
    ///
    /// When the channel is empty and no sender is left.
    pub fn recv(&self) -> Result<T, RecvError> {
        let mut state = self.0.state.lock();
        loop {
            if let Some(message) = state.queue.pop_front() {
                self.0.room.notify_one();
                return Ok(message);
            }
            if state.senders == 0 {
                return Err(RecvError);
            }
            self.0.arrived.wait(&mut state);
        }
    }

    /// Takes the oldest message if there is one.
    ///
    /// # Errors
    ///
    /// When the channel is empty; tells apart whether a sender is left.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut state = self.0.state.lock();
        if let Some(message) = state.queue.pop_front() {
            self.0.room.notify_one();
            return Ok(message);
        }
        if state.senders == 0 { Err(TryRecvError::Disconnected) } else { Err(TryRecvError::Empty) }
    }

    /// The messages that are there now, without waiting for more.
    pub fn try_iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.try_recv().ok())
    }

    /// All messages until the last sender is gone.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.recv().ok())
    }

    /// How many messages wait in the channel.
    pub fn len(&self) -> usize {
        self.0.state.lock().queue.len()
    }

    /// Whether no message waits in the channel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.0.state.lock().receivers += 1;
        Receiver(self.0.clone())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.receivers -= 1;
        if state.receivers == 0 {
            self.0.room.notify_all();
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver { .. }")
    }
}
