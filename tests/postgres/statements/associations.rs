//! Moving queues between services, many at once and from several sides (RACE-49).

use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use simplex_stores::protocol::{
    QueueRec, RecipientId, Semantics, ServiceId, ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::database::{QueueDatabase, Refusal};
use simplex_stores::queue_store::postgres::PostgresQueues;
use simplex_stores::sync::thread;
use simplex_stores::testing::postgres::TestDatabase;
use simplex_stores::testing::queue_store::sample;

use super::races::wait_until_blocked;
use super::{BOTH, add, add_service, process, queues, record};
use crate::fixture;

/// Services 1 and 2 are for messages, 3 and 4 for notifications.
fn add_services(queues: &PostgresQueues) {
    for number in [1, 2] {
        add_service(queues, number, ServiceRole::Messaging);
        add_service(queues, number + 2, ServiceRole::Notifier);
    }
}

fn with_notifier(number: u8) -> QueueRec {
    let creds = sample::creds(number, None);
    QueueRec { notifier: Some(Box::new(creds)), ..sample::record(number) }
}

#[test]
fn each_queue_of_a_batch_has_its_own_result() {
    for semantics in BOTH {
        let (_database, queues) = queues(semantics);
        add_services(&queues);
        let one = add(&queues, 1, &with_notifier(1));
        let two = add(&queues, 2, &sample::record(2));
        let gone = add(&queues, 3, &with_notifier(3));
        queues.delete_queue(&gone, 0).unwrap();
        let absent = sample::recipient(4);
        let ids = [absent.clone(), two.clone(), one.clone(), gone.clone(), one.clone()];
        let missing = Err(Refusal::Missing);
        let all = |one_result, two_result| {
            let results = [one_result, two_result, missing, missing];
            Ok([&one, &two, &gone, &absent]
                .map(RecipientId::clone)
                .into_iter()
                .zip(results)
                .collect())
        };
        let set = |party, service| queues.set_services(party, service, &ids);
        let (rcv, ntf) = (sample::service_id(1), sample::service_id(3));
        assert_eq!(set(ServiceParty::Receiver, Some(&rcv)), all(Ok(()), Ok(())));
        assert_eq!(set(ServiceParty::Notifier, Some(&ntf)), all(Ok(()), missing));
        let found = record(&queues, &one).unwrap();
        assert_eq!(found.rcv_service_id, Some(rcv.clone()));
        assert_eq!(found.notifier.unwrap().service_id, Some(ntf.clone()));
        assert_eq!(set(ServiceParty::Receiver, None), all(Ok(()), Ok(())));
        assert_eq!(set(ServiceParty::Notifier, None), all(Ok(()), missing));
        assert_eq!(record(&queues, &one), Some(with_notifier(1)));
        assert_eq!(queues.set_services(ServiceParty::Receiver, None, &[]), Ok(vec![]));
    }
}

#[test]
fn race23_under_strict_a_service_that_is_missing_or_does_not_fit_refuses_all_alike() {
    let (_database, queues) = queues(Semantics::Strict);
    add_services(&queues);
    let id = add(&queues, 1, &with_notifier(1));
    let absent = sample::recipient(2);
    let ids = [id.clone(), absent.clone()];
    for (service, refusal) in [(9, Refusal::NoService), (3, Refusal::WrongRole)] {
        let service = sample::service_id(service);
        let results = queues.set_services(ServiceParty::Receiver, Some(&service), &ids);
        let expected = [(id.clone(), Err(refusal)), (absent.clone(), Err(Refusal::Missing))];
        assert_eq!(results.unwrap(), expected);
    }
    assert_eq!(record(&queues, &id), Some(with_notifier(1)));
}

#[test]
fn under_reference_a_service_that_is_missing_fails_the_whole() {
    let (_database, queues) = queues(Semantics::Reference);
    let id = add(&queues, 1, &sample::record(1));
    let service = sample::service_id(9);
    let failed = queues.set_services(ServiceParty::Receiver, Some(&service), &[id]);
    assert!(failed.unwrap_err().violation().is_some());
}

#[test]
fn race49_two_batches_in_no_order_wait_for_each_other_in_a_circle() {
    let (database, queues) = queues(Semantics::Strict);
    add_services(&queues);
    for number in 1..=4 {
        add(&queues, number, &sample::record(number));
    }
    let set = "UPDATE msg_queues SET rcv_service_id = $2 WHERE recipient_id = $1";
    let mut clients = [fixture::client(&database), fixture::client(&database)];
    let (id, service) = (sample::recipient, sample::service_id);
    for (client, first) in clients.iter_mut().zip([1, 2]) {
        client.batch_execute("SET deadlock_timeout = '10ms'; BEGIN").unwrap();
        client.execute(set, &[&id(first).as_bytes(), &service(first).as_bytes()]).unwrap();
    }
    // Each has one service, and the queue after it belongs to the other.
    let [mut one, mut two] = clients;
    let waiting = thread::spawn(move || {
        one.execute(set, &[&id(3).as_bytes(), &service(2).as_bytes()])
            .map_err(|error| error.to_string())
    });
    wait_until_blocked(&database, 1);
    let second = two.execute(set, &[&id(4).as_bytes(), &service(1).as_bytes()]);
    let code = |error: &postgres::Error| error.code().map(|code| code.code().to_owned());
    match second {
        // The server chose this one.
        Err(error) => assert_eq!(code(&error).as_deref(), Some("40P01")),
        Ok(_) => assert!(waiting.join().unwrap().is_err()),
    }
}

/// Moves queues back and forth, the order of ids shuffled each time.
fn move_about(queues: &PostgresQueues, numbers: &[u8], seed: u64) {
    let mut dice = SmallRng::seed_from_u64(seed);
    let mut ids: Vec<RecipientId> = numbers.iter().copied().map(sample::recipient).collect();
    for round in 0..40 {
        ids.shuffle(&mut dice);
        let second = u8::from((round + seed).is_multiple_of(2));
        let (party, first) = match dice.random_range(0..2) {
            0 => (ServiceParty::Receiver, 1),
            _ => (ServiceParty::Notifier, 3),
        };
        let service = sample::service_id(first + second);
        let results = queues.set_services(party, Some(&service), &ids).unwrap();
        assert!(results.iter().all(|(_, result)| result.is_ok()), "{results:?}");
    }
}

/// Takes single queues away and adds them again, and replaces their notifiers by ones of other services.
fn come_and_go(queues: &PostgresQueues, numbers: &[u8], seed: u64) {
    let mut dice = SmallRng::seed_from_u64(seed);
    for round in 0..60_u8 {
        let number = numbers[dice.random_range(0..numbers.len())];
        let id = sample::recipient(number);
        let service = |first: u8| Some(sample::service_id(first + round % 2));
        if round % 3 == 0 {
            queues.delete_queue(&id, 0).unwrap();
            let creds = Some(Box::new(sample::creds(number, service(3))));
            let record =
                QueueRec { rcv_service_id: service(1), notifier: creds, ..sample::record(number) };
            queues.insert_queue(&id, &record).unwrap();
        } else {
            let notifier = sample::creds(number + 100 * (round % 2), service(3));
            if queues.set_notifier(&id, &notifier).is_err() {
                queues.delete_notifier(&id).unwrap();
                queues.set_notifier(&id, &notifier).unwrap();
            }
        }
    }
}

/// How many deadlocks the server has seen in a database that nobody is connected to any more.
fn deadlocks(database: &TestDatabase) -> i64 {
    let mut client = fixture::client(database);
    let others = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while client.query_one(others, &[]).unwrap().get::<_, i64>(0) > 0 {
        thread::yield_now();
    }
    let seen = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    client.query_one(seen, &[]).unwrap().get(0)
}

fn kept(queues: &PostgresQueues, party: ServiceParty, services: [u8; 2]) -> i64 {
    let service = services.map(sample::service_id);
    let count = |service: &ServiceId| queues.count_hash(party, service).unwrap().unwrap().count;
    service.iter().map(count).sum()
}

#[test]
fn race49_batches_that_move_queues_in_opposite_directions_never_fail_and_never_deadlock() {
    let database = fixture::with_schema();
    let first = process(&database, Semantics::Strict);
    add_services(&first);
    let (stay, come): (Vec<u8>, Vec<u8>) = ((1..=20).collect(), (21..=26).collect());
    for number in stay.iter().chain(&come) {
        add(&first, *number, &with_notifier(*number));
    }
    let mut threads = Vec::new();
    // Two move one half of the queues, and two the other half the other way.
    for (seed, half) in (0..4).zip(stay.chunks(10).cycle()) {
        let (queues, half) = (process(&database, Semantics::Strict), half.to_vec());
        threads.push(thread::spawn(move || move_about(&queues, &half, seed)));
    }
    let (queues, come) = (process(&database, Semantics::Strict), come.clone());
    threads.push(thread::spawn(move || come_and_go(&queues, &come, 7)));
    for thread in threads {
        thread.join().unwrap();
    }
    let counts = first.counts().unwrap();
    assert_eq!(counts.queues, 26);
    let by_hash = [
        kept(&first, ServiceParty::Receiver, [1, 2]),
        kept(&first, ServiceParty::Notifier, [3, 4]),
    ];
    let by_rows = [counts.rcv_service_queues, counts.ntf_service_queues].map(|count| count as i64);
    assert_eq!(by_hash, by_rows);
    first.close();
    assert_eq!(deadlocks(&database), 0);
}

#[test]
fn a_transaction_that_the_server_refuses_for_another_is_run_again() {
    let (database, queues) = queues(Semantics::Strict);
    add_services(&queues);
    let id = add(&queues, 1, &sample::record(1));
    // A stranger who takes a service first and then the queue.
    let mut stranger = fixture::client(&database);
    stranger.batch_execute("BEGIN").unwrap();
    let service = sample::service_id(1);
    let lock = "SELECT 1 FROM services WHERE service_id = $1 FOR UPDATE";
    stranger.query(lock, &[&service.as_bytes()]).unwrap();
    let moving = thread::spawn(move || {
        let ids = [sample::recipient(1)];
        queues.set_services(ServiceParty::Receiver, Some(&service), &ids).map(|done| (queues, done))
    });
    wait_until_blocked(&database, 1);
    let lock = "SELECT 1 FROM msg_queues WHERE recipient_id = $1 FOR UPDATE";
    // Whichever of the two the server chooses: it ends, and the batch is done.
    match stranger.query(lock, &[&id.as_bytes()]) {
        Ok(_) => stranger.batch_execute("COMMIT").unwrap(),
        Err(error) => {
            assert_eq!(error.code().map(|code| code.code()), Some("40P01"));
            stranger.batch_execute("ROLLBACK").unwrap();
        }
    }
    let (queues, done) = moving.join().unwrap().unwrap();
    assert_eq!(done, [(id.clone(), Ok(()))]);
    assert_eq!(record(&queues, &id).unwrap().rcv_service_id, Some(sample::service_id(1)));
}

#[test]
fn one_queue_by_itself_is_associated_as_in_a_batch() {
    for semantics in BOTH {
        let (_database, queues) = queues(semantics);
        add_services(&queues);
        let id = add(&queues, 1, &with_notifier(1));
        let bare = add(&queues, 2, &sample::record(2));
        let set = |party, service: Option<u8>, id: &RecipientId| {
            let service = service.map(sample::service_id);
            let ids = std::slice::from_ref(id);
            let mut results = queues.set_services(party, service.as_ref(), ids).unwrap();
            let (of, result) = results.remove(0);
            assert!(results.is_empty() && of == *id);
            result
        };
        let rcv = |id| record(&queues, id).unwrap().rcv_service_id;
        for service in [Some(1), Some(1), Some(2), None, None, Some(2)] {
            assert_eq!(set(ServiceParty::Receiver, service, &id), Ok(()));
            assert_eq!(rcv(&id), service.map(sample::service_id));
            let ntf = service.map(|service| service + 2);
            assert_eq!(set(ServiceParty::Notifier, ntf, &id), Ok(()));
            let creds = record(&queues, &id).unwrap().notifier.unwrap();
            assert_eq!(creds.service_id, ntf.map(sample::service_id));
            assert_eq!(set(ServiceParty::Notifier, ntf, &bare), Err(Refusal::Missing));
        }
        if semantics == Semantics::Strict {
            assert_eq!(set(ServiceParty::Receiver, Some(3), &id), Err(Refusal::WrongRole));
            assert_eq!(set(ServiceParty::Receiver, Some(9), &id), Err(Refusal::NoService));
            assert_eq!(set(ServiceParty::Notifier, Some(1), &id), Err(Refusal::WrongRole));
            assert_eq!(rcv(&id), Some(sample::service_id(2)));
        }
    }
}

/// Whether a change that has to wait for the service with the smaller id has the one with the greater
/// already. Triggers would take them the other way round.
fn has_the_greater_service_while_it_waits(
    services: [u8; 2],
    change: impl FnOnce(&PostgresQueues, &RecipientId) + Send + 'static,
) -> bool {
    let (database, queues) = queues(Semantics::Strict);
    add_services(&queues);
    let creds = sample::creds(1, Some(sample::service_id(4)));
    let rcv_service_id = Some(sample::service_id(2));
    let queue = QueueRec { rcv_service_id, notifier: Some(Box::new(creds)), ..sample::record(1) };
    let id = add(&queues, 1, &queue);
    let [smaller, greater] = services.map(sample::service_id);
    let mut stranger = fixture::client(&database);
    stranger.batch_execute("BEGIN").unwrap();
    // As an update of its count does.
    let lock = "SELECT 1 FROM services WHERE service_id = $1 FOR NO KEY UPDATE";
    stranger.query(lock, &[&smaller.as_bytes()]).unwrap();
    let waiting = thread::spawn(move || change(&queues, &id));
    wait_until_blocked(&database, 1);
    let free = format!("{lock} SKIP LOCKED");
    let free = fixture::client(&database).query(&free, &[&greater.as_bytes()]).unwrap();
    stranger.batch_execute("COMMIT").unwrap();
    waiting.join().unwrap();
    free.is_empty()
}

#[test]
fn race49_services_are_locked_in_the_order_of_their_ids() {
    let moved = |party, service| {
        move |queues: &PostgresQueues, id: &RecipientId| {
            let ids = std::slice::from_ref(id);
            let done = queues.set_services(party, Some(&sample::service_id(service)), ids).unwrap();
            assert_eq!(done, [(id.clone(), Ok(()))]);
        }
    };
    assert!(!has_the_greater_service_while_it_waits([1, 2], moved(ServiceParty::Receiver, 1)));
    assert!(!has_the_greater_service_while_it_waits([3, 4], moved(ServiceParty::Notifier, 3)));
    assert!(!has_the_greater_service_while_it_waits([3, 4], |queues, id| {
        let creds = sample::creds(7, Some(sample::service_id(3)));
        assert!(queues.set_notifier(id, &creds).unwrap().is_some());
    }));
}
