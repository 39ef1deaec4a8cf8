//! A value that one thread at a time has for itself, those in a hurry first.

use super::{Condvar, Mutex};

/// Who goes first when several wait for a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// On SQLite it waits until nobody in a hurry does.
    #[default]
    Ordinary,
    /// Never waits for ordinary work that has not begun: on SQLite it goes first, on PostgreSQL it has a
    /// pool of its own.
    High,
}

/// Why the value isn't to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// A value that one thread at a time has for itself, and nobody any more once it is closed.
///
/// No lock is held while it is used: it is taken out, and comes back when its [`Taken`] is dropped, also
/// when whoever had it panicked.
pub struct PrioritySlot<T> {
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

impl<T> PrioritySlot<T> {
    /// A slot with a value in it.
    pub fn new(value: T) -> Self {
        let state = State { value: Value::Here(value), hurried: 0 };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits for the value and takes it; [`Priority::Ordinary`] also waits until nobody in a hurry waits or has it.
    ///
    /// # Errors
    ///
    /// [`Closed`]; who waits when it is closed is told so.
    pub fn take(&self, priority: Priority) -> Result<Taken<'_, T>, Closed> {
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
    pub fn is_closed(&self) -> bool {
        matches!(self.state.lock().value, Value::Closed)
    }

    /// Puts a value into a closed slot.
    ///
    /// # Errors
    ///
    /// Gives the value back when the slot is open.
    pub fn open(&self, value: T) -> Result<(), T> {
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
pub struct Taken<'s, T> {
    slot: &'s PrioritySlot<T>,
    priority: Priority,
    value: Option<T>,
}

impl<T> Taken<'_, T> {
    /// The value; `None` never, for only closing takes it away.
    pub fn value(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }

    /// Closes the slot and gives its value away.
    pub fn close(mut self) -> Option<T> {
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

    use super::super::thread;
    use super::*;

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
        let slot = Arc::new(PrioritySlot::new(()));
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
