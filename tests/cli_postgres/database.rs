//! What the commands do.

use std::fs;

use serde_json::{Value, json};

use crate::{Place, answer, json as parse, simplex_stores};

fn reported((code, text, error): (i32, String, String)) -> Value {
    assert_eq!(code, 0, "{text}{error}");
    parse(&text)
}

#[test]
fn a_journal_goes_into_a_database_and_comes_out_as_it_was() {
    let place = Place::initialised();
    let log = place.journal("3000", true);
    let before = fs::read(&log).unwrap();
    let imported = reported(place.run(["import", "--json", &log]));
    assert_eq!((&imported["queues"], &imported["streamed"]), (&json!(3000), &json!(true)));
    assert!(fs::read(&log).unwrap() == before);
    let out = place.file("exported.log");
    let exported = reported(place.run(["export", "--json", &out]));
    assert!(fs::read(&out).unwrap() == before);
    for same in ["queues", "queues_digest", "services_digest", "service_queues", "bytes"] {
        assert_eq!(imported[same], exported[same], "{same}");
    }
    let checked = reported(place.run(["db", "check", "--json"]));
    assert_eq!((&checked["holds"], &checked["queues"]), (&json!(true), &json!(3000)));
    let status = reported(place.run(["db", "status", "--json"]));
    assert_eq!(status["counts"]["queues"], 3000);
    assert_eq!(status["counts"]["services"], imported["services"]);
}

#[test]
fn a_journal_that_was_lived_in_is_imported_as_its_store_in_memory() {
    let place = Place::initialised();
    let log = place.journal("2000", false);
    let imported = reported(place.run(["import", "--json", &log]));
    assert_eq!((&imported["queues"], &imported["streamed"]), (&json!(2000), &json!(false)));
    let (out, compacted) = (place.file("exported.log"), place.file("compacted.log"));
    assert_eq!(place.run(["export", &out]).0, 0);
    assert_eq!(place.run(["compact", "--output", &compacted, &log]).0, 0);
    assert!(fs::read(&out).unwrap() == fs::read(&compacted).unwrap());
}

#[test]
fn the_answers_for_people_have_the_same_in_words() {
    let place = Place::initialised();
    let log = place.journal("50", true);
    let (code, text, error) = place.run(["import", &log]);
    assert_eq!((code, error.as_str()), (0, ""), "{text}");
    assert!(text.contains("imported into the schema smp_server straight from the file"), "{text}");
    assert!(text.contains("both sides have: 50 queues") && text.contains("digest of the queues"));
    let (code, text, _) = place.run(["export", &place.file("new.log")]);
    assert!(code == 0 && text.contains("rows left out: 0"), "{text}");
    let (code, text, _) = place.run(["db", "status"]);
    assert!(code == 0 && text.contains("server: PostgreSQL "), "{text}");
    assert!(text.contains("state: 50 queues") && text.contains("msg_queues"), "{text}");
    let (code, text, _) = place.run(["db", "check"]);
    assert!(code == 0 && text.contains("everything holds"), "{text}");
    let (code, text, _) = place.run(["db", "compact"]);
    assert!(code == 0 && text.contains("removed 0 queues"), "{text}");
}

#[test]
fn a_schema_is_made_looked_at_and_migrated() {
    let place = Place::empty();
    let (code, text, _) = place.run(["db", "status"]);
    assert!(code == 1 && text.contains("not there; `db init` makes it"), "{text}");
    assert_eq!(place.run(["db", "migrate", "--up"]).0, 6, "only init makes a schema");
    let made = reported(place.run(["db", "init", "--json"]));
    assert_eq!(made["applied"].as_array().unwrap().len(), 6);
    assert_eq!(reported(place.run(["db", "init", "--json"]))["applied"], json!([]));
    assert_eq!(place.run(["db", "migrate"]).0, 0);

    let mut client = place.client();
    client
        .batch_execute("INSERT INTO migrations VALUES ('29990101_later', now(), 'SELECT 1')")
        .unwrap();
    let (code, _, error) = place.run(["db", "init"]);
    assert!(code == 1 && error.contains("29990101_later"), "{error}");
    for refused in [&["db", "migrate"][..], &["db", "migrate", "--up"]] {
        assert_eq!(place.run(refused.iter().copied()).0, 1);
    }
    let (code, _, error) = place.run_with_input(["db", "migrate", "--ask"], "no\n");
    assert!(code == 1 && error.contains("undo 29990101_later?"), "{error}");
    assert_eq!(place.run_with_input(["db", "migrate", "--ask"], "").0, 1);
    let undone = reported(place.run_with_input(["db", "migrate", "--ask", "--json"], "yes\n"));
    assert_eq!(undone["undone"], json!(["29990101_later"]));
    client
        .batch_execute("INSERT INTO migrations VALUES ('29990101_later', now(), 'SELECT 1')")
        .unwrap();
    assert_eq!(place.run(["db", "migrate", "--up-down"]).0, 0);
    assert_eq!(reported(place.run(["db", "status", "--json"]))["ready"], true);
}

