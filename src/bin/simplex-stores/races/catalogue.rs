//! The race catalogue as it stands in `docs/races/` and in the ledger, read from the documents themselves.
//!
//! The documents are the only source: what the command prints is what they say. The test `tests/races_docs/` uses this
//! file too.

/// A race, as its section of a page tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Race {
    /// As in the specification: "RACE-1".
    pub(crate) id: String,
    pub(crate) title: String,
    /// How it comes about.
    pub(crate) how: String,
    /// What follows from it.
    pub(crate) so: String,
    /// How this library closes it.
    pub(crate) closed: String,
}

/// The sections of a page that speak of races.
pub(crate) fn races(page: &str) -> Vec<Race> {
    page.split("\n## ").skip(1).filter_map(race).collect()
}

fn race(section: &str) -> Option<Race> {
    let (heading, text) = section.split_once('\n')?;
    let (id, title) = heading.split_once(": ")?;
    let part = |mark: &str| text.lines().find_map(|line| line.strip_prefix(mark));
    Some(Race {
        id: id.to_owned(),
        title: title.to_owned(),
        how: part("**How.** ")?.to_owned(),
        so: part("**So.** ")?.to_owned(),
        closed: part("**Closed.** ")?.to_owned(),
    })
}

/// A race's number: what the catalogue is in order of.
pub(crate) fn number(id: &str) -> Option<u32> {
    id.strip_prefix("RACE-")?.parse().ok()
}

/// The threads and their steps, in order: a line each, a tab between.
pub(crate) fn steps(text: &str) -> Vec<(&str, &str)> {
    text.lines().filter_map(|line| line.split_once('\t')).collect()
}

/// The threads of some steps, in the order in which they begin.
pub(crate) fn threads<'a>(steps: &[(&'a str, &str)]) -> Vec<&'a str> {
    let mut threads = Vec::new();
    for (thread, _) in steps {
        if !threads.contains(thread) {
            threads.push(*thread);
        }
    }
    threads
}

/// The cells of the row that begins with `first`, possibly as a link's text.
pub(crate) fn row<'a>(table: &'a str, first: &str) -> Option<Vec<&'a str>> {
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let mut rows = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    rows.find(|cells| cells.first().is_some_and(|cell| label(cell) == first))
}

/// The text of a cell that may be a link.
fn label(cell: &str) -> &str {
    let text = cell.strip_prefix('[').and_then(|cell| cell.split_once(']'));
    text.map_or(cell, |(text, _)| text)
}

/// The tests that the ledger names for a race, as `path::function`.
pub(crate) fn tests<'a>(ledger: &'a str, id: &str) -> Vec<&'a str> {
    let cell = row(ledger, id).and_then(|cells| cells.last().copied()).unwrap_or_default();
    cell.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect()
}

/// Text without its links' targets.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        let Some((label, after)) = link.split_once("](") else {
            plain.push('[');
            rest = link;
            continue;
        };
        plain.push_str(label);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    plain + rest
}

/// Lines of at most `width` characters, unless a word is longer; none for no words.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
