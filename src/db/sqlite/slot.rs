//! A value that one thread at a time has for itself, those in a hurry first.

use crate::db::Priority;
use crate::sync::{Condvar, Mutex};

/// Why the value isn't to be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closed;

/// A value that one thread at a time has for itself.
///
/// No lock is held while it is used: it is taken out, and comes back when its [`Taken`] is dropped, also
/// when whoever had it panicked.
pub(super) struct Slot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    value: Value<T>,
    /// How many in a hurry wait or run.
    hurried: usize,
}

enum Value<T> {
    Here(T),
    Taken,
    Closed,
}

impl<T> State<T> {
    /// The value, when it is there, and nobody in a hurry wants it before.
    fn take(&mut self, priority: Priority) -> Option<T> {
        if priority == Priority::Ordinary && self.hurried > 0 {
            return None;
        }
        match std::mem::replace(&mut self.value, Value::Taken) {
            Value::Here(value) => Some(value),
            other => {
                self.value = other;
                None
            }
        }
    }

    /// One that waited or ran is done.
    fn leave(&mut self, priority: Priority) {
        if priority == Priority::High {
            self.hurried -= 1;
        }
    }
}

impl<T> Slot<T> {
    pub(super) fn new(value: T) -> Self {
        let state = State { value: Value::Here(value), hurried: 0 };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits for the value and takes it.
    pub(super) fn take(&self, priority: Priority) -> Result<Taken<'_, T>, Closed> {
        let mut state = self.state.lock();
        if priority == Priority::High {
            state.hurried += 1;
        }
        loop {
            if let Some(value) = state.take(priority) {
                return Ok(Taken { slot: self, priority, value: Some(value) });
            }
            if matches!(state.value, Value::Closed) {
                state.leave(priority);
                self.changed.notify_all();
                return Err(Closed);
            }
            self.changed.wait(&mut state);
        }
    }

    /// Whether it is closed; while somebody opens it, it still is.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state.lock().value, Value::Closed)
    }

    /// Puts a value into a closed slot; `Err` gives it back when the slot is open.
    pub(super) fn open(&self, value: T) -> Result<(), T> {
        let mut state = self.state.lock();
        if !matches!(state.value, Value::Closed) {
            return Err(value);
        }
        state.value = Value::Here(value);
        self.changed.notify_all();
        Ok(())
    }
}

/// The value of a slot, in the hands of one thread.
pub(super) struct Taken<'s, T> {
    slot: &'s Slot<T>,
    priority: Priority,
    value: Option<T>,
}

impl<T> Taken<'_, T> {
    /// The value; `None` never, for only closing takes it away.
    pub(super) fn value(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }

    /// Closes the slot and gives its value away.
    pub(super) fn close(mut self) -> Option<T> {
        self.value.take()
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let mut state = self.slot.state.lock();
        state.value = self.value.take().map_or(Value::Closed, Value::Here);
        state.leave(self.priority);
        self.slot.changed.notify_all();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sync::thread;

    #[test]
    fn ordinary_work_waits_while_anybody_in_a_hurry_does() {
        let mut state = State { value: Value::Here('v'), hurried: 1 };
        assert_eq!(state.take(Priority::Ordinary), None);
        assert_eq!(state.take(Priority::High), Some('v'));
        assert_eq!(state.take(Priority::High), None);
        state.value = Value::Here('v');
        state.leave(Priority::High);
        assert_eq!(state.take(Priority::Ordinary), Some('v'));
        assert_eq!(state.take(Priority::Ordinary), None);
    }

    #[test]
    fn who_waits_is_told_when_the_slot_closes_and_nobody_in_a_hurry_is_left_over() {
        let slot = Arc::new(Slot::new(()));
        let taken = slot.take(Priority::Ordinary).unwrap();
        let waiting = [Priority::High, Priority::Ordinary].map(|priority| {
            let slot = Arc::clone(&slot);
            thread::spawn(move || slot.take(priority).err())
        });
        taken.close();
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), Some(Closed));
        }
        assert_eq!(slot.open(()), Ok(()));
        assert!(slot.take(Priority::Ordinary).is_ok());
    }
}
