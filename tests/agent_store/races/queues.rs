//! Queues that take each other's place, and the counters of services (AS-15, AS-56).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;
use simplex_stores::db::Sql;
use simplex_stores::protocol::IdsHash;
use simplex_stores::testing::isolation::Steps;

use super::{Race, Runs, Shared};
use crate::client_services::credentials;
use crate::connection_fixture::smp_server;
use crate::fixture::TestStore;

/// A connection's receive queues: the primary one and two more.
type Three = [RcvQueue; 3];
type Done = Result<(), StoreError>;

fn three(test: &TestStore, order: usize) -> Three {
    let (first, _) = test.duplex(test.user(), &format!("connection {order}"));
    let [second, third] = ["second", "third"]
        .map(|name| test.more_rcv(&first.conn_id, &format!("{name} {order}"), false, None));
    [first, second, third]
}

fn switch(shared: &Shared<Three>, steps: &Steps, to: usize) -> Done {
    shared.step_by_step(steps, |tx, queues| {
        tx.set_rcv_queue_primary(&queues[to].conn_id, &queues[to])
    })
}

/// Takes the mark only from the queue that has it.
fn switch_unguarded(shared: &Shared<Three>, steps: &Steps, to: usize) -> Done {
    const TAKE: Sql = Sql::new(
        "take",
        "UPDATE rcv_queues SET rcv_primary = 0 WHERE conn_id = $1 AND rcv_primary = 1",
    );
    const GIVE: Sql = Sql::new(
        "give",
        "UPDATE rcv_queues SET rcv_primary = 1 WHERE conn_id = $1 AND rcv_queue_id = $2",
    );
    shared.step_by_step(steps, |tx, queues| {
        let queue = &queues[to];
        tx.statements().execute(&TAKE, &[&queue.conn_id])?;
        tx.statements().execute(&GIVE, &[&queue.conn_id, &queue.number()])?;
        Ok(())
    })
}

fn not_one_is_primary(shared: &Shared<Three>, done: &[Done]) -> Option<String> {
    let query = "SELECT rcv_queue_id FROM rcv_queues WHERE conn_id = $1 AND rcv_primary = 1";
    let primary = shared
        .test
        .query(query, &[&shared.made[0].conn_id], |row| row.next::<i64>("rcv_queues.rcv_queue_id"));
    let wrong = primary.len() != 1 || primary == [1] || done.iter().any(Result::is_err);
    wrong.then(|| format!("{done:?}, and {primary:?} are primary"))
}

#[test]
fn as56_of_queues_that_become_primary_at_once_one_is() {
    let sessions: Vec<Runs<_, _>> = vec![
        ("second", |shared, steps| switch(shared, steps, 1)),
        ("third", |shared, steps| switch(shared, steps, 2)),
    ];
    Race { make: three, sessions, wrong: not_one_is_primary }.never_goes_wrong();
}

#[test]
fn twin_as56_when_only_the_primary_one_is_changed_two_are_primary() {
    let sessions: Vec<Runs<_, _>> = vec![
        ("second", |shared, steps| switch_unguarded(shared, steps, 1)),
        ("third", |shared, steps| switch_unguarded(shared, steps, 2)),
    ];
    Race { make: three, sessions, wrong: not_one_is_primary }.goes_wrong();
}

/// The same, of a user with a service at their router.
fn served(test: &TestStore, order: usize) -> Three {
    let queues = three(test, order);
    let user = queues[0].user_id;
    test.run(|tx| tx.create_client_service(user, &smp_server(), &credentials(1))).unwrap();
    queues
}

fn associate(shared: &Shared<Three>, steps: &Steps, which: usize) -> Done {
    shared.step_by_step(steps, |tx, queues| {
        tx.set_rcv_service_assocs(&smp_server(), &queues[which..=which])
    })
}

/// Associates a queue and deletes it.
fn come_and_go(shared: &Shared<Three>, steps: &Steps) -> Done {
    shared.step_by_step(steps, |tx, queues| {
        tx.set_rcv_service_assocs(&smp_server(), &queues[2..])?;
        tx.set_rcv_queue_deleted(&queues[2])
    })
}

/// Reads the service's count, and writes it one greater.
fn count_unguarded(shared: &Shared<Three>, steps: &Steps) -> Done {
    const READ: Sql =
        Sql::new("read", "SELECT service_queue_count FROM client_services WHERE user_id = $1");
    const WRITE: Sql =
        Sql::new("write", "UPDATE client_services SET service_queue_count = $2 WHERE user_id = $1");
    shared.step_by_step(steps, |tx, queues| {
        let user = queues[0].user_id;
        let count: i64 = tx
            .statements()
            .query_one(&READ, &[&user], |row| row.next("client_services.service_queue_count"))?;
        tx.statements().execute(&WRITE, &[&user, &(count + 1)])?;
        Ok(())
    })
}

/// The first two queues are counted, and the third isn't.
fn counters_are_wrong(shared: &Shared<Three>, done: &[Done]) -> Option<String> {
    let query = "SELECT service_queue_count, service_queue_ids_hash FROM client_services
                  WHERE user_id = $1";
    let found = shared.test.query(query, &[&shared.made[0].user_id], |row| {
        let count: i64 = row.next("client_services.service_queue_count")?;
        Ok((count, row.next::<Vec<u8>>("client_services.service_queue_ids_hash")?))
    });
    let hashes =
        shared.made[..2].iter().map(|queue| *IdsHash::of_id(queue.rcv_id.as_bytes()).as_bytes());
    let hash = hashes.reduce(|one, other| std::array::from_fn(|i| one[i] ^ other[i])).unwrap();
    let wrong = found != [(2, hash.to_vec())] || done.iter().any(Result::is_err);
    wrong.then(|| format!("{done:?}: {found:?}"))
}

#[test]
fn as15_queues_that_come_and_go_at_once_are_all_counted() {
    let sessions: Vec<Runs<_, _>> = vec![
        ("first", |shared, steps| associate(shared, steps, 0)),
        ("second", |shared, steps| associate(shared, steps, 1)),
        ("third", come_and_go),
    ];
    Race { make: served, sessions, wrong: counters_are_wrong }.never_goes_wrong();
}

#[test]
fn twin_as15_a_count_that_is_read_and_written_loses_a_queue() {
    let sessions: Vec<Runs<_, _>> = vec![("first", count_unguarded), ("second", count_unguarded)];
    let wrong = |shared: &Shared<Three>, _: &[Done]| {
        let query = "SELECT service_queue_count FROM client_services WHERE user_id = $1";
        let found = shared.test.query(query, &[&shared.made[0].user_id], |row| {
            row.next::<i64>("client_services.service_queue_count")
        });
        (found != [2]).then(|| format!("{found:?}"))
    };
    Race { make: served, sessions, wrong }.goes_wrong();
}
