//! Rows that can't be read, or not as what they should be.

use simplex_stores::db::DbErrorKind;
use simplex_stores::protocol::{LinkData, Semantics};
use simplex_stores::queue_store::database::{QueueDatabase, ReadRow};
use simplex_stores::testing::queue_store::sample;

use super::{BOTH, add, full, queues, record};
use crate::fixture;

#[test]
fn race16_an_unreadable_row_spoils_no_other_under_strict() {
    let (database, queues) = queues(Semantics::Strict);
    for number in 1..=3 {
        add(&queues, number, &full(number));
    }
    let spoil = "UPDATE msg_queues SET status = 'hunter2' WHERE recipient_id = $1";
    let spoiled = sample::recipient(2);
    fixture::client(&database).execute(spoil, &[&spoiled.as_bytes()]).unwrap();
    let unreadable = DbErrorKind::Row { table: "msg_queues", column: "status" };
    let check = |found: Vec<ReadRow>| {
        assert_eq!(found.len(), 3);
        for (id, read) in found {
            match read {
                Ok(record) => assert!(id != spoiled && record == full(id.as_bytes()[1])),
                Err(error) => assert!(id == spoiled && *error.kind() == unreadable, "{error}"),
            }
        }
    };
    let ids: Vec<_> = (1..=3).map(sample::recipient).collect();
    check(queues.find_queues(&ids).unwrap());
    let notifiers: Vec<_> = (1..=3).map(sample::notifier).collect();
    let found = queues.find_queues_by_notifier(&notifiers).unwrap();
    assert!(found.iter().all(|(notifier, (id, _))| notifier.as_bytes()[1..] == id.as_bytes()[1..]));
    check(found.into_iter().map(|(_, row)| row).collect());
    let error = queues.find_queue(&spoiled.into()).unwrap_err();
    assert_eq!(*error.kind(), unreadable);
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn pg41_under_reference_an_unreadable_row_fails_the_whole_query() {
    let (database, queues) = queues(Semantics::Reference);
    for number in 1..=3 {
        add(&queues, number, &full(number));
    }
    let spoil = "UPDATE msg_queues SET status = '' WHERE recipient_id = $1";
    fixture::client(&database).execute(spoil, &[&sample::recipient(2).as_bytes()]).unwrap();
    let ids: Vec<_> = (1..=3).map(sample::recipient).collect();
    assert!(queues.find_queues(&ids).is_err());
    let notifiers: Vec<_> = (1..=3).map(sample::notifier).collect();
    assert!(queues.find_queues_by_notifier(&notifiers).is_err());
    assert_eq!(queues.find_queues(&[sample::recipient(1)]).unwrap().len(), 1);
}

#[test]
fn a_row_without_a_recipient_id_is_passed_over_in_a_batch() {
    let (database, queues) = queues(Semantics::Strict);
    add(&queues, 1, &full(1));
    add(&queues, 2, &full(2));
    let spoil = "UPDATE msg_queues SET recipient_id = '' WHERE recipient_id = $1";
    fixture::client(&database).execute(spoil, &[&sample::recipient(1).as_bytes()]).unwrap();
    let found =
        queues.find_queues_by_notifier(&[sample::notifier(1), sample::notifier(2)]).unwrap();
    assert_eq!(found, [(sample::notifier(2), (sample::recipient(2), Ok(full(2))))]);
    assert!(queues.find_queue(&sample::sender(1).into()).is_err());
}

#[test]
fn pg32_a_notifier_without_all_its_columns_is_nowhere_found() {
    for column in ["notifier_key", "rcv_ntf_dh_secret"] {
        for semantics in BOTH {
            let (database, queues) = queues(semantics);
            let id = add(&queues, 1, &full(1));
            let spoil = format!("UPDATE msg_queues SET {column} = NULL");
            fixture::client(&database).execute(&spoil, &[]).unwrap();
            assert_eq!(queues.find_queue(&sample::notifier(1).into()), Ok(None));
            assert_eq!(queues.find_queues_by_notifier(&[sample::notifier(1)]), Ok(vec![]));
            assert_eq!(queues.ntf_services(&[sample::notifier(1)]).unwrap().notifiers, []);
            assert_eq!(record(&queues, &id).unwrap().notifier, None);
            assert_eq!(queues.delete_notifier(&id), Ok(None));
        }
    }
}

#[test]
fn race59_a_part_of_link_data_that_is_null_is_empty_under_strict_and_an_error_under_reference() {
    for semantics in BOTH {
        let (database, queues) = queues(semantics);
        let id = add(&queues, 1, &full(1));
        fixture::client(&database).execute("UPDATE msg_queues SET user_data = NULL", &[]).unwrap();
        let data = queues.link_data(&id, &sample::link(1));
        match semantics {
            Semantics::Strict => {
                let fixed = sample::link_data(1, 1).fixed;
                assert_eq!(data, Ok(Some(LinkData { fixed, ..LinkData::default() })));
            }
            Semantics::Reference => {
                let unreadable = DbErrorKind::Row { table: "msg_queues", column: "user_data" };
                assert_eq!(*data.unwrap_err().kind(), unreadable);
            }
        }
        // What was never set may be set (PG-21).
        fixture::client(&database).execute("UPDATE msg_queues SET fixed_data = NULL", &[]).unwrap();
        let mut link = *full(1).link.unwrap();
        link.data = sample::link_data(9, 9);
        assert_eq!(queues.set_link(&id, &link), Ok(()));
        assert_eq!(queues.link_data(&id, &sample::link(1)), Ok(Some(sample::link_data(9, 9))));
    }
}
