//! RACE-25: grouping from several snapshots.
//!
//! **The race.** Notifications are grouped by asking the set of each service in turn, and then the notifier index. Meanwhile a notifier
//! moves from a service that is asked later to one that was asked before.
//!
//! ```text
//! A   asks S1: not there ...................   asks S2: not there   asks the index: known
//! B                        moves n: S2 -> S1
//! ```
//!
//! **What follows.** The notification falls into the group of those without a service and isn't delivered in this round.
//!
//! **What the library does.** The whole list is decided in one transaction: under `Strict` by the notifiers' records, under `Reference` by
//! the sets of one moment.

use crate::whole::{BOTH, add_with_notifier, with_services};
use loom_tests::scenario::{Store, two};
use loom_tests::{explore, must_fail, must_find_steps};
use simplex_stores::protocol::{Semantics, ServiceId, ServiceParty, ServiceRole};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::sync::Mutex;
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

const NTF: ServiceParty = ServiceParty::Notifier;

#[test]
fn witness_a_notifier_that_moves_is_in_no_service() {
    must_find_steps("race_25/witness", 2, |steps| {
        // The service that the notifier is in.
        let shared = Arc::new(Mutex::new(2));
        let (other, log) = (shared.clone(), steps.clone());
        let (in_none, ()) = two(
            move || {
                for service in [1, 2] {
                    let place = other.lock();
                    let answer = if *place == service { "there" } else { "not there" };
                    log.take("A", format!("asks S{service} for notifier n: {answer}"));
                    if *place == service {
                        return false;
                    }
                }
                log.take("A", "asks the notifier index: n is known, so it has no service");
                true
            },
            || {
                let mut place = shared.lock();
                *place = 1;
                steps.take("B", "moves n from S2 to S1");
            },
        );
        in_none
    });
}

type Group = fn(&Store) -> Option<ServiceId>;

/// A notifier moves between the services while its notification is grouped.
fn grouped_while_moving(semantics: Semantics, from: u8, to: u8, group: Group) {
    let store = with_services(semantics, ServiceRole::Notifier);
    let queue = add_with_notifier(&store, 1, Some(from));
    let other = store.clone();
    let service = Some(sample::service_id(to));
    let moving = move || other.set_queue_service(&queue, NTF, service).unwrap();
    let ((), service) = two(moving, || group(&store));
    let either = [from, to].map(|number| Some(sample::service_id(number)));
    assert!(either.contains(&service), "the notification falls into the group {service:?}");
}

const REAL: Group = |store| {
    let groups = store.group_by_ntf_service(vec![(sample::notifier(1), ())]).unwrap();
    assert!(groups.deleted.is_empty());
    let mut found = groups.services.into_iter().filter(|(_, ntfs)| !ntfs.is_empty());
    let (service, ntfs) = found.next().unwrap();
    assert!(found.next().is_none() && ntfs.len() == 1);
    service
};

#[test]
fn proof_a_notification_goes_to_the_old_or_the_new_service() {
    for (semantics, name) in BOTH {
        for (from, to) in [(2, 1), (1, 2)] {
            explore(&format!("race_25/store/{name}/{from}_{to}"), 3, move || {
                grouped_while_moving(semantics, from, to, REAL);
            });
        }
    }
}

/// Each service asked in a transaction of its own.
#[test]
fn twin_services_asked_one_by_one_miss_the_notification() {
    must_fail("race_25/one_by_one", 2, "the notification falls into the group None", || {
        grouped_while_moving(Semantics::Strict, 2, 1, |store| {
            let services = [1, 2].map(sample::service_id);
            let has = |id: &ServiceId| store.service_count_hash(NTF, id).unwrap().count == 1;
            services.into_iter().find(has)
        });
    });
}
