//! What the commands refuse, with which exit code, and that they say nothing secret.

use std::{fs, path::Path};

use simplex_stores::store_log::{Journal, StoreLogConfig};

use crate::{Place, answer, simplex_stores};

#[test]
fn every_refusal_has_its_exit_code_and_changes_nothing() {
    let place = Place::initialised();
    let log = place.journal("100", true);
    let bytes = fs::read(&log).unwrap();
    let before = (place.state(), place.names());
    let refused = |args: &[&str], code: i32, text: &str| {
        let (found, out, error) = place.run(args.iter().copied());
        assert_eq!((found, out.as_str()), (code, ""), "{args:?}: {error}");
        assert!(error.starts_with("error: ") && error.contains(text), "{args:?}: {error}");
        assert_eq!((place.state(), fs::read(&log).unwrap() == bytes), (before.0.clone(), true));
    };
    refused(&["import", &place.file("missing.log")], 3, "No such file");
    refused(&["import", "--schema", "other", &log], 6, "there is no schema other");
    refused(&["import", "--schema", "", &log], 2, "1 to 63 bytes");
    refused(&["import", "--database", "mysql://hunter2", &log], 2, "not a database URL");
    refused(&["import"], 2, "required arguments");
    refused(&["db", "compact", "--retention-days", "-1"], 2, "");
    refused(&["db", "compact", "--retention-days", "2"], 2, "--short-retention");
    refused(&["db", "migrate", "--up", "--up-down"], 2, "cannot be used with");
    refused(&["export", &log], 2, "is there already");
    refused(&["export", &place.file("no/such/folder.log")], 3, "No such file");
    assert_eq!(place.names(), before.1);
    let (owner, _) = Journal::open_append(&StoreLogConfig::new(&log)).unwrap();
    refused(&["import", &log], 5, "in use by another process");
    refused(&["export", "--force", &log], 5, "in use by another process");
    drop(owner);
    let damaged = place.file("damaged.log");
    fs::write(&damaged, [&b"CREATE hunter2\n"[..], &bytes].concat()).unwrap();
    refused(&["import", &damaged], 4, "line 1 (offset 0)");
    assert_eq!(place.run(["import", "--skip-unreadable", &damaged]).0, 0);
    let (code, _, error) = place.run(["import", &log]);
    assert!(code == 2 && error.contains("has 100 queues"), "{error}");
}

#[test]
fn no_server_and_a_wrong_password_are_told_without_it() {
    let place = Place::initialised();
    let log = place.journal("10", true);
    let mut client = place.database.client().unwrap();
    let role = "DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'with_password') THEN
          CREATE ROLE with_password LOGIN PASSWORD 'right';
        END IF;
      EXCEPTION WHEN unique_violation OR duplicate_object THEN NULL; END $$";
    client.batch_execute(role).unwrap();
    let url = place.database.url();
    let wrong = format!("{} password=hunter2", url.replace("user=postgres", "user=with_password"));
    let nowhere = "host=/nonexistent user=u password=hunter2 dbname=d".to_owned();
    let commands: [&[&str]; 7] = [
        &["import", &log],
        &["export", &place.file("new.log")],
        &["db", "init"],
        &["db", "migrate", "--up"],
        &["db", "status"],
        &["db", "check"],
        &["db", "compact"],
    ];
    for args in commands {
        for url in [&wrong, &nowhere] {
            for verbose in [&[][..], &["-vvv"]] {
                let mut command = simplex_stores();
                command.args(args).args(verbose).env("SIMPLEX_STORES_DATABASE", url);
                let (code, out, error) = answer(command.output().unwrap());
                assert_eq!(code, 6, "{args:?}: {error}");
                assert!(!format!("{out}{error}").contains("hunter2"), "{args:?}: {error}");
                assert!(error.contains("connecting to database"), "{args:?}: {error}");
            }
        }
    }
    assert!(!Path::new(&place.file("new.log")).exists());
    for help in [&["import", "--help"][..], &["db", "status", "-h"], &["db", "init", "--colour"]] {
        let mut command = simplex_stores();
        command.args(help).env("SIMPLEX_STORES_DATABASE", &wrong);
        let (_, out, error) = answer(command.output().unwrap());
        assert!(!format!("{out}{error}").contains("hunter2"), "{out}{error}");
    }
}

#[test]
fn the_commands_are_in_the_help_the_manual_and_the_completions() {
    let place = Place::empty();
    let (_, help, _) = place.run(["--help"]);
    for text in ["  import ", "  export ", "  db ", "  6  the database cannot be reached"] {
        assert!(help.contains(text), "{help}");
    }
    let folder = place.file("man");
    assert_eq!(place.run(["man", "--dir", &folder]).0, 0);
    for page in ["import", "export", "db", "db-init", "db-migrate", "db-status", "db-check"] {
        let page = format!("{folder}/simplex-stores-{page}.1");
        assert!(Path::new(&page).exists(), "{page}");
    }
    let (_, script, _) = place.run(["completions", "bash"]);
    assert!(script.contains("--retention-days"));
}
