//! Ids that nobody has (AS-38 to AS-40).

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use simplex_stores::agent_store::types::{ConnId, UserId};
use simplex_stores::agent_store::{AgentTx, StoreError, TxResult};
use simplex_stores::db::Sql;

use crate::fixture::{TestStore, on_each};

const INSERT: Sql = Sql::new(
    "insert",
    "INSERT INTO connections (conn_id, conn_mode, user_id) VALUES ($1, 'INV', $2)",
);

fn insert(tx: &mut AgentTx<'_>, id: &[u8], user: UserId) -> TxResult<ConnId> {
    tx.statements().execute(&INSERT, &[&id, &user])?;
    Ok(ConnId::from_bytes(id).unwrap())
}

/// The ids that a generator with this seed makes.
fn ids(test: &TestStore, seed: u64, count: usize) -> Vec<Vec<u8>> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let one = |tx: &mut AgentTx<'_>| tx.with_random_id(&mut rng, |_, id| Ok(id.to_vec()));
    let mut one = one;
    test.run(|tx| (0..count).map(|_| one(tx)).collect()).unwrap()
}

#[test]
fn as38_an_id_is_sixteen_characters_of_base64url() {
    on_each(|test| {
        let ids = ids(test, 7, 20);
        for id in &ids {
            assert_eq!(id.len(), 16);
            assert!(id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)));
        }
        assert_ne!(ids[0], ids[1]);
    });
}

#[test]
fn as38_as39_a_taken_id_is_replaced_by_another_and_leaves_nothing() {
    on_each(|test| {
        let user = test.user();
        let taken = ids(test, 7, 2);
        for id in &taken {
            test.bare_connection(user, id);
        }
        let mut rng = SmallRng::seed_from_u64(7);
        let made = test.run(|tx| {
            tx.with_random_id(&mut rng, |tx, id| {
                // What an attempt writes before it is refused goes with it, on SQLite too.
                tx.create_user_record()?;
                insert(tx, id, user)
            })
        });
        assert_eq!(made.unwrap().as_bytes(), ids(test, 7, 3)[2]);
        assert_eq!(test.run(|tx| tx.get_user_ids()).unwrap().len(), 2);
    });
}

#[test]
fn as38_after_three_taken_ids_there_is_none() {
    on_each(|test| {
        let user = test.user();
        for id in ids(test, 7, 3) {
            test.bare_connection(user, &id);
        }
        let mut rng = SmallRng::seed_from_u64(7);
        let made = test.run(|tx| {
            tx.create_user_record()?;
            tx.with_random_id(&mut rng, |tx, id| insert(tx, id, user))
        });
        assert_eq!(made, Err(StoreError::UniqueId));
        assert_eq!(test.run(|tx| tx.get_user_ids()).unwrap().len(), 2, "an answer: the rest stays");
    });
}

#[test]
fn as40_any_constraint_counts_as_taken() {
    on_each(|test| {
        let mut rng = SmallRng::seed_from_u64(7);
        let nobody = UserId(99);
        let made = test.run(|tx| tx.with_random_id(&mut rng, |tx, id| insert(tx, id, nobody)));
        assert_eq!(made, Err(StoreError::UniqueId));
    });
}

#[test]
fn as38_another_failure_of_the_database_is_an_internal_error() {
    on_each(|test| {
        let mut rng = SmallRng::seed_from_u64(7);
        let wrong = Sql::new("wrong", "INSERT INTO nowhere (id) VALUES ($1)");
        let made = test.run(|tx| {
            tx.with_random_id(&mut rng, |tx, id| Ok(tx.statements().execute(&wrong, &[&id])?))
        });
        assert!(matches!(made, Err(StoreError::Internal(text)) if text.contains("nowhere")));
        let mut rng = SmallRng::seed_from_u64(7);
        let mut attempts = 0;
        let answered: Result<(), _> = test.run(|tx| {
            tx.with_random_id(&mut rng, |_, _| {
                attempts += 1;
                Err(StoreError::SndQueueExists.into())
            })
        });
        assert_eq!((answered, attempts), (Err(StoreError::SndQueueExists), 1));
    });
}