#[test]
fn race51_a_check_ends_with_1_until_it_is_repaired() {
    let place = Place::initialised();
    let log = place.journal("300", true);
    assert_eq!(place.run(["import", &log]).0, 0);
    place.client().batch_execute("UPDATE services SET queue_count = 12345").unwrap();
    let (code, text, _) = place.run(["db", "check"]);
    assert!(code == 1 && text.contains("12345 queues stored"), "{text}");
    let services = reported(place.run(["db", "status", "--json"]))["counts"]["services"].clone();
    let repaired = reported(place.run(["db", "check", "--repair", "--json"]));
    assert_eq!((&repaired["repaired_services"], &repaired["holds"]), (&services, &json!(true)));
    assert_eq!(place.run(["db", "check"]).0, 0);
}

#[test]
fn race71_days_are_days_and_few_of_them_have_to_be_meant() {
    let place = Place::initialised();
    let log = place.journal("20", true);
    assert_eq!(place.run(["import", &log]).0, 0);
    place
        .client()
        .batch_execute("UPDATE msg_queues SET deleted_at = extract(epoch FROM now())::bigint / 86400 * 86400 - 86400 * 10")
        .unwrap();
    let compacted = reported(place.run(["db", "compact", "--json"]));
    assert_eq!((&compacted["retention_days"], &compacted["removed"]), (&json!(21), &json!(0)));
    let (code, _, error) = place.run(["db", "compact", "--retention-days", "3"]);
    assert!(code == 2 && error.contains("--short-retention"), "{error}");
    let short = ["db", "compact", "--retention-days", "3", "--short-retention", "--json"];
    assert_eq!(reported(place.run(short))["removed"], 20);
}

#[test]
fn a_schema_has_the_name_that_was_given_and_the_url_may_be_an_argument() {
    let place = Place::empty();
    let run = |args: &[&str]| {
        let mut command = simplex_stores();
        let database = ["--database", place.database.url(), "--schema", "two words"];
        answer(command.args(args).args(database).output().unwrap())
    };
    assert_eq!(run(&["db", "init"]).0, 0);
    let log = place.journal("30", true);
    assert_eq!(run(&["import", &log]).0, 0);
    let status = reported(run(&["db", "status", "--json"]));
    assert_eq!((&status["schema"], &status["counts"]["queues"]), (&json!("two words"), &json!(30)));
    assert_eq!(place.run(["db", "status"]).0, 1, "the other name");
}

#[test]
fn rows_that_cannot_be_read_are_named_and_can_be_left_out() {
    let place = Place::initialised();
    let log = place.journal("40", true);
    assert_eq!(place.run(["import", &log]).0, 0);
    place
        .client()
        .batch_execute(
            "UPDATE msg_queues SET status = 'hunter2'
              WHERE recipient_id = (SELECT min(recipient_id::text)::bytea FROM msg_queues)",
        )
        .unwrap();
    let out = place.file("new.log");
    let (code, _, error) = place.run(["export", &out]);
    assert!(code == 6 && error.contains("msg_queues.status"), "{error}");
    assert!(!error.contains("hunter2") && fs::metadata(&out).is_err());
    let (code, text, _) = place.run(["db", "check"]);
    assert!(code == 1 && text.contains("rows that can't be read: 1"), "{text}");
    let (code, text, _) = place.run(["export", "--skip-unreadable", &out]);
    assert!(code == 0 && text.contains("rows left out: 1"), "{text}");
    assert_eq!(fs::read_to_string(&out).unwrap().matches("CREATE ").count(), 39);
}
