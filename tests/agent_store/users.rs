//! Users (section 4.2).

use simplex_stores::agent_store::types::{ConnId, UserId};
use simplex_stores::agent_store::{AgentTx, StoreError, TxResult};
use simplex_stores::db::Sql;

use crate::fixture::{TestStore, on_each};

fn ids(test: &TestStore) -> Vec<UserId> {
    let mut ids = test.run(|tx| tx.get_user_ids()).unwrap();
    ids.sort_unstable();
    ids
}

fn rows(test: &TestStore) -> Vec<(i64, bool)> {
    test.query("SELECT user_id, deleted FROM users ORDER BY user_id", &[], |row| {
        Ok((row.next("users.user_id")?, row.next("users.deleted")?))
    })
}

#[test]
fn f001_f002_users_are_made_with_numbers_of_their_own() {
    on_each(|test| {
        assert!(ids(test).is_empty());
        let made = [test.user(), test.user(), test.user()];
        assert_eq!(ids(test), made);
        assert_eq!(rows(test), [(1, false), (2, false), (3, false)]);
    });
}

#[test]
fn f001_a_number_is_never_given_twice() {
    on_each(|test| {
        let first = test.user();
        test.run(|tx| tx.delete_user_record(first)).unwrap();
        assert!(test.user() > first);
    });
}

#[test]
fn f007_a_user_is_found_until_it_is_marked_as_deleted() {
    on_each(|test| {
        let user = test.user();
        assert_eq!(test.run(|tx| tx.check_user(user)), Ok(()));
        assert_eq!(test.run(|tx| tx.check_user(UserId(user.0 + 1))), Err(StoreError::UserNotFound));
        test.run(|tx| tx.set_user_deleted(user)).unwrap();
        assert_eq!(test.run(|tx| tx.check_user(user)), Err(StoreError::UserNotFound));
    });
}

#[test]
fn f003_deleting_a_user_takes_everything_below_it() {
    on_each(|test| {
        let [kept, gone] = [test.user(), test.user()];
        test.bare_connection(kept, b"kept");
        test.bare_connection(gone, b"gone");
        assert_eq!(test.run(|tx| tx.delete_user_record(gone)), Ok(()));
        assert_eq!(ids(test), [kept]);
        let connections = test.query("SELECT conn_id FROM connections", &[], |row| {
            row.next::<ConnId>("connections.conn_id")
        });
        assert_eq!(connections, [ConnId::from_bytes(b"kept").unwrap()]);
        let again = test.run(|tx| tx.delete_user_record(gone));
        assert_eq!(again, Err(StoreError::UserNotFound));
    });
}

#[test]
fn f003_a_user_that_is_marked_as_deleted_is_not_found_and_stays() {
    on_each(|test| {
        let user = test.user();
        test.run(|tx| tx.set_user_deleted(user)).unwrap();
        let deleted = test.run(|tx| tx.delete_user_record(user));
        assert_eq!(deleted, Err(StoreError::UserNotFound));
        assert_eq!(rows(test), [(user.0, true)]);
    });
}

#[test]
fn f004_marking_a_user_gives_all_its_connections_whatever_their_state() {
    on_each(|test| {
        let [user, other] = [test.user(), test.user()];
        let live = test.bare_connection(user, b"live");
        let deleted = test.bare_connection(user, b"deleted");
        test.bare_connection(other, b"of another");
        test.execute("UPDATE connections SET deleted = 1 WHERE conn_id = $1", &[&deleted]);
        let mut connections = test.run(|tx| tx.set_user_deleted(user)).unwrap();
        connections.sort();
        assert_eq!(connections, [deleted, live]);
        assert_eq!(ids(test), [other]);
        let again = test.run(|tx| tx.set_user_deleted(user));
        assert_eq!(again, Err(StoreError::UserNotFound));
        let missing = test.run(|tx| tx.set_user_deleted(UserId(99)));
        assert_eq!(missing, Err(StoreError::UserNotFound));
    });
}

#[test]
fn f005_only_a_marked_user_without_connections_is_deleted() {
    on_each(|test| {
        let user = test.user();
        let try_it = || test.run(|tx| tx.delete_user_without_conns(user)).unwrap();
        assert!(!try_it(), "it isn't marked");
        let connection = test.bare_connection(user, b"connection");
        test.run(|tx| tx.set_user_deleted(user)).unwrap();
        assert!(!try_it(), "it has a connection");
        test.execute("UPDATE connections SET deleted = 1", &[]);
        assert!(!try_it(), "it has one that is marked as deleted");
        test.execute("DELETE FROM connections WHERE conn_id = $1", &[&connection]);
        assert!(try_it());
        assert!(!try_it(), "it is gone");
        assert!(rows(test).is_empty());
    });
}

#[test]
fn f006_all_marked_users_without_connections_are_deleted() {
    on_each(|test| {
        let users = [test.user(), test.user(), test.user(), test.user()];
        let [live, with_connection, first, second] = users;
        test.bare_connection(with_connection, b"connection");
        for user in [with_connection, first, second] {
            test.run(|tx| tx.set_user_deleted(user)).unwrap();
        }
        let mut deleted = test.run(|tx| tx.delete_users_without_conns()).unwrap();
        deleted.sort_unstable();
        assert_eq!(deleted, [first, second]);
        assert_eq!(rows(test), [(live.0, false), (with_connection.0, true)]);
        assert!(test.run(|tx| tx.delete_users_without_conns()).unwrap().is_empty());
    });
}

#[test]
fn f005_f006_a_connection_that_is_being_made_is_waited_for_and_kept() {
    const MAKE: Sql = Sql::new(
        "make a connection",
        "INSERT INTO connections (conn_id, conn_mode, user_id) VALUES ($1, 'INV', $2)",
    );
    type Delete = fn(&mut AgentTx<'_>, UserId) -> TxResult<bool>;
    let deletes: [Delete; 2] = [
        |tx, user| tx.delete_user_without_conns(user),
        |tx, _| Ok(!tx.delete_users_without_conns()?.is_empty()),
    ];
    for delete in deletes {
        on_each(|test| {
            let user = test.user();
            test.run(|tx| tx.set_user_deleted(user)).unwrap();
            let deleted = test.beside(
                |tx| {
                    tx.statements().execute(&MAKE, &[&b"connection", &user])?;
                    Ok(())
                },
                move |tx| delete(tx, user),
            );
            assert_eq!(deleted, Ok(false));
            assert_eq!(rows(test), [(user.0, true)]);
            assert_eq!(test.run(|tx| tx.get_conn_ids()).unwrap().len(), 1);
        });
    }
}
