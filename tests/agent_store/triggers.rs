//! Count and hash of a service's queues, kept by triggers (AS-4, AS-15 to AS-17).

use simplex_stores::agent_store::types::{ConnId, SmpServer, UserId};
use simplex_stores::protocol::IdsHash;

use crate::fixture::{TestStore, on_each, server};

const SERVICE: &str = "INSERT INTO client_services
     (user_id, host, port, service_cert, service_cert_hash, service_priv_key)
     VALUES ($1, $2, '5223', $3, $3, $3)";
const QUEUE: &str = "INSERT INTO rcv_queues
     (host, port, rcv_id, conn_id, rcv_private_key, rcv_dh_secret, e2e_priv_key, snd_id, status,
      rcv_queue_id, rcv_primary, rcv_service_assoc, deleted)
     VALUES ($1, '5223', $2, $3, $2, $2, $2, $2, 'new', $4, 1, $5, $6)";

/// A queue's id, and whether it is associated with the service, and deleted.
type Queue = (u8, bool, bool);

struct Services<'t> {
    test: &'t TestStore,
    user: UserId,
    connection: ConnId,
}

impl<'t> Services<'t> {
    fn of(test: &'t TestStore) -> Self {
        for host in ["a.example", "b.example"] {
            let smp: SmpServer = server(host, "5223", &[1; 32]);
            test.run(|tx| tx.create_server(&smp)).unwrap();
        }
        let user = test.user();
        for (user, host) in [(user, "a.example"), (user, "b.example"), (test.user(), "a.example")] {
            test.execute(SERVICE, &[&user, &host, &&b"service"[..]]);
        }
        Self { test, user, connection: test.bare_connection(user, b"connection") }
    }

    fn insert(&self, (id, associated, deleted): Queue) {
        let (test, connection) = (self.test, &self.connection);
        let values: simplex_stores::db::Params<'_> =
            &[&"a.example", &[id; 24], connection, &i64::from(id), &associated, &deleted];
        assert_eq!(test.execute(QUEUE, values), 1);
    }

    /// Count and hash of the services of this user, and of the others.
    fn aggregates(&self) -> Vec<(bool, i64, IdsHash)> {
        let query = "SELECT user_id, host, service_queue_count, service_queue_ids_hash
                       FROM client_services ORDER BY user_id, host";
        let own = |user: UserId, host: &str| user == self.user && host == "a.example";
        self.test.query(query, &[], |row| {
            let own = own(row.next("c.user_id")?, row.next("c.host")?);
            Ok((own, row.next("c.service_queue_count")?, row.next("c.service_queue_ids_hash")?))
        })
    }

    fn assert(&self, counted: &[u8]) {
        let hash =
            counted.iter().fold(IdsHash::EMPTY, |hash, id| hash.xor(IdsHash::of_id(&[*id; 24])));
        for (own, count, found) in self.aggregates() {
            let expected = if own { (counted.len() as i64, hash) } else { (0, IdsHash::EMPTY) };
            assert_eq!((count, found), expected, "own: {own}");
        }
    }
}

const STATES: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

#[test]
fn as15_every_transition_of_a_queue_keeps_count_and_hash() {
    on_each(|test| {
        let services = Services::of(test);
        services.insert((1, true, false));
        services.assert(&[1]);
        let update =
            "UPDATE rcv_queues SET rcv_service_assoc = $1, deleted = $2 WHERE rcv_queue_id = 2";
        for from in STATES {
            for to in STATES {
                let counted = |(associated, deleted): (bool, bool)| associated && !deleted;
                let expected = |state| if counted(state) { vec![1, 2] } else { vec![1] };
                services.insert((2, from.0, from.1));
                services.assert(&expected(from));
                assert_eq!(test.execute(update, &[&to.0, &to.1]), 1);
                services.assert(&expected(to));
                assert_eq!(test.execute("DELETE FROM rcv_queues WHERE rcv_queue_id = 2", &[]), 1);
                services.assert(&[1]);
            }
        }
    });
}

#[test]
fn as16_queues_that_go_with_their_connection_stay_counted() {
    on_each(|test| {
        let services = Services::of(test);
        services.insert((1, true, false));
        test.execute("DELETE FROM connections", &[]);
        assert!(test.query("SELECT rcv_id FROM rcv_queues", &[], |_| Ok(())).is_empty());
        services.assert(&[1]);
    });
}

#[test]
fn as17_services_without_a_fingerprint_of_their_own_are_not_told_apart() {
    on_each(|test| {
        let services = Services::of(test);
        test.execute(SERVICE, &[&services.user, &"a.example", &&b"the same again"[..]]);
        services.insert((1, true, false));
        services.assert(&[1]);
        assert_eq!(services.aggregates().iter().filter(|(own, ..)| *own).count(), 2);
    });
}

#[test]
fn as4_the_function_combines_as_much_as_the_shorter_has() {
    let place = crate::fixture::Place::file();
    let store = place.open().unwrap();
    let combined = |state: &str, id: &str| {
        let text = format!("SELECT hex(simplex_xor_md5_combine({state}, {id})) AS hash");
        store.database().exec_sql(&text)
    };
    let digest = |id: &[u8]| {
        let hash = IdsHash::of_id(id);
        hash.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect::<String>()
    };
    let zeros = "zeroblob(16)";
    assert_eq!(combined(zeros, "x'6162'").unwrap()[1], digest(b"ab"));
    assert_eq!(combined("x'FFFF'", "x''").unwrap()[1].len(), 4);
    assert_eq!(combined("zeroblob(40)", "x''").unwrap()[1], digest(b""));
    assert_eq!(combined("x''", "x'61'").unwrap(), ["hash", ""]);
    assert!(combined(zeros, "'text'").is_err());
    assert!(combined("NULL", "x''").is_err());
}
