//! Connections that break in the middle of a change, at every point of what the program and the server say to
//! each other (RACE-70).

use simplex_stores::protocol::ErrorType;
use simplex_stores::queue_store::postgres::{
    PostgresQueueStore, PostgresQueueStoreConfig, Sharing,
};
use simplex_stores::queue_store::{QueueKey, QueueStore};
use simplex_stores::testing::history::SequentialModel;
use simplex_stores::testing::queue_store::{QueueModel, QueueOp, run, sample};

use super::changes::{changes, filled};
use super::proxy::{Cut, Proxy};
use super::support::{Databases, WAITING, assert_serves, count, rows, until};
use crate::fixture::client;

const UNCLEAR: &str = "database: outcome unclear";
const LOST: &str = "database: connection lost";

/// More rounds than any change has.
const NEVER: usize = usize::MAX;
/// Of every so many changes, not only the last round is cut, but each of them.
const WHOLE: usize = 6;

fn store(text: &str) -> ErrorType {
    ErrorType::Store(text.into())
}

/// A store through a proxy, over tables with what there is before a change.
struct Place {
    databases: Databases,
    proxy: Proxy,
    config: PostgresQueueStoreConfig,
}

impl Place {
    fn new(set: impl FnOnce(PostgresQueueStoreConfig) -> PostgresQueueStoreConfig) -> Self {
        let (databases, proxy) = (Databases::new(), Proxy::start());
        let settings = proxy.settings(&databases.database).pool_size(1);
        Self { databases, proxy, config: set(PostgresQueueStoreConfig::new(settings)) }
    }

    fn filled(&self) -> (PostgresQueueStore, QueueModel) {
        let store = self.databases.empty(&self.config);
        let model = filled(&store);
        (store, model)
    }

    /// Cuts one round of a change; what came of it, and how many rounds there were before.
    fn cut_one(&self, op: &QueueOp, round: usize, cut: Cut) -> (Came, usize) {
        let what = format!("{op:?}, round {round} cut {cut:?}");
        let (store, before) = self.filled();
        let mut after = before.clone();
        let expected = after.apply(op);
        self.proxy.cut(round, cut);
        let answer = run(&store, op);
        let (was_cut, passed) = self.proxy.end();
        assert_eq!(was_cut, round != NEVER, "{what}");
        let rows = rows(&mut client(&self.databases.database));
        let services = self.services();
        let is = |model: &QueueModel| rows == model.queues && services == model.services.len();
        let came = match &answer {
            Ok(_) => {
                assert_eq!(answer, expected, "{what}");
                assert!(is(&after), "{what}");
                Came::Done
            }
            Err(error) if *error == self::store(LOST) => {
                assert!(is(&before), "{what}");
                Came::Lost
            }
            Err(error) => {
                assert_eq!(*error, self::store(UNCLEAR), "{what}");
                assert!(is(&after) || is(&before), "{what}");
                if is(&after) { Came::UnclearDone } else { Came::UnclearUndone }
            }
        };
        assert_serves(&store, &rows, &what);
        let mut model = if is(&after) { after } else { before };
        assert_eq!(run(&store, op), model.apply(op), "{what}: again");
        assert_serves(&store, &model.queues, &what);
        store.close().unwrap();
        (came, passed)
    }

    fn services(&self) -> usize {
        let sql = "SELECT count(*) FROM services";
        count(&mut client(&self.databases.database), sql) as usize
    }

    /// Cuts the last round of every `step`-th change, which is the change itself or its commit; and of some all
    /// rounds. The last comes to this.
    fn cut_all(&self, cut: Cut, step: usize, last: Came) {
        for (number, op) in changes().into_iter().enumerate().step_by(step) {
            let (came, rounds) = self.cut_one(&op, NEVER, cut);
            assert_eq!(came, Came::Done, "{op:?}");
            let first = if number.is_multiple_of(WHOLE) { 0 } else { rounds - 1 };
            let came: Vec<Came> =
                (first..rounds).map(|round| self.cut_one(&op, round, cut).0).collect();
            assert_eq!(came.last(), Some(&last), "{op:?} cut {cut:?}: {came:?}");
        }
    }
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// It succeeded: nothing was cut, or a question that was asked again.
    Done,
    /// Nothing, as the caller is told.
    Lost,
    UnclearDone,
    UnclearUndone,
}

#[test]
fn race70_a_change_cut_off_before_the_server_gets_it_is_not_made_and_not_cached() {
    Place::new(|config| config).cut_all(Cut::Before, 1, Came::UnclearUndone);
}

#[test]
fn race70_a_change_whose_confirmation_is_cut_off_is_cached_as_it_was_made() {
    Place::new(|config| config).cut_all(Cut::After, 1, Came::UnclearDone);
}

#[test]
fn race70_so_it_is_without_a_cache_and_among_several_processes() {
    Place::new(|config| config.use_cache(false)).cut_all(Cut::After, 4, Came::UnclearDone);
    Place::new(|config| config.sharing(Sharing::Processes)).cut_all(
        Cut::After,
        3,
        Came::UnclearDone,
    );
}

/// The program gives a change up that the server still works on. Whatever comes of it, nothing is read before that.
#[test]
fn race70_a_change_that_the_server_still_works_on_comes_to_its_end_before_anything_is_read() {
    for use_cache in [true, false] {
        for sharing in [Sharing::Alone, Sharing::Processes] {
            late(&Place::new(|config| config.use_cache(use_cache).sharing(sharing)));
        }
    }
}

fn late(place: &Place) {
    let (store, before) = place.filled();
    let mut other = client(&place.databases.database);
    let id = sample::recipient(1);
    let mut lock = other.transaction().unwrap();
    let sql = "SELECT 1 FROM msg_queues WHERE recipient_id = $1 FOR UPDATE";
    lock.query_one(sql, &[&id.as_bytes()]).unwrap();
    let queue = store.get_queue(&QueueKey::Recipient(id.clone())).unwrap();
    // The statement is prepared in one round, and run in the next.
    place.proxy.cut(1, Cut::Silently);
    let secured = store.secure_queue(&queue, sample::key(7));
    assert_eq!(secured, Err(self::store(UNCLEAR)));
    let mut watcher = client(&place.databases.database);
    until(&mut watcher, WAITING, 1);
    // Read while the change still waits for the row: had the server gone on with it, this would be stale.
    let (_, record) = store.get_queue_rec(&QueueKey::Recipient(id.clone())).unwrap();
    assert_eq!(*record, before.queues[&id]);
    lock.commit().unwrap();
    until(&mut watcher, WAITING, 0);
    // Whoever locks the row now comes after whatever the server did.
    other.execute("SELECT 1 FROM msg_queues FOR UPDATE", &[]).unwrap();
    let rows = rows(&mut other);
    assert_eq!(rows, before.queues);
    assert_serves(&store, &rows, "late");
    assert!(place.proxy.end().0);
    store.secure_queue(&queue, sample::key(8)).unwrap();
    store.close().unwrap();
}
