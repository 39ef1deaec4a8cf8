//! Comparing the warnings of a replay with what the reference reported.
//!
//! The wording is the reference's own, so what is compared is what it says: which lines it could not read, and
//! for every other report the operation, the queue or service, and the outcome. The reference
//! prints unreadable lines and logs the others, so their order among each other is not recorded.

use simplex_stores::store_log::{ReplayReport, WarningKind};

use super::Tally;

/// The operation that is about a service, not about a queue.
const SERVICE: &str = "getCreateService";

/// What a replay reported, in a common form.
#[derive(Debug, Default)]
struct Reported {
    /// Unreadable lines, whole.
    unreadable: Vec<String>,
    /// Everything else, in order.
    others: Vec<String>,
    processed: Option<u64>,
}

/// Compares a replay of `log` with a recorded report.
pub(super) fn compare(
    place: &str,
    recorded: &str,
    report: &ReplayReport,
    log: &str,
    tally: &mut Tally,
) {
    let expected = Reported::recorded(recorded);
    let got = Reported::ours(report, log);
    tally.compared("replay reports", 1);
    tally.lines(format_args!("{place}, unreadable lines"), &expected.unreadable, &got.unreadable);
    tally.lines(format_args!("{place}, refused records"), &expected.others, &got.others);
    if expected.processed != got.processed {
        let text = |count: Option<u64>| format!("{count:?}");
        tally.unlisted(place, &text(expected.processed), &text(got.processed));
    }
}

impl Reported {
    fn recorded(text: &str) -> Self {
        let mut reported = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(rest) = line.strip_prefix("Error parsing log: ") {
                let whole = rest.split_once(" - ").map_or(rest, |(_, line)| line);
                reported.unreadable.push(whole.to_owned());
            } else if let Some(rest) = line.strip_prefix("Processed: ") {
                reported.processed = rest.split(' ').next().and_then(|count| count.parse().ok());
            } else {
                reported.others.push(line.to_owned());
            }
        }
        reported
    }

    fn ours(report: &ReplayReport, log: &str) -> Self {
        let lines: Vec<&str> = log.lines().collect();
        let mut reported = Self { processed: Some(report.lines), ..Self::default() };
        for warning in &report.warnings {
            match &warning.kind {
                WarningKind::Parse { .. } | WarningKind::TooLong { .. } => {
                    let place = usize::try_from(warning.line).ok().and_then(|n| n.checked_sub(1));
                    let line = place.and_then(|place| lines.get(place)).copied();
                    reported.unreadable.push(line.unwrap_or("(no such line)").to_owned());
                }
                other => reported.others.extend(in_recorded_words(other)),
            }
        }
        reported
    }
}

/// The reference's line for a warning; `None` for what it does not report.
fn in_recorded_words(kind: &WarningKind) -> Option<String> {
    match kind {
        WarningKind::Rejected { operation: SERVICE, entity, error } => {
            Some(format!("ERROR STORE: {SERVICE}, stored service {entity}, {error}"))
        }
        WarningKind::Rejected { operation, entity, error } => {
            Some(format!("ERROR STORE: {operation}, stored queue {entity}, {error}"))
        }
        WarningKind::AlreadyDeleted { operation, entity } => {
            Some(format!("WARN STORE: {operation}, stored queue {entity}, already deleted"))
        }
        WarningKind::ServiceWrongId { stored, existing } => Some(format!(
            "ERROR STORE: {SERVICE}, stored service {stored}, created with the wrong ID {existing}"
        )),
        _ => None,
    }
}
