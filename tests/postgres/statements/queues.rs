//! Adding, changing, deleting and purging queues.

use simplex_stores::protocol::{
    BlockingInfo, BlockingReason, EntityStatus, LinkData, QueueLink, QueueRec, RoundedDate,
    Semantics, ServiceParty,
};
use simplex_stores::queue_store::database::{QueueDatabase, Refusal, StatementError};
use simplex_stores::testing::queue_store::sample;

use super::{BOTH, add, full, queues, record};

fn missing<T>() -> Result<T, StatementError> {
    Err(StatementError::Refused(Refusal::Missing))
}

#[test]
fn a_queue_is_found_by_each_of_its_ids() {
    let (_database, queues) = queues(Semantics::Strict);
    let (id, added) = (sample::recipient(1), full(1));
    add(&queues, 1, &added);
    add(&queues, 2, &full(2));
    let keys = [
        id.clone().into(),
        sample::sender(1).into(),
        sample::notifier(1).into(),
        sample::link(1).into(),
    ];
    for key in keys {
        assert_eq!(queues.find_queue(&key), Ok(Some((id.clone(), added.clone()))), "{key:?}");
    }
    assert_eq!(queues.find_queue(&sample::sender(3).into()), Ok(None));
    let found = queues.find_queues(&[sample::recipient(2), id.clone(), sample::recipient(3)]);
    let mut found: Vec<_> =
        found.unwrap().into_iter().map(|(id, one)| (id, one.unwrap())).collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(found, [(id, added), (sample::recipient(2), full(2))]);
    let found =
        queues.find_queues_by_notifier(&[sample::notifier(2), sample::notifier(3)]).unwrap();
    assert_eq!(found, [(sample::notifier(2), (sample::recipient(2), Ok(full(2))))]);
}

#[test]
fn pg10_a_deleted_queue_is_nowhere_found_changed_or_counted() {
    for semantics in BOTH {
        let (_database, queues) = queues(semantics);
        let id = add(&queues, 1, &full(1));
        assert_eq!(queues.delete_queue(&id, 7), Ok(full(1)));
        assert_eq!(queues.delete_queue(&id, 8), missing());
        for key in [
            id.clone().into(),
            sample::sender(1).into(),
            sample::notifier(1).into(),
            sample::link(1).into(),
        ] {
            assert_eq!(queues.find_queue(&key), Ok(None));
        }
        assert_eq!(queues.find_queues(std::slice::from_ref(&id)), Ok(vec![]));
        assert_eq!(queues.find_queues_by_notifier(&[sample::notifier(1)]), Ok(vec![]));
        assert_eq!(queues.link_data(&id, &sample::link(1)), Ok(None));
        assert_eq!(queues.set_link(&id, &full(1).link.unwrap()), missing());
        assert_eq!(queues.delete_link(&id), missing());
        assert_eq!(queues.set_sender_key(&id, &sample::key(1)), missing());
        assert_eq!(queues.set_recipient_keys(&id, &sample::keys(2)), missing());
        assert_eq!(queues.set_status(&id, &EntityStatus::Off), missing());
        assert_eq!(queues.set_date(&id, RoundedDate::from_seconds(0)), missing());
        assert_eq!(queues.set_notifier(&id, &sample::creds(2, None)), missing());
        assert_eq!(queues.delete_notifier(&id), missing());
        let ids = std::slice::from_ref(&id);
        let results = queues.set_services(ServiceParty::Receiver, None, ids).unwrap();
        assert_eq!(results, [(id, Err(Refusal::Missing))]);
        assert_eq!(queues.ntf_services(&[sample::notifier(1)]).unwrap().notifiers, []);
        assert_eq!(queues.counts(), Ok(Default::default()));
    }
}

#[test]
fn pg22_what_changed_no_row_is_missing_whatever_the_cause() {
    for semantics in BOTH {
        let (_database, queues) = queues(semantics);
        let id = add(&queues, 1, &full(1));
        assert_eq!(queues.set_sender_key(&id, &sample::key(2)), missing());
        let other = QueueLink { id: sample::link(2), ..*full(1).link.unwrap() };
        assert_eq!(queues.set_link(&id, &other), missing());
        assert_eq!(queues.set_sender_key(&sample::recipient(2), &sample::key(2)), missing());
        assert_eq!(queues.link_data(&id, &sample::link(2)), Ok(None));
    }
}

#[test]
fn pg12_the_same_sender_key_is_set_again_and_no_other() {
    for semantics in BOTH {
        let (_database, queues) = queues(semantics);
        let id = add(&queues, 1, &sample::record(1));
        for _ in 0..2 {
            assert_eq!(queues.set_sender_key(&id, &sample::key(4)), Ok(()));
        }
        assert_eq!(queues.set_sender_key(&id, &sample::key(5)), missing());
        assert_eq!(record(&queues, &id).unwrap().sender_key, Some(sample::key(4)));
    }
}

