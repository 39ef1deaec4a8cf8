//! What errors say, and what they don't.

use std::time::Duration;

use simplex_stores::db::postgres::{Columns, Pool, PostgresConfig, SchemaName, Statements};
use simplex_stores::db::{DbError, DbErrorKind, Sql, ViolationKind};

use crate::fixture;

const PASSWORD: &str = "hunter2-do-not-show";

fn shown(error: &DbError) -> String {
    format!("{error} {error:?} {}", error.client_text())
}

#[test]
fn a_password_is_in_no_message() {
    let database = fixture::empty();
    let create = format!("CREATE ROLE with_password LOGIN PASSWORD '{PASSWORD}-the-right-one'");
    let created = database.client().unwrap().batch_execute(&create);
    assert!(created.is_ok() || shown_by_driver(&created.unwrap_err()).contains("already exists"));
    let url = database.url().replace("user=postgres", "user=with_password");
    let config = PostgresConfig::parse(&format!("{url} password={PASSWORD}")).unwrap();
    let refused = Pool::open(&config).unwrap_err();
    assert_eq!(*refused.kind(), DbErrorKind::Connect);
    assert_eq!(refused.sqlstate(), Some("28P01"));
    let said = format!("{} {config:?}", shown(&refused));
    assert!(said.contains("with_password") && said.contains(database.name()), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
}

fn shown_by_driver(error: &postgres::Error) -> String {
    error.as_db_error().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn settings_that_cannot_be_read_are_not_repeated() {
    let urls = [
        format!("postgres://user:{PASSWORD}@host:port/name"),
        format!("host=h password=left {PASSWORD}=right"),
        format!("host=h password='{PASSWORD}"),
        format!("postgres://user:{PASSWORD}@host/name?{PASSWORD}=1"),
    ];
    for url in urls {
        let error = PostgresConfig::parse(&url).unwrap_err();
        assert_eq!(*error.kind(), DbErrorKind::Settings);
        assert!(!shown(&error).contains(PASSWORD), "{error}");
    }
}

#[test]
fn a_url_s_password_is_not_shown_with_its_settings() {
    let url = format!("postgres://router:{PASSWORD}@db.example:5432/smp");
    let config = PostgresConfig::parse(&url).unwrap();
    let said = format!("{config:?} {config:#?}");
    assert!(said.contains("db.example") && !said.contains(PASSWORD), "{said}");
}

#[test]
fn names_of_schemas_have_limits() {
    for name in ["", "a\0b", &"x".repeat(64)] {
        assert!(name.parse::<SchemaName>().is_err(), "{name:?}");
    }
    for name in ["smp_server", "Ünïcode", "with \"quotes\"; DROP", &"x".repeat(63)] {
        assert_eq!(name.parse::<SchemaName>().unwrap().as_str(), name);
    }
}

#[test]
fn values_of_rows_are_in_no_message() {
    let database = fixture::empty();
    let create = "CREATE TABLE public.t (secret text UNIQUE, n bigint CHECK (n > 0))";
    database.client().unwrap().batch_execute(create).unwrap();
    let pool = Pool::open(&database.config().unwrap().pool_size(1)).unwrap();
    let insert = Sql::new("insert", "INSERT INTO public.t (secret, n) VALUES ($1, $2)");
    let run = |n: i64| {
        pool.session::<_, DbError>("insert", |session| session.execute(&insert, &[&PASSWORD, &n]))
    };
    run(1).unwrap();
    for error in [run(2).unwrap_err(), run(-1).unwrap_err()] {
        assert!(error.violation().is_some());
        assert!(!shown(&error).contains(PASSWORD), "{error}");
    }
}

#[test]
fn violations_are_told_apart() {
    let database = fixture::empty();
    let create = "CREATE TABLE public.t (id bigint CONSTRAINT t_key PRIMARY KEY,
        other bigint CONSTRAINT t_other REFERENCES public.t, n bigint NOT NULL,
        CONSTRAINT t_positive CHECK (n > 0), CONSTRAINT t_apart EXCLUDE (n WITH =))";
    database.client().unwrap().batch_execute(create).unwrap();
    let pool = Pool::open(&database.config().unwrap().pool_size(1)).unwrap();
    let insert = Sql::new("insert", "INSERT INTO public.t VALUES ($1, $2, $3)");
    let run = |id: i64, other: Option<i64>, n: Option<i64>| {
        let insert = |session: &mut simplex_stores::db::postgres::Session<'_>| {
            session.execute(&insert, &[&id, &other, &n])
        };
        pool.session::<_, DbError>("insert", insert)
    };
    run(1, None, Some(1)).unwrap();
    let cases = [
        (run(1, None, Some(2)), ViolationKind::Unique, Some("t_key")),
        (run(2, Some(9), Some(2)), ViolationKind::ForeignKey, Some("t_other")),
        (run(2, None, None), ViolationKind::NotNull, None),
        (run(2, None, Some(0)), ViolationKind::Check, Some("t_positive")),
        (run(2, None, Some(1)), ViolationKind::Exclusion, Some("t_apart")),
    ];
    for (result, kind, constraint) in cases {
        let error = result.unwrap_err();
        let violation = error.violation().unwrap();
        assert_eq!((violation.kind, violation.constraint.as_deref()), (kind, constraint));
        assert_eq!(violation.table.as_deref(), Some("t"));
        assert_eq!(violation.column.as_deref(), (kind == ViolationKind::NotNull).then_some("n"));
        assert_eq!(error.is_duplicate_in("t_key"), kind == ViolationKind::Unique);
        assert!(!error.is_duplicate_in("t_other"));
    }
}

