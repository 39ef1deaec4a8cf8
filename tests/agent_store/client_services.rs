//! Services of clients (section 4.3).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    AuthPrivateKey, ClientService, KeyHash, Semantics, ServiceCredentials, ServiceId,
    ServicePrivateKey, SmpServer, UserId,
};
use simplex_stores::db::DbErrorKind;
use simplex_stores::encoding::base64url;
use simplex_stores::protocol::{CertChain, IdsHash, ServiceRole};
use simplex_stores::testing::queue_store::sample;

use crate::fixture::{TestStore, on_each, on_each_with};
use crate::stored_queues::{RcvRow, rekeyed, router};

pub(crate) fn credentials(number: u8) -> ServiceCredentials {
    let key = AuthPrivateKey::Ed25519([number; 32]).to_der();
    ServiceCredentials {
        cert_hash: KeyHash(vec![number; 32]),
        cert_chain: sample::service(number, number, ServiceRole::Messaging).cert_chain,
        private_key: ServicePrivateKey::from_der(&key).unwrap(),
    }
}

fn service(number: u8, service_id: Option<u8>) -> ClientService {
    let service_id = service_id.map(id);
    ClientService { credentials: credentials(number), service_id }
}

fn id(number: u8) -> ServiceId {
    ServiceId::from_bytes(&[number; 24]).unwrap()
}

fn create(test: &TestStore, user: UserId, server: &SmpServer, number: u8) -> ClientService {
    test.run(|tx| tx.create_client_service(user, server, &credentials(number))).unwrap()
}

fn set_id(test: &TestStore, user: UserId, server: &SmpServer, number: u8) {
    test.run(|tx| tx.set_client_service_id(user, server, &id(number))).unwrap();
}

fn get(test: &TestStore, user: UserId, server: &SmpServer) -> Option<ClientService> {
    test.run(|tx| tx.get_client_service_credentials(user, server)).unwrap()
}

/// User, own fingerprint and id of each row.
fn rows(test: &TestStore) -> Vec<(UserId, Option<KeyHash>, Option<ServiceId>)> {
    let query = "SELECT user_id, server_key_hash, service_id FROM client_services
                  ORDER BY user_id, host, server_key_hash NULLS FIRST, service_cert_hash";
    test.query(query, &[], |row| {
        let user = row.next("client_services.user_id")?;
        let key_hash = row.next("client_services.server_key_hash")?;
        Ok((user, key_hash, row.next("client_services.service_id")?))
    })
}

#[test]
fn f008_a_service_is_stored_in_the_documented_form_and_its_router_registered() {
    on_each(|test| {
        let (user, server) = (test.user(), router("a.example"));
        assert_eq!(create(test, user, &server, 7), service(7, None));
        let query = "SELECT host, port, service_cert_hash, service_cert, service_priv_key,
                       service_queue_count, service_queue_ids_hash FROM client_services";
        let stored = test.query(query, &[], |row| {
            assert_eq!(row.next::<String>("v.host")?, "a.example");
            assert_eq!(row.next::<String>("v.port")?, "5223");
            let blobs: [Vec<u8>; 3] = [
                row.next("v.service_cert_hash")?,
                row.next("v.service_cert")?,
                row.next("v.service_priv_key")?,
            ];
            let count: i64 = row.next("v.service_queue_count")?;
            Ok((blobs, count, row.next::<IdsHash>("v.service_queue_ids_hash")?))
        });
        let ServiceCredentials { cert_chain, private_key, .. } = credentials(7);
        let [certificate] = cert_chain.certificates() else { panic!() };
        let length = u16::try_from(certificate.as_bytes().len()).unwrap().to_be_bytes();
        let blobs = [
            base64url::to_string(&[7; 32]).into_bytes(),
            [&[1], &length[..], certificate.as_bytes()].concat(),
            private_key.as_der().to_vec(),
        ];
        assert_eq!(stored, [(blobs, 0, IdsHash::EMPTY)]);
        assert_eq!(rows(test), [(user, None, None)]);
        let registered = test.run(|tx| tx.create_server(&server));
        assert_eq!(registered, Ok(None));
        assert_eq!(create(test, user, &rekeyed(&server), 8), service(8, None));
        let own = Some(rekeyed(&server).key_hash);
        assert_eq!(rows(test), [(user, None, None), (user, own, None)]);
    });
}

