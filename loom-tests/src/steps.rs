//! The steps of a witness, kept for the pictures of `docs/races/`.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
#[allow(clippy::disallowed_types, reason = "loom needn't see the list: nothing depends on it")]
use std::sync::Mutex;

/// Whether to write the files instead of comparing them: `update-executions.sh` sets it.
const UPDATE: &str = "UPDATE_STEPS";

/// What the threads of one execution did, in the order in which they did it. Clones share the list.
///
/// A step belongs to what the thread does without being interrupted: take it under the lock, or right after the
/// operation that it speaks of.
#[derive(Clone, Default)]
#[allow(clippy::disallowed_types, reason = "loom needn't see the list: nothing depends on it")]
pub struct Steps(Arc<Mutex<Vec<(String, String)>>>);

impl Steps {
    /// Notes that `thread` did `step`, told in the present tense: "A", "commits key 1".
    ///
    /// # Panics
    ///
    /// When a tab or a line break is in them.
    pub fn take(&self, thread: &str, step: impl Into<String>) {
        let step = step.into();
        assert!(!thread.contains(['\t', '\n']) && !step.contains(['\t', '\n']));
        self.0.lock().expect("no step panics").push((thread.to_owned(), step));
    }

    /// A line for each step: the thread, a tab, the step.
    pub(crate) fn to_text(&self) -> String {
        let steps = self.0.lock().expect("no step panics");
        steps.iter().map(|(thread, step)| format!("{thread}\t{step}\n")).collect()
    }
}

/// Compares the steps of the witness `name` with the file of its race, which is named as the witness up to the slash.
///
/// # Panics
///
/// When they differ or there is no such file.
pub(crate) fn record(name: &str, steps: &str) {
    let race = name.split('/').next().unwrap_or(name);
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/races/steps"));
    let file = folder.join(format!("{race}.tsv"));
    if std::env::var_os(UPDATE).is_some() {
        let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&file, steps));
        return written.expect("docs/races/steps can be written");
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == steps,
        "{name}: docs/races/steps/{race}.tsv has other steps than these; if they are right, run \
         update-executions.sh:\n{steps}"
    );
}
