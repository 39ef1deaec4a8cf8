//! `agent`: an agent's database, in a file and at a server.

use std::fs;

use serde_json::{Value, json};
use simplex_stores::testing::postgres::{Cluster, TestDatabase};
use tempfile::TempDir;

use crate::{Answer, answer, json as parse, simplex_stores};

/// Where an agent's database is to be.
struct Agent {
    database: String,
    folder: TempDir,
    /// It is there as long as this is.
    _server: Option<TestDatabase>,
}

impl Agent {
    fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("agent.db").to_str().unwrap().to_owned();
        Self { database, folder, _server: None }
    }

    fn server() -> Self {
        let server = Cluster::shared().unwrap().database().unwrap();
        let pairs = server.url().split_whitespace().filter_map(|pair| pair.split_once('='));
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={}", value.trim_matches('\'').replace('/', "%2F")))
            .collect();
        let database = format!("postgres:///?{}", pairs.join("&"));
        Self { database, folder: tempfile::tempdir().unwrap(), _server: Some(server) }
    }

    fn run(&self, args: &[&str]) -> Answer {
        let mut command = simplex_stores();
        command.arg("agent").args(args).args(["--database", &self.database]);
        answer(command.output().unwrap())
    }

    fn json(&self, args: &[&str]) -> (i32, Value) {
        let (code, text, error) = self.run(&[args, &["--json"]].concat());
        assert!(error.is_empty(), "{args:?}: {error}");
        (code, parse(&text))
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Adds a migration of a later program.
    fn migrate_later(&self) {
        let insert = "INSERT INTO migrations (name, ts, down) VALUES
                        ('z29990101_later', '2999-01-01', 'SELECT 1')";
        match &self._server {
            None => {
                let driver =
                    &simplex_stores::db::sqlite::rusqlite::Connection::open(&self.database);
                driver.as_ref().unwrap().execute_batch(insert).unwrap();
            }
            Some(server) => {
                let mut client = server.client().unwrap();
                client.batch_execute("SET search_path = agent_store").unwrap();
                client.batch_execute(insert).unwrap();
            }
        }
    }
}

fn on_each(test: impl Fn(&Agent)) {
    test(&Agent::file());
    test(&Agent::server());
}

#[test]
fn a_database_is_made_looked_at_and_migrated() {
    on_each(|agent| {
        let (code, status) = agent.json(&["status"]);
        assert_eq!((code, &status["exists"], &status["ready"]), (1, &json!(false), &json!(false)));
        let (code, text, _) = agent.run(&["status"]);
        assert!(code == 1 && text.contains("not there; `agent init` makes it"), "{text}");
        assert!(agent.files().is_empty(), "looking at it made it");

        let (code, made) = agent.json(&["init"]);
        assert_eq!((code, &made["undone"]), (0, &json!([])));
        assert!(!made["applied"].as_array().unwrap().is_empty());
        assert_eq!(agent.json(&["init"]).1["applied"], json!([]));
        assert_eq!(agent.json(&["migrate"]), (0, agent.json(&["init"]).1));
        let (code, status) = agent.json(&["status"]);
        assert_eq!((code, &status["ready"], &status["pending"]), (0, &json!(true), &json!([])));

        agent.migrate_later();
        let (code, status) = agent.json(&["status"]);
        assert_eq!((code, &status["unknown"]), (1, &json!(["z29990101_later"])));
        for refused in [&["init"][..], &["migrate"], &["migrate", "--up"]] {
            let (code, _, error) = agent.run(refused);
            assert!(code == 1 && error.contains("z29990101_later"), "{refused:?}: {error}");
        }
        for command in ["check", "stats"] {
            let (code, _, error) = agent.run(&[command]);
            assert!(code == 6 && error.contains("newer than this program"), "{error}");
        }
        let (code, _, error) = agent.run(&["migrate", "--ask"]);
        assert!(code == 1 && error.contains("undo z29990101_later?"), "{error}");
        let (code, undone) = agent.json(&["migrate", "--up-down"]);
        assert_eq!((code, &undone["undone"]), (0, &json!(["z29990101_later"])));
        assert_eq!(agent.json(&["status"]).0, 0);
    });
}

#[test]
fn a_file_is_copied_before_it_is_migrated() {
    let agent = Agent::file();
    assert_eq!(agent.run(&["init"]).0, 0);
    assert_eq!(agent.files(), ["agent.db"]);
    agent.migrate_later();
    assert_eq!(agent.run(&["migrate", "--up-down", "--no-backup"]).0, 0);
    assert_eq!(agent.files(), ["agent.db"]);
    agent.migrate_later();
    let before = fs::read(&agent.database).unwrap();
    assert_eq!(agent.run(&["migrate", "--up-down"]).0, 0);
    assert_eq!(agent.files(), ["agent.db", "agent.db.bak"]);
    assert_eq!(fs::read(format!("{}.bak", agent.database)).unwrap().len(), before.len());
    agent.migrate_later();
    let folder = agent.folder.path().join("copies");
    let backup = folder.to_str().unwrap();
    assert_eq!(agent.run(&["migrate", "--up-down", "--backup", backup]).0, 0);
    assert!(folder.join("agent.db.bak").is_file());
}