#[test]
fn f008_as36_q1_a_service_that_is_there_is_given_as_it_is() {
    on_each(|test| {
        let (user, server) = (test.user(), router("a.example"));
        for server in [&server, &rekeyed(&server)] {
            create(test, user, server, 1);
            set_id(test, user, server, 1);
            assert_eq!(create(test, user, server, 2), service(1, Some(1)));
        }
        assert_eq!(rows(test).len(), 2);
        let other = test.user();
        assert_eq!(create(test, other, &server, 3), service(3, None), "another user's");
    });
}

#[test]
fn f008_as17_the_reference_makes_another_where_the_fingerprint_is_the_first_seen() {
    on_each_with(Semantics::Reference, |test| {
        let (user, server) = (test.user(), router("a.example"));
        assert_eq!(create(test, user, &server, 2), service(2, None));
        assert_eq!(create(test, user, &server, 1), service(1, None));
        assert_eq!(rows(test).len(), 2);
        assert_eq!(get(test, user, &server), Some(service(1, None)), "one of the two");
        test.execute(
            "UPDATE client_services SET service_id = $1 WHERE service_cert_hash = $2",
            &[&id(9), &KeyHash(vec![2; 32])],
        );
        assert_eq!(get(test, user, &server), Some(service(2, Some(9))), "the one with an id");
        let rekeyed = rekeyed(&server);
        create(test, user, &rekeyed, 3);
        set_id(test, user, &rekeyed, 3);
        assert_eq!(create(test, user, &rekeyed, 4), service(3, Some(3)), "as36");
        assert_eq!(rows(test).len(), 3);
    });
}

#[test]
fn f008_q2_those_who_create_a_service_at_once_take_turns() {
    on_each(|test| {
        let (user, server) = (test.user(), test.router("a.example"));
        let (first, second) = (server.clone(), server);
        let created = test.beside(
            |tx| {
                tx.create_client_service(user, &first, &credentials(1))?;
                tx.set_client_service_id(user, &first, &id(1))
            },
            move |tx| tx.create_client_service(user, &second, &credentials(2)),
        );
        assert_eq!(created, Ok(service(1, Some(1))));
        assert_eq!(rows(test), [(user, None, Some(id(1)))]);
    });
}

#[test]
fn f008_what_cannot_be_stored_writes_nothing() {
    on_each(|test| {
        let (user, server) = (test.user(), router("a.example"));
        let empty = ServiceCredentials { cert_chain: CertChain::default(), ..credentials(1) };
        let failed = test.run(|tx| tx.create_client_service(user, &server, &empty));
        let Err(StoreError::Internal(error)) = failed else { panic!("{failed:?}") };
        assert!(error.contains("client_services.service_cert"), "{error}");
        let nobody = UserId(user.0 + 1);
        let failed = test.run(|tx| tx.create_client_service(nobody, &server, &credentials(1)));
        assert!(failed.is_err());
        assert!(rows(test).is_empty());
        assert!(test.query("SELECT host FROM servers", &[], |_| Ok(())).is_empty());
    });
}

#[test]
fn f009_as31_a_service_is_found_by_user_address_and_fingerprint() {
    on_each(|test| {
        let [user, other] = [test.user(), test.user()];
        let server = router("a.example");
        let rekeyed = rekeyed(&server);
        create(test, user, &server, 1);
        create(test, user, &rekeyed, 2);
        create(test, other, &router("b.example"), 3);
        assert_eq!(get(test, user, &server), Some(service(1, None)));
        assert_eq!(get(test, user, &rekeyed), Some(service(2, None)));
        assert_eq!(get(test, user, &router("b.example")), None);
        assert_eq!(get(test, user, &router("c.example")), None);
        assert_eq!(get(test, other, &server), None);
        let other_port = crate::fixture::server("a.example", "443", &[1; 32]);
        assert_eq!(get(test, user, &other_port), None);
    });
}

