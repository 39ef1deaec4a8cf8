//! The desk at which the one [`Writer`] is used, and the answers to those who wait for it.
//!
//! **Promise.** A ticket is answered exactly when its record is as durable as the journal was asked
//! to make it, or when it never will be. Whatever was submitted is written, whether or not anybody
//! waits for it.
//!
//! **Algorithm.** Whoever waits for a record and finds the writer at the desk takes it and writes a
//! group, for itself and for everybody whose record is there; whoever finds it taken waits for the
//! answer. So a lone caller writes with no change of threads, and beside it one thread's write or
//! fsync gathers the next thread's group. The journal's own thread does the same for records that
//! nobody waits for: all of them under `Memory`, and those of dropped tickets; and it closes the
//! file in the end. One number stands for all answers: every record up to it is durable.
//!
//! **Why nobody waits for ever.** A waiter has sent its record before it comes to the desk.
//! - It finds the writer: it writes. Either its record is then durable, or a number before it is
//!   missing; in that case it waits until the number of durable ones has changed, for writing again
//!   before would change nothing. Whoever has the missing number comes to the desk after sending
//!   it.
//! - It finds none: it leaves word (`wanted`), and who brings the writer back wakes everybody. Both
//!   happen under one lock, so the word cannot come too late.
//!
//! The thread's bell (`bell`) is an atomic flag, so that submitting takes the lock only when the
//! thread may be asleep: it is rung after sending and reset before receiving, so that a record sent
//! before a ring that was already loud is received after the reset.
//!
//! **Tests.** `tests/store_log/group_commit.rs`; under loom and shuttle `loom-tests/tests/journal.rs`.

use super::{
    error::{JournalError, JournalErrorKind},
    writer::Writer,
};
use crate::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// How often a waiter looks again before it sleeps: about as long as a small write takes. To
/// shuttle each look is a step.
const LOOKS: u32 = if cfg!(shuttle) { 2 } else { 300 };

struct State {
    durable: u64,
    error: Option<JournalError>,
    /// `None` while somebody uses it, and after the end.
    writer: Option<Box<Writer>>,
    /// Somebody found the writer taken, and sleeps.
    wanted: bool,
    closing: bool,
    ended: bool,
}

impl State {
    fn answer(&self, seq: u64) -> Option<Result<(), JournalError>> {
        if self.durable >= seq {
            return Some(Ok(()));
        }
        if self.ended {
            let closed = JournalError::new(JournalErrorKind::Closed);
            return Some(Err(self.error.unwrap_or(closed)));
        }
        self.error.map(Err)
    }
}

/// Where the writer is, and how far it has come.
pub(crate) struct Desk {
    durable: AtomicU64,
    broken: AtomicBool,
    bell: AtomicBool,
    /// Whether a write is so short that waiting awake is worth it.
    look_again: bool,
    state: Mutex<State>,
    changed: Condvar,
    work: Condvar,
}

impl Desk {
    pub(crate) fn new(writer: Writer, look_again: bool) -> Self {
        Self {
            durable: AtomicU64::new(0),
            broken: AtomicBool::new(false),
            bell: AtomicBool::new(false),
            look_again,
            state: Mutex::new(State {
                durable: 0,
                error: None,
                writer: Some(Box::new(writer)),
                wanted: false,
                closing: false,
                ended: false,
            }),
            changed: Condvar::new(),
            work: Condvar::new(),
        }
    }

    /// Waits until everything up to `seq` is durable, writing itself when nobody else does.
    pub(crate) fn wait(&self, seq: u64) -> Result<(), JournalError> {
        // Acquire: whoever learns the number this way also sees what the writing thread did before.
        if self.durable.load(Ordering::Acquire) >= seq {
            return Ok(());
        }
        let mut wrote_at = None;
        let mut looked = false;
        let mut state = self.state.lock();
        loop {
            if let Some(answer) = state.answer(seq) {
                return answer;
            }
            if wrote_at == Some(state.durable) {
                self.changed.wait(&mut state);
            } else if let Some(writer) = state.writer.take() {
                wrote_at = Some(state.durable);
                state = self.use_writer(writer, state);
            } else if !looked {
                looked = true;
                drop(state);
                self.look(seq);
                state = self.state.lock();
            } else {
                state.wanted = true;
                self.changed.wait(&mut state);
            }
        }
    }

