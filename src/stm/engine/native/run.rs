//! The loop that runs a body until it has ended, and how it reads.

use super::super::super::log::Log;
use super::super::super::transaction::{Transaction, outside};
use super::super::progress::Progress;
use super::super::{End, Step, Value};
use super::commit::Conflict;
use super::fault::{EngineFault, is_out};
use super::{Var, clock, commit, wait};
use crate::stm::conflicts::note_conflict;
use crate::stm::error::{Reason, StmError};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// So many times a run brings its time forward for one variable before it counts as a conflict.
const EXTENSIONS: u32 = 8;

/// One run of a body.
struct Attempt {
    /// Everything that was read is the state at this time.
    time: u64,
    /// Whether it met something that it can't have together with what it read before.
    doomed: bool,
}

/// Reads variables for one run of a body.
pub(in crate::stm) struct Reader<'t>(&'t mut Attempt);

impl Reader<'_> {
    /// The value of `var` at the run's time, which may be brought forward for it.
    pub(in crate::stm) fn read(&mut self, var: &Var, log: &Log) -> Result<Value, StmError> {
        self.read_newest(log, || var.read())
    }

    /// What `look` finds, which it gives with the version since which that is so, at the run's time.
    pub(in crate::stm) fn read_newest<T>(
        &mut self,
        log: &Log,
        look: impl Fn() -> (T, u64),
    ) -> Result<T, StmError> {
        for _ in 0..EXTENSIONS {
            let (found, since) = look();
            if since <= self.0.time {
                return Ok(found);
            }
            // Before the check: what is found unchanged after it was taken was so at that time.
            let now = clock::now();
            if !self.extend(log, now) {
                break;
            }
        }
        self.doom()
    }

    /// Brings the run's time forward to `now`, which can't be before it, or dooms the run.
    pub(in crate::stm) fn extend_to(&mut self, log: &Log, now: u64) -> Result<(), StmError> {
        match self.extend(log, now) {
            true => Ok(()),
            false => self.doom(),
        }
    }

    /// Brings the run's time forward, if everything that was read still stands.
    fn extend(&mut self, log: &Log, now: u64) -> bool {
        let stands = is_out(EngineFault::UncheckedReads)
            || log.reads().all(|var| var.version() <= self.0.time)
                && log.parts.iter().all(|part| part.stands(self.0.time, now));
        if stands {
            self.0.time = now;
        }
        stands
    }

    fn doom<T>(&mut self) -> Result<T, StmError> {
        self.0.doomed = true;
        Err(StmError(Reason::Conflict))
    }
}

/// The first of what was read that isn't any more what it was at `time`.
fn changed(log: &Log, time: u64) -> Option<usize> {
    let var = log.reads().find(|var| var.version() > time).map(Var::id);
    var.or_else(|| log.parts.changed(time, clock::now()))
}

type Body<'b> = dyn FnMut(&mut Transaction<'_>) -> Step + 'b;

/// Runs `body` until it has ended.
pub(in crate::stm) fn run(log: &mut Log, body: &mut Body<'_>, unused: &mut dyn FnMut(u64)) -> End {
    let mut progress = Progress::new(log.count);
    loop {
        let mut attempt = Attempt { time: clock::now(), doomed: false };
        let mut transaction = Transaction::new(log, Reader(&mut attempt));
        // Unwind safe: after a panic the log is thrown away, and the body isn't run again.
        let step = catch_unwind(AssertUnwindSafe(|| body(&mut transaction)));
        let step = match step {
            Ok(_) if attempt.doomed => Step::Conflict,
            Ok(step) => step,
            Err(payload) => return End::Panicked(payload),
        };
        match step {
            Step::Discard => return End::Done,
            Step::Commit => {
                if log.has_written() {
                    progress.before_publishing();
                }
                // Unwind safe: as above. The code of keys' types runs here.
                let commit = AssertUnwindSafe(|| commit::commit(log, attempt.time));
                match catch_unwind(commit) {
                    Ok(Ok(())) => {
                        // The transaction has committed: when the code of a key's type panics now, a shard stays large.
                        let _ = catch_unwind(AssertUnwindSafe(|| log.parts.grow()));
                        return End::Done;
                    }
                    Ok(Err(Conflict)) => {
                        note_conflict(log, |log| changed(log, attempt.time));
                        progress.conflict();
                    }
                    Err(payload) => {
                        log.number.into_iter().for_each(&mut *unused);
                        return End::Panicked(payload);
                    }
                }
            }
            Step::Conflict => {
                note_conflict(log, |log| changed(log, attempt.time));
                progress.conflict();
            }
            Step::Retry if !log.has_read() => return End::NothingToWaitFor,
            Step::Retry => {
                progress.waits();
                wait::for_a_change(log, attempt.time);
                progress.woken();
            }
        }
        outside(|| {
            log.number.into_iter().for_each(&mut *unused);
            log.clear();
            log.retired.clear();
        });
    }
}