#[test]
fn f009_what_is_no_service_names_its_column() {
    on_each(|test| {
        let (user, server) = (test.user(), router("a.example"));
        let damages = [
            ("service_cert_hash", "UPDATE client_services SET service_cert_hash = $1"),
            ("service_cert", "UPDATE client_services SET service_cert = $1"),
            ("service_priv_key", "UPDATE client_services SET service_priv_key = $1"),
            ("service_id", "UPDATE client_services SET service_id = $1"),
        ];
        for (column, damage) in damages {
            test.execute("DELETE FROM client_services", &[]);
            create(test, user, &server, 1);
            let bytes: &[u8] = if column == "service_id" { b"" } else { b"secret!" };
            test.execute(damage, &[&bytes]);
            let read = test.run(|tx| {
                let read = tx.get_client_service_credentials(user, &server);
                let Err(simplex_stores::agent_store::TxError::Database(error)) = read else {
                    panic!("{column} was read");
                };
                Ok(error)
            });
            let error = read.unwrap();
            assert_eq!(*error.kind(), DbErrorKind::Row { table: "client_services", column });
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    });
}

#[test]
fn f010_f012_a_subscription_is_there_once_the_id_is_known() {
    on_each(|test| {
        let [user, other] = [test.user(), test.user()];
        let server = test.router("a.example");
        let rekeyed = rekeyed(&server);
        for (user, server) in [(user, &server), (user, &rekeyed), (other, &server)] {
            create(test, user, server, 1);
        }
        let subscription = |user: UserId, server: &SmpServer| {
            test.run(|tx| tx.get_subscription_service(user, server)).unwrap()
        };
        assert_eq!(subscription(user, &server), None);
        set_id(test, user, &server, 5);
        set_id(test, user, &router("c.example"), 6);
        assert_eq!(rows(test).iter().filter(|(.., id)| id.is_some()).count(), 1);
        assert_eq!(get(test, user, &server), Some(service(1, Some(5))));
        let found = subscription(user, &server).unwrap();
        assert_eq!((found.service_id, found.queues.count), (id(5), 0));
        assert_eq!(found.queues.hash, IdsHash::EMPTY);
        assert_eq!(subscription(user, &rekeyed), None);
        assert_eq!(subscription(other, &server), None);
        let counts = "UPDATE client_services SET service_queue_count = 3,
                        service_queue_ids_hash = $1 WHERE service_id IS NOT NULL";
        test.execute(counts, &[&[9; 16]]);
        let found = subscription(user, &server).unwrap().queues;
        assert_eq!((found.count, *found.hash.as_bytes()), (3, [9; 16]));
    });
}

#[test]
fn f011_a_user_s_services_with_an_id_are_listed_with_their_routers() {
    on_each(|test| {
        let [user, other] = [test.user(), test.user()];
        let (server, second) = (test.router("a.example"), test.router("b.example"));
        let rekeyed = rekeyed(&server);
        let services =
            [(user, &server, 1), (user, &rekeyed, 2), (other, &second, 3), (user, &second, 4)];
        for (user, server, number) in services {
            create(test, user, server, number);
            if number < 4 {
                set_id(test, user, server, number);
            }
        }
        let listed = |user: UserId| {
            let services = test.run(|tx| tx.get_client_service_servers(user)).unwrap();
            let mut services: Vec<_> =
                services.into_iter().map(|(server, sub)| (server, sub.service_id)).collect();
            services.sort();
            services
        };
        assert_eq!(listed(user), [(server, id(1)), (rekeyed, id(2))]);
        assert_eq!(listed(other), [(second, id(3))]);
        assert_eq!(listed(test.user()), []);
    });
}

#[test]
fn f013_one_service_is_deleted() {
    on_each(|test| {
        let [user, other] = [test.user(), test.user()];
        let server = test.router("a.example");
        let rekeyed = rekeyed(&server);
        for (user, server) in [(user, &server), (user, &rekeyed), (other, &server)] {
            create(test, user, server, 1);
        }
        let delete = |server: &SmpServer| test.run(|tx| tx.delete_client_service(user, server));
        assert_eq!(delete(&router("b.example")), Ok(()));
        assert_eq!(rows(test).len(), 3);
        delete(&rekeyed).unwrap();
        assert_eq!(rows(test), [(user, None, None), (other, None, None)]);
        delete(&server).unwrap();
        delete(&server).unwrap();
        assert_eq!(rows(test), [(other, None, None)]);
    });
}

#[test]
fn f014_all_services_of_a_user_are_deleted_and_its_queues_taken_from_them() {
    on_each(|test| {
        let [user, other] = [test.user(), test.user()];
        let (server, second) = (test.router("a.example"), test.router("b.example"));
        let conn_id = test.bare_connection(user, b"connection");
        let deleted = test.bare_connection(user, b"deleted");
        let others = test.bare_connection(other, b"other");
        for (user, server) in [(user, &server), (user, &second), (other, &server)] {
            create(test, user, server, 1);
        }
        for (user, conn_id, server, id, deleted) in [
            (user, &conn_id, &server, 1, false),
            (user, &conn_id, &second, 2, true),
            (user, &deleted, &second, 3, false),
            (other, &others, &server, 4, false),
        ] {
            let row = RcvRow::new(user, conn_id, server, id);
            RcvRow { service_assoc: true, deleted, ..row }.insert(test);
        }
        test.execute("UPDATE connections SET deleted = 1 WHERE conn_id = $1", &[&deleted]);
        test.run(|tx| tx.delete_client_services(user)).unwrap();
        assert_eq!(rows(test), [(other, None, None)]);
        let query = "SELECT rcv_queue_id FROM rcv_queues WHERE rcv_service_assoc <> 0";
        assert_eq!(test.query(query, &[], |row| row.next::<i64>("q.rcv_queue_id")), [4]);
        set_id(test, other, &server, 1);
        let left = test.run(|tx| tx.get_subscription_service(other, &server)).unwrap();
        assert_eq!(left.unwrap().queues.count, 1, "as15");
    });
}

#[test]
fn private_keys_of_any_algorithm_are_told_by_their_structure() {
    let curves = [
        AuthPrivateKey::Ed25519([1; 32]),
        AuthPrivateKey::X25519([1; 32]),
        AuthPrivateKey::Ed448(Box::new([1; 57])),
    ];
    let mut keys: Vec<Vec<u8>> = curves.iter().map(AuthPrivateKey::to_der).collect();
    // rsaEncryption with its null parameters; then an elliptic curve, and attributes after the key.
    keys.push(
        b"\x30\x17\x02\x01\0\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\0\x04\x03abc"
            .to_vec(),
    );
    keys.push(
        b"\x30\x14\x02\x01\0\x30\x08\x06\x06\x2b\x81\x04\0\x0a\x0b\x04\x01a\xa0\x02\x31\0".to_vec(),
    );
    for key in &keys {
        let read = ServicePrivateKey::from_der(key).unwrap();
        assert_eq!(read.as_der(), key);
        assert_eq!(format!("{read:?}"), "<private key>");
        for length in 0..key.len() {
            assert_eq!(ServicePrivateKey::from_der(&key[..length]), None, "{length} bytes");
        }
        assert_eq!(ServicePrivateKey::from_der(&[&key[..], b"\0"].concat()), None);
    }
    let [certificate] = credentials(1).cert_chain.certificates().to_vec().try_into().unwrap();
    assert_eq!(ServicePrivateKey::from_der(certificate.as_bytes()), None);
}
