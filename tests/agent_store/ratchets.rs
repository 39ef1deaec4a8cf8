//! Ratchets and the keys that they begin with (section 4.8).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;

use crate::fixture::{TestStore, on_each};

fn conn(test: &TestStore, id: &[u8]) -> ConnId {
    let user = test.user();
    test.bare_connection(user, id)
}

fn ratchet(number: u32) -> Ratchet {
    Ratchet::from_json(format!("{{\"rcNs\":{number}}}").as_bytes()).unwrap()
}

fn public_kem(bytes: &[u8]) -> KemPublicKey {
    KemPublicKey::new(bytes.to_vec()).unwrap()
}

fn keys(byte: u8) -> X3dhKeys {
    let secret_key = KemSecretKey::new(vec![byte; 3]).unwrap();
    let kem = PrivateKemParams { public_key: public_kem(b"kem"), secret_key };
    let key = |byte| X448PrivateKey::new([byte; 56]);
    X3dhKeys { key_1: key(byte), key_2: key(byte + 1), kem: Some(kem) }
}

fn params(kem: Option<KemParams>) -> SndE2eParams {
    let key = |byte| X448PublicKey::new([byte; 56]);
    SndE2eParams { version: E2eVersion(3), key_1: key(5), key_2: key(6), kem }
}

fn accepted() -> KemParams {
    let ciphertext = KemCiphertext::new(b"ct".to_vec()).unwrap();
    KemParams::Accepted { ciphertext, public_key: public_kem(b"kem") }
}

fn message_key(byte: u8) -> MessageKey {
    MessageKey::new(vec![byte; 32], vec![byte; 16]).unwrap()
}

fn header(byte: u8) -> HeaderKey {
    HeaderKey(vec![byte; 32])
}

fn skipped(keys: &[(u8, u32, u8)]) -> SkippedMsgKeys {
    let mut all = SkippedMsgKeys::new();
    for (header_key, number, key) in keys {
        all.entry(header(*header_key)).or_default().insert(*number, message_key(*key));
    }
    all
}

const PRIVATE_DER: &[u8] = b"\x30\x46\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6f\x04\x3a\x04\x38";
const PUBLIC_DER: &[u8] = b"\x30\x42\x30\x05\x06\x03\x2b\x65\x6f\x03\x39\x00";

fn der(prefix: &[u8], byte: u8) -> Option<Vec<u8>> {
    Some([prefix, &[byte; 56]].concat())
}

type Cells = [Option<Vec<u8>>; 7];

/// The row's state, both private and both public keys, and both parameters.
fn row(test: &TestStore, conn: &ConnId) -> Option<Cells> {
    let query = "SELECT ratchet_state, x3dh_priv_key_1, x3dh_priv_key_2, x3dh_pub_key_1,
        x3dh_pub_key_2, pq_priv_kem, pq_pub_kem FROM ratchets WHERE conn_id = $1";
    let columns = [
        "r.ratchet_state",
        "r.x3dh_priv_key_1",
        "r.x3dh_priv_key_2",
        "r.x3dh_pub_key_1",
        "r.x3dh_pub_key_2",
        "r.pq_priv_kem",
        "r.pq_pub_kem",
    ];
    let mut rows = test.query(query, &[conn], |row| {
        let mut cells = Cells::default();
        for (cell, column) in cells.iter_mut().zip(columns) {
            *cell = row.next(column)?;
        }
        Ok(cells)
    });
    assert!(rows.len() < 2);
    rows.pop()
}

fn state(number: u32) -> Option<Vec<u8>> {
    Some(ratchet(number).as_json().as_bytes().to_vec())
}

fn with_state(number: u32) -> Cells {
    [state(number), None, None, None, None, None, None]
}

fn with_keys(state: Option<Vec<u8>>, byte: u8) -> Cells {
    let kem = Some([&b"P\0\x03kem\0\x03"[..], &[byte; 3]].concat());
    let (one, two) = (der(PRIVATE_DER, byte), der(PRIVATE_DER, byte + 1));
    [state, one, two, None, None, kem, None]
}

#[test]
fn f115_f116_the_offering_side_s_keys_are_kept() {
    on_each(|test| {
        let (one, two) = (conn(test, b"one"), conn(test, b"two"));
        test.run(|tx| tx.create_ratchet_x3dh_keys(&one, &keys(1))).unwrap();
        assert_eq!(row(test, &one), Some(with_keys(None, 1)));
        assert_eq!(test.run(|tx| tx.get_ratchet_x3dh_keys(&one)), Ok(keys(1)));
        let without_kem = X3dhKeys { kem: None, ..keys(3) };
        test.run(|tx| tx.create_ratchet_x3dh_keys(&two, &without_kem)).unwrap();
        assert_eq!(test.run(|tx| tx.get_ratchet_x3dh_keys(&two)), Ok(without_kem));
    });
}

