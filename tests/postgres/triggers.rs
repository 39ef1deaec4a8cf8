//! The counters and ids hashes that triggers keep on services, against what the rows say.

use std::collections::BTreeMap;

use postgres::{Client, Statement};
use simplex_stores::protocol::IdsHash;

use crate::fixture;

const RECIPIENT: &[u8] = b"the recipient's id";
const NOTIFIERS: [Option<&[u8]>; 3] = [None, Some(b"a notifier"), Some(b"another notifier")];
/// Two services of each role; each may be named on the wrong side of a queue, where it counts for nothing.
const SERVICES: [(&[u8], &str); 4] = [(b"m1", "M"), (b"m2", "M"), (b"n1", "N"), (b"n2", "N")];
const RECEIVING: [Option<&[u8]>; 4] = [None, Some(b"m1"), Some(b"m2"), Some(b"n1")];
const NOTIFYING: [Option<&[u8]>; 4] = [None, Some(b"n1"), Some(b"n2"), Some(b"m1")];

/// What the triggers look at in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    rcv_service: Option<&'static [u8]>,
    ntf_service: Option<&'static [u8]>,
    notifier: Option<&'static [u8]>,
    deleted: bool,
}

fn states() -> Vec<State> {
    let mut states = Vec::new();
    for rcv_service in RECEIVING {
        for ntf_service in NOTIFYING {
            for notifier in NOTIFIERS {
                for deleted in [false, true] {
                    states.push(State { rcv_service, ntf_service, notifier, deleted });
                }
            }
        }
    }
    states
}

type Aggregates = BTreeMap<Vec<u8>, (i64, IdsHash)>;

fn none() -> Aggregates {
    SERVICES.iter().map(|(id, _)| (id.to_vec(), (0, IdsHash::default()))).collect()
}

/// What the services should have, when this is the only row.
fn expected(state: State) -> Aggregates {
    let mut expected = none();
    let mut count = |service: Option<&[u8]>, role: &str, id: Option<&[u8]>| {
        let (Some(service), Some(id)) = (service, id) else { return };
        if SERVICES.contains(&(service, role)) {
            expected.insert(service.to_vec(), (1, IdsHash::of_id(id)));
        }
    };
    if !state.deleted {
        count(state.rcv_service, "M", Some(RECIPIENT));
        count(state.ntf_service, "N", state.notifier);
    }
    expected
}

struct Table {
    client: Client,
    insert: Statement,
    update: Statement,
    delete: Statement,
    services: Statement,
}

impl Table {
    fn of(mut client: Client) -> Self {
        for (id, role) in SERVICES {
            let insert = "INSERT INTO services
                (service_id, service_role, service_cert, service_cert_hash, created_at)
                VALUES ($1, $2, '', $1, 0)";
            client.execute(insert, &[&id, &role]).unwrap();
        }
        let insert =
            "INSERT INTO msg_queues (recipient_id, recipient_keys, rcv_dh_secret, sender_id,
            status, rcv_service_id, ntf_service_id, notifier_id, deleted_at)
            VALUES ($1, '', '', $1, 'active', $2, $3, $4, $5)";
        let update = "UPDATE msg_queues SET rcv_service_id = $2, ntf_service_id = $3,
            notifier_id = $4, deleted_at = $5 WHERE recipient_id = $1";
        let delete = "DELETE FROM msg_queues WHERE recipient_id = $1";
        let services = "SELECT service_id, queue_count, queue_ids_hash FROM services";
        Self {
            insert: client.prepare(insert).unwrap(),
            update: client.prepare(update).unwrap(),
            delete: client.prepare(delete).unwrap(),
            services: client.prepare(services).unwrap(),
            client,
        }
    }

    fn write(&mut self, statement: &Statement, state: State) {
        let deleted_at = state.deleted.then_some(1_700_000_000_i64);
        let changed = self.client.execute(
            statement,
            &[&RECIPIENT, &state.rcv_service, &state.ntf_service, &state.notifier, &deleted_at],
        );
        assert_eq!(changed.unwrap(), 1);
    }

    fn insert(&mut self, state: State) {
        self.write(&self.insert.clone(), state);
    }

    fn update(&mut self, state: State) {
        self.write(&self.update.clone(), state);
    }

    fn delete(&mut self) {
        assert_eq!(self.client.execute(&self.delete, &[&RECIPIENT]).unwrap(), 1);
    }

    fn reset(&mut self) {
        let reset =
            "UPDATE services SET queue_count = 0, queue_ids_hash = decode(repeat('00', 16), 'hex')";
        self.client.execute(reset, &[]).unwrap();
    }

    fn aggregates(&mut self) -> Aggregates {
        let rows = self.client.query(&self.services, &[]).unwrap();
        let entry = |row: &postgres::Row| {
            let hash = IdsHash::from_bytes(row.get(2)).expect("sixteen bytes");
            (row.get(0), (row.get(1), hash))
        };
        rows.iter().map(entry).collect()
    }
}

