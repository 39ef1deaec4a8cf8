//! Folders with recorded runs of the reference, whichever store they are of: their lines, their states, the
//! arguments of their operations, and what a comparison with them found.

mod args;
mod tally;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
};

use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) use args::{Parsed, field, id, ids, json_fault, read, string, strings, with_text};
pub(crate) use tally::{Listed, Tally};

use crate::failure::Failure;

/// Calls `each` with the lines of a text file, numbered from 1, while it answers true.
pub(crate) fn for_each_line(
    path: &Path,
    mut each: impl FnMut(usize, &str) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let file = File::open(path).map_err(Failure::reading(path))?;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(Failure::reading(path))?;
        if !each(number + 1, &line)? {
            break;
        }
    }
    Ok(())
}

/// A file's text.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(Failure::reading(path))
}

/// A file's lines.
pub(crate) fn lines(path: &Path) -> Result<Vec<String>, Failure> {
    Ok(text(path)?.lines().map(str::to_owned).collect())
}

/// The recorded states, by the operation that they stand before.
pub(crate) fn snapshots(path: &Path) -> Result<BTreeMap<u64, Vec<String>>, Failure> {
    #[derive(Deserialize)]
    struct Snapshot<'a> {
        before_op: u64,
        #[serde(borrow)]
        state: Vec<&'a RawValue>,
    }
    let mut snapshots = BTreeMap::new();
    for_each_line(path, |number, line| {
        let content = |error: serde_json::Error| Failure::content(path, number, json_fault(&error));
        let snapshot: Snapshot<'_> = serde_json::from_str(line).map_err(content)?;
        let state = snapshot.state.into_iter().map(|object| object.get().to_owned());
        snapshots.insert(snapshot.before_op, state.collect());
        Ok(true)
    })?;
    Ok(snapshots)
}
