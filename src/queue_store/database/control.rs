//! Who may use the store, and whether what is cached may be served.

use super::fault::{StoreFault, is_cut_off, is_out};
use crate::protocol::ErrorType;
use crate::stm::{StmResult, TVar, Transaction, abort, atomically, guard, try_atomically};

/// The text of `STORE` when the store is closed: fixed, since it reaches clients (RACE-17).
const CLOSED: &str = "closed";

/// The generation of an entry that is never served. Real ones begin with 1.
pub(super) const NEVER: u64 = 0;

/// What every lookup asks first.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    closed: bool,
    /// What others change in the database is known.
    pub(super) trusted: bool,
    /// Entries of an earlier generation were read before it was known.
    pub(super) generation: u64,
}

impl State {
    pub(super) fn serves(self, generation: u64) -> bool {
        (self.trusted || is_out(StoreFault::ServedOutOfSight)) && generation == self.generation
    }

    pub(super) fn check_open(self) -> Result<(), ErrorType> {
        if self.closed { Err(ErrorType::Store(CLOSED.into())) } else { Ok(()) }
    }
}

/// Counts the calls that are under way, and refuses new ones when the store is closed (RACE-27).
pub(super) struct Control {
    state: TVar<State>,
    running: TVar<usize>,
}

impl Control {
    pub(super) fn new() -> Self {
        let state = State { closed: false, trusted: true, generation: NEVER + 1 };
        Self { state: TVar::new(state), running: TVar::new(0) }
    }

    pub(super) fn state(&self, tx: &mut Transaction<'_>) -> StmResult<State> {
        self.state.read(tx)
    }

    pub(super) fn state_now(&self) -> State {
        self.state.read_atomic()
    }

    /// Begins a call that uses the database; it ends when the result is dropped.
    pub(super) fn begin(&self) -> Result<Running<'_>, ErrorType> {
        try_atomically(|tx| {
            if let Err(closed) = self.state.read(tx)?.check_open() {
                return abort(closed);
            }
            Ok(self.running.modify(tx, |count| count + 1)?)
        })?;
        Ok(Running(self))
    }

    /// Refuses new calls and waits for those under way; whether this was the call that closed.
    pub(super) fn close(&self) -> bool {
        let first = atomically(|tx| {
            self.state.update(tx, |state| !std::mem::replace(&mut state.closed, true))
        });
        atomically(|tx| {
            let running = self.running.read(tx)?;
            guard(running == 0 || is_out(StoreFault::ImpatientClose))
        });
        first
    }

    /// Begins a generation: what was cached before isn't served any more, and what is cached from now on
    /// only when it is trusted.
    pub(super) fn begin_generation(&self, trusted: bool) {
        atomically(|tx| {
            self.state.update(tx, |state| {
                state.trusted = trusted;
                state.generation += 1;
            })
        });
    }
}

/// A call that is under way.
pub(super) struct Running<'c>(&'c Control);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !is_cut_off() {
            atomically(|tx| self.0.running.modify(tx, |count| count - 1));
        }
    }
}
