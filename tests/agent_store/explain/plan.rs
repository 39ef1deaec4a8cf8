//! Plans as the databases tell them, and what in them grows with a table.

use simplex_stores::agent_store::AgentStore;
use simplex_stores::db::{Dialect, Params, Sql, Texts};

/// What costs more the more rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost<T = &'static str> {
    /// A table, or an index, is read from one end to the other.
    Scan(T),
    /// Rows are sorted, or told apart by sorting.
    Sort,
}

impl Cost {
    pub(super) fn is(&self, found: &Cost<String>) -> bool {
        match (self, found) {
            (Self::Scan(table), Cost::Scan(found)) => table == found,
            (Self::Sort, Cost::Sort) => true,
            _ => false,
        }
    }
}

/// PostgreSQL reads tables as a whole only where there is nothing else, whatever it costs.
const SETTINGS: [Sql; 3] = [
    Sql::new("explaining", "SET LOCAL enable_seqscan = off"),
    Sql::new("explaining", "SET LOCAL enable_hashjoin = off"),
    Sql::new("explaining", "SET LOCAL enable_mergejoin = off"),
];

/// The plan of a statement with these values.
pub(super) fn explained(store: &AgentStore, text: &str, params: Params<'_>) -> Vec<String> {
    let leaked = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let texts = Texts {
        sqlite: leaked(format!("EXPLAIN QUERY PLAN {text}")),
        postgres: leaked(format!("EXPLAIN (COSTS OFF) {text}")),
    };
    let sql = Sql::differing("explaining", texts);
    let dialect = store.database().dialect();
    let plan = store.transaction("explaining", |tx| {
        let tx = tx.statements();
        if dialect == Dialect::Postgres {
            SETTINGS.iter().try_for_each(|setting| tx.execute(setting, &[]).map(drop))?;
            return Ok(tx.query(&sql, params, |row| row.next::<String>("plan.QUERY PLAN"))?);
        }
        let detail = |row: &mut simplex_stores::db::Row<'_>| {
            for column in ["plan.id", "plan.parent", "plan.notused"] {
                row.next::<i64>(column)?;
            }
            row.next::<String>("plan.detail")
        };
        Ok(tx.query(&sql, params, detail)?)
    });
    plan.unwrap_or_else(|error| panic!("explaining {text}: {error}"))
}

/// What in a plan grows.
pub(super) fn costs(dialect: Dialect, text: &str, plan: &[&str]) -> Vec<Cost<String>> {
    let mut found = match dialect {
        Dialect::Sqlite => plan.iter().filter_map(|line| sqlite(text, line)).collect(),
        Dialect::Postgres => postgres(plan),
    };
    found.sort();
    found.dedup();
    found
}

fn sqlite(text: &str, line: &str) -> Option<Cost<String>> {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["SCAN", "CONSTANT", ..] => None,
        // The result of a part of the statement, whose own cost is another line's.
        ["SCAN", name, ..] if name.starts_with('(') => None,
        ["SCAN", name, ..] => Some(Cost::Scan(table(text, name))),
        ["SEARCH", name, "USING", "AUTOMATIC", ..] => Some(Cost::Scan(table(text, name))),
        ["USE", "TEMP", "B-TREE", ..] => Some(Cost::Sort),
        _ => None,
    }
}

/// What a statement calls so.
fn table(text: &str, name: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let named = words.windows(3).find(|three| {
        let before = ["FROM", "JOIN", "UPDATE", "INTO"].contains(&three[0]);
        before && (three[2] == name || three[1] == name)
    });
    named.map_or(name, |three| three[1]).to_owned()
}

fn postgres(plan: &[&str]) -> Vec<Cost<String>> {
    let mut found = Vec::new();
    for (place, line) in plan.iter().enumerate() {
        let node = line.trim_start().trim_start_matches("->").trim_start();
        let on =
            || node.split(" on ").nth(1).unwrap_or("").split(' ').next().unwrap_or("").to_owned();
        if node.starts_with("Seq Scan on") {
            found.push(Cost::Scan(on()));
        }
        if node.starts_with("Sort Key") || node.starts_with("Presorted Key") {
            continue;
        }
        if node.starts_with("Sort") || node.starts_with("Incremental Sort") {
            found.push(Cost::Sort);
        }
        let index = ["Index Scan", "Index Only Scan"].iter().any(|kind| node.starts_with(kind));
        let details = plan[place + 1..].iter().map(|line| line.trim_start());
        let mut details = details.take_while(|line| !line.starts_with("->"));
        if index && !details.any(|line| line.starts_with("Index Cond")) {
            found.push(Cost::Scan(on()));
        }
    }
    found
}

#[test]
fn what_grows_is_found_in_plans() {
    let scan = |table: &str| vec![Cost::Scan(table.to_owned())];
    let text = "SELECT 1 FROM users u JOIN servers ON TRUE";
    let on_sqlite = |line| costs(Dialect::Sqlite, text, &[line]);
    assert_eq!(on_sqlite("SCAN u"), scan("users"));
    assert_eq!(on_sqlite("SCAN servers USING COVERING INDEX i"), scan("servers"));
    assert_eq!(on_sqlite("SEARCH u USING AUTOMATIC COVERING INDEX (user_id=?)"), scan("users"));
    assert_eq!(on_sqlite("SEARCH u USING INTEGER PRIMARY KEY (rowid=?)"), []);
    assert_eq!(on_sqlite("SCAN CONSTANT ROW"), []);
    assert_eq!(on_sqlite("USE TEMP B-TREE FOR ORDER BY"), [Cost::Sort]);
    let on_server = |plan: &[&str]| costs(Dialect::Postgres, text, plan);
    assert_eq!(on_server(&["Limit", "  ->  Seq Scan on users u"]), scan("users"));
    let with =
        ["Nested Loop", "  ->  Index Scan using i on users u", "        Index Cond: (a = 1)"];
    assert_eq!(on_server(&with), []);
    let without = ["Limit", "  ->  Index Scan using i on users u", "        Filter: (a = 1)"];
    assert_eq!(on_server(&without), scan("users"));
    assert_eq!(on_server(&["Sort", "  Sort Key: a", "  ->  Result"]), [Cost::Sort]);
}
