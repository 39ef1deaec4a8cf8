//! `export`: a database into a journal.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use serde::Serialize;
use simplex_stores::{
    queue_store::postgres::transfer::{ExportOptions, ExportReport, export},
    store_log::StoreLogConfig,
};

use super::{connect::DatabaseArgs, content::ContentForm};
use crate::{
    failure::{Exit, Failure},
    output::Out,
    progress,
};

/// How many rows that can't be read are listed one by one.
const MAX_ROWS: usize = 1_000;

/// Export a PostgreSQL database into a log, as it is at one moment.
///
/// The log has the services and the queues that aren't deleted, as a compaction leaves it. It is there whole
/// or not at all. At the end counts and digests of both sides are compared. Messages aren't exported.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Overwrite the file when it is there.
    #[arg(long)]
    force: bool,
    /// Leave out rows that cannot be read, instead of writing no file.
    #[arg(long)]
    skip_unreadable: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// The log to write.
    log: PathBuf,
}

#[derive(Debug, Serialize)]
struct ExportForm {
    log: String,
    schema: String,
    bytes: u64,
    #[serde(flatten)]
    content: ContentForm,
    restored: u64,
    strict_only: u64,
    drifted_services: u64,
    left_out_total: u64,
    left_out: Vec<String>,
    seconds: f64,
}

pub(crate) fn run(args: &ExportArgs, out: &mut Out) -> Result<Exit, Failure> {
    let started = Instant::now();
    let database = args.database.config()?;
    let bar = progress::count_bar(0);
    let log = StoreLogConfig::new(&args.log).max_warnings(MAX_ROWS);
    let options = ExportOptions::default()
        .overwrite(args.force)
        .skip_unreadable(args.skip_unreadable)
        .progress(progress::transfer_on_bar(&bar));
    let exported = export(&database, &log, &options);
    bar.finish_and_clear();
    let form = ExportForm::of(&args.log, args.database.schema(), &exported?, started);
    match args.json {
        true => out.json(&form),
        false => form.print(out),
    }
    Ok(Exit::Fine)
}

impl ExportForm {
    fn of(log: &Path, schema: &str, report: &ExportReport, started: Instant) -> Self {
        Self {
            log: log.display().to_string(),
            schema: schema.to_owned(),
            bytes: report.bytes,
            content: ContentForm::from(&report.content),
            restored: report.restored,
            strict_only: report.strict_only,
            drifted_services: report.drifted_services,
            left_out_total: report.left_out_total,
            left_out: report.left_out.iter().map(ToString::to_string).collect(),
            seconds: started.elapsed().as_secs_f64(),
        }
    }

    fn print(&self, out: &mut Out) {
        out.line(format_args!(
            "the schema {}: exported to {}, {} bytes",
            self.schema, self.log, self.bytes
        ));
        self.content.print(out);
        out.line(format_args!(
            "rows written in another form, to the same meaning: {}; rows left out: {}",
            self.restored, self.left_out_total
        ));
        for row in &self.left_out {
            out.line(format_args!("  {row}"));
        }
        if self.strict_only > 0 {
            out.line(format_args!(
                "queues that the reference can't read from this log: {} (blocked with a notice and \
                 a service, or empty link data)",
                self.strict_only
            ));
        }
        if self.drifted_services > 0 {
            out.line(format_args!(
                "services whose stored counts aren't those of their queues: {}; `db check --repair` \
                 corrects them",
                self.drifted_services
            ));
        }
    }
}
