//! The names of the statements that the functions are made of, as the sources have them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What is read as a whole on purpose: the database's check, its migrations, its content.
const OTHERS: [&str; 3] = ["maintenance", "migrations", "schema"];

pub(super) fn names() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/agent_store");
    let mut names = BTreeSet::new();
    for file in files(&root) {
        let text = fs::read_to_string(&file).unwrap();
        names.extend(names_in(&text));
    }
    names
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let entries =
        entries.filter(|path| !OTHERS.contains(&path.file_stem().unwrap().to_str().unwrap()));
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn names_in(text: &str) -> Vec<String> {
    let starts = ["Sql::new(", "Sql::differing("];
    let after = starts.iter().flat_map(|start| text.split(start).skip(1));
    let names = after.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    names.map(str::to_owned).collect()
}

#[test]
fn names_are_the_first_text_of_a_statement() {
    let text =
        "const A: Sql = Sql::new(\"one\", \"x\"); Sql::differing(\n    \"two\",\n  Texts { })";
    assert_eq!(names_in(text), ["one", "two"]);
}