#[test]
fn f115_keys_of_a_connection_that_has_a_row_are_a_failure() {
    on_each(|test| {
        let one = conn(test, b"one");
        test.run(|tx| tx.create_ratchet(&one, &ratchet(1))).unwrap();
        let again = test.run(|tx| tx.create_ratchet_x3dh_keys(&one, &keys(1)));
        assert!(matches!(again, Err(StoreError::Internal(_))), "{again:?}");
        assert_eq!(row(test, &one), Some(with_state(1)));
        let missing = ConnId::from_bytes(b"missing").unwrap();
        let absent = test.run(|tx| tx.create_ratchet_x3dh_keys(&missing, &keys(1)));
        assert!(matches!(absent, Err(StoreError::Internal(_))), "{absent:?}");
    });
}

#[test]
fn f116_keys_are_not_found_unless_both_are_there() {
    on_each(|test| {
        let one = conn(test, b"one");
        let found = || test.run(|tx| tx.get_ratchet_x3dh_keys(&one));
        assert_eq!(found(), Err(StoreError::X3dhKeysNotFound));
        test.run(|tx| tx.create_ratchet(&one, &ratchet(1))).unwrap();
        assert_eq!(found(), Err(StoreError::X3dhKeysNotFound));
        for column in [
            "UPDATE ratchets SET x3dh_priv_key_1 = NULL",
            "UPDATE ratchets SET x3dh_priv_key_2 = NULL",
        ] {
            test.run(|tx| tx.set_ratchet_x3dh_keys(&one, &keys(1))).unwrap();
            assert_eq!(found(), Ok(keys(1)));
            test.execute(column, &[]);
            assert_eq!(found(), Err(StoreError::X3dhKeysNotFound));
        }
        let kem = "UPDATE ratchets SET x3dh_priv_key_2 = x3dh_priv_key_1, pq_priv_kem = $1";
        test.run(|tx| tx.set_ratchet_x3dh_keys(&one, &keys(1))).unwrap();
        test.execute(kem, &[&b"A\0\0\0\0"]);
        let Err(StoreError::Internal(text)) = found() else { panic!("it was read") };
        assert!(text.contains("ratchets.pq_priv_kem: not private KEM parameters"), "{text}");
    });
}

#[test]
fn f117_keys_are_replaced_and_the_ratchet_stays() {
    on_each(|test| {
        let (one, two) = (conn(test, b"one"), conn(test, b"two"));
        test.run(|tx| tx.create_snd_ratchet(&one, &ratchet(1), &params(None))).unwrap();
        test.run(|tx| tx.create_ratchet(&two, &ratchet(2))).unwrap();
        test.run(|tx| tx.set_ratchet_x3dh_keys(&one, &keys(7))).unwrap();
        let [_, private_1, private_2, .., private_kem, _] = with_keys(None, 7);
        let (public_1, public_2) = (der(PUBLIC_DER, 5), der(PUBLIC_DER, 6));
        let expected = [state(1), private_1, private_2, public_1, public_2, private_kem, None];
        assert_eq!(row(test, &one), Some(expected));
        assert_eq!(row(test, &two), Some(with_state(2)));
        test.run(|tx| tx.set_ratchet_x3dh_keys(&two, &X3dhKeys { kem: None, ..keys(7) })).unwrap();
        assert_eq!(row(test, &two).unwrap()[5], None);
        let missing = conn(test, b"missing");
        test.run(|tx| tx.set_ratchet_x3dh_keys(&missing, &keys(7))).unwrap();
        assert_eq!(row(test, &missing), None);
    });
}

#[test]
fn f118_f119_the_joining_side_s_ratchet_replaces_everything() {
    on_each(|test| {
        let one = conn(test, b"one");
        let (proposed, accepted) = (KemParams::Proposed(public_kem(b"kem")), accepted());
        let kems = [
            (Some(proposed), Some(b"P\0\x03kem".to_vec())),
            (Some(accepted), Some(b"A\0\x02ct\0\x03kem".to_vec())),
            (None, None),
        ];
        test.run(|tx| tx.create_ratchet_x3dh_keys(&one, &keys(1))).unwrap();
        for (number, (kem, stored)) in (1..).zip(kems) {
            let params = params(kem);
            test.run(|tx| tx.create_snd_ratchet(&one, &ratchet(number), &params)).unwrap();
            let (public_1, public_2) = (der(PUBLIC_DER, 5), der(PUBLIC_DER, 6));
            let expected = [state(number), None, None, public_1, public_2, None, stored];
            assert_eq!(row(test, &one), Some(expected));
            let found = test.run(|tx| tx.get_snd_ratchet(&one, E2eVersion(3)));
            assert_eq!(found, Ok((ratchet(number), params)));
        }
    });
}