#[test]
fn every_change_of_a_row_moves_it_between_services_and_nothing_else() {
    let database = fixture::with_schema();
    let mut table = Table::of(fixture::client(&database));
    let states = states();
    let start = State { rcv_service: None, ntf_service: None, notifier: None, deleted: false };
    table.insert(start);
    let mut transitions = 0;
    for (index, &from) in states.iter().enumerate() {
        table.update(from);
        for &to in &states[index..] {
            for (before, after) in [(from, to), (to, from)] {
                table.update(after);
                assert_eq!(table.aggregates(), expected(after), "from {before:?} to {after:?}");
                transitions += 1;
            }
        }
    }
    assert_eq!(transitions, 96 * 97);
}

#[test]
fn a_new_row_counts_and_goes_with_its_deletion() {
    let database = fixture::with_schema();
    let mut table = Table::of(fixture::client(&database));
    for state in states().into_iter().filter(|state| !state.deleted) {
        table.insert(state);
        assert_eq!(table.aggregates(), expected(state), "{state:?}");
        table.delete();
        assert_eq!(table.aggregates(), none(), "{state:?}");
    }
}

#[test]
fn race51_a_row_inserted_as_deleted_counts_and_removing_it_changes_nothing() {
    let database = fixture::with_schema();
    let mut table = Table::of(fixture::client(&database));
    for state in states().into_iter().filter(|state| state.deleted) {
        let live = State { deleted: false, ..state };
        table.insert(state);
        assert_eq!(table.aggregates(), expected(live), "{state:?}");
        table.delete();
        assert_eq!(table.aggregates(), expected(live), "{state:?}");
        table.reset();
    }
}

#[test]
fn a_soft_deleted_row_leaves_once_and_its_purge_changes_nothing() {
    let database = fixture::with_schema();
    let mut table = Table::of(fixture::client(&database));
    for live in states().into_iter().filter(|state| !state.deleted) {
        table.insert(live);
        table.update(State { deleted: true, ..live });
        assert_eq!(table.aggregates(), none(), "{live:?}");
        table.delete();
        assert_eq!(table.aggregates(), none(), "{live:?}");
    }
}

#[test]
fn removing_a_service_leaves_its_queues_without_one() {
    let database = fixture::with_schema();
    let mut table = Table::of(fixture::client(&database));
    let state = State {
        rcv_service: Some(b"m1"),
        ntf_service: Some(b"n1"),
        notifier: NOTIFIERS[1],
        deleted: false,
    };
    table.insert(state);
    table.client.execute("DELETE FROM services WHERE service_id = 'm1'", &[]).unwrap();
    let left = "SELECT rcv_service_id, ntf_service_id FROM msg_queues";
    let row = table.client.query_one(left, &[]).unwrap();
    assert_eq!(row.get::<_, Option<&[u8]>>(0), None);
    assert_eq!(row.get::<_, Option<&[u8]>>(1), Some(&b"n1"[..]));
    let mut rest = expected(State { rcv_service: None, ..state });
    rest.remove(&b"m1"[..]);
    assert_eq!(table.aggregates(), rest);
}

#[test]
fn race51_the_repair_recomputes_services_with_rows_and_skips_the_others() {
    let database = fixture::with_schema();
    let mut table = Table::of(fixture::client(&database));
    let state = State {
        rcv_service: Some(b"m1"),
        ntf_service: Some(b"n1"),
        notifier: None,
        deleted: false,
    };
    table.insert(state);
    let damage =
        "UPDATE services SET queue_count = 7, queue_ids_hash = decode(repeat('ab', 16), 'hex')";
    table.client.execute(damage, &[]).unwrap();
    table.client.execute("SELECT update_all_aggregates()", &[]).unwrap();
    let damaged = (7, IdsHash::from_bytes(&[0xab; 16]).unwrap());
    // A row without a notifier id counts for its notifying service here, as sixteen zero bytes.
    let repaired = BTreeMap::from([
        (b"m1".to_vec(), (1, IdsHash::of_id(RECIPIENT))),
        (b"m2".to_vec(), damaged),
        (b"n1".to_vec(), (1, IdsHash::default())),
        (b"n2".to_vec(), damaged),
    ]);
    assert_eq!(table.aggregates(), repaired);
}