#[test]
fn what_is_missing_or_not_allowed_is_told() {
    let database = fixture::empty();
    let pool = Pool::open(&database.config().unwrap().pool_size(1)).unwrap();
    let run = |text: &'static str| {
        let sql = Sql::new("asking", text);
        pool.session::<_, DbError>("run", |session| session.execute(&sql, &[])).unwrap_err()
    };
    assert_eq!(*run("SELECT * FROM nowhere").kind(), DbErrorKind::Schema);
    assert_eq!(*run("SELECT no_column FROM pg_class").kind(), DbErrorKind::Schema);
    assert_eq!(*run("SELECT no_function()").kind(), DbErrorKind::Schema);
    let mut client = database.client().unwrap();
    let role = "DO $$ BEGIN CREATE ROLE anyone LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
        CREATE TABLE public.t (n bigint)";
    client.batch_execute(role).unwrap();
    let url = database.url().replace("user=postgres", "user=anyone");
    let pool = Pool::open(&PostgresConfig::parse(&url).unwrap().pool_size(1)).unwrap();
    let read = Sql::new("reading", "SELECT n FROM public.t");
    let denied = pool.session::<_, DbError>("denied", |session| session.query(&read, &[]));
    assert_eq!(*denied.unwrap_err().kind(), DbErrorKind::Denied);
}

#[test]
fn nobody_there_and_no_such_database_are_errors_of_connecting() {
    let database = fixture::empty();
    let nowhere = PostgresConfig::parse("host=/nowhere user=u dbname=d").unwrap();
    let error = Pool::open(&nowhere).unwrap_err();
    assert_eq!(*error.kind(), DbErrorKind::Connect);
    assert_eq!(error.doing(), "connecting to database d at /nowhere as u");
    let url = database.url().replace(database.name(), "no_such_database");
    let error = Pool::open(&PostgresConfig::parse(&url).unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (&DbErrorKind::Connect, Some("3D000")));
}

#[test]
fn an_unreadable_row_is_named_by_table_and_column() {
    let database = fixture::empty();
    let pool = Pool::open(&database.config().unwrap().pool_size(1)).unwrap();
    let sql = Sql::new("row", "SELECT 1::bigint AS n, NULL::text AS name, 'x'::text AS word");
    let row = pool.session::<_, DbError>("row", |session| session.query_one(&sql, &[])).unwrap();
    let row_error = |column| DbErrorKind::Row { table: "t", column };
    let mut columns = Columns::of("t", &row);
    assert_eq!(columns.next::<i64>("n").unwrap(), 1);
    assert_eq!(*columns.next::<String>("name").unwrap_err().kind(), row_error("name"));
    let refused = columns.read("word", |word: &str| match word {
        "y" => Ok(()),
        _ => Err("not a word"),
    });
    let error = refused.unwrap_err();
    assert_eq!(error.to_string(), "reading a row: t.word: not a word; repair or remove the row");
    let error = columns.next::<i64>("none").unwrap_err();
    assert!(error.message().contains("too few"), "{error}");
    let error = Columns::of("t", &row).next::<i64>("m").unwrap_err();
    assert!(error.message().contains("column 1 of the result is n"), "{error}");
    let error = Columns::of("t", &row).next::<String>("n").unwrap_err();
    assert!(error.message().contains("another type"), "{error}");
}

#[test]
fn messages_are_one_bounded_line() {
    let error = DbError::new("doing", DbErrorKind::Other, format!("a\nb{}", "é".repeat(1000)));
    assert!(!error.to_string().contains('\n'));
    assert!(error.message().len() < 320, "{}", error.message().len());
}

#[test]
fn limits_without_sense_are_bounded() {
    let database = fixture::empty();
    let setting =
        Sql::new("limit", "SELECT current_setting('idle_in_transaction_session_timeout')");
    let limits =
        [(Duration::ZERO, "0"), (Duration::from_nanos(1), "1ms"), (Duration::MAX, "2147483647ms")];
    for (limit, shown) in limits {
        let config = database.config().unwrap().pool_size(0).checkout_timeout(limit);
        let pool = Pool::open(&config.idle_transaction_timeout(limit)).unwrap();
        let row = pool.session::<_, DbError>("limit", |one| one.query_one(&setting, &[])).unwrap();
        assert_eq!(row.get::<_, String>(0), shown);
    }
}
