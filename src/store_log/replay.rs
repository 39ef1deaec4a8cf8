//! Replaying a log into a store.
//!
//! **Promise.** Every complete line is read in file order, in bounded memory; readable ones reach
//! the store, and whatever does not is reported with line, offset and length. A last line without
//! its newline never reaches the store (RACE-7).
//!
//! **Algorithm.** With a sidecar, one pass first compares the file with it
//! ([`integrity`](super::integrity)). Then one thread reads and decodes batches of lines
//! ([`reader`](super::reader)) while this one applies them. A line that is not a record waits in a
//! list: a readable line after it makes it damage, the end of the file leaves it a mere warning.
//!
//! **Tests.** `tests/store_log/replay.rs`.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    config::{Phase, Progress, StoreLogConfig},
    error::{OpenError, OpenStep},
    integrity::{self, Verdict},
    reader::{Batch, Pipeline, Unreadable},
    record::LogRecord,
    report::{
        Damage, DamageReason, Integrity, ReplayReport, ReplayWarning, TornTail, WarningKind,
        Warnings,
    },
};

/// A record and where it stands.
#[derive(Clone, Debug)]
pub struct Line {
    /// The line, counted from 1.
    pub number: u64,
    /// The offset of its first byte in the file.
    pub offset: u64,
    /// The record.
    pub record: LogRecord,
}

/// A store that a log is replayed into, and compacted from.
pub trait ReplayTarget {
    /// Applies records in order. Called with a few thousand at a time. Gives the warnings in the same order.
    fn apply(&mut self, batch: Vec<Line>) -> Vec<ReplayWarning>;

    /// Whether few large batches cost the target much less than many small ones: then it gets more at a time as a large
    /// file goes on, and more memory is used.
    fn prefers_large_batches(&self) -> bool {
        false
    }

    /// Called once, after the last record: what only shows at the end (RP-20).
    fn finish(&mut self) -> Vec<ReplayWarning>;

    /// Gives the records of the compacted log one by one: services in ascending id, then live
    /// queues in ascending id (CP-6).
    ///
    /// # Errors
    /// Those of `emit`, which end the compaction.
    fn compacted(&self, emit: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()>;
}

/// Reads a log into a store and changes nothing on disk. No lock is taken: the log may be in use,
/// and what is there when the read reaches the end is what is reported; a last line that its writer
/// has not completed counts as torn. Where an earlier start did not end, F.start is read, as that
/// start's successor would. Damage is reported and never refused.
///
/// # Errors
/// [`OpenError::Io`] when the file is not there or cannot be read.
pub fn replay(
    config: &StoreLogConfig,
    target: &mut dyn ReplayTarget,
) -> Result<ReplayReport, OpenError> {
    let source = readable_source(config)?;
    replay_file(config, &source, target)
}

/// F.start when it is there, else F. A start that is running renames one to the other; whichever is
/// gone, the other is there.
pub(crate) fn readable_source(config: &StoreLogConfig) -> Result<PathBuf, OpenError> {
    let start = config.start_path();
    let exists =
        |path: &Path| config.storage.exists(path).map_err(OpenError::io(OpenStep::Inspect, path));
    if exists(&start)? {
        return Ok(start);
    }
    if !exists(&config.path)? && exists(&start)? {
        return Ok(start);
    }
    Ok(config.path.clone())
}

/// Reads one file into a store.
pub(crate) fn replay_file(
    config: &StoreLogConfig,
    source: &Path,
    target: &mut dyn ReplayTarget,
) -> Result<ReplayReport, OpenError> {
    let at = |error| OpenError::io(OpenStep::Read, source)(error);
    let mut reading = Reading::new(config, source);
    if config.integrity {
        let verdict = integrity::verify(config, source).map_err(at)?;
        reading.take_verdict(verdict);
    }
    let total_bytes = config.storage.len(source).map_err(at)?;
    let mut pipeline = Pipeline::start(config, source, target.prefers_large_batches())?;
    while let Some(batch) = pipeline.next_batch().map_err(at)? {
        reading.apply(batch, target);
        config.report_progress(Progress {
            phase: Phase::Replaying,
            lines: reading.report.lines,
            bytes: reading.report.bytes,
            total_bytes: total_bytes.max(reading.report.bytes),
        });
    }
    Ok(reading.finish(target))
}

/// Hands the records of a file to `each`, a batch of bounded size after the other; lines that are none
/// are passed over.
#[cfg(feature = "postgres")]
pub(crate) fn each_batch<E: From<OpenError>>(
    config: &StoreLogConfig,
    source: &Path,
    mut each: impl FnMut(Vec<Line>) -> Result<(), E>,
) -> Result<(), E> {
    let mut pipeline = Pipeline::start(config, source, false)?;
    loop {
        let batch = pipeline.next_batch();
        match batch.map_err(OpenError::io(OpenStep::Read, source))? {
            Some(batch) => each(batch.lines)?,
            None => return Ok(()),
        }
    }
}

/// The report in the making.
struct Reading {
    report: ReplayReport,
    warnings: Warnings,
    damage_limit: usize,
    /// What the sidecar proves, in file order.
    proven: Vec<Damage>,
    /// Unreadable lines that no readable line has followed yet.
    waiting: Vec<Damage>,
    waiting_total: u64,
    waiting_proven: u64,
}

impl Reading {
    fn new(config: &StoreLogConfig, source: &Path) -> Self {
        Self {
            report: ReplayReport { source: source.to_owned(), ..ReplayReport::default() },
            warnings: Warnings::new(config.max_warnings),
            damage_limit: config.max_warnings,
            proven: Vec::new(),
            waiting: Vec::new(),
            waiting_total: 0,
            waiting_proven: 0,
        }
    }

