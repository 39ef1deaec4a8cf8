//! The servers that tests run on: shared by processes, gone when nobody uses them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use simplex_stores::db::postgres::{Pool, Statements};
use simplex_stores::db::{DbError, Sql};
use simplex_stores::sync::thread;
use simplex_stores::testing::postgres::{Cluster, StopMode};

const NAME: Sql = Sql::new("name", "SELECT current_database()::text");

#[test]
fn every_test_has_a_database_of_its_own() {
    let cluster = Cluster::shared().unwrap();
    let databases = [cluster.database().unwrap(), cluster.database().unwrap()];
    let names = databases.each_ref().map(|database| {
        let pool = Pool::open(&database.config().unwrap().pool_size(1)).unwrap();
        let name = pool.session("name", |session| session.query_one(&NAME, &[]));
        name.unwrap().get::<_, String>(0)
    });
    assert_eq!(names, databases.each_ref().map(|database| database.name().to_owned()));
    assert_ne!(names[0], names[1]);
}

#[test]
fn a_server_and_its_folder_go_with_their_last_user() {
    let cluster = Cluster::start().unwrap();
    let folder = cluster.folder().to_owned();
    assert!(folder.join("data/postmaster.pid").exists());
    drop(cluster);
    assert!(!folder.exists());
}

#[test]
fn a_server_can_be_stopped_and_started_again() {
    let cluster = Cluster::start().unwrap();
    let database = cluster.database().unwrap();
    let config = database.config().unwrap().pool_size(2);
    for mode in [StopMode::Fast, StopMode::Immediate] {
        cluster.stop(mode).unwrap();
        assert!(Pool::open(&config).is_err());
        cluster.start_again().unwrap();
        let pool = Pool::open(&config).unwrap();
        let row = pool.session::<_, DbError>("name", |session| session.query_one(&NAME, &[]));
        row.unwrap();
    }
}

/// Not a test by itself: what the next one ends.
#[test]
#[ignore = "run by the test that ends it"]
fn helper_that_uses_a_server_until_it_is_ended() {
    let cluster = Cluster::start().unwrap();
    writeln!(std::io::stdout(), "{}", cluster.folder().display()).unwrap();
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn a_server_goes_when_its_only_user_is_killed() {
    let helper = "cluster::helper_that_uses_a_server_until_it_is_ended";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", helper, "--ignored", "--nocapture"]);
    let mut user = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(user.stdout.take().unwrap()).lines();
    let mut folders = lines.map(Result::unwrap).filter(|line| line.contains("/sxpg-"));
    let folder = std::path::PathBuf::from(folders.next().unwrap());
    assert!(folder.join("data/postmaster.pid").exists());
    user.kill().unwrap();
    user.wait().unwrap();
    // The script has nobody to tell; it removes the folder last.
    while folder.exists() {
        thread::yield_now();
    }
}
