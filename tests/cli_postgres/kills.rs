//! Imports and exports whose process is killed, wherever they are.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use postgres::Client;

use crate::Place;

/// What an import waits for at a stage of it: a trigger that asks for a lock which the test has.
const STAGES: [(&str, &str); 4] = [
    ("in the services", "CREATE TRIGGER wait BEFORE INSERT ON services FOR EACH ROW"),
    ("in the first queue", "CREATE TRIGGER wait BEFORE INSERT ON msg_queues FOR EACH ROW"),
    ("after the last queue", "CREATE TRIGGER wait AFTER INSERT ON msg_queues FOR EACH STATEMENT"),
    ("in the aggregates", "CREATE TRIGGER wait BEFORE UPDATE ON services FOR EACH ROW"),
];
const WAIT: &str = "CREATE FUNCTION public.wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$";

fn query_count(client: &mut Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).unwrap().get(0)
}

/// Asks until there is such a row: nothing else says what a server's process does.
fn until(client: &mut Client, sql: &str) {
    while query_count(client, sql) == 0 {
        simplex_stores::sync::thread::yield_now();
    }
}

/// Another process of the server waits for a lock.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";
/// No other process of the server works for this database.
const ALONE: &str = "SELECT (count(*) = 1)::int::bigint FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'";

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// As Ctrl-C does.
fn interrupt(child: &mut Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
}

#[test]
fn race52_an_import_that_is_killed_anywhere_leaves_the_database_as_it_was() {
    let place = Place::initialised();
    let log = place.journal("2000", true);
    let bytes = fs::read(&log).unwrap();
    let before = place.state();
    let mut client = place.client();
    client.batch_execute(WAIT).unwrap();
    for (stage, trigger) in STAGES {
        for end in [interrupt, kill] {
            let table = if trigger.contains("services") { "services" } else { "msg_queues" };
            client
                .batch_execute(&format!("{trigger} EXECUTE FUNCTION public.wait_for_test()"))
                .unwrap();
            client.batch_execute("SELECT pg_advisory_lock(4711)").unwrap();
            let mut child = start(place.command(["import", &log]));
            until(&mut client, WAITING);
            end(&mut child);
            client.batch_execute("SELECT pg_advisory_unlock(4711)").unwrap();
            until(&mut client, ALONE);
            client.batch_execute(&format!("DROP TRIGGER wait ON {table}")).unwrap();
            // A client of its own would be in the way of `ALONE`.
            drop(std::mem::replace(&mut client, place.client()));
            assert_eq!(place.state(), before, "{stage}");
            assert!(fs::read(&log).unwrap() == bytes);
        }
    }
    let (code, text, error) = place.run(["import", &log]);
    assert!(code == 0 && text.contains("both sides have: 2000 queues"), "{text}{error}");
}

#[test]
fn race52_an_import_waits_for_who_writes_and_dies_waiting_without_a_trace() {
    let place = Place::initialised();
    let log = place.journal("50", true);
    let before = place.state();
    let mut client = place.client();
    client.batch_execute("BEGIN; LOCK TABLE services IN ROW EXCLUSIVE MODE").unwrap();
    let mut child = start(place.command(["import", &log]));
    until(&mut client, WAITING_NOW);
    interrupt(&mut child);
    client.batch_execute("COMMIT").unwrap();
    until(&mut client, ALONE);
    drop(client);
    assert_eq!(place.state(), before);
}

/// Within a transaction the view of activity would stay as it was first seen.
const WAITING_NOW: &str = "SELECT count(*) FROM pg_locks WHERE NOT granted";

#[test]
fn an_export_that_is_killed_leaves_the_file_that_was_there() {
    let place = Place::initialised();
    let log = place.journal("2000", true);
    assert_eq!(place.run(["import", &log]).0, 0);
    let before = place.state();
    let target = place.file("target.log");
    fs::write(&target, "what was there\n").unwrap();
    let mut client = place.client();
    for end in [interrupt, kill] {
        client.batch_execute("BEGIN; LOCK TABLE services IN ACCESS EXCLUSIVE MODE").unwrap();
        let mut child = start(place.command(["export", "--force", &target]));
        until(&mut client, WAITING_NOW);
        end(&mut child);
        client.batch_execute("COMMIT").unwrap();
        until(&mut client, ALONE);
        assert_eq!(fs::read_to_string(&target).unwrap(), "what was there\n");
    }
    drop(client);
    assert_eq!(place.state(), before);
    // What an export left beside the file is in nobody's way.
    assert_eq!(place.run(["export", "--force", &target]).0, 0);
    assert!(fs::read(&target).unwrap() == fs::read(&log).unwrap());
    assert!(!place.names().iter().any(|name| name.to_string_lossy().ends_with(".tmp")));
}