#[test]
fn a_generated_database_is_checked_and_counted() {
    on_each(|agent| {
        let (code, made) = agent.json(&["generate", "-c", "150", "-m", "5", "--seed", "4"]);
        assert_eq!((code, &made["connections"]), (0, &json!(150)));
        let (code, checked) = agent.json(&["check"]);
        assert_eq!((code, &checked["holds"]), (0, &json!(true)));
        assert_eq!((&checked["findings"], &checked["damaged"]), (&json!([]), &json!(0)));
        assert_eq!(checked["failed"]["deliveries"], 0);
        let (code, stats) = agent.json(&["stats"]);
        assert_eq!((code, &stats["tables"]["connections"]), (0, &json!(150)));
        assert_eq!(stats["tables"]["messages"], made["messages"]);
        assert!(stats["oldest_undelivered"].as_str().unwrap().starts_with("2025-01-01 "));
        let (code, text, _) = agent.run(&["check"]);
        assert!(code == 0 && text.ends_with("everything holds\n"), "{text}");
        let (code, text, _) = agent.run(&["stats"]);
        assert!(code == 0 && text.contains("  duplex, live: "), "{text}");
        let (code, _, error) = agent.run(&["generate", "-c", "1"]);
        assert!(code == 2 && error.contains("there is something in this database"), "{error}");
    });
}

#[test]
fn a_damaged_row_is_told_with_exit_code_1() {
    let agent = Agent::file();
    assert_eq!(agent.run(&["generate", "-c", "50"]).0, 0);
    let file = simplex_stores::db::sqlite::rusqlite::Connection::open(&agent.database).unwrap();
    file.execute_batch(
        "PRAGMA foreign_keys = OFF; UPDATE snd_message_deliveries SET snd_queue_id = 9;
         UPDATE commands SET failed = 1; UPDATE snd_files SET failed = 1",
    )
    .unwrap();
    let (code, text, _) = agent.run(&["check"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("in snd_message_deliveries: its send queue isn't there"), "{text}");
    assert!(text.contains("    snd_message_delivery_id=1\n"), "{text}");
    assert!(text.contains("snd_files: ") && text.ends_with("something does not hold\n"), "{text}");
    let (code, checked) = agent.json(&["check"]);
    let finding = &checked["findings"][0];
    assert_eq!((code, &finding["severity"]), (1, &json!("damage")));
    assert_eq!(finding["count"], checked["damaged"]);
    assert!(finding["advice"].as_str().unwrap().contains("delete the row"));
}

#[test]
fn every_refusal_has_its_exit_code_and_makes_nothing() {
    let agent = Agent::file();
    for command in ["check", "stats", "migrate"] {
        let (code, out, error) = agent.run(&[command]);
        assert_eq!((code, out.as_str()), (3, ""), "{command}");
        assert!(error.contains("No such file") && error.contains("`agent init`"), "{error}");
    }
    assert!(agent.files().is_empty());
    fs::write(&agent.database, [b'x'; 5_000]).unwrap();
    for command in ["init", "migrate", "status", "check", "stats"] {
        let (code, _, error) = agent.run(&[command]);
        assert_eq!(code, 4, "{command}: {error}");
        assert!(error.contains("file is not a database"), "{error}");
    }
    assert_eq!(fs::read(&agent.database).unwrap(), [b'x'; 5_000]);
    let at = |database: &str, more: &[&str]| {
        let mut command = simplex_stores();
        command.args(["agent", "status", "--database", database]).args(more);
        answer(command.output().unwrap())
    };
    let (code, _, error) = at("", &[]);
    assert!(code == 2 && error.contains("give its path"), "{error}");
    let (code, _, error) = at(&agent.database, &["--schema", "s"]);
    assert!(code == 2 && error.contains("a file has no schemas"), "{error}");
    let (code, _, error) = at("postgres://u:hunter2@", &["--schema", ""]);
    assert!(code == 2 && !error.contains("hunter2"), "{error}");
    let (code, _, error) = at("postgres://u:hunter2@%2Fnonexistent/d", &[]);
    assert!(code == 6 && error.contains("connecting to database d"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    let folder = agent.folder.path().to_str().unwrap();
    let mut command = simplex_stores();
    command.args(["agent", "check", "--database", folder]);
    assert_eq!(answer(command.output().unwrap()).0, 3);
    let (code, _, error) = agent.run(&["migrate", "--up", "--ask"]);
    assert!(code == 2 && error.contains("cannot be used with"), "{error}");
}

#[test]
fn a_file_that_somebody_else_has_locked_is_told_as_in_use() {
    let agent = Agent::file();
    assert_eq!(agent.run(&["init"]).0, 0);
    let file = simplex_stores::db::sqlite::rusqlite::Connection::open(&agent.database).unwrap();
    file.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let (code, _, error) = agent.run(&["check"]);
    assert!(code == 5 && error.contains("database is locked"), "{error}");
}
