//! Values go in and come out as they were, and what isn't one names its table and column.

use simplex_stores::db::{Cell, DbError, DbErrorKind, Dialect, Param, Row, Sql, Texts, UtcTime};

use crate::fixture::{TestDb, on_each};

const CREATE: Sql = Sql::differing(
    "create",
    Texts {
        sqlite: "CREATE TABLE v (id INTEGER PRIMARY KEY, flag INTEGER, number INTEGER, text TEXT,
                   bytes BLOB, moment TEXT) STRICT",
        postgres: "CREATE TABLE v (id bigint PRIMARY KEY, flag smallint, number bigint, text text,
                     bytes bytea, moment timestamptz)",
    },
);
/// The parameters don't stand in the order of their numbers.
const INSERT: Sql = Sql::new(
    "insert",
    "INSERT INTO v (moment, bytes, text, number, flag, id) VALUES ($6, $5, $4, $3, $2, $1)",
);
const READ: Sql = Sql::new("read", "SELECT flag, number, text, bytes, moment FROM v WHERE id = $1");

type Values = (Option<bool>, Option<i64>, Option<String>, Option<Vec<u8>>, Option<UtcTime>);

fn values(row: &mut Row<'_>) -> Result<Values, DbError> {
    Ok((
        row.next("v.flag")?,
        row.next("v.number")?,
        row.next("v.text")?,
        row.next("v.bytes")?,
        row.next("v.moment")?,
    ))
}

fn insert(db: &TestDb, id: i64, values: &Values) {
    let (flag, number, text, bytes, moment) = values;
    assert_eq!(db.execute(&INSERT, &[&id, flag, number, text, bytes, moment]).unwrap(), 1);
}

fn with_table(test: impl Fn(&TestDb)) {
    on_each(|db| {
        db.execute(&CREATE, &[]).unwrap();
        test(db);
    });
}

#[test]
fn every_kind_of_value_comes_back() {
    let moments =
        [-62_167_219_200_000_000, -1, 0, 1, 1_700_000_000_250_000, 253_402_300_799_999_999];
    let rows: Vec<Values> = moments
        .into_iter()
        .map(|micros: i64| {
            (
                Some(micros % 2 == 0),
                Some(if micros < 0 { i64::MIN } else { i64::MAX }),
                Some(format!("text of {micros} ' \" ; $1 ?1 é")),
                Some(micros.to_be_bytes().to_vec()),
                UtcTime::from_micros(micros),
            )
        })
        .chain([(None, None, None, None, None)])
        .chain([(Some(false), Some(0), Some(String::new()), Some(Vec::new()), None)])
        .collect();
    with_table(|db| {
        for (id, row) in (0_i64..).zip(&rows) {
            insert(db, id, row);
            let read = db.run(|tx| tx.query_one(&READ, &[&id], values)).unwrap();
            assert_eq!(read, *row);
        }
    });
}

#[test]
fn what_is_no_value_of_its_type_names_table_and_column() {
    with_table(|db| {
        db.execute(&INSERT, &[&1, &2, &70_000, &"text", &b"bytes", &UtcTime::now()]).unwrap();
        let problem = |read: fn(&mut Row<'_>) -> Result<(), DbError>| {
            db.run(|tx| tx.query_one(&READ, &[&1], read)).unwrap_err()
        };
        let flag = problem(|row| row.next::<bool>("v.flag").map(drop));
        assert_eq!(*flag.kind(), DbErrorKind::Row { table: "v", column: "flag" });
        assert_eq!(flag.message(), "not a flag, which is 0 or 1");
        let narrow = problem(|row| {
            row.next::<i64>("v.flag")?;
            row.next::<u16>("v.number").map(drop)
        });
        assert_eq!(*narrow.kind(), DbErrorKind::Row { table: "v", column: "number" });
        assert!(!narrow.to_string().contains("70000"), "{narrow}");
        let text = problem(|row| row.next::<&str>("v.flag").map(drop));
        assert_eq!(text.message(), "not a text");
        let order = problem(|row| row.next::<i64>("v.number").map(drop));
        assert_eq!(order.message(), "column 1 of the result is flag");
        let made = problem(|row| row.read("v.flag", |flag: i64| Err::<(), _>(flag > 5)).map(drop));
        assert_eq!(made.message(), "false");
    });
}

