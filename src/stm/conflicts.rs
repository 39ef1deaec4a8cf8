//! Which variables make transactions run again.

use super::log::Log;
use crate::sync::{Noted, Switch};

static WATCHED: Switch = Switch::new();
static CONFLICTS: Noted<Vec<(VarId, u64)>> = Noted::new(Vec::new());

/// So many variables are remembered; conflicts on others count for none.
const REMEMBERED: usize = 256;

/// Tells a variable or a map from all others that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarId(pub(super) usize);

/// Begins or ends noting which variables transactions run again for; beginning forgets what was noted.
pub fn watch_conflicts(on: bool) {
    if on {
        CONFLICTS.with(Vec::clear);
    }
    WATCHED.set(on);
}

/// The variables and maps for which transactions ran again while [watched](watch_conflicts), most often first: the first
/// one that was found changed, for each time. Of a map that is one variable to its engine, the map.
///
/// ```
/// use simplex_stores::stm::{TVar, conflicts, watch_conflicts};
///
/// let hot = TVar::new(0);
/// watch_conflicts(true);
/// // … transactions of several threads …
/// watch_conflicts(false);
/// let times = conflicts().into_iter().find(|(id, _)| *id == hot.id()).map_or(0, |(_, n)| n);
/// assert_eq!(times, 0);
/// ```
#[must_use]
pub fn conflicts() -> Vec<(VarId, u64)> {
    let mut conflicts = CONFLICTS.with(|conflicts| conflicts.clone());
    conflicts.sort_unstable_by_key(|(id, times)| (std::cmp::Reverse(*times), *id));
    conflicts
}

/// Notes what a run found changed, if that is wanted. `changed` is asked after the run has failed, so it may find nothing.
#[cfg_attr(
    all(any(loom, shuttle), not(native_engine)),
    allow(dead_code, reason = "the model engine has no conflicts")
)]
pub(super) fn note_conflict(log: &Log, changed: impl FnOnce(&Log) -> Option<usize>) {
    if !WATCHED.is_on() {
        return;
    }
    let Some(id) = changed(log).map(VarId) else { return };
    CONFLICTS.with(|conflicts| {
        if let Some((_, times)) = conflicts.iter_mut().find(|(other, _)| *other == id) {
            *times += 1;
        } else if conflicts.len() < REMEMBERED {
            conflicts.push((id, 1));
        }
    });
}
