//! Creating at once: queues of one connection, a queue that is being confirmed, ids that are taken, services of one
//! user (AS-39, AS-41 to AS-43, Q-2).

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use simplex_stores::agent_store::types::*;
use simplex_stores::agent_store::{StoreError, TxResult};
use simplex_stores::db::Sql;
use simplex_stores::db::fault::without_locks;
use simplex_stores::testing::isolation::Steps;

use super::{Race, Runs, Shared};
use crate::client_services::credentials;
use crate::connection_fixture::{new_conn_data, new_rcv_queue, new_snd_queue, smp_server};
use crate::fixture::TestStore;

/// A user, a connection without queues, and the order's number.
struct New {
    user: UserId,
    conn_id: ConnId,
    order: usize,
}

fn new(test: &TestStore, order: usize) -> New {
    let user = test.user();
    New { user, conn_id: test.new_connection(user, &format!("connection {order}")), order }
}

type Number = Result<QueueNumber, StoreError>;

/// Where those who add a queue to one connection meet.
const ADDING: &[&str] = &["load a connection", "number a receive queue", "commit"];

/// Another queue each: an agent that got no answer makes new keys.
fn add_queue(shared: &Shared<New>, steps: &Steps, name: &str) -> Number {
    shared.steps_at(ADDING, steps, |tx, made| {
        let queue = new_rcv_queue(&format!("{name} {}", made.order));
        let mode = SubscriptionMode::Subscribe;
        Ok(tx.update_new_conn_rcv(&made.conn_id, &queue, mode)?.number())
    })
}

fn numbers_are_wrong(_: &Shared<New>, numbers: &[Number]) -> Option<String> {
    let mut found: Vec<&QueueNumber> = numbers.iter().flatten().collect();
    found.sort();
    (found != [&QueueNumber(1), &QueueNumber(2)]).then(|| format!("{numbers:?}"))
}

#[test]
fn as41_as43_a_retry_beside_the_first_attempt_gets_a_number_of_its_own() {
    let sessions: Vec<Runs<_, _>> = vec![
        ("first", |shared, steps| add_queue(shared, steps, "first")),
        ("retry", |shared, steps| add_queue(shared, steps, "retry")),
    ];
    Race { make: new, sessions, wrong: numbers_are_wrong }.never_goes_wrong();
}

#[test]
fn twin_as43_without_the_lock_on_the_connection_a_number_is_given_twice() {
    const OUT: &[&str] = &["load a connection"];
    let sessions: Vec<Runs<_, _>> = vec![
        ("first", |shared, steps| without_locks(OUT, || add_queue(shared, steps, "first"))),
        ("retry", |shared, steps| without_locks(OUT, || add_queue(shared, steps, "retry"))),
    ];
    Race { make: new, sessions, wrong: numbers_are_wrong }.goes_wrong();
}

/// A connection whose send queue isn't confirmed.
fn unconfirmed(test: &TestStore, order: usize) -> (UserId, SndQueue, usize) {
    let user = test.user();
    (user, test.snd_connection(user, &format!("first {order}")), order)
}

type Unconfirmed = (UserId, SndQueue, usize);
type Taken = Result<bool, StoreError>;

fn confirm(shared: &Shared<Unconfirmed>, steps: &Steps) -> Taken {
    shared.step_by_step(steps, |tx, (_, queue, _)| {
        tx.set_snd_queue_status(queue, QueueStatus::Confirmed)?;
        Ok(false)
    })
}

