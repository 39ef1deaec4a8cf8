//! What is said about a replay, as text and as JSON.

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;
use simplex_stores::{
    protocol::ErrorType,
    queue_store::{EntityCounts, QueueStore},
    store_log::{Integrity, ReplayReport},
};

use crate::{forms::CountsForm, loading::Loaded, output::Out};

/// A replay in numbers.
#[derive(Debug, Serialize)]
pub(crate) struct ReplayForm<'a> {
    log: String,
    lines: u64,
    bytes: u64,
    records: u64,
    unreadable: u64,
    kinds: &'a BTreeMap<&'static str, u64>,
    counts: CountsForm,
    integrity: &'static str,
    damaged_places: u64,
    torn_tail: Option<PlaceForm>,
    warnings_total: u64,
    warnings: Vec<WarningForm>,
    seconds: f64,
    records_per_second: Option<u64>,
    /// `null` where it cannot be measured: too few queues, or a system that does not say.
    bytes_per_queue: Option<u64>,
}

/// A place in a log.
#[derive(Debug, Serialize)]
struct PlaceForm {
    line: u64,
    offset: u64,
    length: u64,
}

/// A warning of a replay.
#[derive(Debug, Serialize)]
struct WarningForm {
    line: u64,
    offset: u64,
    text: String,
}

impl<'a> ReplayForm<'a> {
    pub(crate) fn of(path: &Path, loaded: &'a Loaded) -> Result<Self, ErrorType> {
        let report = &loaded.report;
        let counts = loaded.store.entity_counts()?;
        let warnings = report.warnings.iter().map(|warning| WarningForm {
            line: warning.line,
            offset: warning.offset,
            text: warning.kind.to_string(),
        });
        Ok(Self {
            log: path.display().to_string(),
            lines: report.lines,
            bytes: report.bytes,
            records: report.records,
            unreadable: report.unreadable,
            kinds: &loaded.kinds,
            integrity: integrity_text(report),
            damaged_places: report.damage_total,
            torn_tail: report.torn_tail.map(|tail| PlaceForm {
                line: tail.line,
                offset: tail.offset,
                length: tail.length,
            }),
            warnings_total: report.warnings_total,
            warnings: warnings.collect(),
            seconds: loaded.elapsed.as_secs_f64(),
            records_per_second: rate(report.records, loaded.elapsed.as_secs_f64()),
            bytes_per_queue: bytes_per_queue(loaded.memory, &counts),
            counts: counts.into(),
        })
    }

    pub(crate) fn print(&self, out: &mut Out) {
        out.line(format_args!(
            "{}: {} records in {} lines, {} bytes",
            self.log, self.records, self.lines, self.bytes
        ));
        for (kind, count) in self.kinds {
            out.line(format_args!("  {kind:<14}{count:>12}"));
        }
        self.counts.print(out);
        out.line(format_args!("integrity sidecar: {}", self.integrity));
        out.line(format_args!(
            "warnings: {}, unreadable lines: {}, damaged places: {}",
            self.warnings_total, self.unreadable, self.damaged_places
        ));
        for warning in &self.warnings {
            let WarningForm { line, offset, text } = warning;
            match line {
                0 => out.line(format_args!("  {text}")),
                _ => out.line(format_args!("  line {line} (offset {offset}): {text}")),
            }
        }
        let unlisted = self.warnings_total.saturating_sub(self.warnings.len() as u64);
        if unlisted > 0 {
            out.line(format_args!("  and {unlisted} more (shown with -v)"));
        }
        out.line(format_args!(
            "speed: {} records a second; memory: {} bytes a queue",
            or_unknown(self.records_per_second),
            or_unknown(self.bytes_per_queue)
        ));
    }
}

fn integrity_text(report: &ReplayReport) -> &'static str {
    match report.integrity {
        Integrity::Absent => "absent",
        Integrity::Unusable => "unusable",
        Integrity::Intact { .. } => "intact",
        Integrity::Damaged => "damaged",
        _ => "unknown",
    }
}

/// How many a second; `None` when it took no measurable time.
pub(crate) fn rate(count: u64, seconds: f64) -> Option<u64> {
    (seconds > 0.0).then(|| (count as f64 / seconds) as u64)
}

/// Fewer queues are lost in what a process needs anyway.
const MEASURABLE_QUEUES: u64 = 1_000;

fn bytes_per_queue(memory: Option<u64>, counts: &EntityCounts) -> Option<u64> {
    let enough = counts.queues >= MEASURABLE_QUEUES;
    memory.filter(|_| enough)?.checked_div(counts.queues)
}

pub(crate) fn or_unknown(number: Option<u64>) -> String {
    number.map_or_else(|| "unknown".to_owned(), |number| number.to_string())
}
