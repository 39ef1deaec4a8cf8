//! The race catalogue's documents agree with each other: pictures with steps, pages with the ledger, the overview with
//! the table of executions.
//!
//! What is drawn or counted is written here: `UPDATE_RACES=1 cargo test --test races_docs` rewrites it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../src/bin/simplex-stores/races/catalogue.rs"]
mod catalogue;
mod overview;
mod picture;

use std::fs;
use std::path::{Path, PathBuf};

use catalogue::{Race, number, races};

/// The pages, in the order of the overview.
const PAGES: [&str; 6] =
    ["journal.md", "formats.md", "store.md", "stores.md", "database.md", "notifications.md"];

/// The command's list of files with steps.
const STEPS_TABLE: &str = "src/bin/simplex-stores/races/steps.rs";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> PathBuf {
    root().join("docs/races")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares a file with what it should be, or writes it when asked to.
fn written(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_RACES").is_some() {
        // Other tests read at the same time: they see the old file or the new one.
        let aside = path.with_extension("new");
        fs::write(&aside, text).unwrap();
        return fs::rename(aside, path).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == text,
        "{} isn't what it is made from; if that is right, run UPDATE_RACES=1 cargo test --test races_docs",
        path.display()
    );
}

/// The name of a race's files, without what follows the dot.
fn stem(id: &str) -> String {
    format!("race_{:02}", number(id).unwrap())
}

/// Each race, with the page that it is on.
fn catalogue() -> Vec<(&'static str, Race)> {
    let of = |page| races(&read(&folder().join(page))).into_iter().map(move |race| (page, race));
    let mut all: Vec<_> = PAGES.into_iter().flat_map(of).collect();
    all.sort_by_key(|(_, race)| number(&race.id));
    all
}

/// The files in a folder of the catalogue whose name ends so, without the ending, sorted.
fn stems(folder: &Path, ends: &str) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let mut stems: Vec<String> =
        names.filter_map(|name| name.strip_suffix(ends).map(str::to_owned)).collect();
    stems.sort();
    stems
}

fn with_steps() -> Vec<String> {
    stems(&folder().join("steps"), ".tsv")
}

#[test]
fn the_pages_tell_every_race_of_the_ledger_once_and_whole() {
    let ledger = read(&root().join("docs/conformance/races.md"));
    let rows: Vec<&str> = ledger
        .lines()
        .filter_map(|line| line.strip_prefix("| RACE-")?.split(" | ").next())
        .collect();
    assert!(rows.len() > 40, "the ledger's page is cut short");
    let told = catalogue();
    let told: Vec<&str> =
        told.iter().filter_map(|(_, race)| race.id.strip_prefix("RACE-")).collect();
    assert_eq!(told, rows);
    for page in PAGES {
        let text = read(&folder().join(page));
        let headings = text.lines().filter(|line| line.starts_with("## ")).count();
        assert_eq!(headings, races(&text).len(), "{page} has a section without How, So or Closed");
    }
}

#[test]
fn every_picture_is_what_the_steps_draw() {
    let told = catalogue();
    for stem in with_steps() {
        let (_, race) = told
            .iter()
            .find(|(_, race)| self::stem(&race.id) == stem)
            .unwrap_or_else(|| panic!("steps/{stem}.tsv belongs to no race of the catalogue"));
        let text = read(&folder().join(format!("steps/{stem}.tsv")));
        let steps = catalogue::steps(&text);
        assert_eq!(steps.len(), text.lines().count(), "steps/{stem}.tsv has a line without a tab");
        let title = format!("{}: {}", race.id, race.title);
        written(&folder().join(format!("{stem}.svg")), &picture::draw(&title, &steps));
    }
    assert_eq!(stems(&folder(), ".svg"), with_steps(), "a picture without steps");
}

#[test]
fn the_pages_show_every_picture() {
    let with_steps = with_steps();
    for page in PAGES {
        let path = folder().join(page);
        let mut text = String::new();
        let old = read(&path);
        let mut lines = old.lines();
        while let Some(line) = lines.next() {
            if line.starts_with("![RACE-") {
                lines.next(); // the empty line after it
                continue;
            }
            text.push_str(line);
            text.push('\n');
            let id = line.strip_prefix("**So.** ").and(last_heading(&text));
            let Some(stem) = id.map(stem).filter(|stem| with_steps.contains(stem)) else {
                continue;
            };
            let id = id.unwrap();
            let at = text.rfind("**So.** ").unwrap();
            text.insert_str(at, &format!("![{id}, step by step]({stem}.svg)\n\n"));
        }
        written(&path, &text);
    }
}

/// The id in the last heading of a text.
fn last_heading(text: &str) -> Option<&str> {
    text.rsplit_once("\n## ")?.1.split(": ").next()
}

#[test]
fn the_overview_counts_what_the_tables_count() {
    let ledger = read(&root().join("docs/conformance/races.md"));
    let executions = read(&root().join("loom-tests/executions.tsv"));
    let path = folder().join("README.md");
    let readme = read(&path);
    let (head, _) = readme.split_once(overview::MARK).expect("the mark of the generated part");
    let table = overview::table(&catalogue(), &ledger, &executions);
    written(&path, &format!("{head}{}\n\n{table}", overview::MARK));
}

#[test]
fn the_command_knows_every_file_with_steps() {
    let ids = with_steps().into_iter().map(|stem| {
        let number: u32 = stem.strip_prefix("race_").unwrap().parse().unwrap();
        format!("    \"RACE-{number}\" \"{stem}\"\n")
    });
    let path = root().join(STEPS_TABLE);
    let source = read(&path);
    let (head, _) = source.split_once("steps! {\n").expect("the table's beginning");
    written(&path, &format!("{head}steps! {{\n{}}}\n", ids.collect::<String>()));
}

#[test]
fn text_is_wrapped_between_words_and_loses_only_its_links() {
    assert_eq!(catalogue::wrap("one two  three", 7), ["one two", "three"]);
    assert_eq!(catalogue::wrap("longer-than-that", 4), ["longer-than-that"]);
    assert_eq!(catalogue::plain("see [a](b.md) and [c"), "see a and [c");
    let steps = catalogue::steps("A\tx\nB\ty\nA\tz\n");
    assert_eq!(catalogue::threads(&steps), ["A", "B"]);
    let ledger = "| RACE-1 | a | b | c | `t.rs::f`, loom: open |\n";
    assert_eq!(catalogue::tests(ledger, "RACE-1"), ["t.rs::f"]);
}
