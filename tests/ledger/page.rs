//! Reading the tables of a page.

/// A row of a page's tables.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Page and line, for messages.
    pub(crate) place: String,
    /// The item, or the case.
    pub(crate) subject: String,
    /// The cells between the subject and the tests.
    pub(crate) texts: Vec<String>,
    /// The last cell.
    pub(crate) tests: String,
}

/// The rows of all tables of a page: five cells each, none empty.
pub(crate) fn rows(page: &str, text: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some(inner) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
            continue;
        };
        let place = format!("{page}:{}", number + 1);
        let mut cells: Vec<String> = inner.split(" | ").map(|cell| cell.trim().into()).collect();
        if cells.len() != 5 {
            return Err(format!("{place}: {} cells instead of five", cells.len()));
        }
        if cells.iter().any(String::is_empty) {
            return Err(format!("{place}: an empty cell"));
        }
        let (tests, subject) = (cells.remove(4), cells.remove(0));
        if subject != "item" && subject != "case" {
            rows.push(Row { place, subject, texts: cells, tests });
        }
    }
    Ok(rows)
}

#[test]
fn a_row_has_five_cells_with_text() {
    let table = "| item | it says | Strict | Reference | tests |\n|---|---|---|---|---|\n| TM-1 | a | b | c | d |\n";
    let found = rows("page.md", table).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&*found[0].subject, &*found[0].tests, &*found[0].place),
        ("TM-1", "d", "page.md:3")
    );
    assert!(rows("page.md", "| TM-1 | a | b | c |\n").unwrap_err().contains("4 cells"));
    assert!(rows("page.md", "| TM-1 | a |  | c | d |\n").unwrap_err().contains("empty"));
}
