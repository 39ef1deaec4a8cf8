//! Numbers of messages, and the heads of the chains of their hashes (AS-10, AS-63, AS-64).

use simplex_stores::agent_store::types::*;
use simplex_stores::agent_store::{AgentTx, StoreError, TxResult};
use simplex_stores::db::Sql;
use simplex_stores::testing::isolation::Steps;

use super::{Race, Shared};
use crate::fixture::TestStore;

type Numbers = Result<(InternalId, i64), StoreError>;

fn connection(test: &TestStore, order: usize) -> ConnId {
    let user = test.user();
    test.new_connection(user, &format!("connection {order}"))
}

fn receive(shared: &Shared<ConnId>, steps: &Steps) -> Numbers {
    shared.step_by_step(steps, |tx, conn_id| {
        let ids = tx.update_rcv_ids(conn_id)?;
        Ok((ids.internal_id, ids.internal_rcv_id.0))
    })
}

fn send(shared: &Shared<ConnId>, steps: &Steps) -> Numbers {
    shared.step_by_step(steps, |tx, conn_id| {
        let ids = tx.update_snd_ids(conn_id)?;
        Ok((ids.internal_id, ids.internal_snd_id.0))
    })
}

/// Reads the counters, and writes them one greater.
fn receive_unguarded(shared: &Shared<ConnId>, steps: &Steps) -> Numbers {
    const READ: Sql = Sql::new(
        "read",
        "SELECT last_internal_msg_id, last_internal_rcv_msg_id FROM connections WHERE conn_id = $1",
    );
    const WRITE: Sql = Sql::new(
        "write",
        "UPDATE connections SET last_internal_msg_id = $2, last_internal_rcv_msg_id = $3
          WHERE conn_id = $1",
    );
    shared.step_by_step(steps, |tx, conn_id| {
        let (InternalId(last), rcv) = tx.statements().query_one(&READ, &[conn_id], |row| {
            let last: InternalId = row.next("connections.last_internal_msg_id")?;
            Ok((last, row.next::<i64>("connections.last_internal_rcv_msg_id")?))
        })?;
        tx.statements().execute(&WRITE, &[conn_id, &(last + 1), &(rcv + 1)])?;
        Ok((InternalId(last + 1), rcv + 1))
    })
}

fn not_all_different(_: &Shared<ConnId>, numbers: &[Numbers]) -> Option<String> {
    let mut ids: Vec<i64> = numbers.iter().map(|ids| ids.as_ref().unwrap().0.0).collect();
    ids.sort_unstable();
    (ids != [1, 2, 3][..ids.len()]).then(|| format!("the numbers are {ids:?}"))
}

#[test]
fn as10_no_two_messages_of_a_connection_get_one_number() {
    let sessions: Vec<super::Runs<_, _>> =
        vec![("receives", receive), ("sends", send), ("receives too", receive)];
    Race { make: connection, sessions, wrong: not_all_different }.never_goes_wrong();
}

#[test]
fn twin_as10_counters_that_are_read_without_a_lock_give_a_number_twice() {
    let sessions: Vec<super::Runs<_, _>> =
        vec![("receives", receive_unguarded), ("sends", receive_unguarded)];
    Race { make: connection, sessions, wrong: not_all_different }.goes_wrong();
}

type Heads = Result<i64, StoreError>;

/// A hash that tells whose it is.
fn hash(number: i64) -> MsgHash {
    MsgHash(vec![u8::try_from(number).unwrap(); 32])
}

/// Reserves numbers in one transaction, and continues the chain in another.
fn chained(
    shared: &Shared<ConnId>,
    steps: &Steps,
    reserve: fn(&mut AgentTx<'_>, &ConnId) -> TxResult<i64>,
    write: fn(&mut AgentTx<'_>, &ConnId, i64) -> TxResult<()>,
) -> Heads {
    let number = shared.test.run(|tx| reserve(tx, &shared.made))?;
    steps.between();
    shared.test.run(|tx| write(tx, &shared.made, number))?;
    Ok(number)
}

fn reserve_rcv(tx: &mut AgentTx<'_>, conn_id: &ConnId) -> TxResult<i64> {
    Ok(tx.update_rcv_ids(conn_id)?.internal_rcv_id.0)
}

fn reserve_snd(tx: &mut AgentTx<'_>, conn_id: &ConnId) -> TxResult<i64> {
    Ok(tx.update_snd_ids(conn_id)?.internal_snd_id.0)
}

fn chain_received(shared: &Shared<ConnId>, steps: &Steps) -> Heads {
    chained(shared, steps, reserve_rcv, |tx, conn_id, number| {
        tx.update_rcv_msg_hash(conn_id, ExternalSndId(number), InternalRcvId(number), &hash(number))
    })
}

fn chain_sent(shared: &Shared<ConnId>, steps: &Steps) -> Heads {
    chained(shared, steps, reserve_snd, |tx, conn_id, number| {
        tx.update_snd_msg_hash(conn_id, InternalSndId(number), &hash(number))
    })
}

/// Doesn't ask whether another has got a number.
fn chain_sent_unguarded(shared: &Shared<ConnId>, steps: &Steps) -> Heads {
    const WRITE: Sql =
        Sql::new("write", "UPDATE connections SET last_snd_msg_hash = $2 WHERE conn_id = $1");
    chained(shared, steps, reserve_snd, |tx, conn_id, number| {
        tx.statements().execute(&WRITE, &[conn_id, &hash(number)])?;
        Ok(())
    })
}

/// The last message is the head of its chain in the end.
fn head_is_not(shared: &Shared<ConnId>, column: &'static str, heads: &[Heads]) -> Option<String> {
    let last = heads.iter().map(|number| *number.as_ref().unwrap()).max().unwrap();
    let query = "SELECT last_rcv_msg_hash, last_snd_msg_hash FROM connections WHERE conn_id = $1";
    let found = shared.test.query(query, &[&shared.made], |row| {
        let rcv: MsgHash = row.next("connections.last_rcv_msg_hash")?;
        let snd: MsgHash = row.next("connections.last_snd_msg_hash")?;
        Ok(if column == "rcv" { rcv } else { snd })
    });
    (found != [hash(last)]).then(|| format!("the head is {found:?}"))
}

fn rcv_head_is_wrong(shared: &Shared<ConnId>, heads: &[Heads]) -> Option<String> {
    head_is_not(shared, "rcv", heads)
}

fn snd_head_is_wrong(shared: &Shared<ConnId>, heads: &[Heads]) -> Option<String> {
    head_is_not(shared, "snd", heads)
}

#[test]
fn as63_the_head_of_the_received_chain_is_never_set_back() {
    let sessions: Vec<super::Runs<_, _>> = vec![("one", chain_received), ("other", chain_received)];
    Race { make: connection, sessions, wrong: rcv_head_is_wrong }.never_goes_wrong();
}

#[test]
fn as64_the_head_of_the_sent_chain_is_never_set_back() {
    let sessions: Vec<super::Runs<_, _>> = vec![("one", chain_sent), ("other", chain_sent)];
    Race { make: connection, sessions, wrong: snd_head_is_wrong }.never_goes_wrong();
}

#[test]
fn twin_as64_a_head_that_is_written_by_whoever_comes_is_set_back() {
    let sessions: Vec<super::Runs<_, _>> =
        vec![("one", chain_sent_unguarded), ("other", chain_sent_unguarded)];
    Race { make: connection, sessions, wrong: snd_head_is_wrong }.goes_wrong();
}
