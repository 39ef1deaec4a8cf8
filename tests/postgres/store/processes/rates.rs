//! How many calls a second one, two and four processes make on one server, with and without caches: figures for
//! `docs/scaling.md`, not a test.
//!
//! ```sh
//! cargo test --release --features testing,postgres --test postgres -- --ignored --nocapture rates_of
//! ```

use std::time::Instant;

use simplex_stores::protocol::{EntityId, QueueRec, RecipientId, SenderId};
use simplex_stores::queue_store::QueueStore as _;
use simplex_stores::testing::queue_store::sample;

use super::Children;
use crate::store::support::Databases;

/// How many queues all of them work on.
const QUEUES: u64 = 5000;
/// How many calls each process makes.
const CALLS: u64 = 5_000;

pub(super) fn recipient(number: u64) -> RecipientId {
    id(b'r', number)
}

fn id<Id: From<EntityId>>(kind: u8, number: u64) -> Id {
    let mut bytes = [kind; 24];
    bytes[16..].copy_from_slice(&number.to_be_bytes());
    EntityId::from_bytes(&bytes).unwrap().into()
}

pub(super) fn sender(number: u64) -> SenderId {
    id(b's', number)
}

#[allow(clippy::print_stderr, reason = "figures")]
fn measure(databases: &Databases, processes: usize, use_cache: bool, changes: u64) {
    let mut children = Children::start(&databases.database, &vec![use_cache; processes]);
    children.tell_all(&format!("warm {QUEUES}"));
    let started = Instant::now();
    children.tell_all(&format!("rate {CALLS} {QUEUES} {changes}"));
    let rate = (CALLS * processes as u64) as f64 / started.elapsed().as_secs_f64();
    children.end();
    eprintln!("{changes}% changes, cached {use_cache}, {processes} processes: {rate:.0}/s");
}

#[test]
#[ignore = "figures for docs/scaling.md"]
fn rates_of_one_two_and_four_processes() {
    let databases = Databases::new();
    let sequence = "CREATE SEQUENCE public.moments";
    crate::fixture::client(&databases.database).batch_execute(sequence).unwrap();
    let store = databases.empty(&databases.config());
    for number in 0..QUEUES {
        let record = QueueRec { sender_id: sender(number), ..sample::record(1) };
        store.add_queue(recipient(number), record).unwrap();
    }
    store.close().unwrap();
    for changes in [0, 20, 100] {
        for use_cache in [false, true] {
            for processes in [1, 2, 4] {
                measure(&databases, processes, use_cache, changes);
            }
        }
    }
}
