//! `verify`: replays a log and checks every invariant.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use simplex_stores::queue_store::stm::{InvariantReport, Violation};

use crate::{
    cli::ReadArgs,
    failure::{Exit, Failure},
    loading::{Loaded, load},
    output::Out,
    report::ReplayForm,
};

/// Replay a log without changing anything, then check every invariant.
///
/// Ends with exit code 1 when something does not hold: the log is damaged or has a torn last line, its
/// integrity sidecar does not fit, or the store that it makes breaks an invariant (indexes that disagree
/// with records, service sets that disagree with their hashes, anything that dangles). With --semantics
/// reference the latter may be the reference's own defects, not the log's.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// The log.
    log: PathBuf,
}

#[derive(Debug, Serialize)]
struct VerifyForm<'a> {
    holds: bool,
    problems: Vec<String>,
    #[serde(flatten)]
    replay: ReplayForm<'a>,
}

pub(crate) fn run(args: &VerifyArgs, out: &mut Out) -> Result<Exit, Failure> {
    let loaded = load(&args.log, &args.read)?;
    let checked = loaded.store.check_invariants();
    let problems = problems(&loaded, &checked);
    let holds = problems.is_empty();
    let replay = ReplayForm::of(&args.log, &loaded)
        .map_err(|error| Failure::store("counting queues", &error))?;
    if args.json {
        out.json(&VerifyForm { holds, problems, replay });
    } else {
        replay.print(out);
        print_verdict(out, &checked, &problems);
    }
    Ok(if holds { Exit::Fine } else { Exit::DoesNotHold })
}

/// Everything that does not hold, a sentence each.
fn problems(loaded: &Loaded, checked: &Result<InvariantReport, Vec<Violation>>) -> Vec<String> {
    let report = &loaded.report;
    let listed = report.damage.iter().map(|damage| format!("damage {damage}"));
    let mut problems: Vec<String> = listed.collect();
    let unlisted = report.damage_total.saturating_sub(report.damage.len() as u64);
    if unlisted > 0 {
        problems.push(format!("{unlisted} more damaged places"));
    }
    if let Some(tail) = report.torn_tail {
        problems.push(format!(
            "line {} (offset {}): the last line has no newline ({} bytes)",
            tail.line, tail.offset, tail.length
        ));
    } else if report.unreadable > 0 && report.damage_total == 0 {
        problems.push(format!("{} unreadable lines at the end of the log", report.unreadable));
    }
    if let Err(violations) = checked {
        problems.extend(violations.iter().map(Violation::to_string));
    }
    problems
}

fn print_verdict(
    out: &mut Out,
    checked: &Result<InvariantReport, Vec<Violation>>,
    problems: &[String],
) {
    if let Ok(report) = checked {
        print_checked(out, report);
    }
    match problems.len() {
        0 => out.line("everything holds"),
        count => out.line(format_args!("{count} things do not hold:")),
    }
    for problem in problems {
        out.line(format_args!("  {problem}"));
    }
}

/// How much an invariant check covered.
pub(crate) fn print_checked(out: &mut Out, report: &InvariantReport) {
    out.line(format_args!(
        "checked: {} queues, {} tombstones, {} index entries, {} services, {} ids in their sets",
        report.queues, report.tombstones, report.index_entries, report.services, report.service_ids
    ));
}