#[test]
fn f119_as73_the_version_is_the_caller_s() {
    on_each(|test| {
        let one = conn(test, b"one");
        test.run(|tx| tx.create_snd_ratchet(&one, &ratchet(1), &params(None))).unwrap();
        for version in [E2eVersion(1), E2eVersion(u16::MAX)] {
            let (_, found) = test.run(|tx| tx.get_snd_ratchet(&one, version)).unwrap();
            assert_eq!(found, SndE2eParams { version, ..params(None) });
        }
    });
}

#[test]
fn f119_without_the_ratchet_or_a_key_nothing_is_found() {
    on_each(|test| {
        let one = conn(test, b"one");
        let found = || test.run(|tx| tx.get_snd_ratchet(&one, E2eVersion(3))).map(drop);
        assert_eq!(found(), Err(StoreError::X3dhKeysNotFound));
        for column in [
            "UPDATE ratchets SET ratchet_state = NULL",
            "UPDATE ratchets SET x3dh_pub_key_1 = NULL",
            "UPDATE ratchets SET x3dh_pub_key_2 = NULL",
        ] {
            test.run(|tx| tx.create_snd_ratchet(&one, &ratchet(1), &params(None))).unwrap();
            assert_eq!(found(), Ok(()));
            test.execute(column, &[]);
            assert_eq!(found(), Err(StoreError::X3dhKeysNotFound), "{column}");
        }
    });
}

#[test]
fn f120_f121_as74_a_new_ratchet_keeps_skipped_keys_and_a_deleted_one_does_not() {
    on_each(|test| {
        let one = conn(test, b"one");
        let keys_of = |conn| test.run(|tx| tx.get_skipped_msg_keys(conn)).unwrap();
        test.run(|tx| tx.create_snd_ratchet(&one, &ratchet(1), &params(Some(accepted())))).unwrap();
        let add = SkippedMsgDiff::Add(skipped(&[(1, 4, 9)]));
        test.run(|tx| tx.update_ratchet(&one, &ratchet(2), &add)).unwrap();
        test.run(|tx| tx.create_ratchet(&one, &ratchet(3))).unwrap();
        assert_eq!(row(test, &one), Some(with_state(3)));
        assert_eq!(keys_of(&one), skipped(&[(1, 4, 9)]));
        test.run(|tx| tx.create_snd_ratchet(&one, &ratchet(4), &params(None))).unwrap();
        assert_eq!(keys_of(&one), skipped(&[(1, 4, 9)]));
        test.run(|tx| tx.delete_ratchet(&one)).unwrap();
        assert_eq!(row(test, &one), None);
        assert_eq!(keys_of(&one), SkippedMsgKeys::new());
        test.run(|tx| tx.delete_ratchet(&one)).unwrap();
        test.run(|tx| tx.create_ratchet(&one, &ratchet(5))).unwrap();
        assert_eq!(keys_of(&one), SkippedMsgKeys::new());
    });
}

#[test]
fn f122_f123_a_ratchet_is_found_once_it_has_a_state() {
    on_each(|test| {
        let (one, two) = (conn(test, b"one"), conn(test, b"two"));
        let found = |conn| {
            let one = test.run(|tx| tx.get_ratchet(conn));
            assert_eq!(test.run(|tx| tx.get_ratchet_for_update(conn)), one);
            one
        };
        assert_eq!(found(&one), Err(StoreError::RatchetNotFound));
        test.run(|tx| tx.create_ratchet_x3dh_keys(&one, &keys(1))).unwrap();
        assert_eq!(found(&one), Err(StoreError::RatchetNotFound));
        test.run(|tx| tx.create_ratchet(&one, &ratchet(1))).unwrap();
        test.run(|tx| tx.create_ratchet(&two, &ratchet(2))).unwrap();
        assert_eq!(found(&one), Ok(ratchet(1)));
        test.execute("UPDATE ratchets SET ratchet_state = $1 WHERE conn_id = $2", &[&b"{", &two]);
        let Err(StoreError::Internal(text)) = found(&two) else { panic!("it was read") };
        assert!(text.contains("ratchets.ratchet_state: not a ratchet"), "{text}");
    });
}

