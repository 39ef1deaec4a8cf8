//! The ledger in `docs/conformance` is complete, and every test that it names is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod check;
mod guards;
mod links;
mod page;
mod tests_named;

use std::fs;
use std::path::{Path, PathBuf};

use check::{Item, check_cases, check_items, items};
use page::{Row, rows};
use tests_named::{Sources, names};

/// The pages whose rows are items; `edge.md` has rows for recorded cases instead.
const PAGES: [&str; 10] = [
    "agent.md",
    "map.md",
    "encodings.md",
    "journal.md",
    "ntf-records.md",
    "ntf-store.md",
    "queue-store.md",
    "pending-ntfs.md",
    "postgres.md",
    "races.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn ledger(name: &str) -> PathBuf {
    root().join("docs/conformance").join(name)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn page_rows(name: &str) -> Vec<Row> {
    rows(name, &read(&ledger(name))).unwrap_or_else(|error| panic!("{error}"))
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn every_item_has_one_row_with_tests_that_exist() {
    let items: Vec<Item> = items(&read(&ledger("items.txt")));
    assert!(items.len() > 250, "the list of items is cut short");
    let rows: Vec<Row> = PAGES.iter().flat_map(|name| page_rows(name)).collect();
    assert_none(&check_items(&items, &rows, &Sources::of(root())));
}

#[test]
fn every_recorded_edge_case_has_one_row_with_tests_that_exist() {
    let recorded = read(&root().join("tests/vectors/edge/edge.jsonl"));
    let cases: Vec<String> = recorded
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|case| case["case"].as_str().unwrap().to_owned())
        .collect();
    let items = items(&read(&ledger("items.txt")));
    assert_none(&check_cases(&cases, &items, &page_rows("edge.md"), &Sources::of(root())));
}

#[test]
fn the_readme_names_every_page() {
    let readme = read(&ledger("README.md"));
    for page in PAGES.into_iter().chain(["edge.md", "items.txt"]) {
        assert!(readme.contains(&format!("({page})")), "README.md does not link {page}");
    }
}

#[test]
fn the_claims_name_tests_that_exist() {
    let sources = Sources::of(root());
    let claims = read(&root().join("docs/claims.md"));
    let named: Vec<&str> = names(&claims).into_iter().filter(|name| name.contains("::")).collect();
    assert!(named.len() > 5, "the table of claims is cut short");
    let problems: Vec<String> =
        named.iter().filter_map(|name| sources.problem_with(name)).collect();
    assert_none(&problems);
}
