//! What the server is told, and what is said of it: no statement has a value in its text, and no message a
//! password or a value (RACE-17).

use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;

use simplex_stores::db::postgres::PostgresConfig;
use simplex_stores::protocol::{QueueRec, RecipientId, ServiceRole};
use simplex_stores::queue_store::postgres::{
    PostgresQueueStore, PostgresQueueStoreConfig, Sharing,
};
use simplex_stores::queue_store::{QueueKey, QueueStore};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::postgres::{Cluster, StopMode, TestDatabase};
use simplex_stores::testing::queue_store::{QueueOp, run, sample};

use super::changes::{changes, filled};
use super::support::open;
use crate::fixture::{client, migrate_up};

#[allow(dead_code, reason = "the tests of secrets use the rest")]
#[path = "../../secrets/plants.rs"]
mod plants;

use plants::Search;

const PASSWORD: &str = "correct-horse-battery-staple";

/// What the library says to `tracing`, at every level.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<String>>);

impl tracing::Subscriber for Said {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            let _ = writeln!(self.0.lock(), "{field}={value:?}");
        });
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// A server that writes down the text of every statement, and not what is bound to it.
fn listening() -> (Cluster, TestDatabase, PostgresConfig) {
    let cluster = Cluster::start().unwrap();
    let database = cluster.database().unwrap();
    migrate_up(&database.config().unwrap()).unwrap();
    let role = format!("CREATE ROLE with_password SUPERUSER LOGIN PASSWORD '{PASSWORD}'");
    database.client().unwrap().batch_execute(&role).unwrap();
    let settings = ["log_statement = 'all'", "log_error_verbosity = 'terse'"];
    let bound = ["log_parameter_max_length = 0", "log_parameter_max_length_on_error = 0"];
    for setting in settings.into_iter().chain(bound) {
        let sql = format!("ALTER SYSTEM SET {setting}");
        database.client().unwrap().batch_execute(&sql).unwrap();
    }
    cluster.stop(StopMode::Fast).unwrap();
    fs::write(cluster.folder().join("server.log"), "").unwrap();
    cluster.start_again().unwrap();
    let url = database.url().replace("user=postgres", "user=with_password");
    let config = PostgresConfig::parse(&format!("{url} password={PASSWORD}")).unwrap();
    (cluster, database, config.pool_size(2))
}

fn search() -> Search {
    let ids = (1..=9).map(|number| sample::recipient(number).as_bytes().to_vec());
    let others = (1..=9).map(|number| sample::sender(number).as_bytes().to_vec());
    let services = (1..=9).map(|number| sample::service_id(number).as_bytes().to_vec());
    let values = plants::secrets().into_iter().chain(plants::public());
    let values = values.chain(ids).chain(others).chain(services);
    Search::of(&values.chain([PASSWORD.as_bytes().to_vec()]).collect::<Vec<_>>())
}

fn work(store: &PostgresQueueStore) {
    filled(store);
    for op in changes() {
        let _ = run(store, &op);
    }
    let planted = sample::recipient(4);
    let record =
        QueueRec { sender_id: sample::sender(4), link: None, notifier: None, ..plants::queue() };
    let ops = [
        QueueOp::Add(planted.clone(), Box::new(record.clone())),
        QueueOp::Add(sample::recipient(5), Box::new(record)),
        QueueOp::AddLink(planted.clone(), sample::link(4), plants::link_data()),
        QueueOp::AddNotifier(planted.clone(), Box::new(plants::credentials())),
        QueueOp::Secure(planted.clone(), sample::key(9)),
        QueueOp::GetLink(planted.clone(), sample::link(4)),
        QueueOp::Group(vec![sample::notifier(1), sample::notifier(4)]),
        QueueOp::Fold(sample::service_id(1)),
        QueueOp::Counts,
    ];
    for op in ops {
        let _ = run(store, &op);
    }
    let keys: [QueueKey; 4] = [
        sample::sender(4).into(),
        sample::link(4).into(),
        sample::notifier(1).into(),
        sample::recipient(9).into(),
    ];
    for key in keys {
        let _ = store.get_queue(&key);
    }
    let ids: Vec<RecipientId> = (1..9).map(sample::recipient).collect();
    store.get_queues(&ids).unwrap();
    store.get_queues_by_notifier(&[sample::notifier(1), sample::notifier(2)]).unwrap();
    store.get_or_create_service(sample::service(6, 6, ServiceRole::Proxy)).unwrap();
    store.purge_deleted().unwrap();
}

#[test]
fn race17_no_statement_has_a_value_in_its_text_and_no_message_a_password_or_a_value() {
    let said = Said::default();
    tracing::subscriber::set_global_default(said.clone()).unwrap();
    let (cluster, database, config) = listening();
    let search = search();
    let mut shown = String::new();
    let sharings = [(Sharing::Alone, true), (Sharing::Processes, true), (Sharing::Alone, false)];
    for (sharing, use_cache) in sharings {
        let truncate = "TRUNCATE msg_queues, services CASCADE";
        client(&database).batch_execute(truncate).unwrap();
        let config = PostgresQueueStoreConfig::new(config.clone());
        let config = config.sharing(sharing).use_cache(use_cache);
        let store = open(&config);
        work(&store);
        writeln!(shown, "{config:?} {store:?} {:?}", store.database()).unwrap();
        store.close().unwrap();
    }
    let log = fs::read(cluster.folder().join("server.log")).unwrap();
    let text = String::from_utf8_lossy(&log);
    for statement in ["INSERT INTO msg_queues", "UPDATE msg_queues", "pg_notify", "DELETE FROM"] {
        assert!(text.contains(statement), "{statement} is not in {text}");
    }
    search.nothing_in("the server's log", &log);

    let store = open(&PostgresQueueStoreConfig::new(
        config.clone().checkout_timeout(std::time::Duration::from_millis(100)),
    ));
    cluster.stop(StopMode::Immediate).unwrap();
    for op in changes() {
        writeln!(shown, "{:?}", run(&store, &op)).unwrap();
    }
    let nobody = PostgresQueueStore::connect(
        &PostgresQueueStoreConfig::new(config),
        simplex_stores::queue_store::BasicFactory,
        None,
        |_| false,
    );
    writeln!(shown, "{nobody:?}").unwrap();
    drop(store);
    let said = said.0.lock().clone();
    assert!(said.contains("the database failed"), "{said}");
    search.nothing_in("what is shown", &shown);
    search.nothing_in("what is said", &said);
}

/// The twin: a statement with a value in its text is found.
#[test]
fn twin_a_value_in_a_statement_is_found() {
    let (cluster, database, _) = listening();
    let id: String =
        sample::recipient(4).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let sql = format!("SELECT 1 FROM msg_queues WHERE recipient_id = '\\x{id}'");
    client(&database).batch_execute(&sql).unwrap();
    let log = fs::read(cluster.folder().join("server.log")).unwrap();
    assert!(search().find(&log).is_some());
}
