//! What a process is told of the others' changes, and when it can't be told.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use postgres::Client;
use simplex_stores::protocol::{
    EntityStatus, RecipientId, RoundedDate, Semantics, ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::database::{CacheEvents, QueueDatabase};
use simplex_stores::queue_store::postgres::{PostgresQueueStoreConfig, PostgresQueues, Sharing};
use simplex_stores::sync::channel::{self, Receiver, Sender};
use simplex_stores::sync::thread;
use simplex_stores::testing::postgres::{Cluster, StopMode, TestDatabase};
use simplex_stores::testing::queue_store::sample;

use crate::fixture;
use crate::statements::{add, add_service, config, full, open, process};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Changed(Vec<RecipientId>),
    Lost,
    Regained,
}

struct Recorder(Sender<Event>);

impl CacheEvents for Recorder {
    fn changed(&self, ids: &[RecipientId]) {
        let _ = self.0.send(Event::Changed(ids.to_vec()));
    }

    fn lost(&self) {
        let _ = self.0.send(Event::Lost);
    }

    fn regained(&self) {
        let _ = self.0.send(Event::Regained);
    }
}

/// A process with a cache, and what it is told.
struct Watching {
    queues: PostgresQueues,
    events: Receiver<Event>,
    recorder: Arc<Recorder>,
}

impl Watching {
    fn open(config: &PostgresQueueStoreConfig) -> Self {
        let queues = open(&config.clone().use_cache(true));
        let (sender, events) = channel::unbounded();
        let recorder = Arc::new(Recorder(sender));
        queues.watch(Arc::clone(&recorder) as Arc<dyn CacheEvents>).unwrap();
        Self { queues, events, recorder }
    }

    fn next(&self) -> Event {
        self.events.recv().unwrap()
    }

    /// The thread is gone, and with it what it told.
    fn is_over(&self) -> bool {
        Arc::strong_count(&self.recorder) == 1 && self.events.try_recv().is_err()
    }
}

fn shared(database: &TestDatabase) -> PostgresQueueStoreConfig {
    config(database).sharing(Sharing::Processes)
}

