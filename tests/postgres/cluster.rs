//! The servers that tests run on: shared by processes, gone when nobody uses them.

use simplex_stores::db::postgres::{Pool, Statements};
use simplex_stores::db::{DbError, Sql};
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
