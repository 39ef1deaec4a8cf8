//! Deleting a service beside a change of one of its queues, whose trigger changes the service (AS-15).

use simplex_stores::agent_store::types::{RcvQueue, SmpServer, UserId};
use simplex_stores::agent_store::{AgentTx, StoreError, TxResult};
use simplex_stores::db::fault::without_locks;
use simplex_stores::testing::isolation::Steps;

use super::{Race, Runs, Shared};
use crate::client_services::credentials;
use crate::fixture::TestStore;
use crate::stored_queues::RcvRow;

/// A user with a service at a router, and a queue that the service has.
struct Served {
    user: UserId,
    server: SmpServer,
    queue: RcvQueue,
}

fn served(test: &TestStore, order: usize) -> Served {
    let user = test.user();
    let conn_id = test.bare_connection(user, format!("connection {order}").as_bytes());
    let server = test.router("a.example");
    test.run(|tx| tx.create_client_service(user, &server, &credentials(1))).unwrap();
    let number = u8::try_from(order).unwrap();
    let row = RcvRow::new(user, &conn_id, &server, number);
    RcvRow { service_assoc: true, ..row }.insert(test);
    Served { user, server, queue: test.rcv_queue(&conn_id, number) }
}

type Done = Result<(), StoreError>;

fn change(shared: &Shared<Served>, steps: &Steps) -> Done {
    shared.step_by_step(steps, |tx, made| tx.set_rcv_queue_deleted(&made.queue))
}

fn take_all(tx: &mut AgentTx<'_>, made: &Served) -> TxResult<()> {
    tx.delete_client_services(made.user)
}

fn take_and_list(tx: &mut AgentTx<'_>, made: &Served) -> TxResult<()> {
    tx.unassoc_user_server_rcv_queue_subs(made.user, &made.server).map(drop)
}

fn take(tx: &mut AgentTx<'_>, made: &Served) -> TxResult<()> {
    tx.unassoc_user_server_rcv_queue_subs_only(made.user, &made.server)
}

/// Both did what they should, and neither service nor association is left.
fn something_is_left(shared: &Shared<Served>, done: &[Done]) -> Option<String> {
    let count =
        |query| shared.test.query(query, &[&shared.made.user], |row| row.next::<i64>("t.count"))[0];
    let services = count("SELECT count(*) AS count FROM client_services WHERE user_id = $1");
    let queues = count(
        "SELECT count(*) AS count FROM rcv_queues q JOIN connections c ON c.conn_id = q.conn_id
          WHERE c.user_id = $1 AND (q.rcv_service_assoc <> 0 OR q.deleted = 0)",
    );
    let wrong = done.iter().any(Result::is_err) || (services, queues) != (0, 0);
    wrong.then(|| format!("{done:?}, {services} services and {queues} queues are left"))
}

fn race(delete: fn(&Shared<Served>, &Steps) -> Done) -> Race<Served, Done> {
    let sessions: Vec<Runs<_, _>> = vec![("delete", delete), ("change", change)];
    Race { make: served, sessions, wrong: something_is_left }
}

#[test]
fn f014_as15_deleting_a_user_s_services_and_changing_a_queue_do_not_wait_for_each_other() {
    race(|shared, steps| shared.step_by_step(steps, take_all)).never_goes_wrong();
}

#[test]
fn f024_as15_taking_queues_from_their_service_and_changing_one_do_not_wait_for_each_other() {
    race(|shared, steps| shared.step_by_step(steps, take_and_list)).never_goes_wrong();
}

#[test]
fn f025_as15_so_it_is_without_a_list() {
    race(|shared, steps| shared.step_by_step(steps, take)).never_goes_wrong();
}

const OUT: &[&str] =
    &["lock queues to take from their service", "lock a user's queues of services"];

#[test]
fn twin_f014_without_the_lock_on_the_queues_they_do() {
    race(|shared, steps| without_locks(OUT, || shared.step_by_step(steps, take_all))).goes_wrong();
}

#[test]
fn twin_f024_without_the_lock_on_the_queues_they_do() {
    race(|shared, steps| without_locks(OUT, || shared.step_by_step(steps, take_and_list)))
        .goes_wrong();
}

#[test]
fn twin_f025_without_the_lock_on_the_queues_they_do() {
    race(|shared, steps| without_locks(OUT, || shared.step_by_step(steps, take))).goes_wrong();
}
