//! Changes that wait for rows that somebody else has, until the statement's time is over, the connection is
//! ended, the store is closed, or the rows are free.

use std::sync::Arc;
use std::time::Duration;

use postgres::{Client, Transaction};
use simplex_stores::protocol::{
    BlockingInfo, BlockingReason, ErrorType, QueueLink, QueueRec, RecipientId, RoundedDate,
    ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::postgres::rows::{
    QUEUE_COLUMNS, QueueRow, SERVICE_COLUMNS, ServiceRow,
};
use simplex_stores::queue_store::postgres::{PostgresQueueStore, PostgresQueueStoreConfig};
use simplex_stores::queue_store::{QueueKey, QueueStore};
use simplex_stores::sync::thread::{self, JoinHandle};
use simplex_stores::testing::history::SequentialModel as _;
use simplex_stores::testing::queue_store::{Answer, QueueModel, QueueOp, run, sample};

use super::support::{Databases, WAITING, assert_serves, count, rows, until};
use crate::fixture::client;

/// The queues that are changed begin with this one. No two changes are of the same queue: they would wait for
/// each other in the store.
const FIRST: u8 = 11;

fn store_error(text: &str) -> Result<String, ErrorType> {
    Err(ErrorType::Store(text.into()))
}

fn queue(number: u8) -> QueueRec {
    let link = QueueLink { id: sample::link(number), data: sample::link_data(number, 1) };
    QueueRec {
        link: Some(Box::new(link)),
        notifier: Some(Box::new(sample::creds(number, Some(sample::service_id(2))))),
        ..sample::record(number)
    }
}

/// Each operation that changes something.
fn changes() -> Vec<QueueOp> {
    use QueueOp as Op;

    let info = BlockingInfo { reason: BlockingReason::Spam, notice: None };
    let service = || Some(sample::service_id(1));
    let of_queues: [&dyn Fn(RecipientId, u8) -> Op; 13] = [
        &|id, number| Op::AddLink(id, sample::link(number), sample::link_data(number, 2)),
        &|id, _| Op::DeleteLink(id),
        &|id, number| Op::Secure(id, sample::key(number)),
        &|id, number| Op::Keys(id, sample::keys(number + 1)),
        &|id, number| Op::AddNotifier(id, Box::new(sample::creds(number + 100, None))),
        &|id, _| Op::DeleteNotifier(id),
        &|id, _| Op::Suspend(id),
        &|id, _| Op::Block(id, info),
        &|id, _| Op::Unblock(id),
        &|id, _| Op::Time(id, RoundedDate::from_seconds(1_735_689_600)),
        &|id, _| Op::Delete(id),
        &|id, _| Op::SetService(id, ServiceParty::Receiver, service()),
        &|id, _| Op::SetServices(vec![id], ServiceParty::Receiver, service()),
    ];
    let numbered = (FIRST..).zip(of_queues);
    let mut changes: Vec<Op> =
        numbered.map(|(number, change)| change(sample::recipient(number), number)).collect();
    changes.push(Op::Add(sample::recipient(8), Box::new(sample::record(8))));
    changes.push(Op::Service(Box::new(new_service())));
    changes
}

fn new_service() -> simplex_stores::protocol::ServiceRec {
    sample::service(7, 7, ServiceRole::Messaging)
}

fn filled(store: &PostgresQueueStore) -> QueueModel {
    let mut model = QueueModel::default();
    let service = |number, role| QueueOp::Service(Box::new(sample::service(number, number, role)));
    let mut ops = vec![service(1, ServiceRole::Messaging), service(2, ServiceRole::Notifier)];
    let last = FIRST + changes().len() as u8;
    ops.extend((FIRST..last).map(|n| QueueOp::Add(sample::recipient(n), Box::new(queue(n)))));
    for op in ops {
        assert_eq!(run(store, &op), model.apply(&op), "{op:?}");
    }
    model
}

/// Has every row that the changes want: those that are there, and those that are to be added.
fn locked(client: &mut Client) -> Transaction<'_> {
    let mut lock = client.transaction().unwrap();
    lock.batch_execute("SELECT 1 FROM msg_queues FOR UPDATE").unwrap();
    let (id, record, service) = (sample::recipient(8), sample::record(8), new_service());
    let values = |count: usize| (1..=count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let insert = |table: &str, columns: &[&str]| {
        let names = columns.join(", ");
        format!("INSERT INTO {table} ({names}) VALUES ({})", values(columns.len()))
    };
    let queue = insert("msg_queues", &QUEUE_COLUMNS);
    lock.execute(&queue, &QueueRow::of(&id, &record).unwrap().values()).unwrap();
    let of_service = insert("services", &SERVICE_COLUMNS);
    lock.execute(&of_service, &ServiceRow::of(&service).unwrap().values()).unwrap();
    lock
}

type Running = Vec<(QueueOp, JoinHandle<Answer>)>;

fn run_at_once(store: &Arc<PostgresQueueStore>, ops: Vec<QueueOp>) -> Running {
    let run_one = |op: QueueOp| {
        let (store, running) = (Arc::clone(store), op.clone());
        (op, thread::spawn(move || run(&*store, &running)))
    };
    ops.into_iter().map(run_one).collect()
}

/// A store over rows that somebody else has.
struct Place {
    databases: Databases,
    store: Arc<PostgresQueueStore>,
    model: QueueModel,
}

impl Place {
    fn new(set: impl FnOnce(&Databases) -> PostgresQueueStoreConfig) -> Self {
        let databases = Databases::new();
        let store = databases.empty(&set(&databases));
        let model = filled(&store);
        Self { databases, store: Arc::new(store), model }
    }

    fn client(&self) -> Client {
        client(&self.databases.database)
    }

    /// Nothing has changed, and from now on everything can be.
    fn assert_works(mut self, changes: &[QueueOp]) {
        let mut client = self.client();
        let now = rows(&mut client);
        assert_eq!(now, self.model.queues);
        assert_serves(&self.store, &now, "afterwards");
        for op in changes {
            let answer = self.model.apply(op);
            // On a busy machine even a short statement may take too long, but not always.
            let tried = (0..100).map(|_| run(&*self.store, op));
            let timed_out = store_error("database: timed out");
            let made = tried.into_iter().find(|made| *made != timed_out);
            assert_eq!(made, Some(answer), "{op:?}");
        }
        let now = rows(&mut client);
        assert_eq!(now, self.model.queues);
        assert_serves(&self.store, &now, "at the end");
        self.store.close().unwrap();
    }
}

#[test]
fn a_change_that_waits_too_long_for_a_row_is_told_so_and_made_later() {
    let limit = Duration::from_secs(1);
    let place = Place::new(|databases| {
        let settings = databases.settings().pool_size(20).statement_timeout(limit);
        PostgresQueueStoreConfig::new(settings)
    });
    let mut other = place.client();
    let lock = locked(&mut other);
    for (op, running) in run_at_once(&place.store, changes()) {
        assert_eq!(running.join().unwrap(), store_error("database: timed out"), "{op:?}");
    }
    lock.rollback().unwrap();
    place.assert_works(&changes());
}

#[test]
fn race70_connections_that_the_server_ends_in_the_middle_of_changes_leave_nothing_behind() {
    let place =
        Place::new(|databases| PostgresQueueStoreConfig::new(databases.settings().pool_size(20)));
    let (mut other, mut watcher) = (place.client(), place.client());
    let lock = locked(&mut other);
    let running = run_at_once(&place.store, changes());
    until(&mut watcher, WAITING, running.len() as i64);
    let end = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(count(&mut watcher, end), running.len() as i64);
    for (op, running) in running {
        assert_eq!(running.join().unwrap(), store_error("database: outcome unclear"), "{op:?}");
    }
    lock.rollback().unwrap();
    place.assert_works(&changes());
}

#[test]
fn race48_without_a_free_connection_every_call_ends_and_what_is_cached_is_served() {
    let limit = Duration::from_millis(20);
    let place = Place::new(|databases| {
        let settings = databases.settings().pool_size(1).checkout_timeout(limit);
        PostgresQueueStoreConfig::new(settings)
    });
    let (mut other, mut watcher) = (place.client(), place.client());
    let lock = locked(&mut other);
    let mut changes = changes();
    let first = run_at_once(&place.store, vec![changes.remove(0)]);
    until(&mut watcher, WAITING, 1);
    for op in &changes {
        assert_eq!(run(&*place.store, op), store_error("database: no connection"), "{op:?}");
    }
    let nowhere = QueueKey::Recipient(sample::recipient(99));
    let asked = run(&*place.store, &QueueOp::Get(nowhere));
    assert_eq!(asked, store_error("database: no connection"));
    let (id, record) = place.model.queues.last_key_value().unwrap();
    let found = place.store.get_queue_rec(&QueueKey::Recipient(id.clone())).unwrap();
    assert_eq!(*found.1, *record);
    lock.rollback().unwrap();
    let mut place = place;
    for (op, running) in first {
        assert_eq!(running.join().unwrap(), place.model.apply(&op));
    }
    place.assert_works(&changes);
}

#[test]
fn race27_closing_refuses_new_calls_and_waits_for_a_change_that_waits_for_a_row() {
    let place = Place::new(Databases::config);
    let (mut other, mut watcher) = (place.client(), place.client());
    let lock = locked(&mut other);
    let op = QueueOp::Secure(sample::recipient(FIRST), sample::key(1));
    let mut running = run_at_once(&place.store, vec![op.clone()]);
    until(&mut watcher, WAITING, 1);
    let closing = {
        let store = Arc::clone(&place.store);
        thread::spawn(move || store.close())
    };
    // Asked until it is closing: until then it answers.
    let asked = QueueOp::Get(sample::recipient(FIRST + 1).into());
    let closed = store_error("closed");
    while run(&*place.store, &asked) != closed {
        thread::yield_now();
    }
    for op in changes() {
        assert_eq!(run(&*place.store, &op), closed, "{op:?}");
    }
    lock.rollback().unwrap();
    let mut model = place.model;
    let (_, running) = running.remove(0);
    assert_eq!(running.join().unwrap(), model.apply(&op));
    closing.join().unwrap().unwrap();
    assert_eq!(rows(&mut watcher), model.queues);
    assert_eq!(place.store.locks_held(), 0);
    place.store.close().unwrap();
}
