//! Connections that break in the middle: what is unclear is said to be (RACE-70).

use simplex_stores::db::{DbError, DbErrorKind};
use simplex_stores::protocol::{EntityStatus, RoundedDate, Semantics, ServiceParty, ServiceRole};
use simplex_stores::queue_store::database::{QueueDatabase, StatementError};
use simplex_stores::queue_store::postgres::{PostgresQueues, Sharing};
use simplex_stores::testing::queue_store::sample;

use super::{add, add_service, config, full, open, queues, record, service};
use crate::fixture;

/// Ends the connection of whoever commits a change of a table, after the change and before the commit.
const END_AT_COMMIT: &str = "
    CREATE FUNCTION end_self() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER q AFTER INSERT OR UPDATE OR DELETE ON msg_queues
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION end_self();
    CREATE CONSTRAINT TRIGGER s AFTER INSERT ON services
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION end_self()";

type Change = fn(&PostgresQueues) -> Result<(), StatementError>;

fn failed(error: DbError) -> StatementError {
    StatementError::Failed(error)
}

/// Every method that changes something, on queue 1; queue 2 is deleted, service 1 is for messages.
fn changes() -> Vec<(&'static str, Change)> {
    fn id() -> simplex_stores::protocol::RecipientId {
        sample::recipient(1)
    }
    vec![
        ("insert", |db| db.insert_queue(&sample::recipient(3), &full(3))),
        ("insert with an id that is to be freed", |db| {
            db.insert_queue(&sample::recipient(2), &full(2))
        }),
        ("set link", |db| db.set_link(&id(), &full(1).link.unwrap())),
        ("delete link", |db| db.delete_link(&id())),
        ("set sender key", |db| db.set_sender_key(&id(), &sample::key(1))),
        ("set recipient keys", |db| db.set_recipient_keys(&id(), &sample::keys(5))),
        ("set status", |db| db.set_status(&id(), &EntityStatus::Off)),
        ("set date", |db| db.set_date(&id(), RoundedDate::from_seconds(0)).map(drop)),
        ("set notifier", |db| db.set_notifier(&id(), &sample::creds(9, None)).map(drop)),
        ("set notifier that is to be freed", |db| {
            db.set_notifier(&id(), &sample::creds(2, None)).map(drop)
        }),
        ("delete notifier", |db| db.delete_notifier(&id()).map(drop)),
        ("delete queue", |db| db.delete_queue(&id(), 5).map(drop)),
        ("purge", |db| db.purge(100).map(drop).map_err(failed)),
        ("service", |db| db.find_or_insert_service(&service(2, ServiceRole::Messaging)).map(drop)),
        ("set services", |db| {
            let service = sample::service_id(1);
            let set = db.set_services(ServiceParty::Receiver, Some(&service), &[id()]);
            set.map(drop).map_err(failed)
        }),
    ]
}

#[test]
fn race70_a_connection_that_breaks_at_the_commit_leaves_every_change_unclear() {
    for sharing in [Sharing::Alone, Sharing::Processes] {
        let database = fixture::with_schema();
        let queues = open(&config(&database).sharing(sharing));
        add_service(&queues, 1, ServiceRole::Messaging);
        let id = add(&queues, 1, &full(1));
        let gone = add(&queues, 2, &full(2));
        queues.delete_queue(&gone, 0).unwrap();
        fixture::client(&database).batch_execute(END_AT_COMMIT).unwrap();
        for (what, change) in changes() {
            let Err(StatementError::Failed(error)) = change(&queues) else { panic!("{what}") };
            assert_eq!(*error.kind(), DbErrorKind::Unclear, "{what}: {error}");
            // The next call works, and here nothing was committed.
            assert_eq!(record(&queues, &id), Some(full(1)), "{what}");
        }
        assert_eq!(queues.counts().unwrap().queues, 1);
    }
}

#[test]
fn a_lookup_on_a_connection_that_was_ended_is_made_again() {
    let (database, queues) = queues(Semantics::Strict);
    let id = add(&queues, 1, &full(1));
    let end = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..3 {
        fixture::client(&database).query(end, &[]).unwrap();
        assert_eq!(record(&queues, &id), Some(full(1)));
    }
}

#[test]
fn race70_a_change_that_was_made_and_gives_back_what_cannot_be_read_is_unclear() {
    let (database, queues) = queues(Semantics::Strict);
    let mut client = fixture::client(&database);
    let unclear = |result: Result<(), StatementError>| {
        let Err(StatementError::Failed(error)) = result else { panic!("{result:?}") };
        assert_eq!(*error.kind(), DbErrorKind::Unclear);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    };
    let mut spoiled = |number: u8, column: &str| {
        let id = add(&queues, number, &full(number));
        let set = format!("UPDATE msg_queues SET {column} = 'hunter2' WHERE recipient_id = $1");
        client.execute(&set, &[&id.as_bytes()]).unwrap();
        id
    };
    let id = spoiled(1, "status");
    unclear(queues.set_date(&id, RoundedDate::from_seconds(7)).map(drop));
    unclear(queues.delete_queue(&id, 0).map(drop));
    let id = spoiled(2, "notifier_key");
    unclear(queues.set_notifier(&id, &sample::creds(5, None)).map(drop));
    assert_eq!(record(&queues, &id).unwrap().notifier, Some(Box::new(sample::creds(5, None))));
    let id = spoiled(3, "notifier_key");
    unclear(queues.delete_notifier(&id).map(drop));
    assert_eq!(record(&queues, &id).unwrap().notifier, None);
    assert_eq!(queues.counts().unwrap().queues, 2);
}

#[test]
fn after_closing_every_call_is_an_error() {
    let (_database, queues) = queues(Semantics::Strict);
    let id = add(&queues, 1, &full(1));
    queues.close();
    queues.close();
    for (what, change) in changes() {
        let Err(StatementError::Failed(error)) = change(&queues) else { panic!("{what}") };
        assert_eq!(*error.kind(), DbErrorKind::NoConnection, "{what}");
    }
    assert!(queues.find_queue(&id.into()).is_err());
    assert!(queues.counts().is_err());
}
