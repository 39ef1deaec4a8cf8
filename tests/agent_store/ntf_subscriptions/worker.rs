//! What a worker writes, beside the supervisor (F-149 to F-152).

use simplex_stores::agent_store::types::{NtfAgentSubStatus, NtfSubStatus, NtfSubscription};
use simplex_stores::db::UtcTime;
use simplex_stores::protocol::Semantics;

use super::*;
use crate::fixture::{on_each, on_each_with};

/// What a worker made of it; it was on other routers before the supervisor changed them.
fn done(sub: &NtfSubscription) -> NtfSubscription {
    NtfSubscription {
        smp_server: other_smp(),
        ntf_queue_id: Some(queue_id()),
        ntf_server: other_ntf(),
        ntf_sub_id: Some(sub_id()),
        ntf_sub_status: NtfAgentSubStatus::Created(NtfSubStatus::New),
        ..sub.clone()
    }
}

fn done_columns(ntf_action: Option<&str>, smp_action: Option<&str>) -> Columns {
    Columns {
        smp_ntf_id: Some(b"queue".to_vec()),
        ntf_sub_id: Some(b"sub".to_vec()),
        status: "CREATED NEW".to_owned(),
        updated: true,
        ..Columns::new(ntf_action, smp_action)
    }
}

fn by_supervisor(test: &TestStore, sub: &NtfSubscription) {
    let set = "UPDATE ntf_subscriptions SET updated_by_supervisor = 1 WHERE conn_id = $1";
    test.execute(set, &[&sub.conn_id]);
}

#[test]
fn f149_a_worker_writes_what_it_did_and_what_is_next_but_not_the_message_router() {
    on_each(|test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", KEY);
        let other = sub(test, user, b"other", KEY);
        let due = time("2030-01-02 03:04:05.25");
        test.run(|tx| tx.update_ntf_subscription(&done(&one), CHECK, due)).unwrap();
        let written = Columns {
            ntf: "push.example:443".to_owned(),
            action_ts: Some(due),
            ..done_columns(Some("C"), None)
        };
        assert_eq!(columns(test, &one.conn_id), Some(written));
        assert_eq!(columns(test, &other.conn_id), Some(Columns::new(None, Some("K"))));
    });
}

#[test]
fn f149_as79_what_the_supervisor_wrote_stays_and_its_mark_is_cleared() {
    on_each(|test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", KEY);
        by_supervisor(test, &one);
        let write = |action| {
            test.run(|tx| tx.update_ntf_subscription(&done(&one), action, UtcTime::now())).unwrap();
            columns(test, &one.conn_id).unwrap()
        };
        assert_eq!(write(CHECK), done_columns(None, Some("K")));
        let next = write(CHECK);
        assert_eq!((next.ntf_action.as_deref(), next.smp_action), (Some("C"), None));
    });
}

#[test]
fn f149_to_f152_what_is_not_there_is_not_made() {
    on_each(|test| {
        let user = prepare(test);
        let one = new_sub(test, user, b"connection");
        test.run(|tx| {
            tx.update_ntf_subscription(&done(&one), CHECK, UtcTime::now())?;
            tx.set_null_ntf_subscription_action(&one.conn_id)?;
            tx.delete_ntf_subscription(&one.conn_id)?;
            tx.delete_ntf_subscription_record(&one.conn_id)
        })
        .unwrap();
        assert_eq!(columns(test, &one.conn_id), None);
    });
}

#[test]
fn f150_a_worker_that_failed_for_good_clears_the_action() {
    on_each(|test| {
        let user = prepare(test);
        let [ntf, smp] =
            [(&b"ntf"[..], CREATE), (b"smp", KEY)].map(|(id, action)| sub(test, user, id, action));
        for one in [ntf, smp] {
            test.run(|tx| tx.set_null_ntf_subscription_action(&one.conn_id)).unwrap();
            let cleared = Columns { action_ts: None, updated: true, ..Columns::new(None, None) };
            assert_eq!(columns(test, &one.conn_id), Some(cleared));
            assert_eq!(get(test, &one.conn_id).unwrap().action, None);
        }
    });
}

