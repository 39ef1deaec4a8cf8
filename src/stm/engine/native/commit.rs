//! Publishing what a transaction wrote, if what it read still stands.

use super::super::super::log::{Entry, Log};
use super::super::Value;
use super::clock;
use super::fault::{EngineFault, is_out};
use super::parts::Parts;
use super::var::Locked;
use crate::stm::Sequence;
use smallvec::SmallVec;

/// Another transaction has changed something that was read.
pub(super) struct Conflict;

/// Publishes what the log wrote, at one moment, given that everything it read was the state at `time`.
pub(super) fn commit(log: &mut Log, time: u64) -> Result<(), Conflict> {
    if !log.has_written() && log.sequence.is_none() {
        return Ok(());
    }
    let mut writes = log.take_writes();
    let sequence = log.sequence.take();
    let (entries, parts, number) = log.split();
    writes.sort_unstable_by_key(|(at, _)| entries[*at].var.id());
    let take_number = || *number = sequence.as_ref().map(Sequence::next);
    let published = publish(entries, &mut writes, parts, time, take_number);
    // What was replaced, or not published after all, is dropped when no transaction runs.
    log.retired.extend(writes.drain(..).map(|(_, value)| value));
    log.give_back_writes(writes);
    published
}

/// Swaps the values into the variables, what they held is in `writes` then, and writes the maps.
fn publish(
    entries: &[Entry],
    writes: &mut [(usize, Value)],
    parts: &mut Parts,
    time: u64,
    take_number: impl FnOnce(),
) -> Result<(), Conflict> {
    let early = is_out(EngineFault::EarlyNumber).then(clock::tick);
    let mut wake = Vec::new();
    let mut vars: SmallVec<[Locked<'_>; 8]> =
        writes.iter().map(|(at, _)| entries[*at].var.lock()).collect();
    let mut maps = parts.lock();
    if !is_out(EngineFault::UnannouncedWrites) {
        vars.iter().for_each(Locked::announce);
    }
    let version = early.unwrap_or_else(clock::tick);
    // Before what was read is checked: a commit that changes it then comes later, and gets a greater number.
    take_number();
    // The very next number: nobody has published since.
    let stands = version == time + 1
        || is_out(EngineFault::UncheckedCommits)
        || entries.iter().all(|entry| still_stands(entry, time))
            && maps.iter().all(|map| map.stands(time, version));
    if !stands {
        return Err(Conflict);
    }
    for ((_, value), var) in writes.iter_mut().zip(&mut vars) {
        var.publish(value, version, &mut wake);
    }
    maps.iter_mut().for_each(|map| map.publish(version, &mut wake));
    drop(maps);
    drop(vars);
    wake.iter().for_each(|waiter| waiter.wake());
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
