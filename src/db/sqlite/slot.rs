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
            let turn = priority == Priority::High || state.hurried == 0;
            match &state.value {
                Value::Closed => {
                    if priority == Priority::High {
                        state.hurried -= 1;
                        self.changed.notify_all();
                    }
                    return Err(Closed);
                }
                Value::Here(_) if turn => {}
                _ => {
                    self.changed.wait(&mut state);
                    continue;
                }
            }
            if let Value::Here(value) = std::mem::replace(&mut state.value, Value::Taken) {
                return Ok(Taken { slot: self, priority, value: Some(value) });
            }
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
        if self.priority == Priority::High {
            state.hurried -= 1;
        }
        self.slot.changed.notify_all();
    }
}
