//! Publishing what a transaction wrote, if what it read still stands.

use super::super::super::log::{Entry, Log};
use super::super::Value;
use super::clock;
use super::fault::{EngineFault, is_out};
use super::wait::Waiter;
use std::sync::Arc;

/// Another transaction has changed something that was read.
pub(super) struct Conflict;

/// Publishes what the log wrote, at one moment, given that everything it read was the state at `time`.
pub(super) fn commit(log: &mut Log, time: u64) -> Result<(), Conflict> {
    let mut writes = log.take_writes();
    if writes.is_empty() {
        return Ok(());
    }
    let entries = log.entries();
    writes.sort_unstable_by_key(|(at, _)| entries[*at].var.id());
    let published = publish(entries, &mut writes, time);
    // What was replaced, or not published after all, is dropped when no transaction runs.
    log.retired.extend(writes.drain(..).map(|(_, value)| value));
    log.give_back_writes(writes);
    published
}

/// Swaps the values into the variables; what they held is in `writes` then.
fn publish(entries: &[Entry], writes: &mut [(usize, Value)], time: u64) -> Result<(), Conflict> {
    let early = is_out(EngineFault::EarlyNumber).then(clock::tick);
    let mut contents = Vec::with_capacity(writes.len());
    for (at, _) in &*writes {
        contents.push(entries[*at].var.lock());
    }
    if !is_out(EngineFault::UnannouncedWrites) {
        writes.iter().for_each(|(at, _)| entries[*at].var.announce());
    }
    let version = early.unwrap_or_else(clock::tick);
    // The very next number: nobody has published since.
    let stands = version == time + 1
        || is_out(EngineFault::UncheckedCommits)
        || entries.iter().all(|entry| still_stands(entry, time));
    if !stands {
        writes.iter().for_each(|(at, _)| entries[*at].var.withdraw());
        return Err(Conflict);
    }
    let mut waiters: Vec<Arc<Waiter>> = Vec::new();
    for ((at, value), content) in writes.iter_mut().zip(&mut contents) {
        std::mem::swap(&mut content.value, value);
        waiters.append(&mut content.take_waiters());
        entries[*at].var.set_version(version);
    }
    drop(contents);
    waiters.iter().for_each(|waiter| waiter.wake());
    Ok(())
}

/// Whether a variable that was read has the value that it had at `time`.
fn still_stands(entry: &Entry, time: u64) -> bool {
    if entry.read.is_none() {
        return true;
    }
    let version = match entry.publishing {
        true => Some(entry.var.announced_version()),
        false => entry.var.version_now(),
    };
    version.is_some_and(|version| version <= time)
}
