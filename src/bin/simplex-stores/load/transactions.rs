//! What the transactions of the work met: by label, and on which variables.

use std::collections::BTreeMap;

use serde::Serialize;
use simplex_stores::stm::{Stats, VarId, conflicts, labels};

use crate::output::Out;

/// So many of the variables that met conflicts are shown.
const SHOWN: usize = 8;

/// The counts of one label.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct LabelCounts {
    commits: u64,
    conflicts: u64,
    retries: u64,
    conflict_fallbacks: u64,
    waited_seconds: f64,
}

/// How often transactions ran again for one variable.
#[derive(Debug, Serialize)]
pub(super) struct ConflictsOn {
    variable: String,
    times: u64,
}

/// The counts by label at one time.
pub(super) fn by_label() -> BTreeMap<&'static str, Stats> {
    labels().into_iter().map(|label| (label.name(), label.stats())).collect()
}

/// What was counted after `before`, without the labels that had nothing to do.
pub(super) fn since(before: &BTreeMap<&'static str, Stats>) -> BTreeMap<&'static str, LabelCounts> {
    let counts = |(name, now): (&'static str, Stats)| {
        let stats = now.since(before.get(name).copied().unwrap_or_default());
        let counts = LabelCounts {
            commits: stats.commits,
            conflicts: stats.reruns,
            retries: stats.retries,
            conflict_fallbacks: stats.turns,
            waited_seconds: stats.waited.as_secs_f64(),
        };
        (stats != Stats::default()).then_some((name, counts))
    };
    by_label().into_iter().filter_map(counts).collect()
}

/// The variables for which transactions ran again, most often first.
pub(super) fn conflicts_on(names: &[(VarId, &'static str)]) -> Vec<ConflictsOn> {
    let name = |id| names.iter().find(|(named, _)| *named == id).map(|(_, name)| *name);
    let mut by_name: BTreeMap<&str, u64> = BTreeMap::new();
    for (id, times) in conflicts() {
        *by_name.entry(name(id).unwrap_or("others")).or_default() += times;
    }
    let mut found: Vec<_> = by_name
        .into_iter()
        .map(|(variable, times)| ConflictsOn { variable: variable.to_owned(), times })
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.times));
    found.truncate(SHOWN);
    found
}

pub(super) fn print(
    out: &mut Out,
    by_label: &BTreeMap<&'static str, LabelCounts>,
    conflicts_on: &[ConflictsOn],
) {
    if !by_label.is_empty() {
        out.line(format_args!(
            "  {:<34}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "transactions", "ended", "conflicts", "retries", "fallbacks", "waited s"
        ));
    }
    for (label, counts) in by_label {
        out.line(format_args!(
            "  {label:<34}{:>10}{:>10}{:>10}{:>10}{:>10.3}",
            counts.commits,
            counts.conflicts,
            counts.retries,
            counts.conflict_fallbacks,
            counts.waited_seconds
        ));
    }
    for ConflictsOn { variable, times } in conflicts_on {
        out.line(format_args!("  conflicts on {variable}: {times}"));
    }
}