#[test]
fn pg21_the_fixed_part_of_link_data_is_set_only_once() {
    for semantics in BOTH {
        let (_database, queues) = queues(semantics);
        let id = add(&queues, 1, &sample::record(1));
        let link =
            |fixed, user| QueueLink { id: sample::link(1), data: sample::link_data(fixed, user) };
        assert_eq!(queues.set_link(&id, &link(1, 1)), Ok(()));
        assert_eq!(queues.set_link(&id, &link(1, 2)), Ok(()));
        assert_eq!(queues.set_link(&id, &link(2, 2)), missing());
        assert_eq!(queues.link_data(&id, &sample::link(1)), Ok(Some(sample::link_data(1, 2))));
        assert_eq!(queues.delete_link(&id), Ok(()));
        assert_eq!(queues.delete_link(&id), Ok(()));
        assert_eq!(queues.link_data(&id, &sample::link(1)), Ok(None));
        assert_eq!(queues.set_link(&id, &link(2, 2)), Ok(()));
    }
}

#[test]
fn race39_link_data_are_read_by_both_ids() {
    let (_database, queues) = queues(Semantics::Strict);
    let (one, two) = (add(&queues, 1, &full(1)), add(&queues, 2, &sample::record(2)));
    queues.delete_link(&one).unwrap();
    queues.set_link(&two, &full(1).link.unwrap()).unwrap();
    assert_eq!(queues.link_data(&one, &sample::link(1)), Ok(None));
    assert_eq!(queues.link_data(&two, &sample::link(1)), Ok(Some(sample::link_data(1, 1))));
}

#[test]
fn each_field_is_changed_and_nothing_else() {
    for semantics in BOTH {
        let (_database, queues) = queues(semantics);
        let mut expected = QueueRec { link: None, ..full(1) };
        let id = add(&queues, 1, &expected);
        queues.set_recipient_keys(&id, &sample::keys(9)).unwrap();
        expected.recipient_keys = sample::keys(9);
        let blocked =
            EntityStatus::Blocked(BlockingInfo { reason: BlockingReason::Spam, notice: None });
        for status in [EntityStatus::Off, blocked, EntityStatus::Active, EntityStatus::Off] {
            queues.set_status(&id, &status).unwrap();
            expected.status = status;
            assert_eq!(record(&queues, &id), Some(expected.clone()));
        }
        let date = RoundedDate::from_seconds(1_700_000_000);
        expected.updated_at = Some(date);
        assert_eq!(queues.set_date(&id, date), Ok(expected.clone()));
        let replaced = queues.set_notifier(&id, &sample::creds(5, None));
        assert_eq!(replaced, Ok(Some(sample::creds(1, None))));
        assert_eq!(queues.delete_notifier(&id), Ok(Some(sample::creds(5, None))));
        assert_eq!(queues.delete_notifier(&id), Ok(None));
        expected.notifier = None;
        assert_eq!(queues.delete_queue(&id, 0), Ok(expected));
    }
}

#[test]
fn pg14_under_reference_what_is_found_has_a_link_without_its_data() {
    let (_database, queues) = queues(Semantics::Reference);
    let id = add(&queues, 1, &full(1));
    let mut stub = full(1);
    stub.link.as_mut().unwrap().data = LinkData::default();
    assert_eq!(record(&queues, &id), Some(stub.clone()));
    let found = queues.find_queues(std::slice::from_ref(&id)).unwrap();
    assert_eq!(found, [(id.clone(), Ok(stub))]);
    assert_eq!(queues.link_data(&id, &sample::link(1)), Ok(Some(sample::link_data(1, 1))));
}

#[test]
fn keys_that_the_column_cannot_hold_are_refused_before_anything_is_asked() {
    use simplex_stores::protocol::RecipientKeys;

    let (_database, queues) = queues(Semantics::Strict);
    let id = add(&queues, 1, &sample::record(1));
    let many = RecipientKeys::new(vec![sample::key(0); 256]).unwrap();
    let refused = queues.set_recipient_keys(&id, &many);
    assert!(matches!(refused, Err(StatementError::Failed(_))), "{refused:?}");
    assert_eq!(record(&queues, &id), Some(sample::record(1)));
}

#[test]
fn the_purge_removes_what_was_deleted_before_and_nothing_else() {
    for semantics in BOTH {
        let (database, queues) = queues(semantics);
        for number in 1..=4 {
            add(&queues, number, &sample::record(number));
        }
        for (number, at) in [(1, 10), (2, 20), (3, 30)] {
            queues.delete_queue(&sample::recipient(number), at).unwrap();
        }
        assert_eq!(queues.purge(20), Ok(1));
        assert_eq!(queues.purge(20), Ok(0));
        assert_eq!(queues.purge(31), Ok(2));
        let left = "SELECT recipient_id FROM msg_queues";
        let left = crate::fixture::client(&database).query(left, &[]).unwrap();
        assert_eq!(left.len(), 1);
        assert!(record(&queues, &sample::recipient(4)).is_some());
    }
}

#[test]
fn a_purge_of_more_rows_than_one_statement_removes_goes_on_to_the_end() {
    let (database, queues) = queues(Semantics::Strict);
    let many = "INSERT INTO msg_queues
        (recipient_id, recipient_keys, rcv_dh_secret, sender_id, status, deleted_at)
        SELECT int4send(n), '', '', int4send(n), 'active', 1 FROM generate_series(1, 20001) n";
    crate::fixture::client(&database).execute(many, &[]).unwrap();
    add(&queues, 1, &sample::record(1));
    assert_eq!(queues.purge(2), Ok(20_001));
    assert_eq!(queues.counts().unwrap().queues, 1);
}
