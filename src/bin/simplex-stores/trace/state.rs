//! Comparing a state with a recorded one.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simplex_stores::protocol::Semantics;

use super::{Tally, ledger::Kind};
use crate::forms::to_json;

/// Compares the lines of a state with recorded ones. Under `Reference` they must be equal; a strict state is
/// compared with what is left of the recorded one without deleted queues.
pub(super) fn compare(
    place: &str,
    expected: &[String],
    got: &[String],
    semantics: Semantics,
    tally: &mut Tally,
) {
    tally.compared("states", 1);
    match semantics {
        Semantics::Reference => tally.lines(place, expected, got),
        Semantics::Strict => {
            let live = without_deleted(expected, tally);
            tally.lines(place, &live, got);
        }
    }
}

/// A recorded state without tombstones and without what leads to them; counts what was left out.
fn without_deleted(lines: &[String], tally: &mut Tally) -> Vec<String> {
    let deleted: BTreeSet<String> = lines.iter().filter_map(|line| deleted_queue(line)).collect();
    tally.listed(Kind::NoTombstone, deleted.len() as u64);
    let kept = lines.iter().filter(|line| deleted_queue(line).is_none());
    kept.map(|line| match kind(line) {
        Some("links") => links_of_live(line, &deleted, tally),
        Some("counts") => count_of_live(line, deleted.len() as u64, tally),
        _ => line.clone(),
    })
    .collect()
}

/// The kind of a line; every line begins with it.
fn kind(line: &str) -> Option<&str> {
    line.strip_prefix("{\"kind\":\"")?.split('"').next()
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_default()
}

/// The recipient id, when the line is a deleted queue's.
fn deleted_queue(line: &str) -> Option<String> {
    if kind(line) != Some("queue") || !line.ends_with("\"rec\":null}") {
        return None;
    }
    parsed(line).get("rid")?.as_str().map(str::to_owned)
}

fn links_of_live(line: &str, deleted: &BTreeSet<String>, tally: &mut Tally) -> String {
    let mut value = parsed(line);
    if let Some(map) = value.get_mut("map").and_then(Value::as_object_mut) {
        let before = map.len();
        map.retain(|_, queue| queue.as_str().is_none_or(|queue| !deleted.contains(queue)));
        tally.listed(Kind::NoLinkOfDeleted, (before - map.len()) as u64);
    }
    to_json(&value)
}

fn count_of_live(line: &str, deleted: u64, tally: &mut Tally) -> String {
    let mut value = parsed(line);
    if let Some(count) = value.pointer_mut("/counts/queueCount") {
        *count = json!(count.as_u64().unwrap_or_default().saturating_sub(deleted));
        tally.listed(Kind::DeletedNotCounted, u64::from(deleted > 0));
    }
    to_json(&value)
}