#[test]
fn f150_as80_an_action_of_the_supervisor_is_not_cleared() {
    on_each(|test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", KEY);
        by_supervisor(test, &one);
        test.run(|tx| tx.set_null_ntf_subscription_action(&one.conn_id)).unwrap();
        let expected = Columns { by_supervisor: 1, ..Columns::new(None, Some("K")) };
        assert_eq!(columns(test, &one.conn_id), Some(expected));
    });
}

#[test]
fn f151_a_worker_deletes_a_subscription() {
    on_each(|test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", DELETE);
        let other = sub(test, user, b"other", DELETE);
        test.run(|tx| tx.delete_ntf_subscription(&one.conn_id)).unwrap();
        assert_eq!(columns(test, &one.conn_id), None);
        assert_eq!(columns(test, &other.conn_id), Some(Columns::new(None, Some("D"))));
    });
}

#[test]
fn f151_as81_one_that_the_supervisor_changed_stays_as_deleted_until_the_next_time() {
    on_each(|test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", KEY);
        test.run(|tx| tx.update_ntf_subscription(&done(&one), KEY, long_ago())).unwrap();
        by_supervisor(test, &one);
        let delete = || test.run(|tx| tx.delete_ntf_subscription(&one.conn_id)).unwrap();
        delete();
        let stays = Columns {
            ntf: "push.example:443".to_owned(),
            status: "DELETED".to_owned(),
            updated: true,
            ..Columns::new(None, Some("K"))
        };
        assert_eq!(columns(test, &one.conn_id), Some(stays));
        let found = get(test, &one.conn_id).unwrap();
        assert_eq!(found.subscription.ntf_sub_status, NtfAgentSubStatus::Deleted);
        assert_eq!(found.action, Some((KEY, long_ago())));
        delete();
        assert_eq!(columns(test, &one.conn_id), None);
    });
}

#[test]
fn f152_the_record_is_deleted_whoever_wrote_it() {
    on_each(|test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", KEY);
        let other = sub(test, user, b"other", KEY);
        by_supervisor(test, &one);
        test.run(|tx| tx.delete_ntf_subscription_record(&one.conn_id)).unwrap();
        assert_eq!(columns(test, &one.conn_id), None);
        assert_eq!(columns(test, &other.conn_id), Some(Columns::new(None, Some("K"))));
    });
}

/// The marks of failure after each way to write an action; the last one writes none, as the supervisor's
/// stays.
fn marks_after_writing(semantics: Semantics, check: impl Fn([(i64, i64); 4])) {
    on_each_with(semantics, |test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", KEY);
        let marks = |write: &dyn Fn()| {
            fail(test, &one.conn_id);
            write();
            columns(test, &one.conn_id).unwrap().failed
        };
        let worker = || {
            test.run(|tx| tx.update_ntf_subscription(&one, CHECK, UtcTime::now())).unwrap();
        };
        check([
            marks(&worker),
            marks(&|| test.run(|tx| tx.supervisor_update_ntf_sub(&one, CHECK)).unwrap()),
            marks(&|| test.run(|tx| tx.supervisor_update_ntf_action(&one.conn_id, KEY)).unwrap()),
            marks(&worker),
        ]);
    });
}

#[test]
fn q8_whoever_writes_an_action_clears_the_marks_of_failure() {
    marks_after_writing(Semantics::Strict, |marks| {
        assert_eq!(marks, [(0, 0), (0, 0), (0, 0), (1, 1)]);
    });
}

#[test]
fn as83_q8_under_reference_nothing_clears_the_marks_of_failure() {
    marks_after_writing(Semantics::Reference, |marks| assert_eq!(marks, [(1, 1); 4]));
}
