//! The tables of `docs/guards.md`: each row's place and test are there.

use std::collections::HashSet;
use std::fs;

use crate::tests_named::{Sources, names};

/// The rows of all tables, without their heads. Of four cells: the guard, its place, what happens without
/// it, the test that failed; of three, where none did: the guard, its place, why it stays.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let inner = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = inner.map(|line| line.split(" | ").map(str::trim).collect());
    rows.filter(|row: &Vec<&str>| row.get(1) != Some(&"place")).collect()
}

/// What is wrong with a place, which is a file and a function in it.
fn problem_with_place(place: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let [path, function] = names(place)[..] else {
        return Some(format!("{place}: not a file and a function"));
    };
    let Some(text) = read(path) else {
        return Some(format!("there is no file {path}"));
    };
    let begins = |rest: &str| rest.starts_with(['(', '<']);
    let found =
        text.split("fn ").skip(1).filter_map(|rest| rest.strip_prefix(function)).any(begins);
    (!found).then(|| format!("{path} has no function {function}"))
}

#[test]
fn every_guard_is_where_the_table_says_and_names_a_test_that_exists() {
    let page = crate::read(&crate::root().join("docs/guards.md"));
    let rows = rows(&page);
    assert!(rows.len() > 150, "the tables are cut short");
    let sources = Sources::of(crate::root());
    let read = |path: &str| fs::read_to_string(crate::root().join("src").join(path)).ok();
    let mut problems = Vec::new();
    for row in &rows {
        let (guard, place) = (row[0], row[1]);
        assert!(row.iter().all(|cell| !cell.is_empty()), "{guard}: an empty cell");
        problems.extend(problem_with_place(place, read));
        let named = row.get(3).map_or(Vec::new(), |tests| names(tests));
        match (row.len(), named.len()) {
            (3, _) | (4, 1) => {}
            (cells, tests) => problems.push(format!("{guard}: {cells} cells and {tests} tests")),
        }
        problems.extend(named.into_iter().filter_map(|name| sources.problem_with(name)));
    }
    let known: HashSet<_> = rows.iter().map(|row| (row[0], row[1])).collect();
    assert_eq!(known.len(), rows.len(), "a guard stands there twice");
    crate::assert_none(&problems);
}

#[test]
fn a_place_is_a_file_and_a_function_in_it() {
    let read = |path: &str| (path == "a.rs").then(|| "pub fn asks<T>() {}".to_owned());
    assert_eq!(problem_with_place("`a.rs` `asks`", read), None);
    assert!(problem_with_place("`a.rs` `ask`", read).unwrap().contains("no function"));
    assert!(problem_with_place("`b.rs` `asks`", read).unwrap().contains("no file"));
    assert!(problem_with_place("a.rs", read).unwrap().contains("not a file"));
}

#[test]
fn rows_are_found_and_heads_are_not() {
    let page = "| guard | place | without it | test |\n|---|---|---|---|\n| a | b | c | d |\n";
    assert_eq!(rows(page), [["a", "b", "c", "d"]]);
}
