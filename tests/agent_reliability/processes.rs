//! Several processes and threads on one database: each waits for the others, and none of them fails.

use std::sync::Arc;

use simplex_stores::agent_store::AgentStore;
use simplex_stores::db::DatabaseConfig;
use simplex_stores::db::postgres::{CreateSchema, PostgresMigrator};
use simplex_stores::db::sqlite::SqliteMigrator;
use simplex_stores::sync::thread;

use super::child::{Line, Role};
use super::fixture::{Place, on_each_place};
use super::parent::{Child, Told};
use super::steps::Habit;
use super::worker::{Worker, open, prepare};

const STEPS: u32 = 60;

/// A worker of this process, which does all its steps.
fn work(store: &AgentStore, number: u8) -> Worker {
    let mut worker = Worker::resume(store, number, Habit::Mixed);
    (0..STEPS).for_each(|_| worker.step(store).unwrap());
    worker
}

#[test]
fn two_processes_with_two_threads_each_wait_for_each_other() {
    on_each_place(|place| {
        let store = Arc::new(prepare(&place.config()));
        let mut child = Child::start(&Role::of(place).steps(STEPS));
        child.wait_until_ready();
        let start = |number: u8| {
            let store = Arc::clone(&store);
            thread::spawn(move || work(&store, number))
        };
        let threads = [2, 3].map(start);
        child.go();
        let mut told = Told::of([0, 1]);
        told.hear_all(&mut child);
        assert!(told.failed.is_empty(), "{:?}", told.failed);
        assert_eq!(told.done, 2 * u64::from(STEPS));
        assert!(child.ended_well());
        for thread in threads {
            let worker = thread.join().unwrap();
            told.states.insert(worker.number, worker.state);
        }
        drop(store);
        let open = told.find(place).unwrap();
        assert_eq!(open.there + open.not_there, 0);
    });
}

/// The one that waits has begun its step before the other one's transaction ends.
#[test]
fn as5_a_process_waits_for_the_transaction_of_another() {
    let place = Place::file();
    let store = prepare(&place.config());
    let mut child = Child::start(&Role { workers: vec![0], ..Role::of(&place).steps(1) });
    child.wait_until_ready();
    let mut told = Told::of([0]);
    let mut worker = Worker::resume(&store, 2, Habit::Mixed);
    let step = worker.choose();
    let begun = || {
        child.go();
        assert!(told.hear(&mut child));
        assert_eq!(told.done, 0);
    };
    worker.take_and(&store, &step, begun).unwrap();
    told.hear_all(&mut child);
    assert_eq!((told.done, told.failed.len()), (1, 0));
    assert!(child.ended_well());
    told.states.insert(worker.number, worker.state);
    drop(store);
    told.find(&place).unwrap();
}

/// Whoever has this migrates the database, and nobody else does.
enum Migrator {
    File { _migrator: SqliteMigrator },
    Server { _migrator: PostgresMigrator },
}

impl Migrator {
    fn of(place: &Place) -> Self {
        match place.config() {
            DatabaseConfig::Sqlite(config) => {
                Self::File { _migrator: SqliteMigrator::open(&config).unwrap() }
            }
            DatabaseConfig::Postgres(config) => {
                let migrator = PostgresMigrator::open(&config, CreateSchema::IfMissing);
                Self::Server { _migrator: migrator.unwrap() }
            }
            config => panic!("{config:?}"),
        }
    }
}

#[test]
fn an_agent_that_is_opened_while_another_process_migrates_waits_for_it() {
    on_each_place(|place| {
        let migrator = Migrator::of(place);
        let idle = Role { workers: Vec::new(), ..Role::of(place) };
        let mut children: Vec<Child> = (0..3).map(|_| Child::start(&idle)).collect();
        for child in &mut children {
            assert_eq!(child.hear(), Some(Line::Opening));
        }
        // They wait for this one, and then for each other; the first of them makes the tables.
        drop(migrator);
        for mut child in children {
            assert_eq!(child.hear(), Some(Line::Ready));
            child.go();
            assert!(child.ended_well());
        }
        let mut told = Told::default();
        told.find(place).unwrap();
        drop(open(&place.config()));
    });
}
