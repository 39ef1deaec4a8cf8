//! Comparing a program's migrations with a database's, and what errors of it look like.

use quickcheck::quickcheck;
use simplex_stores::db::migrations::{
    AppliedMigration, ConfirmMode, DownMigration, Migration, MigrationError, Plan, PlanError,
    UpMigration, compare,
};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn program(names: &[&'static str]) -> Vec<Migration> {
    names.iter().map(|name| Migration { name, up: "", down: None }).collect()
}

fn database(names: &[&str], without_down: &[&str]) -> Vec<AppliedMigration> {
    let applied = |name: &&str| AppliedMigration {
        name: (*name).to_owned(),
        down: (!without_down.contains(name)).then(|| format!("undo {name}")),
    };
    names.iter().map(applied).collect()
}

#[test]
fn equal_lists_need_nothing() {
    assert_eq!(compare(&[], &[]), Ok(Plan::UpToDate));
    let (ours, theirs) = (program(&NAMES), database(&NAMES, &NAMES));
    assert_eq!(compare(&ours, &theirs), Ok(Plan::UpToDate));
}

#[test]
fn a_database_behind_needs_the_rest() {
    let ours = program(&NAMES);
    for length in 0..NAMES.len() {
        let theirs = database(&NAMES[..length], &[]);
        assert_eq!(compare(&ours, &theirs), Ok(Plan::Up(&ours[length..])));
    }
}

#[test]
fn a_database_ahead_goes_back_by_its_own_scripts() {
    let ours = program(&NAMES[..4]);
    let down = |name: &str| DownMigration { name: name.into(), down: format!("undo {name}") };
    let theirs = database(&NAMES, &["a", "b"]);
    assert_eq!(compare(&ours, &theirs), Ok(Plan::Down(vec![down("e"), down("f")])));
}

#[test]
fn a_database_ahead_without_scripts_stays_and_those_are_named() {
    let theirs = database(&NAMES, &["a", "d", "f"]);
    let refused = compare(&[], &theirs).unwrap_err();
    let names = ["a", "d", "f"].map(str::to_owned).to_vec();
    assert_eq!(refused, PlanError::NoDown { db_migrations: names });
}

#[test]
fn lists_that_differ_are_told_by_the_first_difference() {
    let ours = program(&["a", "b", "d", "e"]);
    let theirs = database(&["a", "b", "c", "f", "g"], &[]);
    let different = PlanError::Different { app_migration: "d".into(), db_migration: "c".into() };
    assert_eq!(compare(&ours, &theirs), Err(different));
}

quickcheck! {
    fn a_plan_leads_from_one_list_to_the_other(ours: Vec<u8>, theirs: Vec<u8>, without: u8) -> bool {
        let named = |list: &[u8]| -> Vec<&'static str> {
            list.iter().take(4).map(|one| NAMES[usize::from(*one % 2)]).collect()
        };
        let (ours, theirs) = (named(&ours), named(&theirs));
        let without: Vec<&str> = if without < 85 { vec!["b"] } else { vec![] };
        let (program, database) = (program(&ours), database(&theirs, &without));
        let common = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
        match compare(&program, &database) {
            Ok(Plan::UpToDate) => ours == theirs,
            Ok(Plan::Up(up)) => {
                let up: Vec<&str> = up.iter().map(|one| one.name).collect();
                !up.is_empty() && ours == [theirs.clone(), up].concat()
            }
            Ok(Plan::Down(down)) => {
                let down: Vec<&str> = down.iter().map(|one| one.name.as_str()).collect();
                !down.is_empty() && theirs == [ours.clone(), down].concat()
            }
            Err(PlanError::NoDown { db_migrations }) => {
                let more = theirs.get(ours.len()..).unwrap_or_default();
                let kept: Vec<&str> = more.iter().copied().filter(|one| without.contains(one)).collect();
                common == ours.len() && !kept.is_empty() && db_migrations == kept
            }
            Err(PlanError::Different { app_migration, db_migration }) => {
                ours.get(common) == Some(&app_migration.as_str())
                    && theirs.get(common) == Some(&db_migration.as_str())
            }
        }
    }
}

#[test]
fn modes_have_the_reference_s_texts() {
    let texts = [
        (ConfirmMode::YesUp, "yesUp"),
        (ConfirmMode::YesUpDown, "yesUpDown"),
        (ConfirmMode::Console, "console"),
        (ConfirmMode::Error, "error"),
    ];
    for (mode, text) in texts {
        assert_eq!(text.parse(), Ok(mode));
        assert_eq!(mode.to_string(), text);
    }
    for text in ["", "YesUp", "yes", "yesUp "] {
        assert!(text.parse::<ConfirmMode>().is_err(), "{text:?}");
    }
}

#[test]
fn errors_have_the_reference_s_json() {
    let json = |error: MigrationError| error.to_json().map(|json| json.to_string());
    let up = UpMigration { up_name: "c".into(), with_down: true };
    let cases = [
        (
            MigrationError::Upgrade { migrations: vec![up] },
            r#"{"type":"upgrade","upMigrations":[{"upName":"c","withDown":true}]}"#,
        ),
        (
            MigrationError::Downgrade { migrations: vec!["d".into()] },
            r#"{"type":"downgrade","downMigrations":["d"]}"#,
        ),
        (
            MigrationError::Plan(PlanError::NoDown { db_migrations: vec!["d".into()] }),
            r#"{"type":"migrationError","mtrError":{"type":"noDown","dbMigrations":["d"]}}"#,
        ),
        (
            MigrationError::Plan(PlanError::Different {
                app_migration: "a".into(),
                db_migration: "b".into(),
            }),
            r#"{"type":"migrationError","mtrError":{"type":"different","appMigration":"a","dbMigration":"b"}}"#,
        ),
    ];
    for (error, expected) in cases {
        let value: serde_json::Value = serde_json::from_str(expected).unwrap();
        assert_eq!(error.to_json(), Some(value), "{error}");
    }
    assert_eq!(json(MigrationError::Refused), None);
}
