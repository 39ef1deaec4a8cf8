//! Checking what becomes of a recorded journal: replayed, compacted, and replayed again.

use std::{fs, path::Path};

use simplex_stores::{
    protocol::Semantics,
    queue_store::{BasicFactory, QueueStore, StmQueueStore, stm::StoreSnapshot},
    store_log::{OnDamage, ReplayReport, StoreLogConfig},
};

use super::{Tally, state, warnings};
use crate::{
    failure::Failure,
    files::{ScratchFolder, require_log},
    forms::state_lines,
    recorded::{lines, text},
};

/// Enough for every warning of any recorded run.
const ALL_WARNINGS: usize = 10_000_000;

/// Replays `store.log`, compacts a copy of it as a start does, and replays what that gave.
pub(super) fn check(folder: &Path, semantics: Semantics, tally: &mut Tally) -> Result<(), Failure> {
    let of = |state: &StoreSnapshot| state_lines(state).collect::<Vec<_>>();
    let scratch = ScratchFolder::new()?;
    let log = folder.join("store.log");
    let (first, report) = replay(&log, semantics)?;
    let recorded = text(&folder.join("replay.out"))?;
    warnings::compare("replay.out", &recorded, &report, &text(&log)?, tally);
    let expected = lines(&folder.join("replayed.jsonl"))?;
    state::compare("replayed.jsonl", &expected, &of(&first), semantics, tally);

    let copy = scratch.join("store.log");
    let started = compact(&log, &copy, semantics)?;
    state::compare("replayed.jsonl at a start", &expected, &of(&started), semantics, tally);
    let compacted = lines(&copy)?;
    tally.lines("compacted.log", &lines(&folder.join("compacted.log"))?, &compacted);
    tally.compared("compacted lines", compacted.len() as u64);

    let (second, report) = replay(&copy, semantics)?;
    let recorded = text(&folder.join("compacted_replay.out"))?;
    warnings::compare("compacted_replay.out", &recorded, &report, &text(&copy)?, tally);
    let expected = lines(&folder.join("compacted_replayed.jsonl"))?;
    state::compare("compacted_replayed.jsonl", &expected, &of(&second), semantics, tally);
    Ok(())
}

/// The state that a log makes.
pub(super) fn replay(
    log: &Path,
    semantics: Semantics,
) -> Result<(StoreSnapshot, ReplayReport), Failure> {
    require_log(log)?;
    let config = StoreLogConfig::new(log).semantics(semantics).max_warnings(ALL_WARNINGS);
    let (store, report) = StmQueueStore::replay(&config, BasicFactory)?;
    Ok((store.snapshot(), report))
}

/// Copies a log and starts a store on the copy, which compacts it; the state after the start.
pub(super) fn compact(
    log: &Path,
    copy: &Path,
    semantics: Semantics,
) -> Result<StoreSnapshot, Failure> {
    fs::copy(log, copy).map_err(Failure::reading(log))?;
    let config = StoreLogConfig::new(copy).semantics(semantics).on_damage(OnDamage::Skip);
    let (store, _) = StmQueueStore::open(&config, BasicFactory)?;
    let snapshot = store.snapshot();
    store.close().map_err(|error| Failure::store("closing the journal", &error))?;
    Ok(snapshot)
}
