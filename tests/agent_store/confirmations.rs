//! Confirmations of handshakes (section 4.5).

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;
use simplex_stores::protocol::{AuthKey, Blob};

use crate::fixture::{TestStore, on_each};

fn conn(test: &TestStore, id: &[u8]) -> ConnId {
    let user = test.user();
    test.bare_connection(user, id)
}

fn info(text: &str) -> Blob {
    Blob::from(text.as_bytes())
}

fn ratchet() -> Ratchet {
    Ratchet::from_json(b"{\"rcNs\":1}").unwrap()
}

fn confirmation(conn_id: &ConnId, sender_key: Option<AuthKey>) -> NewConfirmation {
    let sender_conf = SmpConfirmation {
        sender_key,
        e2e_pub_key: X25519PublicKey::new([4; 32]),
        conn_info: info("sender"),
        smp_reply_queues: ReplyQueues::new(&[b"queue"]).unwrap(),
        smp_client_version: SmpClientVersion(4),
    };
    NewConfirmation { conn_id: conn_id.clone(), sender_conf, ratchet_state: ratchet() }
}

fn create(test: &TestStore, seed: u64, new: &NewConfirmation) -> ConfirmationId {
    let rng = &mut StdRng::seed_from_u64(seed);
    test.run(|tx| tx.create_confirmation(rng, new)).unwrap()
}

fn accepted(id: &ConfirmationId, new: NewConfirmation, own: &str) -> AcceptedConfirmation {
    let NewConfirmation { conn_id, sender_conf, ratchet_state } = new;
    let (confirmation_id, own_conn_info) = (id.clone(), info(own));
    AcceptedConfirmation { confirmation_id, conn_id, sender_conf, ratchet_state, own_conn_info }
}

/// Each confirmation's id, whether it is accepted, and what its sender is told.
fn rows(test: &TestStore) -> Vec<(ConfirmationId, bool, Option<Blob>)> {
    let query = "SELECT confirmation_id, accepted, own_conn_info FROM conn_confirmations
                  ORDER BY own_conn_info";
    test.query(query, &[], |row| {
        Ok((row.next("c.confirmation_id")?, row.next("c.accepted")?, row.next("c.own_conn_info")?))
    })
}

#[test]
fn f072_as38_a_confirmation_is_kept_under_a_random_id() {
    on_each(|test| {
        let one = conn(test, b"one");
        let id = create(test, 1, &confirmation(&one, Some(AuthKey::Ed25519([3; 32]))));
        assert_eq!(id.as_bytes().len(), 16);
        assert_eq!(rows(test), [(id.clone(), false, None)]);
        let query = "SELECT conn_id, sender_key, e2e_snd_pub_key, ratchet_state, sender_conn_info,
            smp_reply_queues FROM conn_confirmations";
        let columns = [
            "c.conn_id",
            "c.sender_key",
            "c.e2e_snd_pub_key",
            "c.ratchet_state",
            "c.sender_conn_info",
            "c.smp_reply_queues",
        ];
        let stored: Vec<Vec<Vec<u8>>> =
            test.query(query, &[], |row| columns.iter().map(|column| row.next(column)).collect());
        let sender_key =
            [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..], &[3; 32]].concat();
        let e2e_key = [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00"[..], &[4; 32]].concat();
        let expected: [&[u8]; 6] =
            [b"one", &sender_key, &e2e_key, b"{\"rcNs\":1}", b"sender", b"\x01queue"];
        assert_eq!(stored, [expected.map(<[u8]>::to_vec).to_vec()]);
        let version: Vec<i64> =
            test.query("SELECT smp_client_version FROM conn_confirmations", &[], |row| {
                row.next("c.smp_client_version")
            });
        assert_eq!(version, [4]);
    });
}

#[test]
fn f072_as39_a_taken_id_is_replaced_and_without_a_connection_there_is_none() {
    on_each(|test| {
        let one = conn(test, b"one");
        let new = confirmation(&one, None);
        let first = create(test, 1, &new);
        assert_ne!(create(test, 1, &new), first);
        let missing = confirmation(&ConnId::from_bytes(b"missing").unwrap(), None);
        let rng = &mut StdRng::seed_from_u64(2);
        let made = test.run(|tx| tx.create_confirmation(rng, &missing));
        assert_eq!(made, Err(StoreError::UniqueId));
        assert_eq!(rows(test).len(), 2);
    });
}

