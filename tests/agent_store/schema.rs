//! The schema on both databases against the specification's tables (agent-store.md, section 2).

use postgres::Client;

use crate::catalogue;
use crate::fixture::{Place, on_each};
use crate::spec_columns::{COLUMNS, WITHOUT_ROWID};
use crate::spec_keys::KEYS;

pub(crate) fn client(place: &Place) -> Client {
    let Place::Server(database) = place else { panic!("on a server") };
    let mut client = database.client().unwrap();
    client.batch_execute("SET search_path = agent_store").unwrap();
    client
}

/// The default that a word of the specification stands for, as the database tells it.
fn default(word: &str, sqlite: bool) -> String {
    let zeros = "00".repeat(16);
    let (in_sqlite, in_postgres) = match word {
        "now" => ("datetime('now')".to_owned(), "now()".to_owned()),
        "empty" => ("x''".to_owned(), "'\\x'::bytea".to_owned()),
        "ok" => ("'ok'".to_owned(), "'ok'::text".to_owned()),
        "16 zero bytes" => (format!("x'{zeros}'"), format!("'\\x{zeros}'::bytea")),
        word => (word.to_owned(), word.to_owned()),
    };
    if sqlite { in_sqlite } else { in_postgres }
}

/// `table.column: type, null, default`, as it should be.
fn expected_columns(sqlite: bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in COLUMNS.lines().filter(|line| !line.is_empty()) {
        let (column, rest) = line.split_once(": ").unwrap();
        let [in_sqlite, in_postgres, null, word] =
            rest.split(", ").collect::<Vec<&str>>().try_into().unwrap();
        let line = match sqlite {
            true => format!("{column}: {in_sqlite}, {null}, {}", default(word, true)),
            false => {
                let null = if null == "check" { "no" } else { null };
                format!("{column}: {in_postgres}, {null}, {}", default(word, false))
            }
        };
        lines.push(line);
    }
    // By table; within one, as they stand.
    lines.sort_by(|a, b| table(a).cmp(table(b)));
    lines
}

fn table(line: &str) -> &str {
    line.split(['.', ':']).next().unwrap()
}

fn expected_keys(database: &str, other: &str) -> Vec<String> {
    let lines = KEYS.lines().filter(|line| !line.is_empty() && !line.starts_with(other));
    let mut lines: Vec<String> =
        lines.map(|line| line.strip_prefix(database).unwrap_or(line).to_owned()).collect();
    lines.sort();
    lines
}

fn assert_same(found: &[String], expected: &[String]) {
    let missing: Vec<&String> = expected.iter().filter(|line| !found.contains(line)).collect();
    let surplus: Vec<&String> = found.iter().filter(|line| !expected.contains(line)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing {missing:#?}\nsurplus {surplus:#?}");
    assert_eq!(found, expected, "another order");
}

#[test]
fn the_specification_has_35_tables() {
    let mut tables: Vec<&str> =
        COLUMNS.lines().filter(|line| !line.is_empty()).map(table).collect();
    tables.dedup();
    assert_eq!(tables.len(), 35);
}

#[test]
fn columns_have_the_documented_order_types_and_defaults() {
    on_each(|test| match &test.place {
        Place::File(_) => {
            let found = catalogue::sqlite_columns(&test.place.path());
            let epoch = |line: &str| line.replace("'1970-01-01 00:00:00'", "epoch");
            let found: Vec<String> = found.iter().map(|line| epoch(line)).collect();
            assert_same(&found, &expected_columns(true));
        }
        Place::Server(_) => {
            let found = catalogue::postgres_columns(&mut client(&test.place));
            // It is shown in the time zone of whoever asks.
            let epoch = |line: &String| match line.starts_with("commands.created_at") {
                true => "commands.created_at: timestamptz, no, epoch".to_owned(),
                false => line.clone(),
            };
            let found: Vec<String> = found.iter().map(epoch).collect();
            assert_same(&found, &expected_columns(false));
        }
    });
}

#[test]
fn keys_references_and_indexes_are_the_documented_ones() {
    on_each(|test| match &test.place {
        Place::File(_) => {
            let mut found = catalogue::sqlite_keys(&test.place.path());
            found.sort();
            assert_same(&found, &expected_keys("sqlite ", "postgres "));
        }
        Place::Server(_) => {
            let mut found = catalogue::postgres_keys(&mut client(&test.place));
            found.sort();
            assert_same(&found, &expected_keys("postgres ", "sqlite "));
        }
    });
}

#[test]
fn sqlite_tables_are_strict_and_some_are_kept_in_the_index_of_their_key() {
    let place = Place::file();
    drop(place.open().unwrap());
    let tables = |condition: &str| {
        let query = format!(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'
                AND {condition} ORDER BY name"
        );
        catalogue::sqlite_lines(&place.path(), &query)
    };
    assert_eq!(tables("NOT strict"), [""; 0]);
    assert_eq!(tables("wr"), WITHOUT_ROWID);
    let given_once = "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'";
    assert_eq!(catalogue::sqlite_lines(&place.path(), given_once), ["users"]);
}

#[test]
fn triggers_and_routines_have_the_documented_names() {
    on_each(|test| match &test.place {
        Place::File(_) => {
            let query = "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name";
            let triggers = [
                "tr_rcv_queue_delete",
                "tr_rcv_queue_insert",
                "tr_rcv_queue_update_add",
                "tr_rcv_queue_update_remove",
            ];
            assert_eq!(catalogue::sqlite_lines(&test.place.path(), query), triggers);
        }
        Place::Server(_) => {
            let mut client = client(&test.place);
            let query = "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1";
            let triggers = ["tr_rcv_queue_delete", "tr_rcv_queue_insert", "tr_rcv_queue_update"];
            assert_eq!(catalogue::postgres_lines(&mut client, query), triggers);
            let query = "SELECT proname::text FROM pg_proc
                          WHERE pronamespace = current_schema()::regnamespace ORDER BY 1";
            let routines = [
                "on_rcv_queue_delete",
                "on_rcv_queue_insert",
                "on_rcv_queue_update",
                "update_aggregates",
                "xor_aggregate",
                "xor_combine",
            ];
            assert_eq!(catalogue::postgres_lines(&mut client, query), routines);
        }
    });
}

#[test]
fn as18_as99_the_row_of_the_statistics_is_there_and_no_user_is() {
    on_each(|test| {
        let rows = "SELECT servers_stats_id, servers_stats FROM servers_stats";
        let rows = test.query(rows, &[], |row| {
            Ok((
                row.next::<i64>("s.servers_stats_id")?,
                row.next::<Option<String>>("s.servers_stats")?,
            ))
        });
        assert_eq!(rows, [(1, None)]);
        let users =
            test.query("SELECT user_id FROM users", &[], |row| row.next::<i64>("users.user_id"));
        assert!(users.is_empty(), "a new database has no first user");
    });
}