#[test]
fn more_columns_than_there_are_and_null_are_errors() {
    with_table(|db| {
        insert(db, 1, &(None, None, None, None, None));
        let few = Sql::new("few", "SELECT flag FROM v");
        let read = |row: &mut Row<'_>| {
            row.next::<Option<bool>>("v.flag")?;
            row.next::<Option<i64>>("v.number")
        };
        let error = db.run(|tx| tx.query_one(&few, &[], read)).unwrap_err();
        assert_eq!(error.message(), "the result has too few columns");
        let null = db.run(|tx| tx.query_one(&few, &[], |row| row.next::<bool>("v.flag")));
        assert_eq!(*null.unwrap_err().kind(), DbErrorKind::Row { table: "v", column: "flag" });
    });
}

#[test]
fn a_value_that_the_column_cannot_hold_is_refused() {
    with_table(|db| {
        let wrong: [(Param<'_>, Param<'_>); 3] = [
            (Param::Text("t".into()), Param::Null),
            (Param::Blob(b"b"[..].into()), Param::Null),
            (Param::Null, Param::Text("t".into())),
        ];
        for (number, bytes) in wrong {
            let none = None::<bool>;
            let refused = db.execute(&INSERT, &[&1, &none, &number, &none, &bytes, &none]);
            assert!(refused.is_err(), "{number:?} {bytes:?}");
        }
        if db.database.dialect() == Dialect::Postgres {
            let wide = db.execute(
                &INSERT,
                &[&1, &40_000, &None::<i64>, &None::<i64>, &None::<i64>, &None::<i64>],
            );
            assert!(wide.is_err());
        }
    });
}

#[test]
fn as_many_values_as_parameters_are_bound() {
    with_table(|db| {
        assert!(db.execute(&INSERT, &[&1]).is_err());
        assert!(db.execute(&READ, &[]).is_err());
        assert!(db.execute(&READ, &[&1, &2]).is_err());
    });
}

#[test]
fn as12_lists_are_bound_where_there_are_lists() {
    with_table(|db| {
        for id in 1..=3_i64 {
            insert(db, id, &(None, None, None, Some(vec![id as u8]), None));
        }
        let among = Sql::differing(
            "among",
            Texts {
                sqlite: "SELECT id FROM v WHERE bytes IN ($1)",
                postgres: "SELECT id FROM v WHERE bytes = ANY ($1) ORDER BY id",
            },
        );
        let list = Param::Blobs(vec![&[1], &[3], &[9]]);
        let found = db.run(|tx| tx.query(&among, &[&list], |row| row.next::<i64>("v.id")));
        match db.database.dialect() {
            Dialect::Postgres => assert_eq!(found.unwrap(), [1, 3]),
            Dialect::Sqlite => assert!(found.unwrap_err().to_string().contains("no lists")),
        }
    });
}

#[test]
fn a_cell_says_what_stands_there() {
    use simplex_stores::db::{FromCell, Unreadable};
    struct Shown(String);
    impl FromCell<'_> for Shown {
        fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
            Ok(Self(format!("{cell:?}")))
        }
    }
    with_table(|db| {
        db.execute(&INSERT, &[&1, &true, &-5, &"x", b"y", &None::<i64>]).unwrap();
        let shown = db.run(|tx| {
            tx.query_one(&READ, &[&1], |row| {
                let columns = ["v.flag", "v.number", "v.text", "v.bytes", "v.moment"];
                columns.map(|column| row.next::<Shown>(column)).into_iter().collect()
            })
        });
        let shown: Vec<Shown> = shown.unwrap();
        let shown: Vec<&str> = shown.iter().map(|one| &*one.0).collect();
        assert_eq!(shown, ["Int(1)", "Int(-5)", "Text(\"x\")", "Blob([121])", "Null"]);
    });
}
