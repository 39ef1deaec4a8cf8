//! Links between the documents, and from the code to the documents and tests.

use std::fs;
use std::path::{Path, PathBuf};

/// All files under `folder` whose name ends so.
fn files(folder: &Path, ends: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path, ends)),
            false if path.to_string_lossy().ends_with(ends) => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

/// A path as it stands in the repository.
fn shown(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(crate::root()).unwrap_or(path).display()
}

/// The targets of a document's links, without those to other sites and without anchors.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = starts.filter(|target| !target.contains("://") && !target.starts_with('#'));
    local.filter_map(|target| target.split('#').next())
}

/// Paths into `docs/`, `tests/` and `loom-tests/` that stand between backticks in a comment.
fn named_paths(text: &str) -> impl Iterator<Item = &str> {
    let comments = text.lines().map(str::trim).filter(|line| line.starts_with("//"));
    let quoted = comments.flat_map(|line| line.split('`').skip(1).step_by(2));
    quoted.filter(|path| {
        let folders = ["docs/", "tests/", "loom-tests/"];
        folders.iter().any(|folder| path.starts_with(folder)) && !path.contains([' ', '*', '<'])
    })
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut documents = files(&crate::root().join("docs"), ".md");
    documents.push(crate::root().join("README.md"));
    let mut broken = Vec::new();
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let folder = document.parent().unwrap();
        for target in targets(&text).filter(|target| !folder.join(target).exists()) {
            broken.push(format!("{}: {target}", shown(&document)));
        }
    }
    crate::assert_none(&broken);
}

#[test]
fn every_document_and_test_that_the_code_names_is_there() {
    let folders = ["src", "tests", "loom-tests", "benches"].map(|name| crate::root().join(name));
    let mut broken = Vec::new();
    for source in folders.iter().flat_map(|folder| files(folder, ".rs")) {
        let text = fs::read_to_string(&source).unwrap();
        for path in named_paths(&text).filter(|path| !crate::root().join(path).exists()) {
            broken.push(format!("{}: {path}", shown(&source)));
        }
    }
    crate::assert_none(&broken);
}

#[test]
fn links_and_named_paths_are_seen() {
    let text = "[a](b.md) and [c](d/e.md#f), not [g](https://h.i/) or [j](#k)";
    assert_eq!(targets(text).collect::<Vec<_>>(), ["b.md", "d/e.md"]);
    let code = "//! See `docs/a.md`, `tests/b/` and `src`.\nlet x = \"`docs/c.md`\";\n";
    assert_eq!(named_paths(code).collect::<Vec<_>>(), ["docs/a.md", "tests/b/"]);
}
