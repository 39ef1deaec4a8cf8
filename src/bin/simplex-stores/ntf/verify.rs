//! `ntf verify`: loads a file of notifications and checks every invariant.

use clap::Args;
use serde::Serialize;
use simplex_stores::ntf_store::{NtfInvariantReport, NtfViolation};

use super::loading::{LoadedForm, ReadArgs, load};
use crate::{
    failure::{Exit, Failure},
    output::Out,
    stress::print_problems,
};

/// Load a file of notifications without changing anything, then check every invariant.
///
/// Ends with exit code 1 when something does not hold: a record is lost (it cannot be read, belongs to a token that is
/// not there, or stands there twice), or, with --semantics reference, the store breaks an invariant. A binary
/// file that is damaged is refused whole, with exit code 4.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct VerifyForm {
    holds: bool,
    problems: Vec<String>,
    #[serde(flatten)]
    loaded: LoadedForm,
}

pub(super) fn run(args: &VerifyArgs, out: &mut Out) -> Result<Exit, Failure> {
    let loaded = load(&args.read)?;
    let checked = loaded.store.check_invariants();
    let mut problems = Vec::new();
    if loaded.report.lost > 0 {
        problems.push(format!("{} records of the file are lost", loaded.report.lost));
    }
    if let Err(violations) = &checked {
        problems.extend(violations.iter().map(NtfViolation::to_string));
    }
    let holds = problems.is_empty();
    let loaded = LoadedForm::from(&loaded);
    if args.json {
        out.json(&VerifyForm { holds, problems, loaded });
    } else {
        loaded.print(out);
        if let Ok(report) = &checked {
            print_checked(out, report);
        }
        print_problems(out, &problems);
    }
    Ok(if holds { Exit::Fine } else { Exit::DoesNotHold })
}

/// How much an invariant check covered.
pub(super) fn print_checked(out: &mut Out, report: &NtfInvariantReport) {
    out.line(format_args!(
        "checked: {} tokens, {} of them listed under their devices, {} subscriptions, {} last notifications",
        report.tokens, report.registrations, report.subscriptions, report.last_ntfs
    ));
}
