//! What was refused, in the same words on either database.

use simplex_stores::db::{DatabaseConfig, DbErrorKind, Dialect, Sql, Texts, ViolationKind};

use crate::fixture::on_each;

const PARENTS: Sql = Sql::new("parents", "CREATE TABLE parents (id bigint PRIMARY KEY)");
const CHILDREN: Sql = Sql::differing(
    "children",
    Texts {
        sqlite: "CREATE TABLE children (
                   parent INTEGER NOT NULL CHECK (parent <> 13)
                     REFERENCES parents ON DELETE RESTRICT DEFERRABLE INITIALLY IMMEDIATE)",
        postgres: "CREATE TABLE children (
                     parent bigint NOT NULL CHECK (parent <> 13)
                       REFERENCES parents ON DELETE RESTRICT)",
    },
);
const INSERT_PARENT: Sql = Sql::new("insert parent", "INSERT INTO parents (id) VALUES ($1)");
const INSERT_CHILD: Sql = Sql::new("insert child", "INSERT INTO children (parent) VALUES ($1)");
const DELETE_PARENT: Sql = Sql::new("delete parent", "DELETE FROM parents WHERE id = $1");

#[test]
fn as13_every_violated_constraint_has_its_kind() {
    on_each(|db| {
        db.execute(&PARENTS, &[]).unwrap();
        db.execute(&CHILDREN, &[]).unwrap();
        db.execute(&INSERT_PARENT, &[&1]).unwrap();
        db.execute(&INSERT_CHILD, &[&1]).unwrap();
        let kind = |sql: &Sql, value: Option<i64>| {
            let error = db.execute(sql, &[&value]).unwrap_err();
            assert!(error.to_string().contains("nothing was changed"), "{error}");
            error.violation().map(|violation| violation.kind)
        };
        assert_eq!(kind(&INSERT_PARENT, Some(1)), Some(ViolationKind::Unique));
        assert_eq!(kind(&INSERT_CHILD, Some(2)), Some(ViolationKind::ForeignKey));
        assert_eq!(kind(&INSERT_CHILD, Some(13)), Some(ViolationKind::Check));
        assert_eq!(kind(&INSERT_CHILD, None), Some(ViolationKind::NotNull));
        assert_eq!(kind(&DELETE_PARENT, Some(1)), Some(ViolationKind::ForeignKey));
        let null = db.execute(&INSERT_CHILD, &[&None::<i64>]).unwrap_err();
        let violation = null.violation().unwrap();
        assert_eq!(violation.column.as_deref(), Some("parent"));
        assert_eq!(violation.table.as_deref(), Some("children"));
    });
}

#[test]
fn a_table_or_column_that_is_not_there_is_an_error_of_the_schema() {
    on_each(|db| {
        for text in ["SELECT 1 FROM nowhere", "SELECT absent FROM parents"] {
            let sql = Sql::new("looking", text);
            let _ = db.execute(&PARENTS, &[]);
            let error = db.run(|tx| tx.exists(&sql, &[])).unwrap_err();
            assert_eq!(*error.kind(), DbErrorKind::Schema, "{error}");
            assert_eq!(error.doing(), "looking");
            assert!(error.advice().contains("migrate"));
        }
    });
}

#[test]
fn the_user_chooses_the_database_by_a_url_or_a_path() {
    let dialect = |text: &str| text.parse::<DatabaseConfig>().map(|config| config.dialect());
    for url in ["postgres://user@host/name", "postgresql:///name?host=/run"] {
        assert_eq!(dialect(url), Ok(Dialect::Postgres));
    }
    for path in ["agent.db", "/var/lib/postgres", "C:\\agent.db", "file:agent.db"] {
        assert_eq!(dialect(path), Ok(Dialect::Sqlite));
    }
    for wrong in ["", ":memory:", "postgres://user@host:port/name"] {
        assert_eq!(*dialect(wrong).unwrap_err().kind(), DbErrorKind::Settings, "{wrong}");
    }
}

#[test]
fn as11_statements_as_text_are_for_sqlite_only() {
    on_each(|db| {
        let lines = db.database.exec_sql(
            "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, NULL), ('x', x'79');
             SELECT a, b AS c FROM t; SELECT a FROM t WHERE a = 5",
        );
        match db.database.dialect() {
            Dialect::Sqlite => assert_eq!(lines.unwrap(), ["a|c", "1|", "x|y"]),
            Dialect::Postgres => assert!(lines.unwrap_err().message().contains("psql")),
        }
        let wrong = db.database.exec_sql("BEGIN; SELECT absent FROM nowhere");
        assert!(wrong.is_err());
        db.run(|_| Ok(())).unwrap();
    });
}
