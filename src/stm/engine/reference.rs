//! The engine over the `stm` crate.
//!
//! **The promise.** The laws of [`stm`](crate::stm), with the crate's variables, validation, commit and
//! waiting underneath. One law is kept in a weaker form: a body that will run again may meanwhile have
//! seen two variables at two moments. It can't publish anything, and a panic that came of it is not
//! passed on; but it should not loop on a condition that only a consistent state would end.
//!
//! **The algorithm.** Each run of a body is one `Transaction::with_control` of the crate, which sees only two
//! things: a read of each variable that the body read, and, when the body has ended well, a write of
//! each that it wrote. The crate's own `or` is never used. Since its log holds nothing but validated reads
//! until the very end, a retry waits for all of them, an abort validates all of them, and
//! `or_else` comes out serializable; the crate's `or` is none of that (`docs/decisions/stm-engine.md`).
//!
//! - *Conflicts.* The crate runs a body again on its own after a conflict. The second call tells that there was
//!   one, so the closure ends the attempt there, and the loop that repeats is ours: it can step back,
//!   take a turn (`progress.rs`) and count.
//! - *Panics.* The body runs under `catch_unwind`. If something it read has changed, the panic may be
//!   the child of an inconsistent state, so the body runs again; otherwise it is passed on.
//! - *Destructors.* The crate replaces a variable's value under the variable's lock. A value that dies
//!   there is put aside ([`Held`]) and dropped after the commit, so its destructor may use variables.
//!
//! **Why the ordering is right.** A value is read, and only then compared, under the read lock, at commit; a
//! waiting thread enters itself at each variable before it compares. Both in the crate, and both
//! checked here by the law suite rather than believed.
//!
//! **Tests.** `tests/stm_laws/`.

use super::super::log::Log;
use super::super::transaction::{Transaction, outside};
use super::progress::Progress;
use super::{End, Step, Value};
use crate::stm::conflicts::note_conflict;
use crate::stm::error::{Reason, StmError};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use stm::{StmError as CrateError, TransactionControl};

/// A variable of the crate.
#[derive(Clone)]
pub(in crate::stm) struct Var(stm::TVar<Held>);

impl Var {
    pub(in crate::stm) fn new(value: Value) -> Self {
        Var(stm::TVar::new(Held::new(value)))
    }

    /// Tells variables apart for as long as both exist.
    pub(in crate::stm) fn id(&self) -> usize {
        Arc::as_ptr(self.0.control_block()).addr()
    }

    /// The present value, outside of any transaction.
    pub(in crate::stm) fn committed(&self) -> Value {
        self.peek()
    }

    /// The present value, without being a step of its own.
    pub(in crate::stm) fn peek(&self) -> Value {
        let held: Arc<dyn Any + Send + Sync> = self.0.read_ref_atomic();
        match held.downcast_ref::<Held>() {
            Some(Held(Some(value))) => value.clone(),
            _ => unreachable!("a variable of this engine always holds a value"),
        }
    }
}

/// A value as the crate keeps it: when it dies during a commit, it is put aside instead of dropped, since the
/// crate holds a variable's lock then.
#[derive(Clone)]
struct Held(Option<Value>);

impl Held {
    fn new(value: Value) -> Self {
        Held(Some(value))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            put_aside(value);
        }
    }
}

thread_local! {
    /// What died during the commit that runs on this thread, when one does.
    static ASIDE: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
}

/// Keeps `value` until the commit that runs on this thread is over; drops it when none does.
fn put_aside(value: Value) {
    let mut value = Some(value);
    let _ = ASIDE.try_with(|aside| {
        // The borrow ends before `value` can be dropped: its destructor may come here again.
        if let Ok(mut aside) = aside.try_borrow_mut()
            && let Some(aside) = aside.as_mut()
        {
            aside.extend(value.take());
        }
    });
}

fn set_aside(to: Option<Vec<Value>>) -> Option<Vec<Value>> {
    ASIDE.try_with(|aside| aside.replace(to)).ok().flatten()
}

/// Reads variables for one run of a body.
pub(in crate::stm) struct Reader<'t>(&'t mut stm::Transaction);

impl Reader<'_> {
    pub(in crate::stm) fn read(&mut self, var: &Var, _: &Log) -> Result<Value, StmError> {
        match self.0.read(&var.0) {
            Ok(mut held) => match held.0.take() {
                Some(value) => Ok(value),
                None => unreachable!("a variable of this engine always holds a value"),
            },
            Err(CrateError::Failure) => Err(StmError(Reason::Conflict)),
            Err(CrateError::Retry) => Err(StmError(Reason::Retry)),
        }
    }
}