    /// Looks for a short while whether somebody else's write is done.
    fn look(&self, seq: u64) {
        if cfg!(loom) || !self.look_again {
            return;
        }
        for _ in 0..LOOKS {
            if self.durable.load(Ordering::Acquire) >= seq {
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// Writes one group without the lock, and brings the writer back.
    fn use_writer<'a>(
        &'a self,
        writer: Box<Writer>,
        state: MutexGuard<'a, State>,
    ) -> MutexGuard<'a, State> {
        drop(state);
        let mut lent = Lent { desk: self, writer: Some(writer), result: unwound() };
        if let Some(writer) = &mut lent.writer {
            lent.result = writer.write_group();
        }
        drop(lent);
        self.state.lock()
    }

    /// Makes the thread write what was submitted.
    pub(crate) fn ring(&self) {
        // Release: the thread that resets the bell sees what was sent before.
        if !self.bell.swap(true, Ordering::AcqRel) {
            let _state = self.state.lock();
            self.work.notify_one();
        }
    }

    /// Writes what nobody waits for, until the desk is told to close; then closes the file. Run by
    /// the journal's thread.
    pub(crate) fn attend(&self) {
        let mut state = self.state.lock();
        loop {
            let rung = self.bell.load(Ordering::Acquire);
            if state.closing {
                if let Some(writer) = state.writer.take() {
                    return self.end(*writer, state);
                }
            } else if rung && let Some(mut writer) = state.writer.take() {
                self.bell.swap(false, Ordering::AcqRel);
                loop {
                    let before = state.durable;
                    state = self.use_writer(writer, state);
                    if state.durable == before {
                        break;
                    }
                    match state.writer.take() {
                        Some(back) => writer = back,
                        None => break,
                    }
                }
                continue;
            }
            self.work.wait(&mut state);
        }
    }

    /// Makes the thread close the file, once everything that can be written is.
    pub(crate) fn close(&self) {
        self.state.lock().closing = true;
        self.work.notify_one();
    }

    /// Nobody may wait for a thread that is gone.
    pub(crate) fn abandon(&self) {
        let mut state = self.state.lock();
        state.writer = None;
        self.fail(&mut state, JournalError::new(JournalErrorKind::Closed));
        state.ended = true;
        self.changed.notify_all();
    }

    fn end(&self, mut writer: Writer, state: MutexGuard<'_, State>) {
        drop(state);
        let mut durable = self.durable.load(Ordering::Acquire);
        let result = loop {
            match writer.write_group() {
                Ok(now) if now == durable => break writer.close(),
                Ok(now) => durable = now,
                Err(error) => break writer.close().and(Err(error)),
            }
        };
        let mut state = self.state.lock();
        self.raise(&mut state, durable);
        if let Err(error) = result {
            self.fail(&mut state, error);
        }
        state.ended = true;
        self.changed.notify_all();
    }

    fn raise(&self, state: &mut State, durable: u64) {
        state.durable = durable;
        self.durable.store(durable, Ordering::Release);
    }

    /// The first error stays.
    fn fail(&self, state: &mut State, error: JournalError) {
        state.error.get_or_insert(error);
        self.broken.store(true, Ordering::Release);
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    pub(crate) fn error(&self) -> Option<JournalError> {
        if self.is_broken() { self.state.lock().error } else { None }
    }
}

/// The result of a write that did not come back.
fn unwound() -> Result<u64, JournalError> {
    Err(JournalError::new(JournalErrorKind::Write))
}

/// The writer in use. Brings it back when dropped, also when the storage panics.
struct Lent<'a> {
    desk: &'a Desk,
    writer: Option<Box<Writer>>,
    result: Result<u64, JournalError>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let desk = self.desk;
        let mut state = desk.state.lock();
        let mut wake = std::mem::take(&mut state.wanted);
        match self.result {
            Ok(durable) => {
                wake |= durable > state.durable;
                desk.raise(&mut state, durable);
            }
            Err(error) => {
                wake = true;
                desk.fail(&mut state, error);
                if let Some(writer) = &mut self.writer {
                    writer.give_up(error);
                }
            }
        }
        state.writer = self.writer.take();
        if wake {
            desk.changed.notify_all();
        }
        if state.closing || desk.bell.load(Ordering::Acquire) {
            desk.work.notify_one();
        }
    }
}