/// Whether a queue with the same address could be made in its place.
fn take(shared: &Shared<Unconfirmed>, steps: &Steps) -> Taken {
    let taken = shared.step_by_step(steps, |tx, (user, _, order)| {
        let data = new_conn_data(*user, &format!("other {order}"));
        let queue = new_snd_queue(&format!("first {order}"));
        tx.create_snd_conn(&mut SmallRng::seed_from_u64(1), &data, &queue)
    });
    match taken {
        Ok(_) => Ok(true),
        Err(StoreError::SndQueueExists) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Looks for a confirmed queue, and writes over what there is.
fn take_unguarded(shared: &Shared<Unconfirmed>, steps: &Steps) -> Taken {
    const LOOK: Sql = Sql::new(
        "look",
        "SELECT snd_queue_id FROM snd_queues WHERE snd_id = $1 AND status <> 'new'",
    );
    const WRITE: Sql = Sql::new("write", "UPDATE snd_queues SET status = 'new' WHERE snd_id = $1");
    shared.step_by_step(steps, |tx, (_, queue, _)| {
        if tx.statements().exists(&LOOK, &[&queue.snd_id])? {
            return Ok(false);
        }
        tx.statements().execute(&WRITE, &[&queue.snd_id])?;
        Ok(true)
    })
}

/// Whoever comes last, the queue is confirmed: its confirmation was not written over.
fn confirmation_is_lost(shared: &Shared<Unconfirmed>, taken: &[Taken]) -> Option<String> {
    let query = "SELECT status FROM snd_queues WHERE snd_id = $1";
    let status = shared
        .test
        .query(query, &[&shared.made.1.snd_id], |row| row.next::<QueueStatus>("snd_queues.status"));
    let lost = taken.iter().any(Result::is_err) || status != [QueueStatus::Confirmed];
    lost.then(|| format!("{taken:?}, and the queue is {status:?}"))
}

#[test]
fn as42_a_queue_that_is_confirmed_at_this_moment_is_not_taken_over() {
    let sessions: Vec<Runs<_, _>> = vec![("confirms", confirm), ("takes", take)];
    Race { make: unconfirmed, sessions, wrong: confirmation_is_lost }.never_goes_wrong();
}

#[test]
fn twin_as42_who_only_looks_before_takes_over_a_confirmed_queue() {
    let sessions: Vec<Runs<_, _>> = vec![("confirms", confirm), ("takes", take_unguarded)];
    Race { make: unconfirmed, sessions, wrong: confirmation_is_lost }.goes_wrong();
}

type Made = Result<ConnId, StoreError>;

fn user(test: &TestStore, order: usize) -> (UserId, u64) {
    (test.user(), order as u64)
}

/// A connection with a random id; everybody's generator has the same seed. Then something else is done in the same
/// transaction.
fn create(shared: &Shared<(UserId, u64)>, steps: &Steps) -> Made {
    shared.step_by_step(steps, |tx, (user, seed)| {
        let mut rng = SmallRng::seed_from_u64(*seed);
        let data = NewConnData { conn_id: None, ..new_conn_data(*user, "") };
        let conn_id = tx.create_new_conn(&mut rng, &data, ConnectionMode::Invitation)?;
        tx.set_conn_pq_support(&conn_id, true)?;
        Ok(conn_id)
    })
}

/// Tries ids without a savepoint.
fn create_unguarded(shared: &Shared<(UserId, u64)>, steps: &Steps) -> Made {
    const INSERT: Sql = Sql::new(
        "insert",
        "INSERT INTO connections (conn_id, conn_mode, user_id) VALUES ($1, 'INV', $2)",
    );
    shared.step_by_step(steps, |tx, (user, seed)| -> TxResult<ConnId> {
        let mut last = None;
        for attempt in 0..3 {
            let conn_id = ConnId::from_bytes(format!("id {seed} {attempt}").as_bytes()).unwrap();
            match tx.statements().execute(&INSERT, &[&conn_id, user]) {
                Ok(_) => return Ok(conn_id),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap().into())
    })
}

fn ids_are_wrong(_: &Shared<(UserId, u64)>, ids: &[Made]) -> Option<String> {
    let made: std::collections::BTreeSet<&ConnId> = ids.iter().flatten().collect();
    (made.len() != ids.len()).then(|| format!("{ids:?}"))
}

#[test]
fn as39_an_id_that_another_takes_at_this_moment_is_replaced_and_the_transaction_goes_on() {
    let sessions: Vec<Runs<_, _>> = vec![("one", create), ("other", create)];
    Race { make: user, sessions, wrong: ids_are_wrong }.never_goes_wrong();
}

#[test]
fn twin_as39_without_a_savepoint_a_taken_id_ends_the_transaction() {
    let sessions: Vec<Runs<_, _>> = vec![("one", create_unguarded), ("other", create_unguarded)];
    Race { make: user, sessions, wrong: ids_are_wrong }.goes_wrong();
}

type Service = Result<ClientService, StoreError>;

/// A service of the user at one router; each brings credentials of its own.
fn serve(shared: &Shared<New>, steps: &Steps, number: u8) -> Service {
    shared.step_by_step(steps, |tx, made| {
        tx.create_client_service(made.user, &smp_server(), &credentials(number))
    })
}

/// There is one, and both were given it.
fn services_are_wrong(shared: &Shared<New>, services: &[Service]) -> Option<String> {
    let query = "SELECT count(*) AS count FROM client_services WHERE user_id = $1";
    let count = shared.test.query(query, &[&shared.made.user], |row| row.next::<i64>("s.count"));
    let same = services[0] == services[1] && services[0].is_ok();
    (count != [1] || !same).then(|| format!("{} services, {services:?}", count[0]))
}

#[test]
fn q2_a_user_has_one_service_at_a_router_whoever_makes_it() {
    let sessions: Vec<Runs<_, _>> = vec![
        ("one", |shared, steps| serve(shared, steps, 1)),
        ("other", |shared, steps| serve(shared, steps, 2)),
    ];
    Race { make: new, sessions, wrong: services_are_wrong }.never_goes_wrong();
}

#[test]
fn twin_q2_without_the_lock_on_the_user_there_are_two() {
    const OUT: &[&str] = &["lock a user to create a service"];
    let sessions: Vec<Runs<_, _>> = vec![
        ("one", |shared, steps| without_locks(OUT, || serve(shared, steps, 1))),
        ("other", |shared, steps| without_locks(OUT, || serve(shared, steps, 2))),
    ];
    Race { make: new, sessions, wrong: services_are_wrong }.goes_wrong();
}
