//! A disk without room: what fits goes on, what doesn't is told with what to do, nothing that was done is lost,
//! and all goes on when there is room again.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use simplex_stores::agent_store::{AgentStore, StoreError};
use simplex_stores::testing::postgres::Cluster;

use super::child::Role;
use super::fixture::Place;
use super::parent::{Child, Told};
use super::steps::Habit;
use super::worker::{Worker, load, prepare};

/// Tries so many steps. Those that are refused say why, and leave the database as it was; gives how many those
/// were.
fn refused(store: &AgentStore, worker: &mut Worker, steps: u32) -> u32 {
    let mut refused = 0;
    for _ in 0..steps {
        if let Err(error) = worker.step(store) {
            let StoreError::Internal(text) = error else { panic!("{error}") };
            assert!(text.contains("nothing was changed; give the database more room"), "{text}");
            refused += 1;
        }
        assert_eq!(load(store, worker.number), worker.state);
    }
    refused
}

fn found(place: &Place, worker: Worker) {
    let mut told = Told::of([]);
    told.states.insert(worker.number, worker.state);
    told.find(place).unwrap();
}

#[test]
fn a_full_sqlite_file_refuses_what_has_no_room_and_loses_nothing() {
    let place = Place::file();
    let store = prepare(&place.config());
    let mut worker = Worker::resume(&store, 0, Habit::Hoards);
    assert_eq!(refused(&store, &mut worker, 10), 0);
    // SQLite's own limit answers as a full disk does.
    let pages = store.database().exec_sql("PRAGMA page_count").unwrap().pop().unwrap();
    let limit = pages.parse::<u32>().unwrap() + 20;
    store.database().exec_sql(&format!("PRAGMA max_page_count = {limit}")).unwrap();
    assert!(refused(&store, &mut worker, 40) > 0);
    store.database().exec_sql("PRAGMA max_page_count = 1000000").unwrap();
    assert_eq!(refused(&store, &mut worker, 10), 0);
    drop(store);
    found(&place, worker);
}

/// The kernel refuses every write past a limit: SQLite meets it in the middle of a commit.
#[test]
fn writes_that_the_kernel_refuses_lose_nothing() {
    let place = Place::file();
    drop(prepare(&place.config()));
    let mut told = Told::of([0, 1]);
    for blocks in [40, 90, 160] {
        let limit = fs::metadata(place.path()).unwrap().len() / 512 + blocks;
        let mut limited = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\"");
        limited.args(["-c", &script]).arg(std::env::current_exe().unwrap());
        let mut child = Child::start_as(limited, &Role::of(&place).hoards());
        child.wait_until_ready();
        child.go();
        told.hear_all(&mut child);
        assert!(child.ended_well());
        assert_eq!(told.failed.len(), 2);
        for error in told.failed.values() {
            assert!(error.contains("check the disk and the rights of the file"), "{error}");
        }
        let open = told.find(&place).unwrap();
        assert_eq!(open.there, 0, "what was refused is there");
    }
    let mut child = Child::set_to_work(&Role::of(&place).steps(20));
    told.hear_all(&mut child);
    assert!(child.ended_well() && told.failed.is_empty());
    told.find(&place).unwrap();
}

/// The server's file of long messages is `/dev/full`, where the kernel refuses every write as on a full disk
/// (`ENOSPC`).
#[test]
fn a_server_without_room_refuses_what_has_none_and_loses_nothing() {
    let cluster = Cluster::start().unwrap();
    let database = cluster.database().unwrap();
    let mut server = database.client().unwrap();
    let place = Place::Server(database);
    let store = prepare(&place.config());
    let sql = "SELECT pg_relation_filepath(reltoastrelid) FROM pg_class
        WHERE oid = 'agent_store.messages'::regclass";
    let file: String = server.query_one(sql, &[]).unwrap().get(0);
    let file = cluster.folder().join("data").join(file);
    assert_eq!(fs::metadata(&file).unwrap().len(), 0);
    fs::remove_file(&file).unwrap();
    symlink(Path::new("/dev/full"), &file).unwrap();
    let mut worker = Worker::resume(&store, 0, Habit::Hoards);
    let count = refused(&store, &mut worker, 40);
    assert!((1..40).contains(&count), "{count}");
    let log = fs::read_to_string(cluster.folder().join("server.log")).unwrap();
    assert_eq!(log.matches("No space left on device").count(), count as usize, "{log}");
    // The table moves to other files.
    server.batch_execute("VACUUM FULL agent_store.messages").unwrap();
    assert_eq!(refused(&store, &mut worker, 20), 0);
    drop((store, server));
    found(&place, worker);
}
