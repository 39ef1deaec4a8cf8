//! What a comparison with a recorded run found.

use std::{collections::BTreeMap, fmt, path::Path};

use serde::Serialize;

use crate::output::Out;

/// How many differences are shown one by one, and how much of each.
const SHOWN: usize = 20;
const SHOWN_BYTES: usize = 400;

/// A kind of difference that `docs/conformance` lists.
pub(crate) trait Listed: Copy + Ord {
    /// The items of the specification that say what the reference does.
    fn items(self) -> &'static str;

    /// What the strict store does instead.
    fn text(self) -> &'static str;
}

/// Everything that a check found: what it compared, and the differences.
#[derive(Debug)]
pub(crate) struct Tally<K> {
    compared: BTreeMap<&'static str, u64>,
    listed: BTreeMap<K, u64>,
    unlisted: Vec<Unlisted>,
    unlisted_total: u64,
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        let (compared, listed) = (BTreeMap::new(), BTreeMap::new());
        Self { compared, listed, unlisted: Vec::new(), unlisted_total: 0 }
    }
}

/// A difference that the ledger does not list.
#[derive(Debug, Serialize)]
struct Unlisted {
    place: String,
    expected: String,
    got: String,
}

impl<K: Listed> Tally<K> {
    /// Something was compared.
    pub(crate) fn compared(&mut self, what: &'static str, count: u64) {
        *self.compared.entry(what).or_default() += count;
    }

    /// A difference of a listed kind, so many times.
    pub(crate) fn listed(&mut self, kind: K, count: u64) {
        if count > 0 {
            *self.listed.entry(kind).or_default() += count;
        }
    }

    /// A difference that no kind explains.
    pub(crate) fn unlisted(&mut self, place: impl fmt::Display, expected: &str, got: &str) {
        self.unlisted_total += 1;
        if self.unlisted.len() < SHOWN {
            let (expected, got) = from_first_difference(expected, got);
            self.unlisted.push(Unlisted { place: place.to_string(), expected, got });
        }
    }

    /// Compares two lists line by line.
    pub(crate) fn lines<A: AsRef<str>, B: AsRef<str>>(
        &mut self,
        place: impl fmt::Display,
        expected: &[A],
        got: &[B],
    ) {
        for number in 0..expected.len().max(got.len()) {
            let line = |line: Option<&str>| line.unwrap_or("(nothing)").to_owned();
            let expected = line(expected.get(number).map(AsRef::as_ref));
            let got = line(got.get(number).map(AsRef::as_ref));
            if expected != got {
                self.unlisted(format_args!("{place}, line {}", number + 1), &expected, &got);
            }
        }
    }

    pub(crate) fn holds(&self) -> bool {
        self.unlisted_total == 0
    }

    pub(crate) fn print(&self, folder: &Path, semantics: &str, out: &mut Out) {
        let compared: Vec<String> =
            self.compared.iter().map(|(what, count)| format!("{count} {what}")).collect();
        out.line(format_args!(
            "{} ({semantics}): compared {}",
            folder.display(),
            compared.join(", ")
        ));
        out.line(format_args!("  listed differences: {}", self.listed.values().sum::<u64>()));
        for (kind, count) in &self.listed {
            out.line(format_args!("  {count:>8}  {:<26}{}", kind.items(), kind.text()));
        }
        out.line(format_args!("  other differences: {}", self.unlisted_total));
        for Unlisted { place, expected, got } in &self.unlisted {
            out.line(format_args!("  {place}\n    expected {expected}\n    got      {got}"));
        }
    }

    pub(crate) fn print_json(&self, folder: &Path, semantics: &str, out: &mut Out) {
        #[derive(Serialize)]
        struct ListedForm {
            items: &'static str,
            what: &'static str,
            count: u64,
        }
        #[derive(Serialize)]
        struct Check<'a> {
            folder: String,
            semantics: &'a str,
            holds: bool,
            compared: &'a BTreeMap<&'static str, u64>,
            listed: Vec<ListedForm>,
            other_total: u64,
            other: &'a [Unlisted],
        }
        let listed = self.listed.iter().map(|(kind, count)| ListedForm {
            items: kind.items(),
            what: kind.text(),
            count: *count,
        });
        out.json(&Check {
            folder: folder.display().to_string(),
            semantics,
            holds: self.holds(),
            compared: &self.compared,
            listed: listed.collect(),
            other_total: self.unlisted_total,
            other: &self.unlisted,
        });
    }
}

/// The two texts from a little before where they part, and not too much of them.
fn from_first_difference(expected: &str, got: &str) -> (String, String) {
    let same = expected.bytes().zip(got.bytes()).take_while(|(a, b)| a == b).count();
    let start =
        if expected.len().max(got.len()) > SHOWN_BYTES { same.saturating_sub(120) } else { 0 };
    let part = |text: &str| {
        let shown: Vec<u8> = text.bytes().skip(start).take(SHOWN_BYTES).collect();
        let before = if start > 0 { "…" } else { "" };
        let after = if text.len() > start + SHOWN_BYTES { "…" } else { "" };
        format!("{before}{}{after}", String::from_utf8_lossy(&shown))
    };
    (part(expected), part(got))
}
