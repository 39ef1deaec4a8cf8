//! Loading a file of notifications, and what is said about it.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use serde::Serialize;
use simplex_stores::ntf_store::{NtfFileConfig, NtfFileForm, NtfLoadReport, NtfStore};

use crate::{
    cli::SemanticsArg,
    failure::Failure,
    output::Out,
    progress,
    report::{or_unknown, rate},
};

/// How many warnings are listed one by one; beyond that they are counted.
const MAX_WARNINGS: usize = 1_000;

/// How a file is read: shared by the commands that read one.
#[derive(Clone, Debug, Args)]
pub(super) struct ReadArgs {
    /// Whose answers: strict ones, or the reference's with its defects.
    #[arg(long, value_enum, default_value_t)]
    semantics: SemanticsArg,
    /// The file: records one a line, or a binary snapshot.
    pub(super) file: PathBuf,
}

/// A file in a store.
pub(super) struct Loaded {
    pub(super) store: NtfStore,
    pub(super) report: NtfLoadReport,
    seconds: f64,
}

/// The configuration that the arguments ask for, without progress.
pub(super) fn config(path: &Path, semantics: SemanticsArg) -> NtfFileConfig {
    NtfFileConfig::new(path).semantics(semantics.into()).max_warnings(MAX_WARNINGS)
}

/// Loads a file into a new store, without changing anything.
pub(super) fn load(args: &ReadArgs) -> Result<Loaded, Failure> {
    let bar = progress::log_bar();
    let config = config(&args.file, args.semantics).progress(progress::on_bar(&bar));
    let started = Instant::now();
    let loaded = NtfStore::load(&config);
    let seconds = started.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let (store, report) = loaded?;
    Ok(Loaded { store, report, seconds })
}

/// The name of a form.
pub(super) fn form_name(form: NtfFileForm) -> &'static str {
    match form {
        NtfFileForm::Text => "text",
        NtfFileForm::Binary => "binary",
    }
}

/// A load in numbers.
#[derive(Debug, Serialize)]
pub(super) struct LoadedForm {
    file: String,
    form: &'static str,
    lines: u64,
    bytes: u64,
    tokens: u64,
    subscriptions: u64,
    last_ntfs: u64,
    services: u64,
    lost: u64,
    over_limit: u64,
    warnings: Vec<WarningForm>,
    seconds: f64,
    records_per_second: Option<u64>,
}

#[derive(Debug, Serialize)]
struct WarningForm {
    line: u64,
    offset: u64,
    text: String,
}

impl From<&Loaded> for LoadedForm {
    fn from(loaded: &Loaded) -> Self {
        let report = &loaded.report;
        let warnings = report.warnings.iter().map(|warning| WarningForm {
            line: warning.line,
            offset: warning.offset,
            text: warning.kind.to_string(),
        });
        let records = report.tokens + report.subscriptions + report.last_ntfs;
        Self {
            file: report.path.display().to_string(),
            form: form_name(report.form),
            lines: report.lines,
            bytes: report.bytes,
            tokens: report.tokens,
            subscriptions: report.subscriptions,
            last_ntfs: report.last_ntfs,
            services: report.services,
            lost: report.lost,
            over_limit: report.over_limit,
            warnings: warnings.collect(),
            seconds: loaded.seconds,
            records_per_second: rate(records, loaded.seconds),
        }
    }
}

impl LoadedForm {
    pub(super) fn print(&self, out: &mut Out) {
        let Self { file, form, lines, bytes, .. } = self;
        match *form {
            "text" => out.line(format_args!("{file}: text, {lines} lines, {bytes} bytes")),
            _ => out.line(format_args!("{file}: {form}, {bytes} bytes")),
        }
        let counts = [
            ("tokens", self.tokens),
            ("subscriptions", self.subscriptions),
            ("last notifications", self.last_ntfs),
            ("services", self.services),
        ];
        for (what, count) in counts {
            out.line(format_args!("  {what:<20}{count:>12}"));
        }
        out.line(format_args!(
            "lost records: {}, notifications over the limit: {}",
            self.lost, self.over_limit
        ));
        for WarningForm { line, offset, text } in &self.warnings {
            out.line(format_args!("  line {line} (offset {offset}): {text}"));
        }
        let unlisted = self.lost.saturating_sub(self.warnings.len() as u64);
        if unlisted > 0 {
            out.line(format_args!("  and {unlisted} more (shown with -v)"));
        }
        let speed = or_unknown(self.records_per_second);
        out.line(format_args!("speed: {speed} records a second"));
    }
}
