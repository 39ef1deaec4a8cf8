//! Who may work in a schema at the same time (RACE-53), and with which settings it is opened.

use std::time::Duration;

use simplex_stores::db::migrations::{Migrated, MigrationError};
use simplex_stores::db::{DbError, DbErrorKind};
use simplex_stores::protocol::Semantics;
use simplex_stores::queue_store::database::QueueDatabase;
use simplex_stores::queue_store::postgres::{
    PostgresQueueStoreConfig, PostgresQueues, Sharing, migrate,
};
use simplex_stores::testing::queue_store::sample;

use crate::fixture::{self, UP};
use crate::statements::{add, config, open, record};

fn refused(config: &PostgresQueueStoreConfig) -> DbError {
    match PostgresQueues::open(config, |_| panic!("nobody is to be asked")) {
        Err(MigrationError::Database(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn race53_a_process_alone_keeps_all_others_out_and_is_kept_out_by_any() {
    use Sharing::{Alone, Processes};

    let database = fixture::with_schema();
    let opened = |sharing| open(&config(&database).sharing(sharing));
    for (first, second) in [(Alone, Alone), (Alone, Processes), (Processes, Alone)] {
        let held = opened(first);
        let error = refused(&config(&database).sharing(second));
        assert_eq!(*error.kind(), DbErrorKind::LockTimeout, "{first:?} {second:?}: {error}");
        assert!(error.message().contains("another process has the schema smp_server open"));
        // The lock is given back at once.
        held.close();
        drop(opened(second));
    }
    let (_one, _two) = (opened(Processes), opened(Processes));
    refused(&config(&database));
}

#[test]
fn two_schemas_of_one_database_are_each_for_one_process() {
    let database = fixture::with_schema();
    let other = database.config().unwrap().schema("another".parse().unwrap());
    migrate(&other, UP, |_| panic!("nobody is to be asked")).unwrap();
    let one = open(&config(&database));
    let two = open(&PostgresQueueStoreConfig::new(other).use_cache(false));
    let id = add(&one, 1, &sample::record(1));
    assert_eq!(record(&two, &id), None);
}

#[test]
fn opening_waits_for_a_predecessor_that_is_just_going() {
    let database = fixture::with_schema();
    let first = open(&config(&database));
    let second = config(&database).lock_wait(Duration::from_secs(60));
    let waiting = simplex_stores::sync::thread::spawn(move || open(&second));
    crate::statements::wait_until_blocked(&database, 1);
    drop(first);
    let id = add(&waiting.join().unwrap(), 1, &sample::record(1));
    assert_eq!(record(&open(&config(&database)), &id), Some(sample::record(1)));
}

#[test]
fn what_fails_after_the_lock_gives_it_back() {
    let database = fixture::empty();
    // There is no schema, and none may be made.
    let error = refused(&config(&database));
    assert_eq!(*error.kind(), DbErrorKind::Schema);
    let up = config(&database).schema(UP);
    let (_queues, migrated) =
        PostgresQueues::open(&up, |_| panic!("nobody is to be asked")).unwrap();
    assert!(matches!(migrated, Migrated::Up(names) if names.len() == 6));
}

#[test]
fn race71_deleted_queues_are_kept_for_a_day_at_least() {
    let database = fixture::with_schema();
    let kept = |seconds| config(&database).retention(Duration::from_secs(seconds));
    // The reference reads 21, meant as days, as seconds.
    for seconds in [0, 21, 86_399] {
        assert_eq!(*refused(&kept(seconds)).kind(), DbErrorKind::Settings);
    }
    open(&kept(86_400));
    let config = kept(86_400).semantics(Semantics::Reference);
    assert_eq!(config.store_config().chosen_semantics(), Semantics::Reference);
}