/// The sessions that hold the lock.
fn holders(client: &mut Client) -> BTreeSet<i32> {
    let holders = "SELECT pid FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND database =
          (SELECT oid FROM pg_database WHERE datname = current_database())";
    client.query(holders, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// A process that watches, with the session that tells it.
fn watching_session(database: &TestDatabase, config: &PostgresQueueStoreConfig) -> (Watching, i32) {
    let mut client = fixture::client(database);
    let before = holders(&mut client);
    let watching = Watching::open(config);
    let after = holders(&mut client);
    let new: Vec<_> = after.difference(&before).copied().collect();
    (watching, new[0])
}

fn end_session(database: &TestDatabase, pid: i32) {
    let end = "SELECT pg_terminate_backend($1, 10000)";
    assert!(fixture::client(database).query_one(end, &[&pid]).unwrap().get::<_, bool>(0));
}

fn changed(number: u8) -> Event {
    Event::Changed(vec![sample::recipient(number)])
}

#[test]
fn every_change_of_a_queue_is_told_to_other_processes() {
    let database = fixture::with_schema();
    let one = process(&database, Semantics::Strict);
    let two = Watching::open(&shared(&database));
    add_service(&one, 1, ServiceRole::Messaging);
    add_service(&one, 2, ServiceRole::Notifier);
    add_service(&one, 3, ServiceRole::Notifier);
    let gone = add(&one, 2, &full(2));
    let id = add(&one, 1, &full(1));
    one.delete_queue(&gone, 0).unwrap();
    assert_eq!(two.next(), changed(2));
    let told = |what: &str| assert_eq!(two.next(), changed(1), "{what}");
    one.set_sender_key(&id, &sample::key(1)).unwrap();
    told("sender key");
    one.set_recipient_keys(&id, &sample::keys(5)).unwrap();
    told("recipient keys");
    one.set_status(&id, &EntityStatus::Off).unwrap();
    told("status");
    one.set_date(&id, RoundedDate::from_seconds(0)).unwrap();
    told("date");
    one.delete_link(&id).unwrap();
    told("no link");
    one.set_link(&id, &full(1).link.unwrap()).unwrap();
    told("link");
    one.delete_link(&id).unwrap();
    told("no link");
    one.set_link(&id, &full(2).link.unwrap()).unwrap();
    told("a link of a deleted queue");
    one.delete_notifier(&id).unwrap();
    told("no notifier");
    one.set_notifier(&id, &sample::creds(2, None)).unwrap();
    told("a notifier of a deleted queue");
    let creds = |number, service| sample::creds(number, Some(sample::service_id(service)));
    one.set_notifier(&id, &creds(5, 2)).unwrap();
    told("a notifier of a service");
    one.set_notifier(&id, &creds(6, 3)).unwrap();
    told("a notifier of another service");
    let service = sample::service_id(1);
    let ids = std::slice::from_ref(&id);
    one.set_services(ServiceParty::Receiver, Some(&service), ids).unwrap();
    told("a service");
    one.delete_queue(&id, 0).unwrap();
    told("deleted");
}

#[test]
fn every_change_is_told_under_reference_too() {
    let database = fixture::with_schema();
    let one = process(&database, Semantics::Reference);
    let two = Watching::open(&shared(&database).semantics(Semantics::Reference));
    let id = add(&one, 1, &full(1));
    one.set_notifier(&id, &sample::creds(2, None)).unwrap();
    assert_eq!(two.next(), changed(1));
    one.set_link(&id, &full(1).link.unwrap()).unwrap();
    assert_eq!(two.next(), changed(1));
}

#[test]
fn what_changed_nothing_is_new_or_is_purged_is_not_told() {
    let database = fixture::with_schema();
    let one = process(&database, Semantics::Strict);
    let two = Watching::open(&shared(&database));
    let id = add(&one, 1, &full(1));
    one.set_sender_key(&id, &sample::key(2)).unwrap_err();
    one.set_status(&sample::recipient(9), &EntityStatus::Off).unwrap_err();
    // By itself it would be written again, and told: one statement instead of a transaction.
    let batch = [id.clone(), sample::recipient(9)];
    one.set_services(ServiceParty::Receiver, None, &batch).unwrap();
    one.purge(i64::MAX).unwrap();
    add_service(&one, 1, ServiceRole::Messaging);
    let marker = add(&one, 2, &full(2));
    one.set_status(&marker, &EntityStatus::Off).unwrap();
    assert_eq!(two.next(), changed(2));
}

#[test]
fn own_changes_and_those_of_other_schemas_are_not_told() {
    let database = fixture::with_schema();
    let one = process(&database, Semantics::Strict);
    let two = Watching::open(&shared(&database));
    let other = database.config().unwrap().schema("another".parse().unwrap());
    let other = PostgresQueueStoreConfig::new(other).sharing(Sharing::Processes);
    let elsewhere = open(&other.schema(fixture::UP).use_cache(false));
    for queues in [&two.queues, &elsewhere] {
        let id = add(queues, 1, &full(1));
        queues.set_status(&id, &EntityStatus::Off).unwrap();
        queues.set_services(ServiceParty::Receiver, None, &[id]).unwrap();
    }
    let marker = add(&one, 2, &full(2));
    one.set_status(&marker, &EntityStatus::Off).unwrap();
    assert_eq!(two.next(), changed(2));
}

#[test]
fn a_batch_of_many_queues_is_told_whole() {
    let database = fixture::with_schema();
    let many =
        "INSERT INTO msg_queues (recipient_id, recipient_keys, rcv_dh_secret, sender_id, status)
        SELECT decode(md5(n::text) || md5(n::text), 'hex'), '', '', int4send(n), 'active'
          FROM generate_series(1, 1000) n RETURNING recipient_id";
    let rows = fixture::client(&database).query(many, &[]).unwrap();
    let ids: Vec<_> = rows.iter().map(|row| RecipientId::from_bytes(row.get(0)).unwrap()).collect();
    let one = process(&database, Semantics::Strict);
    let two = Watching::open(&shared(&database));
    add_service(&one, 1, ServiceRole::Messaging);
    let service = sample::service_id(1);
    one.set_services(ServiceParty::Receiver, Some(&service), &ids).unwrap();
    let mut told = BTreeSet::new();
    while told.len() < ids.len() {
        let Event::Changed(some) = two.next() else { panic!("nothing was lost") };
        told.extend(some);
    }
    assert_eq!(told, ids.into_iter().collect());
}

#[test]
fn an_announcement_that_cannot_be_read_says_that_anything_may_have_changed() {
    let database = fixture::with_schema();
    let two = Watching::open(&shared(&database));
    let schema: String = "smp_server".bytes().map(|byte| format!("{byte:02x}")).collect();
    let payloads = [
        "".to_owned(),
        "hello".to_owned(),
        "hello to you".to_owned(),
        format!("{schema} somebody *"),
        format!("{schema} somebody 0x"),
        format!("{schema} somebody abc"),
        format!("{schema} somebody é"),
        format!("{schema} somebody 72,"),
        format!("{schema} somebody"),
    ];
    let mut client = fixture::client(&database);
    for payload in payloads {
        client.query("SELECT pg_notify('simplex_stores', $1)", &[&payload]).unwrap();
        assert_eq!((two.next(), two.next()), (Event::Lost, Event::Regained), "{payload}");
    }
}

#[test]
fn an_id_too_long_for_an_announcement_says_that_anything_may_have_changed() {
    let database = fixture::with_schema();
    let one = process(&database, Semantics::Strict);
    let two = Watching::open(&shared(&database));
    add_service(&one, 1, ServiceRole::Messaging);
    // An index holds so long an id because it can be compressed.
    let id = RecipientId::from_bytes(&[7; 6000]).unwrap();
    one.insert_queue(&id, &sample::record(1)).unwrap();
    one.set_status(&id, &EntityStatus::Off).unwrap();
    assert_eq!((two.next(), two.next()), (Event::Lost, Event::Regained));
    let service = sample::service_id(1);
    one.set_services(ServiceParty::Receiver, Some(&service), &[id]).unwrap();
    assert_eq!((two.next(), two.next()), (Event::Lost, Event::Regained));
}

#[test]
fn when_the_connection_is_ended_the_cache_is_told_and_told_again_when_it_is_back() {
    for sharing in [Sharing::Alone, Sharing::Processes] {
        let database = fixture::with_schema();
        let (two, mut session) = watching_session(&database, &config(&database).sharing(sharing));
        for _ in 0..2 {
            end_session(&database, session);
            assert_eq!((two.next(), two.next()), (Event::Lost, Event::Regained));
            let holders = holders(&mut fixture::client(&database));
            assert!(holders.len() == 1 && !holders.contains(&session));
            session = *holders.first().unwrap();
        }
        two.queues.close();
        assert!(two.is_over());
    }
}

/// The lock went to the next process with the connection: that one hears of what is changed here, too.
#[test]
fn race53_a_process_that_was_alone_tells_the_next_one_what_it_changes() {
    let database = fixture::with_schema();
    let (one, pid) = watching_session(&database, &config(&database));
    let id = add(&one.queues, 1, &full(1));
    let next = config(&database).lock_wait(Duration::from_secs(600));
    let next = thread::spawn(move || Watching::open(&next));
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    let mut client = fixture::client(&database);
    while client.query_one(waiting, &[]).unwrap().get::<_, i64>(0) == 0 {
        thread::yield_now();
    }
    end_session(&database, pid);
    let next = next.join().unwrap();
    assert_eq!(one.next(), Event::Lost);
    one.queues.set_status(&id, &EntityStatus::Off).unwrap();
    assert_eq!(next.next(), changed(1));
}

#[test]
fn after_a_lost_connection_changes_are_told_again() {
    let database = fixture::with_schema();
    let one = process(&database, Semantics::Strict);
    let (two, session) = watching_session(&database, &shared(&database));
    let id = add(&one, 1, &full(1));
    end_session(&database, session);
    assert_eq!((two.next(), two.next()), (Event::Lost, Event::Regained));
    one.set_status(&id, &EntityStatus::Off).unwrap();
    assert_eq!(two.next(), changed(1));
}

#[test]
fn a_server_that_is_restarted_is_noticed_both_times() {
    let cluster = Cluster::start().unwrap();
    let database = cluster.database().unwrap();
    fixture::migrate_up(&database.config().unwrap()).unwrap();
    let one = process(&database, Semantics::Strict);
    let two = Watching::open(&shared(&database));
    let id = add(&one, 1, &full(1));
    for (mode, status) in
        [(StopMode::Fast, EntityStatus::Off), (StopMode::Immediate, EntityStatus::Active)]
    {
        cluster.stop(mode).unwrap();
        assert_eq!(two.next(), Event::Lost);
        cluster.start_again().unwrap();
        assert_eq!(two.next(), Event::Regained);
        // Connections that were idle meanwhile are no use for one change each.
        while one.set_status(&id, &status).is_err() {}
        assert_eq!(two.next(), changed(1));
    }
}

#[test]
fn closing_ends_the_thread_at_once() {
    for sharing in [Sharing::Alone, Sharing::Processes] {
        let database = fixture::with_schema();
        // Without being woken it would look once a day.
        let day = Duration::from_secs(86_400);
        let two = Watching::open(&config(&database).sharing(sharing).heartbeat(day));
        two.queues.close();
        assert!(two.is_over());
        assert!(two.queues.counts().is_err());
        drop(open(&config(&database)));
    }
}

#[test]
fn closing_while_the_server_is_away_ends_the_thread_too() {
    let cluster = Cluster::start().unwrap();
    let database = cluster.database().unwrap();
    fixture::migrate_up(&database.config().unwrap()).unwrap();
    let two = Watching::open(&shared(&database));
    cluster.stop(StopMode::Immediate).unwrap();
    assert_eq!(two.next(), Event::Lost);
    two.queues.close();
    assert!(two.is_over());
    drop(two);
    cluster.start_again().unwrap();
}

#[test]
fn a_connection_whose_other_end_says_nothing_is_taken_for_lost() {
    let database = fixture::with_schema();
    let settings = database.config().unwrap().checkout_timeout(Duration::from_millis(100));
    let settings = PostgresQueueStoreConfig::new(settings).heartbeat(Duration::from_millis(10));
    let (two, session) = watching_session(&database, &settings.sharing(Sharing::Alone));
    let signal = |signal: &str| {
        let sent =
            Command::new("kill").args([signal, session.to_string().as_str()]).status().unwrap();
        assert!(sent.success());
    };
    signal("-STOP");
    assert_eq!(two.next(), Event::Lost);
    // It was told to end by its successor, and gives the lock back when it runs again.
    signal("-CONT");
    assert_eq!(two.next(), Event::Regained);
}

#[test]
fn without_a_cache_the_lock_is_taken_again_all_the_same() {
    let database = fixture::with_schema();
    let queues = open(&config(&database));
    let mut client = fixture::client(&database);
    let first = holders(&mut client);
    end_session(&database, *first.first().unwrap());
    while holders(&mut client).is_empty() {
        thread::yield_now();
    }
    assert!(holders(&mut client).is_disjoint(&first));
    assert_eq!(queues.counts().unwrap().queues, 0);
}

#[test]
fn a_database_is_watched_once() {
    let database = fixture::with_schema();
    let two = Watching::open(&config(&database));
    let again = Arc::clone(&two.recorder) as Arc<dyn CacheEvents>;
    assert!(two.queues.watch(again).is_err());
    two.queues.close();
    assert!(two.queues.watch(Arc::clone(&two.recorder) as Arc<dyn CacheEvents>).is_err());
}
