//! `agent check`: whether a database holds together.

use std::{collections::BTreeMap, time::Instant};

use clap::Args;
use serde::Serialize;
use simplex_stores::agent_store::maintenance::{
    CheckReport, FailedItems, Finding, Severity, check,
};

use super::place::{Place, PlaceArgs};
use crate::{
    failure::{Exit, Failure},
    output::Out,
    progress,
};

/// Look at everything that has to hold in a database, and change nothing.
///
/// SQLite's own integrity check; every reference between rows; the numbers and hashes of messages, counts of
/// services, flags and statuses against the rows that they are about. Ends with exit code 1 when something is
/// damaged. What the store's own operations leave by the reference's rules, and work that was marked as
/// failed, is told and is no damage. A file is locked meanwhile: other programs can read it, and wait to write.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct CheckForm {
    database: String,
    holds: bool,
    rules: u64,
    rows: u64,
    damaged: u64,
    leftovers: u64,
    findings: Vec<FindingForm>,
    /// Work that was marked as failed, by kind.
    failed: BTreeMap<&'static str, u64>,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct FindingForm {
    severity: &'static str,
    table: &'static str,
    problem: String,
    advice: &'static str,
    count: u64,
    keys: Vec<String>,
}

pub(crate) fn run(args: &CheckArgs, out: &mut Out) -> Result<Exit, Failure> {
    let place = args.place.existing()?;
    let started = Instant::now();
    let bar = progress::count_bar(0);
    let report = check(&place.config, |progress| {
        bar.set_message(progress.doing);
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    let report = report.map_err(|error| place.failed(error))?;
    let form = CheckForm::of(&place, report, started);
    match args.json {
        true => out.json(&form),
        false => form.print(out),
    }
    Ok(if form.holds { Exit::Fine } else { Exit::DoesNotHold })
}

impl From<Finding> for FindingForm {
    fn from(finding: Finding) -> Self {
        Self {
            severity: match finding.severity {
                Severity::Damage => "damage",
                Severity::Leftover => "leftover",
            },
            table: finding.table,
            problem: finding.problem.into_owned(),
            advice: finding.advice,
            count: finding.count,
            keys: finding.keys,
        }
    }
}

impl CheckForm {
    fn of(place: &Place, report: CheckReport, started: Instant) -> Self {
        Self {
            database: place.to_string(),
            holds: report.holds(),
            rules: report.rules,
            rows: report.rows,
            damaged: report.count(Severity::Damage),
            leftovers: report.count(Severity::Leftover),
            failed: failed_form(&report.failed),
            findings: report.findings.into_iter().map(FindingForm::from).collect(),
            seconds: started.elapsed().as_secs_f64(),
        }
    }

    fn print(&self, out: &mut Out) {
        out.line(format_args!("{}: {} rules, {} rows read", self.database, self.rules, self.rows));
        out.line(format_args!("damaged: {}, left over: {}", self.damaged, self.leftovers));
        for finding in &self.findings {
            finding.print(out);
        }
        print_failed(&self.failed, out);
        out.line(if self.holds { "everything holds" } else { "something does not hold" });
    }
}

impl FindingForm {
    fn print(&self, out: &mut Out) {
        let Self { severity, table, problem, count, advice, .. } = self;
        out.line(format_args!("  {severity}, {count} in {table}: {problem}; {advice}"));
        for key in &self.keys {
            out.line(format_args!("    {key}"));
        }
        let more = count.saturating_sub(self.keys.len() as u64);
        if more > 0 {
            out.line(format_args!("    and {more} more"));
        }
    }
}

/// Work that was marked as failed, by kind.
pub(super) fn failed_form(failed: &[FailedItems]) -> BTreeMap<&'static str, u64> {
    failed.iter().map(|items| (items.kind.name(), items.count)).collect()
}

/// Prints the kinds of which there is something.
pub(super) fn print_failed(failed: &BTreeMap<&'static str, u64>, out: &mut Out) {
    out.line(format_args!("work marked as failed: {}", failed.values().sum::<u64>()));
    for (kind, count) in failed.iter().filter(|(_, count)| **count > 0) {
        out.line(format_args!("  {kind}: {count}"));
    }
}