#[test]
fn f073_f074_an_accepted_confirmation_is_found_with_what_its_sender_is_told() {
    on_each(|test| {
        let (one, two) = (conn(test, b"one"), conn(test, b"two"));
        let found = |conn| test.run(|tx| tx.get_accepted_confirmation(conn));
        let new = confirmation(&one, None);
        let [id, other] = [1, 2].map(|seed| create(test, seed, &new));
        assert_eq!(found(&one), Err(StoreError::ConfirmationNotFound));
        let expected = accepted(&id, new, "own");
        let got = test.run(|tx| tx.accept_confirmation(&id, &info("own")));
        assert_eq!(got.as_ref(), Ok(&expected));
        assert_eq!(found(&one), Ok(expected));
        assert_eq!(found(&two), Err(StoreError::ConfirmationNotFound));
        let mut expected = [(id, true, Some(info("own"))), (other, false, None)];
        let mut stored = rows(test);
        stored.sort_by_key(|(_, accepted, _)| *accepted);
        expected.sort_by_key(|(_, accepted, _)| *accepted);
        assert_eq!(stored, expected);
    });
}

#[test]
fn f073_what_is_not_there_is_not_accepted() {
    on_each(|test| {
        let one = conn(test, b"one");
        create(test, 1, &confirmation(&one, None));
        let missing = ConfirmationId::from_bytes(b"missing").unwrap();
        let got = test.run(|tx| tx.accept_confirmation(&missing, &info("own")));
        assert_eq!(got, Err(StoreError::ConfirmationNotFound));
        assert!(rows(test).iter().all(|(_, accepted, own)| !accepted && own.is_none()));
    });
}

#[test]
fn f073_columns_of_later_versions_may_be_missing() {
    on_each(|test| {
        let one = conn(test, b"one");
        let new = confirmation(&one, Some(AuthKey::X25519([3; 32])));
        let id = create(test, 1, &new);
        let clear =
            "UPDATE conn_confirmations SET smp_reply_queues = NULL, smp_client_version = NULL";
        test.execute(clear, &[]);
        let got = test.run(|tx| tx.accept_confirmation(&id, &info(""))).unwrap();
        let mut expected = accepted(&id, new, "");
        expected.sender_conf.smp_reply_queues = ReplyQueues::default();
        expected.sender_conf.smp_client_version = SmpClientVersion(1);
        assert_eq!(got, expected);
    });
}

#[test]
fn f073_f074_a_confirmation_that_cannot_be_read_is_named_and_not_accepted() {
    on_each(|test| {
        let one = conn(test, b"one");
        let id = create(test, 1, &confirmation(&one, None));
        let accept = || test.run(|tx| tx.accept_confirmation(&id, &info("own")));
        for (damage, column) in [
            ("UPDATE conn_confirmations SET sender_key = $1", "sender_key"),
            ("UPDATE conn_confirmations SET e2e_snd_pub_key = $1", "e2e_snd_pub_key"),
            ("UPDATE conn_confirmations SET ratchet_state = $1", "ratchet_state"),
            ("UPDATE conn_confirmations SET smp_reply_queues = $1", "smp_reply_queues"),
        ] {
            test.execute("DELETE FROM conn_confirmations", &[]);
            create(test, 1, &confirmation(&one, None));
            test.execute(damage, &[&b"\x05?"]);
            let Err(StoreError::Internal(text)) = accept() else { panic!("{column} was read") };
            assert!(text.contains(&format!("conn_confirmations.{column}: not ")), "{text}");
            assert_eq!(rows(test), [(id.clone(), false, None)], "it was taken back");
        }
    });
}

#[test]
fn f075_all_confirmations_of_a_connection_are_removed() {
    on_each(|test| {
        let (one, two) = (conn(test, b"one"), conn(test, b"two"));
        for (seed, conn) in [(1, &one), (2, &one)] {
            create(test, seed, &confirmation(conn, None));
        }
        let kept = create(test, 3, &confirmation(&two, None));
        test.run(|tx| tx.remove_confirmations(&one)).unwrap();
        test.run(|tx| tx.remove_confirmations(&one)).unwrap();
        assert_eq!(rows(test), [(kept, false, None)]);
    });
}
