//! The one connection of a SQLite database: whoever waits for it gets it, or is told that it is closed.
#![cfg(any(loom, shuttle))]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, reason = "tests")]

use loom_tests::{explore, must_fail};
use simplex_stores::sync::thread::spawn;
use simplex_stores::sync::{Closed, Condvar, Mutex, Priority, PrioritySlot};
use std::sync::Arc;

const BOTH: [Priority; 2] = [Priority::High, Priority::Ordinary];

/// Two threads, one in a hurry, and this one, each of which adds one to the value.
fn everybody_has_it_once() {
    let slot = Arc::new(PrioritySlot::new(0));
    let add = |slot: &PrioritySlot<i32>, priority| {
        let mut taken = slot.take(priority).unwrap();
        *taken.value().unwrap() += 1;
    };
    let others = BOTH.map(|priority| {
        let slot = Arc::clone(&slot);
        spawn(move || add(&slot, priority))
    });
    add(&slot, Priority::Ordinary);
    for other in others {
        other.join().unwrap();
    }
    let mut taken = slot.take(Priority::Ordinary).unwrap();
    assert_eq!(taken.value(), Some(&mut 3));
}

#[test]
fn two_in_turn_and_one_in_a_hurry_all_have_it() {
    explore("slot/everybody", 2, everybody_has_it_once);
}

#[test]
fn who_waits_while_it_is_closed_is_told_so_and_can_have_it_when_it_is_open_again() {
    explore("slot/closed", 2, || {
        let slot = Arc::new(PrioritySlot::new(()));
        let taken = slot.take(Priority::Ordinary).unwrap();
        let others = BOTH.map(|priority| {
            let slot = Arc::clone(&slot);
            spawn(move || slot.take(priority).err())
        });
        assert_eq!(taken.close(), Some(()));
        for other in others {
            assert_eq!(other.join().unwrap(), Some(Closed));
        }
        assert_eq!(slot.open(()), Ok(()));
        assert!(slot.take(Priority::Ordinary).is_ok());
    });
}

#[test]
fn a_slot_that_two_open_has_one_value() {
    explore("slot/opened_twice", 3, || {
        let slot = Arc::new(PrioritySlot::new(0));
        slot.take(Priority::High).unwrap().close();
        let other = {
            let slot = Arc::clone(&slot);
            spawn(move || slot.open(1))
        };
        let mine = slot.open(2);
        let theirs = other.join().unwrap();
        let winner = if mine.is_ok() { 2 } else { 1 };
        assert!(mine.is_ok() != theirs.is_ok());
        assert_eq!(slot.take(Priority::Ordinary).unwrap().value(), Some(&mut winner.clone()));
    });
}

/// The slot in small, whose users leave it in their own way.
struct Replica {
    state: Mutex<(bool, usize)>,
    changed: Condvar,
    wake: fn(&Condvar),
}

impl Replica {
    fn used(&self, priority: Priority) {
        let hurried = usize::from(priority == Priority::High);
        let mut state = self.state.lock();
        state.1 += hurried;
        while state.0 || (hurried == 0 && state.1 > 0) {
            self.changed.wait(&mut state);
        }
        state.0 = true;
        drop(state);
        let mut state = self.state.lock();
        *state = (false, state.1 - hurried);
        (self.wake)(&self.changed);
    }
}

fn replica(wake: fn(&Condvar)) {
    let slot = Arc::new(Replica { state: Mutex::default(), changed: Condvar::new(), wake });
    let others = BOTH.map(|priority| {
        let slot = Arc::clone(&slot);
        spawn(move || slot.used(priority))
    });
    slot.used(Priority::Ordinary);
    for other in others {
        other.join().unwrap();
    }
}

#[test]
fn the_replica_is_sound_when_everybody_is_woken() {
    explore("slot/replica", 2, || replica(Condvar::notify_all));
}

/// Ordinary work is woken in the place of work in a hurry, sees that it has to wait, and nobody wakes that.
#[test]
fn twin_waking_one_of_them_leaves_another_waiting_for_ever() {
    must_fail("slot/twin", 2, "deadlock", || replica(Condvar::notify_one));
}
