//! Handing out work so that a bad row doesn't block it (AS-34, AS-82).

use simplex_stores::agent_store::types::{AgentMessageType, NtfTokenToDeleteId};
use simplex_stores::agent_store::{
    AgentTx, StoreError, TxError, TxResult, get_work_item, get_work_items,
};
use simplex_stores::db::Sql;

use crate::fixture::{TestStore, on_each};

/// A table of this crate's with a mark for failed items; only its shape matters here.
const INSERT: &str = "INSERT INTO ntf_tokens_to_delete
     (ntf_host, ntf_port, ntf_key_hash, tkn_id, tkn_priv_key) VALUES ('h', 'p', $1, $1, $1)";
const NEXT: Sql = Sql::new(
    "find",
    "SELECT ntf_token_to_delete_id FROM ntf_tokens_to_delete WHERE del_failed = 0
      ORDER BY ntf_token_to_delete_id",
);
const LOAD: Sql =
    Sql::new("load", "SELECT tkn_id FROM ntf_tokens_to_delete WHERE ntf_token_to_delete_id = $1");
const MARK: Sql = Sql::new(
    "mark",
    "UPDATE ntf_tokens_to_delete SET del_failed = 1 WHERE ntf_token_to_delete_id = $1",
);
const WRONG: Sql = Sql::new("wrong", "SELECT absent FROM nowhere");

type Id = NtfTokenToDeleteId;

fn find(tx: &mut AgentTx<'_>) -> TxResult<Vec<Id>> {
    let column = "ntf_tokens_to_delete.ntf_token_to_delete_id";
    Ok(tx.statements().query(&NEXT, &[], |row| row.next(column))?)
}

/// An item is a kind of message, so most bytes are none.
fn load(tx: &mut AgentTx<'_>, id: &Id) -> TxResult<AgentMessageType> {
    let column = "ntf_tokens_to_delete.tkn_id";
    Ok(tx.statements().query_one(&LOAD, &[id], |row| row.next(column))?)
}

fn mark(tx: &mut AgentTx<'_>, id: &Id) -> TxResult<()> {
    tx.statements().execute(&MARK, &[id])?;
    Ok(())
}

fn wrong<T>(tx: &mut AgentTx<'_>) -> TxResult<T> {
    match tx.statements().execute(&WRONG, &[]) {
        Err(error) => Err(error.into()),
        Ok(_) => panic!("it worked"),
    }
}

fn next(test: &TestStore) -> Result<Option<AgentMessageType>, StoreError> {
    test.run(|tx| get_work_item(tx, "test", |tx| Ok(find(tx)?.first().copied()), load, mark))
}

fn failed(test: &TestStore) -> Vec<i64> {
    let query = "SELECT ntf_token_to_delete_id FROM ntf_tokens_to_delete WHERE del_failed = 1";
    test.query(query, &[], |row| row.next("t.ntf_token_to_delete_id"))
}

#[test]
fn f220_as34_an_item_that_cannot_be_read_is_marked_and_the_next_call_goes_on() {
    on_each(|test| {
        assert_eq!(next(test), Ok(None));
        for bytes in [&b"?"[..], b"M"] {
            test.execute(INSERT, &[&bytes]);
        }
        let error = next(test).unwrap_err();
        let StoreError::Internal(text) = &error else { panic!("{error:?}") };
        assert!(text.contains("ntf_tokens_to_delete.tkn_id: not a kind of message"), "{text}");
        assert_eq!(failed(test), [1]);
        assert_eq!(next(test), Ok(Some(AgentMessageType::Message)));
        assert_eq!(failed(test), [1]);
    });
}

#[test]
fn f220_as34_an_answer_of_loading_marks_the_item_and_is_returned() {
    on_each(|test| {
        test.execute(INSERT, &[&&b"M"[..]]);
        let load = |_: &mut AgentTx<'_>, _: &Id| Err::<(), _>(StoreError::FileNotFound.into());
        let answered = test
            .run(|tx| get_work_item(tx, "test", |tx| Ok(find(tx)?.first().copied()), load, mark));
        assert_eq!(answered, Err(StoreError::FileNotFound));
        assert_eq!(failed(test), [1]);
    });
}

#[test]
fn f220_as97_a_failure_to_find_or_to_mark_stops_the_worker() {
    on_each(|test| {
        test.execute(INSERT, &[&&b"?"[..]]);
        let unfound = test.run(|tx| get_work_item(tx, "test", wrong::<Option<Id>>, load, mark));
        let unfound = unfound.unwrap_err();
        assert!(unfound.is_work_item(), "{unfound}");
        assert!(unfound.to_string().contains("test: finding the next item: wrong: "), "{unfound}");
        let unmarked = test.run(|tx| {
            let mark = |tx: &mut AgentTx<'_>, _: &Id| wrong(tx);
            get_work_item(tx, "test", |tx| Ok(find(tx)?.first().copied()), load, mark)
        });
        let unmarked = unmarked.unwrap_err();
        assert!(unmarked.is_work_item(), "{unmarked}");
        assert!(unmarked.to_string().contains("NtfTokenToDeleteId(1) as failed"), "{unmarked}");
        assert!(failed(test).is_empty());
    });
}

#[test]
fn f220_as97_where_loading_ends_the_transaction_no_mark_is_kept_and_the_worker_stops() {
    on_each(|test| {
        test.execute(INSERT, &[&&b"M"[..]]);
        let load = |tx: &mut AgentTx<'_>, _: &Id| wrong::<()>(tx);
        let ended = test
            .run(|tx| get_work_item(tx, "test", |tx| Ok(find(tx)?.first().copied()), load, mark));
        let ended = ended.unwrap_err();
        assert!(ended.is_work_item(), "{ended}");
        assert!(failed(test).is_empty());
    });
}

#[test]
fn f221_as82_each_item_of_a_batch_is_marked_on_its_own() {
    on_each(|test| {
        for bytes in [&b"M"[..], b"?", b"H", b"!"] {
            test.execute(INSERT, &[&bytes]);
        }
        let items = || test.run(|tx| get_work_items(tx, "test", find, load, mark)).unwrap();
        let first = items();
        let read: Vec<_> = first.iter().map(|item| item.as_ref().ok().copied()).collect();
        let (message, hello) = (Some(AgentMessageType::Message), Some(AgentMessageType::Hello));
        assert_eq!(read, [message, None, hello, None]);
        assert!(matches!(&first[1], Err(TxError::Store(StoreError::Internal(_)))));
        assert_eq!(failed(test), [2, 4]);
        assert_eq!(items().len(), 2);
    });
}

#[test]
fn f221_as82_an_item_that_cannot_be_marked_appears_as_such_in_its_place() {
    on_each(|test| {
        for bytes in [&b"?"[..], b"M"] {
            test.execute(INSERT, &[&bytes]);
        }
        let mark = |tx: &mut AgentTx<'_>, _: &Id| tx.savepoint(wrong);
        let items = test.run(|tx| get_work_items(tx, "test", find, load, mark)).unwrap();
        assert!(matches!(&items[0], Err(TxError::Store(error)) if error.is_work_item()));
        assert_eq!(items[1], Ok(AgentMessageType::Message));
        let unfound = test.run(|tx| get_work_items(tx, "test", wrong::<Vec<Id>>, load, mark));
        assert!(unfound.unwrap_err().is_work_item());
    });
}
