//! `import`: a journal into a database.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use serde::Serialize;
use simplex_stores::{
    queue_store::postgres::transfer::{ImportOptions, ImportReport, import},
    store_log::StoreLogConfig,
};

use super::{connect::DatabaseArgs, content::ContentForm};
use crate::{
    failure::{Exit, Failure},
    files::require_log,
    output::Out,
    progress,
};

/// How many warnings are listed one by one.
const MAX_WARNINGS: usize = 1_000;

/// Import a log into a PostgreSQL database, all of it or nothing.
///
/// The schema has to be there (`db init`) and empty. Everything is one transaction: whatever ends the import
/// before it is done, the database is as it was. The log must not be in use, and is only read. At the end
/// counts and digests of both sides are compared. A log that was just compacted streams in constant
/// memory; any other takes as much memory as replaying it.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Leave out lines that cannot be read, instead of refusing the log.
    #[arg(long)]
    skip_unreadable: bool,
    /// Compare the log with its integrity sidecar LOG.integrity first.
    #[arg(long)]
    integrity: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// The log.
    log: PathBuf,
}

#[derive(Debug, Serialize)]
struct ImportForm {
    log: String,
    schema: String,
    lines: u64,
    bytes: u64,
    records: u64,
    unreadable: u64,
    streamed: bool,
    dangling: u64,
    #[serde(flatten)]
    content: ContentForm,
    warnings_total: u64,
    warnings: Vec<String>,
    seconds: f64,
}

pub(crate) fn run(args: &ImportArgs, out: &mut Out) -> Result<Exit, Failure> {
    require_log(&args.log)?;
    let started = Instant::now();
    let database = args.database.config()?;
    let (reading, sending) = (progress::log_bar(), progress::count_bar(0));
    let log = StoreLogConfig::new(&args.log).integrity(args.integrity).max_warnings(MAX_WARNINGS);
    let log = progress::shown_on(log, &reading);
    let options = ImportOptions::default()
        .skip_unreadable(args.skip_unreadable)
        .progress(progress::transfer_on_bar(&sending));
    let imported = import(&log, &database, &options);
    reading.finish_and_clear();
    sending.finish_and_clear();
    let form = ImportForm::of(&args.log, args.database.schema(), &imported?, started);
    match args.json {
        true => out.json(&form),
        false => form.print(out),
    }
    Ok(Exit::Fine)
}

impl ImportForm {
    fn of(log: &Path, schema: &str, report: &ImportReport, started: Instant) -> Self {
        let replay = &report.replay;
        Self {
            log: log.display().to_string(),
            schema: schema.to_owned(),
            lines: replay.lines,
            bytes: replay.bytes,
            records: replay.records,
            unreadable: replay.unreadable,
            streamed: report.streamed,
            dangling: report.dangling,
            content: ContentForm::from(&report.content),
            warnings_total: replay.warnings_total,
            warnings: replay.warnings.iter().map(ToString::to_string).collect(),
            seconds: started.elapsed().as_secs_f64(),
        }
    }

    fn print(&self, out: &mut Out) {
        let way = if self.streamed { "straight from the file" } else { "after a replay" };
        out.line(format_args!(
            "{}: {} records in {} lines, {} bytes; imported into the schema {} {way}",
            self.log, self.records, self.lines, self.bytes, self.schema
        ));
        self.content.print(out);
        out.line(format_args!(
            "warnings: {}, unreadable lines: {}, associations imported as none: {}",
            self.warnings_total, self.unreadable, self.dangling
        ));
        for warning in &self.warnings {
            out.line(format_args!("  {warning}"));
        }
        out.line("the log is as it was: keep it, and don't start a router with it again");
    }
}