type Body<'b> = dyn FnMut(&mut Transaction<'_>) -> Step + 'b;

/// Runs `body` until it has ended.
pub(in crate::stm) fn run(log: &mut Log, body: &mut Body<'_>, _: &mut dyn FnMut(u64)) -> End {
    let mut progress = Progress::new(log.count);
    loop {
        let verdict = Attempt::new(log, body, &mut progress).run();
        if let Some(aside) = set_aside(None) {
            log.retired = aside;
        }
        if let Verdict::Ended(end) = verdict {
            return end;
        }
        if let Verdict::Conflict = verdict {
            note_conflict(log, Log::changed);
        }
        outside(|| {
            log.clear();
            log.retired.clear();
        });
        if let Verdict::Conflict = verdict {
            progress.conflict();
        }
    }
}

enum Verdict {
    Ended(End),
    Conflict,
    Woken,
}

/// One run of a body: one transaction of the crate.
///
/// The crate wants a closure that it may call again, so what the closure changes is in cells.
struct Attempt<'a, 'b> {
    parts: RefCell<Parts<'a, 'b>>,
    /// What it means when the closure is called (again): at first that the attempt begins.
    next: Cell<Option<Verdict>>,
    began: Cell<bool>,
}

struct Parts<'a, 'b> {
    log: &'a mut Log,
    body: &'a mut Body<'b>,
    progress: &'a mut Progress,
}

impl<'a, 'b> Attempt<'a, 'b> {
    fn new(log: &'a mut Log, body: &'a mut Body<'b>, progress: &'a mut Progress) -> Self {
        let parts = RefCell::new(Parts { log, body, progress });
        Attempt { parts, next: Cell::new(None), began: Cell::new(false) }
    }

    fn run(self) -> Verdict {
        let committed = stm::Transaction::with_control(
            |error| match error {
                CrateError::Retry => TransactionControl::Retry,
                CrateError::Failure => TransactionControl::Abort,
            },
            |tx| self.enter(tx),
        );
        match (committed, self.next.into_inner()) {
            (Some(()), _) => Verdict::Ended(End::Done),
            (None, Some(verdict)) => verdict,
            (None, None) => Verdict::Conflict,
        }
    }

    /// The closure that the crate calls: once to run the body, and a second time if that failed to commit or
    /// was woken after a retry, which `next` tells apart.
    fn enter(&self, tx: &mut stm::Transaction) -> stm::StmResult<()> {
        let parts = &mut *self.parts.borrow_mut();
        if self.began.replace(true) {
            parts.progress.woken();
            return Err(CrateError::Failure);
        }
        match run_body(parts, tx) {
            Ok(Step::Commit) => {
                publish(parts, tx)?;
                self.next.set(Some(Verdict::Conflict));
                Ok(())
            }
            Ok(Step::Discard) => {
                self.next.set(Some(Verdict::Conflict));
                Ok(())
            }
            Ok(Step::Retry) if !parts.log.has_read() => {
                self.next.set(Some(Verdict::Ended(End::NothingToWaitFor)));
                Err(CrateError::Failure)
            }
            Ok(Step::Retry) => {
                parts.progress.waits();
                self.next.set(Some(Verdict::Woken));
                Err(CrateError::Retry)
            }
            Ok(Step::Conflict) => {
                self.next.set(Some(Verdict::Conflict));
                Err(CrateError::Failure)
            }
            Err(payload) => {
                let end = Verdict::Ended(End::Panicked(payload));
                self.next.set(Some(if parts.log.is_current() { end } else { Verdict::Conflict }));
                Err(CrateError::Failure)
            }
        }
    }
}

fn run_body(parts: &mut Parts<'_, '_>, tx: &mut stm::Transaction) -> std::thread::Result<Step> {
    let mut transaction = Transaction::new(parts.log, Reader(tx));
    let body = &mut *parts.body;
    // Unwind safe: after a panic the log is thrown away, and the body is run again only from its beginning.
    catch_unwind(AssertUnwindSafe(|| body(&mut transaction)))
}

/// Hands the crate what is to be written; it validates and publishes when the closure returns.
fn publish(parts: &mut Parts<'_, '_>, tx: &mut stm::Transaction) -> stm::StmResult<()> {
    if parts.log.has_written() {
        parts.progress.before_publishing();
        for entry in parts.log.entries_mut() {
            if let Some(value) = entry.written.take() {
                tx.write(&entry.var.0, Held::new(value))?;
            }
        }
        set_aside(Some(std::mem::take(&mut parts.log.retired)));
    }
    Ok(())
}
