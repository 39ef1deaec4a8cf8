//! Checking that a strict replay loses no live queue.
//!
//! Every queue that is live at the end of a recorded run must be there after a strict replay of the run's
//! journal, and after compacting and replaying again, whatever the reference's own replay makes of it. What
//! a queue may lose is a link that another live queue has, and a service that does not exist or has another role.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::Value;
use simplex_stores::{
    protocol::{ErrorType, Semantics},
    queue_store::stm::StoreSnapshot,
    store_log::{ReplayReport, ReplayWarning, WarningKind},
};

use super::{
    Tally,
    journal::{compact, replay},
    ledger::Kind,
};
use crate::{
    failure::Failure,
    files::ScratchFolder,
    forms::RecForm,
    recorded::{lines, text},
};

/// Live queues by recipient id, with their records.
type Queues = BTreeMap<String, Value>;
/// Links, each with the queue that was to have it: recipient id, link id.
type Links = BTreeSet<(String, String)>;

pub(super) fn check(folder: &Path, tally: &mut Tally) -> Result<(), Failure> {
    let live = recorded(&lines(&folder.join("final.jsonl"))?);
    let kept = recorded(&lines(&folder.join("compacted_replayed.jsonl"))?);
    let log = folder.join("store.log");
    let (first, report) = replay(&log, Semantics::Strict)?;
    let dropped = dropped_links(&report, &text(&log)?);
    compare("store.log replayed", &live, &first, &dropped, tally);
    let scratch = ScratchFolder::new()?;
    let copy = scratch.join("store.log");
    compact(&log, &copy, Semantics::Strict)?;
    let (second, _) = replay(&copy, Semantics::Strict)?;
    compare("store.log compacted and replayed", &live, &second, &dropped, tally);
    let lost_there = live.keys().filter(|id| !kept.contains_key(*id)).count();
    tally.listed(Kind::QueueKept, lost_there as u64);
    tally.compared("live queues", live.len() as u64);
    Ok(())
}

fn recorded(lines: &[String]) -> Queues {
    let values = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let queues = values.filter(|value| value.get("kind").is_some_and(|kind| kind == "queue"));
    let live = queues.filter_map(|value| {
        let record = value.get("rec").filter(|record| !record.is_null())?;
        Some((value.get("rid")?.as_str()?.to_owned(), record.clone()))
    });
    live.collect()
}

/// The links that a replay says it left out because another queue had them, each with the queue
/// that it was to belong to.
fn dropped_links(report: &ReplayReport, log: &str) -> Links {
    let lines: Vec<&str> = log.lines().collect();
    let refused = |warning: &ReplayWarning| match &warning.kind {
        WarningKind::LinkDropped { entity, link } => Some((entity.clone(), link.clone())),
        WarningKind::Rejected { operation: "CreateLink", error: ErrorType::Duplicate, .. } => {
            let line = lines.get(usize::try_from(warning.line).ok()?.checked_sub(1)?)?;
            let mut words = line.strip_prefix("LINK ")?.split(' ');
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        }
        _ => None,
    };
    report.warnings.iter().filter_map(refused).collect()
}

fn compare(place: &str, live: &Queues, state: &StoreSnapshot, dropped: &Links, tally: &mut Tally) {
    let records = state.queues.iter().filter_map(|queue| {
        let record = RecForm::from(queue.record.as_deref()?);
        Some((queue.id.to_string(), serde_json::to_value(record).ok()?))
    });
    let replayed: Queues = records.collect();
    let services: BTreeMap<String, String> = state
        .services
        .iter()
        .map(|service| (service.id.to_string(), crate::forms::text(&service.record.role)))
        .collect();
    for (id, expected) in live {
        let place = format!("{place}, queue {id}");
        match replayed.get(id) {
            None => tally.unlisted(place, &expected.to_string(), "(the queue is lost)"),
            Some(got) => {
                let link = expected.get("link_id").and_then(Value::as_str).unwrap_or_default();
                let reported = dropped.contains(&(id.clone(), link.to_owned()));
                let link_kind = reported.then(|| link_kind(expected, &replayed));
                compare_record(&place, expected, got, link_kind, &services, tally);
            }
        }
    }
}

/// Takes off the recorded record what the queue may lose; the rest must be equal.
fn compare_record(
    place: &str,
    expected: &Value,
    got: &Value,
    link_kind: Option<Kind>,
    services: &BTreeMap<String, String>,
    tally: &mut Tally,
) {
    let mut allowed = expected.clone();
    if let (true, Some(kind)) = (lost(expected, got, "/link_id"), link_kind) {
        tally.listed(kind, 1);
        set_null(&mut allowed, &["/link_id", "/queue_data"]);
    }
    for (service, role) in [("/rsrv", "M"), ("/notifier/nsrv", "N")] {
        let id = expected.pointer(service).and_then(Value::as_str);
        let fits = id.is_some_and(|id| services.get(id).is_some_and(|known| known == role));
        if lost(expected, got, service) && !fits {
            tally.listed(Kind::ServiceCleared, 1);
            set_null(&mut allowed, &[service]);
        }
    }
    // The texts say the same as the fields.
    for record in ["/text", "/notifier/text"] {
        if let (Some(to), Some(from)) = (allowed.pointer_mut(record), got.pointer(record)) {
            *to = from.clone();
        }
    }
    if allowed != *got {
        tally.unlisted(place, &allowed.to_string(), &got.to_string());
    }
}

/// The field is set there and null here.
fn lost(expected: &Value, got: &Value, field: &str) -> bool {
    let null = |value: &Value| value.pointer(field).is_none_or(Value::is_null);
    !null(expected) && null(got)
}

/// Whether another live queue still has the link that a queue was kept without.
fn link_kind(expected: &Value, replayed: &Queues) -> Kind {
    let link = expected.get("link_id");
    match replayed.values().any(|record| record.get("link_id") == link) {
        true => Kind::LinkOfAnother,
        false => Kind::LinkWasAnothers,
    }
}

fn set_null(record: &mut Value, fields: &[&str]) {
    for field in fields {
        if let Some(value) = record.pointer_mut(field) {
            *value = Value::Null;
        }
    }
}
