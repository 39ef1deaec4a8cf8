//! Races between transactions: the store's operations in every order of their statements, on a real PostgreSQL
//! server and on SQLite, and each of them going wrong when its guard is taken out.

use std::ops::ControlFlow;
use std::sync::Arc;

use simplex_stores::agent_store::{AgentTx, StoreError, TxResult};
use simplex_stores::testing::isolation::{Session, Steps, Writers, permute};
use simplex_stores::testing::postgres::waiting_for_locks;

use crate::fixture::{Place, TestStore};

mod creation;
mod deliveries;
mod files;
mod ids;
mod queues;
mod services;
mod subscriptions;

/// A store, and what was made in it for one order.
pub(crate) struct Shared<M> {
    test: Arc<TestStore>,
    made: M,
}

impl<M> Shared<M> {
    /// Runs `work` as one transaction with a step at each statement of these names, and at the commit.
    fn steps_at<T>(
        &self,
        names: &'static [&'static str],
        steps: &Steps,
        work: impl FnOnce(&mut AgentTx<'_>, &M) -> TxResult<T>,
    ) -> Result<T, StoreError> {
        steps.at_statements(names, || self.test.run(|tx| work(tx, &self.made)))
    }

    /// Runs `work` as one transaction, each of whose statements is a step.
    fn step_by_step<T>(
        &self,
        steps: &Steps,
        work: impl FnOnce(&mut AgentTx<'_>, &M) -> TxResult<T>,
    ) -> Result<T, StoreError> {
        steps.at_each_statement(|| self.test.run(|tx| work(tx, &self.made)))
    }
}

/// What a session of a race does, with a name.
type Runs<M, R> = (&'static str, fn(&Shared<M>, &Steps) -> R);

/// A race: what is made for each order, the sessions, and what is wrong with what they left, if anything is.
struct Race<M, R> {
    /// Makes things of which no two orders have the same; gets the order's number.
    make: fn(&TestStore, usize) -> M,
    sessions: Vec<Runs<M, R>>,
    wrong: fn(&Shared<M>, &[R]) -> Option<String>,
}

impl<M: Send + Sync + 'static, R: Send + 'static> Race<M, R> {
    /// Runs it on a store of each kind: nothing goes wrong in any order.
    fn never_goes_wrong(&self) {
        for place in [Place::file(), Place::prepared_server()] {
            let (orders, wrong) = self.on(place);
            assert!(orders > 1, "there is one order only");
            assert_eq!(wrong, None);
        }
    }

    /// Runs it on PostgreSQL, with a guard taken out, until something goes wrong.
    fn goes_wrong(&self) {
        let (orders, wrong) = self.on(Place::prepared_server());
        assert!(wrong.is_some(), "all {orders} orders went well");
    }

    /// Runs it until something is wrong; says what, and in which order.
    fn on(&self, place: Place) -> (usize, Option<String>) {
        let test = Arc::new(TestStore::on(place));
        let mut client = match &test.place {
            Place::Server(database) => Some(database.client().unwrap()),
            Place::File(_) => None,
        };
        let mut waiting = || client.as_mut().map_or(0, |client| waiting_for_locks(client).unwrap());
        let writers = match &test.place {
            Place::Server(_) => Writers::Many(&mut waiting),
            Place::File(_) => Writers::One,
        };
        let sessions: Vec<_> =
            self.sessions.iter().map(|(name, run)| Session::new(name, *run)).collect();
        let mut number = 0;
        let prepare = || {
            number += 1;
            Shared { test: Arc::clone(&test), made: (self.make)(&test, number) }
        };
        let mut wrong = None;
        let orders = permute(writers, &sessions, prepare, |shared, results, order| {
            let Some(what) = (self.wrong)(shared, results) else {
                return ControlFlow::Continue(());
            };
            wrong = Some(format!("{order}: {what}"));
            ControlFlow::Break(())
        });
        (orders, wrong)
    }
}
