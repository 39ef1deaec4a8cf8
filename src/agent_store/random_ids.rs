//! Ids that nobody has (AS-38 to AS-40).

use rand::Rng;

use super::error::{StoreError, TxError, TxResult};
use super::store::AgentTx;
use crate::encoding::base64url;

/// How many random bytes an id is made of; as text they are 16 characters.
const RANDOM: usize = 12;
/// How often another id is tried.
const ATTEMPTS: usize = 3;

impl AgentTx<'_> {
    /// Runs `create` with a random id, and again with another when a constraint refuses it (AS-38).
    ///
    /// Each attempt stands behind a savepoint (AS-39), on SQLite too: what a refused one wrote is taken
    /// back. Any constraint counts, also one that has nothing to do with the id (AS-40).
    ///
    /// # Errors
    ///
    /// [`StoreError::UniqueId`] after three attempts, [`StoreError::Internal`] for any other failure of the
    /// database, and what `create` answers.
    pub fn with_random_id<T>(
        &mut self,
        rng: &mut impl Rng,
        mut create: impl FnMut(&mut AgentTx<'_>, &[u8]) -> TxResult<T>,
    ) -> TxResult<T> {
        for _ in 0..ATTEMPTS {
            let mut random = [0; RANDOM];
            rng.fill_bytes(&mut random);
            let id = base64url::to_string(&random);
            match self.unless_violated(|tx| create(tx, id.as_bytes())) {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(_)) => {}
                Err(error @ TxError::Store(_)) => return Err(error),
                Err(error) => return Err(error.into_answer().into()),
            }
        }
        Err(StoreError::UniqueId.into())
    }
}
