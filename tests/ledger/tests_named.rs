//! Finding the tests that a row names: `path/file.rs::function`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{cell::RefCell, fs};

/// The project's files, each read once.
pub(crate) struct Sources {
    root: PathBuf,
    read: RefCell<HashMap<String, Option<String>>>,
}

impl Sources {
    /// The files under a folder.
    pub(crate) fn of(root: &Path) -> Self {
        Self { root: root.to_owned(), read: RefCell::default() }
    }

    /// Files that exist only here.
    pub(crate) fn made_of(files: &[(&str, &str)]) -> Self {
        let read = files.iter().map(|&(path, text)| (path.to_owned(), Some(text.to_owned())));
        Self { root: PathBuf::new(), read: RefCell::new(read.collect()) }
    }

    /// What is wrong with a name, if anything.
    pub(crate) fn problem_with(&self, name: &str) -> Option<String> {
        let Some((path, function)) = name.split_once("::") else {
            return Some(format!("`{name}` is not of the form path/file.rs::function"));
        };
        let mut read = self.read.borrow_mut();
        let text = read
            .entry(path.to_owned())
            .or_insert_with(|| fs::read_to_string(self.root.join(path)).ok());
        match text {
            None => Some(format!("there is no file {path}")),
            Some(text) if is_test(text, function) => None,
            Some(_) => Some(format!("{path} has no test {function}")),
        }
    }
}

/// Whether a file's text has a function of this name that a test runner runs: `#[test]` stands among its
/// attributes, or it is written inside a macro that makes tests.
fn is_test(text: &str, function: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let begins = |line: &str| {
        let rest = line.strip_prefix("pub ").unwrap_or(line).strip_prefix("fn ");
        let rest = rest.and_then(|rest| rest.strip_prefix(function));
        rest.is_some_and(|rest| rest.starts_with(['(', '<']))
    };
    let Some(at) = lines.iter().position(|line| begins(line)) else { return false };
    let above = lines[..at].iter().rev();
    let mut attributes = above.take_while(|line| {
        line.starts_with("#[") || line.starts_with("//") || line.ends_with(")]")
    });
    attributes.any(|line| line.starts_with("#[test]")) || in_test_macro(&lines[..at])
}

/// Whether the last item that begins at the left margin is a macro that makes tests.
fn in_test_macro(above: &[&str]) -> bool {
    const MACROS: [&str; 2] = ["quickcheck! {", "law! {"];
    above
        .iter()
        .rev()
        .find(|line| line.contains("! {") || line.starts_with("mod ") || **line == "#[test]")
        .is_some_and(|line| MACROS.contains(line))
}

/// The names between backticks in a cell.
pub(crate) fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn only_functions_that_are_run_as_tests_are_found() {
    let text = "#[test]\n#[cfg(unix)]\nfn shown() {}\nfn helper() {}\nquickcheck! {\n    fn drawn(n: u8) -> bool { true }\n}\n";
    let sources = Sources::made_of(&[("a.rs", text)]);
    assert_eq!(sources.problem_with("a.rs::shown"), None);
    assert_eq!(sources.problem_with("a.rs::drawn"), None);
    assert!(sources.problem_with("a.rs::helper").unwrap().contains("no test"));
    assert!(sources.problem_with("a.rs::show").unwrap().contains("no test"));
    assert!(sources.problem_with("b.rs::shown").unwrap().contains("no file"));
    assert!(sources.problem_with("shown").unwrap().contains("not of the form"));
}
