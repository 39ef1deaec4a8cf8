//! A supervisor and a worker on one subscription for notifications (AS-79).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::NtfSubscription;
use simplex_stores::db::fault::without_locks;
use simplex_stores::testing::isolation::Steps;

use super::{Race, Runs, Shared};
use crate::fixture::TestStore;
use crate::ntf_subscriptions::{CHECK, CREATE, DELETE, columns, long_ago, prepare, queue_id, sub};

type Done = Result<(), StoreError>;

/// A subscription that a worker has taken.
fn subscription(test: &TestStore, order: usize) -> NtfSubscription {
    let user = prepare(test);
    sub(test, user, format!("connection {order}").as_bytes(), CREATE)
}

fn supervise(shared: &Shared<NtfSubscription>, steps: &Steps) -> Done {
    shared.step_by_step(steps, |tx, one| tx.supervisor_update_ntf_action(&one.conn_id, DELETE))
}

/// Writes down that it is done, and what is to be done next.
fn work(shared: &Shared<NtfSubscription>, steps: &Steps) -> Done {
    shared.step_by_step(steps, |tx, one| {
        let done = NtfSubscription { ntf_queue_id: Some(queue_id()), ..one.clone() };
        tx.update_ntf_subscription(&done, CHECK, long_ago())
    })
}

fn give_up(shared: &Shared<NtfSubscription>, steps: &Steps) -> Done {
    shared.step_by_step(steps, |tx, one| tx.set_null_ntf_subscription_action(&one.conn_id))
}

/// What the supervisor wants is what is to be done, whoever came first.
fn supervisor_is_overwritten(shared: &Shared<NtfSubscription>, done: &[Done]) -> Option<String> {
    let row = columns(&shared.test, &shared.made.conn_id).unwrap();
    let wrong = row.smp_action.as_deref() != Some("D") || row.ntf_action.is_some();
    (wrong || done.iter().any(Result::is_err))
        .then(|| format!("{done:?}: {:?}, {:?}", row.smp_action, row.ntf_action))
}

#[test]
fn as79_a_worker_does_not_overwrite_what_the_supervisor_writes_meanwhile() {
    let sessions: Vec<Runs<_, _>> = vec![("supervisor", supervise), ("worker", work)];
    Race { make: subscription, sessions, wrong: supervisor_is_overwritten }.never_goes_wrong();
}

#[test]
fn as80_a_worker_that_gives_up_does_not_clear_what_the_supervisor_writes_meanwhile() {
    let sessions: Vec<Runs<_, _>> = vec![("supervisor", supervise), ("worker", give_up)];
    Race { make: subscription, sessions, wrong: supervisor_is_overwritten }.never_goes_wrong();
}

const OUT: &[&str] = &["look whether the supervisor changed a subscription"];

#[test]
fn twin_as79_without_the_lock_on_the_subscription_it_does() {
    let sessions: Vec<Runs<_, _>> = vec![
        ("supervisor", supervise),
        ("worker", |shared, steps| without_locks(OUT, || work(shared, steps))),
    ];
    Race { make: subscription, sessions, wrong: supervisor_is_overwritten }.goes_wrong();
}

#[test]
fn twin_as80_without_the_lock_on_the_subscription_it_does() {
    let sessions: Vec<Runs<_, _>> = vec![
        ("supervisor", supervise),
        ("worker", |shared, steps| without_locks(OUT, || give_up(shared, steps))),
    ];
    Race { make: subscription, sessions, wrong: supervisor_is_overwritten }.goes_wrong();
}
