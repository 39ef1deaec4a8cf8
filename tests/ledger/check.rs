//! What must hold between the list of items, the rows and the tests.

use std::collections::HashMap;

use crate::page::Row;
use crate::tests_named::{Sources, names};

/// The text of a row whose test is still to be written; for races only.
const OPEN: &str = "open: race catalogue";

/// A numbered item of the specification.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Its number, such as `TM-1`.
    pub(crate) id: String,
    /// Why its row may go without a test, if it may.
    pub(crate) untested: Option<String>,
}

/// The items of the list, without its comments.
pub(crate) fn items(text: &str) -> Vec<Item> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| match line.split_once(' ') {
            Some((id, reason)) => Item { id: id.into(), untested: Some(reason.into()) },
            None => Item { id: line.into(), untested: None },
        })
        .collect()
}

/// Each item has exactly one row, each row an item, and each row tests that are there.
pub(crate) fn check_items(items: &[Item], rows: &[Row], sources: &Sources) -> Vec<String> {
    let subjects: Vec<&str> = items.iter().map(|item| &*item.id).collect();
    let mut problems = check_subjects(&subjects, rows);
    let by_id: HashMap<&str, &Item> = items.iter().map(|item| (&*item.id, item)).collect();
    for row in rows {
        let untested = by_id.get(&*row.subject).and_then(|item| item.untested.as_deref());
        problems.extend(check_tests(row, untested, sources));
    }
    problems
}

/// Each recorded case has exactly one row, which names items and tests that are there.
pub(crate) fn check_cases(
    cases: &[String],
    items: &[Item],
    rows: &[Row],
    sources: &Sources,
) -> Vec<String> {
    let subjects: Vec<&str> = cases.iter().map(|case| &**case).collect();
    let mut problems = check_subjects(&subjects, rows);
    for row in rows {
        problems.extend(check_tests(row, None, sources));
        let named = row.texts.first().map_or("", |text| text);
        let unknown = named.split(", ").filter(|id| !items.iter().any(|item| item.id == **id));
        problems.extend(unknown.map(|id| format!("{}: no item {id}", row.place)));
    }
    problems
}

fn check_subjects(subjects: &[&str], rows: &[Row]) -> Vec<String> {
    let mut problems = Vec::new();
    for subject in subjects {
        match rows.iter().filter(|row| row.subject == **subject).count() {
            0 => problems.push(format!("{subject}: no row")),
            1 => {}
            count => problems.push(format!("{subject}: {count} rows")),
        }
    }
    let unknown = rows.iter().filter(|row| !subjects.contains(&&*row.subject));
    problems.extend(unknown.map(|row| format!("{}: no such subject {}", row.place, row.subject)));
    problems
}

fn check_tests(row: &Row, untested: Option<&str>, sources: &Sources) -> Vec<String> {
    let named = names(&row.tests);
    if named.is_empty() {
        let excused = match untested {
            Some(reason) => row.tests == reason,
            None => row.subject.starts_with("RACE-") && row.tests == OPEN,
        };
        let problem = format!("{}: {} names no test", row.place, row.subject);
        return if excused { Vec::new() } else { vec![problem] };
    }
    let problems = named.into_iter().filter_map(|name| sources.problem_with(name));
    problems.map(|problem| format!("{}: {}: {problem}", row.place, row.subject)).collect()
}

/// A row that could stand in a page.
fn row(subject: &str, tests: &str) -> Row {
    Row {
        place: "p:1".into(),
        subject: subject.into(),
        texts: vec!["TM-1".into()],
        tests: tests.into(),
    }
}

#[test]
fn every_kind_of_gap_is_found() {
    let items = items("# comment\n\nTM-1\nTM-2\nRACE-1\nOP-27 a reason\n");
    let sources = Sources::made_of(&[("t.rs", "#[test]\nfn shows() {}\n")]);
    let good = || {
        vec![
            row("TM-1", "`t.rs::shows`"),
            row("TM-2", "`t.rs::shows`"),
            row("RACE-1", OPEN),
            row("OP-27", "a reason"),
        ]
    };
    let problems = |change: fn(&mut Vec<Row>)| {
        let mut rows = good();
        change(&mut rows);
        check_items(&items, &rows, &sources)
    };
    assert_eq!(problems(|_| ()), Vec::<String>::new());
    type Gap = (fn(&mut Vec<Row>), &'static str);
    let gaps: [Gap; 7] = [
        (|rows| drop(rows.remove(0)), "TM-1: no row"),
        (|rows| rows.push(row("TM-2", "`t.rs::shows`")), "TM-2: 2 rows"),
        (|rows| rows.push(row("TM-3", "`t.rs::shows`")), "no such subject TM-3"),
        (|rows| rows[1] = row("TM-2", "`t.rs::gone`"), "t.rs has no test gone"),
        (|rows| rows[1] = row("TM-2", OPEN), "TM-2 names no test"),
        (|rows| rows[2] = row("RACE-1", "later"), "RACE-1 names no test"),
        (|rows| rows[3] = row("OP-27", "another reason"), "OP-27 names no test"),
    ];
    for (change, expected) in gaps {
        let found = problems(change);
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
    }
}

#[test]
fn a_case_needs_a_row_with_known_items() {
    let items = items("TM-1\n");
    let sources = Sources::made_of(&[("t.rs", "#[test]\nfn shows() {}\n")]);
    let cases = ["01 one".to_owned(), "N1 other".to_owned()];
    let other = row("N1 other", "`t.rs::shows`");
    let check = |first: Row| check_cases(&cases, &items, &[first, other.clone()], &sources);
    assert_eq!(check(row("01 one", "`t.rs::shows`")), Vec::<String>::new());
    let mut unknown = row("01 one", "`t.rs::shows`");
    unknown.texts = vec!["TM-1, TM-9".into()];
    assert_eq!(check(unknown), ["p:1: no item TM-9"]);
    assert_eq!(check(row("01 two", "`t.rs::shows`")).len(), 2);
    assert_eq!(check(row("01 one", "later")), ["p:1: 01 one names no test"]);
}
