//! What a transaction keeps when an operation has no result, and the store's own opening and closing.

use std::io;
use std::time::Duration;

use simplex_stores::agent_store::types::{SmpServer, UserId};
use simplex_stores::agent_store::{AgentError, AgentStore, StoreError, TxError};
use simplex_stores::db::{DatabaseConfig, DbError, DbErrorKind, Priority, Sql};
use simplex_stores::protocol::Semantics;

use crate::fixture::{Place, TestStore, UP, on_each, on_each_with, server};

const TAKEN: Sql = Sql::new(
    "a taken id",
    "INSERT INTO connections (conn_id, conn_mode, user_id)
     SELECT conn_id, conn_mode, user_id FROM connections",
);

fn users(test: &TestStore) -> usize {
    test.run(|tx| tx.get_user_ids()).unwrap().len()
}

#[test]
fn as1_what_was_written_before_an_answer_is_committed() {
    on_each(|test| {
        let answered: Result<(), _> = test.run(|tx| {
            tx.create_user_record()?;
            Err(StoreError::ConnNotFound.into())
        });
        assert_eq!(answered, Err(StoreError::ConnNotFound));
        assert_eq!(users(test), 1);
    });
}

#[test]
fn as1_what_was_written_before_a_failure_is_taken_back() {
    on_each(|test| {
        let failed: Result<(), _> = test.run(|tx| {
            tx.create_user_record()?;
            Err(DbError::new("something", DbErrorKind::Other, "went wrong").into())
        });
        assert!(matches!(failed, Err(StoreError::Internal(text)) if text.contains("went wrong")));
        assert_eq!(users(test), 0);
    });
}

#[test]
fn as2_after_a_failed_statement_nothing_is_committed_and_an_answer_is_still_given() {
    on_each(|test| {
        let user = test.user();
        test.bare_connection(user, b"connection");
        let answered: Result<(), _> = test.run(|tx| {
            tx.create_user_record()?;
            assert!(tx.statements().execute(&TAKEN, &[]).is_err());
            Err(StoreError::ConnDuplicate.into())
        });
        assert_eq!(answered, Err(StoreError::ConnDuplicate));
        let passed_over = test.run(|tx| {
            tx.create_user_record()?;
            assert!(tx.statements().execute(&TAKEN, &[]).is_err());
            Ok(())
        });
        assert!(matches!(passed_over, Err(StoreError::Internal(_))), "{passed_over:?}");
        assert_eq!(users(test), 1);
    });
}

#[test]
fn as2_behind_a_savepoint_an_operation_may_fail_and_the_rest_is_committed() {
    on_each(|test| {
        let user = test.user();
        test.bare_connection(user, b"connection");
        test.run(|tx| {
            tx.create_user_record()?;
            let part = tx.savepoint(|tx| {
                tx.create_user_record()?;
                Ok(tx.statements().execute(&TAKEN, &[])?)
            });
            assert!(matches!(part, Err(TxError::Database(error)) if error.violation().is_some()));
            let answer: Result<(), _> = tx.savepoint(|tx| {
                tx.create_user_record()?;
                tx.check_user(UserId(99))
            });
            assert_eq!(answer, Err(StoreError::UserNotFound.into()));
            tx.create_user_record()
        })
        .unwrap();
        assert_eq!(users(test), 3);
    });
}

#[test]
fn as96_an_error_of_the_caller_s_own_comes_through() {
    on_each(|test| {
        let own = StoreError::AgentError(AgentError::new(io::Error::other("the agent's state")));
        let refused: Result<(), _> = test.run(|_| Err(own.clone().into()));
        assert_eq!(refused, Err(own.clone()));
        assert_eq!(own.to_string(), "the agent's state");
        let StoreError::AgentError(error) = own else { panic!("another error") };
        assert!(error.get().is::<io::Error>());
    });
}

#[test]
fn f214_f215_operations_of_several_areas_are_one_transaction() {
    on_each(|test| {
        let hurried = test.store.transaction_priority(Priority::High, "both", |tx| {
            let smp: SmpServer = server("smp.example", "5223", &[1; 32]);
            Ok((tx.create_user_record()?, tx.create_server(&smp)?))
        });
        assert_eq!(hurried, Ok((UserId(1), None)));
        assert_eq!(users(test), 1);
    });
}

#[test]
fn a_store_is_opened_again_with_what_was_in_it() {
    on_each(|test| {
        let user = test.user();
        test.store.database().close().unwrap();
        let closed = test.run(|tx| tx.get_user_ids());
        assert!(matches!(closed, Err(StoreError::Internal(text)) if text.contains("closed")));
        test.store.database().reopen().unwrap();
        assert_eq!(test.run(|tx| tx.get_user_ids()), Ok(vec![user]));
        let second = test.place.open().unwrap();
        assert_eq!(second.transaction("second", |tx| tx.get_user_ids()), Ok(vec![user]));
    });
}

#[test]
fn a_store_has_the_semantics_that_it_was_opened_with() {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        on_each_with(semantics, |test| {
            assert_eq!(test.run(|tx| Ok(tx.semantics())), Ok(semantics));
        });
    }
}

#[test]
fn as97_a_work_item_s_error_is_told_from_others() {
    assert!(StoreError::WorkItem(String::new()).is_work_item());
    assert!(!StoreError::Internal(String::new()).is_work_item());
    assert!(AgentStore::config("").is_err());
}

#[test]
fn a_database_is_busy_only_where_it_is_a_file() {
    const WITHOUT_WAITING: Sql =
        Sql::new("a lock", "SELECT user_id FROM users").locking("FOR UPDATE NOWAIT");
    on_each(|test| {
        let other = AgentStore::open(&impatient(test), UP, Semantics::Strict, |_| false).unwrap();
        let user = test.user();
        let refused = test.run(|tx| {
            tx.set_user_deleted(user)?;
            Ok(other
                .transaction("other", |tx| Ok(tx.statements().exists(&WITHOUT_WAITING, &[])?)))
        });
        let refused = refused.unwrap().unwrap_err();
        match &test.place {
            Place::File(_) => assert!(matches!(refused, StoreError::DatabaseBusy(_)), "{refused}"),
            Place::Server(_) => assert!(matches!(refused, StoreError::Internal(_)), "{refused}"),
        }
    });
}

/// Doesn't wait for other processes, where that can be set.
fn impatient(test: &TestStore) -> DatabaseConfig {
    match test.place.config() {
        DatabaseConfig::Sqlite(config) => DatabaseConfig::Sqlite(config.busy_limit(Duration::ZERO)),
        server => server,
    }
}
