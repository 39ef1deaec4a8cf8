//! `compact`: what a router's start does to its log, or the same into a new file.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use serde::Serialize;
use simplex_stores::{
    queue_store::{BasicFactory, QueueStore, StmQueueStore},
    store_log::{self, ReplayReport},
};

use crate::{
    cli::{OnDamageArg, ReadArgs},
    failure::{Exit, Failure},
    files::require_log,
    loading::{config, load},
    output::Out,
    progress,
};

/// Compact a log in place, with its backups, or into a new file.
///
/// In place this is what a start does: recover an unfinished start, replay, write the compacted log, keep the
/// old one as LOG.<timestamp>, delete backups past their time. The log must not be in use. With --output the
/// log itself is left as it is.
#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Write the compacted log to this new file and leave LOG alone.
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// What to do about lines that cannot be read.
    #[arg(long, value_enum, default_value_t)]
    on_damage: OnDamageArg,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// The log.
    log: PathBuf,
}

#[derive(Debug, Serialize)]
struct CompactForm {
    log: String,
    output: String,
    backup: Option<String>,
    recovered: bool,
    removed_backups: Vec<String>,
    problems: Vec<String>,
    lines_before: u64,
    bytes_before: u64,
    records: u64,
    bytes: u64,
    warnings_total: u64,
    warnings: Vec<String>,
    seconds: f64,
}

pub(crate) fn run(args: &CompactArgs, out: &mut Out) -> Result<Exit, Failure> {
    require_log(&args.log)?;
    let form = match &args.output {
        Some(output) => to_file(args, output)?,
        None => in_place(args)?,
    };
    match args.json {
        true => out.json(&form),
        false => form.print(out),
    }
    Ok(Exit::Fine)
}

fn in_place(args: &CompactArgs) -> Result<CompactForm, Failure> {
    let started = Instant::now();
    let bar = progress::log_bar();
    let config = config(&args.log, &args.read).on_damage(args.on_damage.into());
    let opened = StmQueueStore::open(&progress::shown_on(config, &bar), BasicFactory);
    bar.finish_and_clear();
    let (store, report) = opened?;
    store.close().map_err(|error| Failure::store("closing the journal", &error))?;
    let mut form = CompactForm::of(args, &args.log, &report.replay);
    form.backup = report.backup.map(|path| path.display().to_string());
    form.recovered = report.recovered;
    let removed = report.removed_backups.iter().map(|path| path.display().to_string());
    form.removed_backups = removed.collect();
    form.problems = report.retention_errors.iter().map(ToString::to_string).collect();
    form.records = report.compacted.records;
    form.bytes = report.compacted.bytes;
    form.seconds = started.elapsed().as_secs_f64();
    Ok(form)
}

fn to_file(args: &CompactArgs, output: &Path) -> Result<CompactForm, Failure> {
    if output.exists() {
        return Err(Failure::usage(format!(
            "{}: is there already; name a new file",
            output.display()
        )));
    }
    let loaded = load(&args.log, &args.read)?;
    refuse_damage(args, &loaded.report)?;
    let config = config(&args.log, &args.read);
    let written = store_log::compact_to(&config, output, &loaded.store.replayer())?;
    let mut form = CompactForm::of(args, output, &loaded.report);
    form.records = written.records;
    form.bytes = written.bytes;
    form.seconds = loaded.elapsed.as_secs_f64();
    Ok(form)
}

/// A replay never refuses; a compaction into a new file does as one in place would.
fn refuse_damage(args: &CompactArgs, report: &ReplayReport) -> Result<(), Failure> {
    let refused = match args.on_damage {
        OnDamageArg::Skip => false,
        OnDamageArg::Refuse => report.damage_total > 0,
        OnDamageArg::RefuseIfProven => report.damage_proven > 0,
    };
    if !refused {
        return Ok(());
    }
    Err(Failure::damaged(&args.log, report))
}

impl CompactForm {
    fn of(args: &CompactArgs, output: &Path, report: &ReplayReport) -> Self {
        Self {
            log: args.log.display().to_string(),
            output: output.display().to_string(),
            backup: None,
            recovered: false,
            removed_backups: Vec::new(),
            problems: Vec::new(),
            lines_before: report.lines,
            bytes_before: report.bytes,
            records: 0,
            bytes: 0,
            warnings_total: report.warnings_total,
            warnings: report.warnings.iter().map(ToString::to_string).collect(),
            seconds: 0.0,
        }
    }

    fn print(&self, out: &mut Out) {
        out.line(format_args!(
            "{}: {} lines, {} bytes; compacted to {}: {} records, {} bytes",
            self.log, self.lines_before, self.bytes_before, self.output, self.records, self.bytes
        ));
        if self.recovered {
            out.line("the last start had not ended; it was recovered from first");
        }
        if let Some(backup) = &self.backup {
            out.line(format_args!("the log as it was: {backup}"));
        }
        for removed in &self.removed_backups {
            out.line(format_args!("old backup deleted: {removed}"));
        }
        for problem in &self.problems {
            out.line(format_args!("old backups: {problem}"));
        }
        out.line(format_args!("warnings: {}", self.warnings_total));
        for warning in &self.warnings {
            out.line(format_args!("  {warning}"));
        }
    }
}
