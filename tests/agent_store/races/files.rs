//! Files whose routers are new, in another order in each description.

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{UserId, XftpServer};
use simplex_stores::testing::isolation::Steps;

use super::{Race, Runs, Shared};
use crate::fixture::TestStore;
use crate::rcv_files;

/// A user, and two routers that nobody has registered yet.
struct New {
    user: UserId,
    routers: [XftpServer; 2],
    order: u64,
}

fn new(test: &TestStore, order: usize) -> New {
    let routers = ["a", "b"].map(|name| rcv_files::router(&format!("{name}{order}.example")));
    New { user: test.user(), routers, order: order as u64 }
}

type Done = Result<(), StoreError>;

/// Where those who register the same routers meet.
const REGISTERING: &[&str] = &["register a file router", "commit"];

fn receive(shared: &Shared<New>, steps: &Steps, [first, second]: [usize; 2]) -> Done {
    let New { user, routers, order } = &shared.made;
    let replicas = [first, second].map(|index| rcv_files::replica(&routers[index], 1));
    let description = rcv_files::description(vec![rcv_files::chunk(1, &replicas)]);
    let seed = order * 2 + first as u64;
    let create = || rcv_files::create(&shared.test, *user, seed, &description);
    steps.at_statements(REGISTERING, create).map(drop)
}

fn register(shared: &Shared<New>, steps: &Steps, indices: [usize; 2]) -> Done {
    shared.steps_at(REGISTERING, steps, |tx, made| {
        indices
            .into_iter()
            .try_for_each(|index| tx.create_xftp_server(&made.routers[index]).map(drop))
    })
}

fn one_failed(_: &Shared<New>, done: &[Done]) -> Option<String> {
    done.iter().any(Result::is_err).then(|| format!("{done:?}"))
}

#[test]
fn f160_files_with_the_same_new_routers_do_not_wait_for_each_other() {
    let sessions: Vec<Runs<_, _>> = vec![
        ("one", |shared, steps| receive(shared, steps, [0, 1])),
        ("other", |shared, steps| receive(shared, steps, [1, 0])),
    ];
    Race { make: new, sessions, wrong: one_failed }.never_goes_wrong();
}

#[test]
fn twin_f160_registered_in_the_order_of_their_descriptions_they_do() {
    let sessions: Vec<Runs<_, _>> = vec![
        ("one", |shared, steps| register(shared, steps, [0, 1])),
        ("other", |shared, steps| register(shared, steps, [1, 0])),
    ];
    Race { make: new, sessions, wrong: one_failed }.goes_wrong();
}
