//! A disk without room: the server's file of long values is `/dev/full`, where the kernel refuses every write as
//! on a full disk (`ENOSPC`).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use simplex_stores::protocol::{
    AuthKey, Blob, ErrorType, LinkData, QueueLink, QueueRec, RecipientKeys,
};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::queue_store::postgres::PostgresQueueStoreConfig;
use simplex_stores::testing::history::SequentialModel as _;
use simplex_stores::testing::postgres::Cluster;
use simplex_stores::testing::queue_store::{QueueModel, QueueOp, run, sample};

use super::support::{assert_serves, open, rows};
use crate::fixture::{client, migrate_up};

/// A value that does not fit into its row and can't be compressed.
fn long() -> Blob {
    Blob::from((0..8000).map(|_| rand::random()).collect::<Vec<u8>>())
}

fn changes() -> Vec<QueueOp> {
    let data = LinkData { fixed: long(), user: long() };
    let link = |number, data| QueueLink { id: sample::link(number), data };
    let queue = QueueRec { link: Some(Box::new(link(2, data.clone()))), ..sample::record(2) };
    let key = || AuthKey::Ed448(Box::new([(); 57].map(|()| rand::random())));
    let keys =
        RecipientKeys::new(std::iter::repeat_with(key).take(100).collect::<Vec<_>>()).unwrap();
    vec![
        QueueOp::AddLink(sample::recipient(1), sample::link(1), data),
        QueueOp::Add(sample::recipient(2), Box::new(queue)),
        QueueOp::Keys(sample::recipient(1), keys),
    ]
}

#[test]
fn on_a_full_disk_changes_fail_and_the_cache_holds_none_of_them() {
    let cluster = Cluster::start().unwrap();
    let database = cluster.database().unwrap();
    migrate_up(&database.config().unwrap()).unwrap();
    let mut server = client(&database);
    let sql = "SELECT pg_relation_filepath(reltoastrelid) FROM pg_class
        WHERE oid = 'msg_queues'::regclass";
    let file: String = server.query_one(sql, &[]).unwrap().get(0);
    let file = cluster.folder().join("data").join(file);
    assert_eq!(fs::metadata(&file).unwrap().len(), 0);
    fs::remove_file(&file).unwrap();
    symlink(Path::new("/dev/full"), &file).unwrap();
    let config = PostgresQueueStoreConfig::new(database.config().unwrap().pool_size(2));
    let store = open(&config);
    let mut model = QueueModel::default();
    let first = QueueOp::Add(sample::recipient(1), Box::new(sample::record(1)));
    assert_eq!(run(&store, &first), model.apply(&first));
    let changes = changes();
    for op in &changes {
        assert_eq!(run(&store, op), Err(ErrorType::Store("database: failed".into())));
        let now = rows(&mut server);
        assert_eq!(now, model.queues);
        assert_serves(&store, &now, "on a full disk");
    }
    let log = fs::read_to_string(cluster.folder().join("server.log")).unwrap();
    let said = log.matches("could not extend file").count();
    assert_eq!(said, changes.len(), "{log}");
    assert_eq!(log.matches("No space left on device").count(), said);
    // The table moves to other files.
    server.batch_execute("VACUUM FULL msg_queues").unwrap();
    for op in &changes {
        assert_eq!(run(&store, op), model.apply(op));
    }
    let now = rows(&mut server);
    assert_eq!(now, model.queues);
    assert_serves(&store, &now, "with room again");
    store.close().unwrap();
}