    fn take_verdict(&mut self, verdict: Verdict) {
        self.report.integrity = verdict.status;
        if verdict.status == Integrity::Unusable {
            let kind = WarningKind::SidecarUnusable { reason: verdict.reason };
            self.warnings.push(ReplayWarning { line: 0, offset: 0, kind });
        }
        self.report.damage_total = verdict.total;
        self.report.damage_proven = verdict.total;
        self.report.damage = verdict.damage.clone();
        self.proven = verdict.damage;
    }

    fn apply(&mut self, batch: Batch, target: &mut dyn ReplayTarget) {
        self.report.lines += batch.lines.len() as u64 + batch.unreadable.len() as u64;
        self.report.records += batch.lines.len() as u64;
        self.report.unreadable += batch.unreadable.len() as u64;
        self.report.bytes = batch.end_offset;
        self.sort_damage(&batch);
        let mut warnings: Vec<ReplayWarning> =
            batch.unreadable.iter().map(Unreadable::warning).collect();
        if !batch.lines.is_empty() {
            warnings.extend(target.apply(batch.lines));
            warnings.sort_by_key(|warning| warning.line);
        }
        warnings.into_iter().for_each(|warning| self.warnings.push(warning));
        if let Some(torn) = batch.torn {
            self.take_torn(torn);
        }
    }

    /// An unreadable line is damage once a readable one follows, here or in a later batch.
    fn sort_damage(&mut self, batch: &Batch) {
        let last_readable = batch.lines.last().map_or(0, |line| line.number);
        if !batch.lines.is_empty() {
            self.confirm_waiting();
        }
        for bad in &batch.unreadable {
            let damage = self.damage_of(bad);
            self.waiting_total += 1;
            self.waiting_proven += u64::from(damage.proven);
            if self.waiting.len() < self.damage_limit {
                self.waiting.push(damage);
            }
            if bad.number < last_readable {
                self.confirm_waiting();
            }
        }
    }

    fn confirm_waiting(&mut self) {
        self.report.damage_total += self.waiting_total;
        self.report.damage_proven += self.waiting_proven;
        let room = self.damage_limit.saturating_sub(self.report.damage.len());
        self.report.damage.extend(self.waiting.drain(..).take(room));
        self.waiting.clear();
        self.waiting_total = 0;
        self.waiting_proven = 0;
    }

    fn damage_of(&self, bad: &Unreadable) -> Damage {
        let after = self.proven.partition_point(|place| place.offset <= bad.offset + bad.length);
        let proven = self.proven.iter().take(after).next_back().is_some_and(|place| {
            place.reason == DamageReason::Changed && bad.offset < place.offset + place.length
        });
        Damage {
            line: bad.number,
            offset: bad.offset,
            length: bad.length,
            reason: DamageReason::Unreadable { reason: bad.reason_text() },
            proven,
        }
    }

    fn take_torn(&mut self, torn: TornTail) {
        self.report.torn_tail = Some(torn);
        self.report.bytes = torn.offset + torn.length;
        self.warnings.push(ReplayWarning {
            line: torn.line,
            offset: torn.offset,
            kind: WarningKind::TornTail { length: torn.length },
        });
    }

    fn finish(mut self, target: &mut dyn ReplayTarget) -> ReplayReport {
        for warning in target.finish() {
            self.warnings.push(warning);
        }
        self.report.damage.sort_by_key(|damage| damage.offset);
        self.report.warnings = self.warnings.list;
        self.report.warnings_total = self.warnings.total;
        self.report
    }
}