#[test]
fn f124_f125_skipped_keys_are_added_and_removed_one_by_one() {
    on_each(|test| {
        let (one, two) = (conn(test, b"one"), conn(test, b"two"));
        for conn in [&one, &two] {
            test.run(|tx| tx.create_ratchet(conn, &ratchet(1))).unwrap();
        }
        let update = |conn, number, diff: SkippedMsgDiff| {
            test.run(|tx| tx.update_ratchet(conn, &ratchet(number), &diff)).unwrap();
        };
        let keys_of = |conn| test.run(|tx| tx.get_skipped_msg_keys(conn)).unwrap();
        update(&two, 9, SkippedMsgDiff::Add(skipped(&[(1, 1, 9)])));
        let all = [(1, 1, 10), (1, 2, 11), (1, u32::MAX, 12), (2, 1, 13)];
        update(&one, 2, SkippedMsgDiff::Add(skipped(&all)));
        assert_eq!(keys_of(&one), skipped(&all));
        update(&one, 3, SkippedMsgDiff::NoChange);
        assert_eq!(keys_of(&one), skipped(&all));
        update(&one, 4, SkippedMsgDiff::Remove(header(1), 1));
        assert_eq!(keys_of(&one), skipped(&all[1..]));
        update(&one, 5, SkippedMsgDiff::Remove(header(2), 2));
        assert_eq!(keys_of(&one), skipped(&all[1..]));
        assert_eq!(keys_of(&two), skipped(&[(1, 1, 9)]));
        assert_eq!(row(test, &one), Some(with_state(5)));
        assert_eq!(row(test, &two), Some(with_state(9)));
        let query = "SELECT header_key, msg_n, msg_key FROM skipped_messages WHERE conn_id = $1";
        let stored: Vec<(Vec<u8>, i64, Vec<u8>)> = test.query(query, &[&two], |row| {
            Ok((row.next("s.header_key")?, row.next("s.msg_n")?, row.next("s.msg_key")?))
        });
        let key = [&[32][..], &[9; 32], &[16], &[9; 16]].concat();
        assert_eq!(stored, [(vec![1; 32], 1, key)]);
    });
}

#[test]
fn f124_a_skipped_key_that_cannot_be_read_is_named() {
    on_each(|test| {
        let one = conn(test, b"one");
        test.run(|tx| tx.create_ratchet(&one, &ratchet(1))).unwrap();
        let add = SkippedMsgDiff::Add(skipped(&[(1, 1, 10)]));
        test.run(|tx| tx.update_ratchet(&one, &ratchet(2), &add)).unwrap();
        let read = || match test.run(|tx| tx.get_skipped_msg_keys(&one)) {
            Err(StoreError::Internal(text)) => text,
            other => panic!("{other:?}"),
        };
        test.execute("UPDATE skipped_messages SET msg_key = $1", &[&b"\x05key"]);
        assert!(read().contains("skipped_messages.msg_key: not a message's key"), "{}", read());
        for number in [-1, 1_i64 << 32] {
            test.execute("UPDATE skipped_messages SET msg_n = $1", &[&number]);
            assert!(read().contains("skipped_messages.msg_n: not an integer"), "{}", read());
        }
    });
}

#[test]
fn f125_keys_without_a_ratchet_are_a_failure_that_takes_all_back() {
    on_each(|test| {
        let (one, two) = (conn(test, b"one"), conn(test, b"two"));
        test.run(|tx| tx.create_ratchet(&two, &ratchet(1))).unwrap();
        let add = SkippedMsgDiff::Add(skipped(&[(1, 1, 10)]));
        let both = test.run(|tx| {
            tx.update_ratchet(&two, &ratchet(2), &add)?;
            tx.update_ratchet(&one, &ratchet(2), &add)
        });
        assert!(matches!(both, Err(StoreError::Internal(_))), "{both:?}");
        assert_eq!(row(test, &two), Some(with_state(1)));
        assert!(test.run(|tx| tx.get_skipped_msg_keys(&two)).unwrap().is_empty());
        // Without keys there is nothing that needs one.
        test.run(|tx| tx.update_ratchet(&one, &ratchet(2), &SkippedMsgDiff::NoChange)).unwrap();
        assert_eq!(row(test, &one), None);
    });
}

#[test]
fn f123_as10_who_wants_to_change_a_ratchet_waits_for_who_does() {
    on_each(|test| {
        let one = conn(test, b"one");
        test.run(|tx| tx.create_ratchet(&one, &ratchet(1))).unwrap();
        let (first, second) = (one.clone(), one);
        let found = test.beside(
            |tx| {
                assert_eq!(tx.get_ratchet_for_update(&first)?, ratchet(1));
                tx.update_ratchet(&first, &ratchet(2), &SkippedMsgDiff::NoChange)
            },
            move |tx| tx.get_ratchet_for_update(&second),
        );
        assert_eq!(found, Ok(ratchet(2)));
    });
}
