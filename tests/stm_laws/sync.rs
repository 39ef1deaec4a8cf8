//! The `sync` facade: what the two sets of names must do alike.

use super::harness::{STEPS, explore, once, spawn};
use simplex_stores::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use simplex_stores::sync::channel::{self, RecvError, TryRecvError, TrySendError};
use simplex_stores::sync::{Condvar, Mutex, RwLock};
use std::sync::Arc;

#[test]
fn a_mutex_keeps_threads_apart() {
    explore(|| {
        let count = Arc::new(Mutex::new(0));
        let other = count.clone();
        let thread = spawn(move || (0..STEPS).for_each(|_| *other.lock() += 1));
        (0..STEPS).for_each(|_| *count.lock() += 1);
        thread.join().unwrap();
        assert_eq!(*count.lock(), 2 * STEPS);
    });
}

#[test]
fn a_condition_variable_wakes_a_thread_that_waits_for_a_change() {
    explore(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let other = shared.clone();
        let thread = spawn(move || {
            *other.0.lock() = true;
            other.1.notify_all();
        });
        let mut ready = shared.0.lock();
        while !*ready {
            shared.1.wait(&mut ready);
        }
        drop(ready);
        thread.join().unwrap();
    });
}

#[test]
fn a_readers_and_writer_lock_shows_whole_values() {
    explore(|| {
        let pair = Arc::new(RwLock::new((0, 0)));
        let other = pair.clone();
        let thread = spawn(move || {
            for n in 1..=STEPS {
                let mut pair = other.write();
                pair.0 = n;
                pair.1 = n;
            }
        });
        for _ in 0..STEPS {
            let pair = *pair.read();
            assert_eq!(pair.0, pair.1);
        }
        thread.join().unwrap();
    });
}

#[test]
fn atomics_count_and_swap() {
    once(|| {
        let (flag, small, big) = (AtomicBool::new(false), AtomicUsize::new(1), AtomicU64::new(5));
        assert!(!flag.swap(true, Ordering::AcqRel));
        flag.store(true, Ordering::Release);
        assert!(flag.load(Ordering::Acquire));
        assert_eq!(
            (small.fetch_add(2, Ordering::Relaxed), small.fetch_sub(1, Ordering::Relaxed)),
            (1, 3)
        );
        assert_eq!((big.fetch_max(9, Ordering::Relaxed), big.load(Ordering::Relaxed)), (5, 9));
        assert_eq!(small.compare_exchange(2, 8, Ordering::AcqRel, Ordering::Acquire), Ok(2));
        assert_eq!(small.compare_exchange(2, 9, Ordering::AcqRel, Ordering::Acquire), Err(8));
    });
}

#[test]
fn a_channel_delivers_in_order_and_ends_when_its_senders_are_gone() {
    explore(|| {
        let (sender, receiver) = channel::bounded(1);
        let thread = spawn(move || (0..3).for_each(|n| sender.send(n).unwrap()));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(receiver.recv(), Err(RecvError));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        thread.join().unwrap();
    });
}

#[test]
fn a_channel_without_receivers_gives_the_message_back() {
    once(|| {
        let (sender, receiver) = channel::unbounded();
        sender.send(1).unwrap();
        assert_eq!(
            (sender.len(), receiver.try_recv(), receiver.try_recv()),
            (1, Ok(1), Err(TryRecvError::Empty))
        );
        drop(receiver);
        assert_eq!(sender.send(7).unwrap_err().into_inner(), 7);
        let (sender, _receiver) = channel::bounded(1);
        sender.try_send(1).unwrap();
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    });
}

#[test]
fn a_full_channel_makes_its_senders_wait_until_there_is_room_or_nobody_listens() {
    explore(|| {
        let (sender, receiver) = channel::bounded(1);
        sender.send(0).unwrap();
        let other = sender.clone();
        let thread = spawn(move || other.send(1).is_ok());
        let first = receiver.recv();
        drop(receiver);
        assert_eq!(first, Ok(0));
        thread.join().unwrap();
    });
}
