//! Short links: joining through one, and a queue's own (section 4.6).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;
use simplex_stores::protocol::Blob;

use crate::fixture::{TestStore, on_each, server};

fn smp(key_hash: u8) -> SmpServer {
    server("smp.example", "5223", &[key_hash])
}

fn link_id(id: &[u8]) -> LinkId {
    LinkId::from_bytes(id).unwrap()
}

fn snd_id(id: &[u8]) -> SenderId {
    SenderId::from_bytes(id).unwrap()
}

fn link(id: &[u8], key_hash: u8, byte: u8, snd: Option<&[u8]>) -> InvShortLink {
    InvShortLink {
        server: smp(key_hash),
        link_id: link_id(id),
        link_key: LinkKey(vec![byte; 32]),
        snd_private_key: AuthPrivateKey::Ed25519([byte; 32]),
        snd_id: snd.map(snd_id),
    }
}

fn create(test: &TestStore, link: &InvShortLink) {
    test.run(|tx| tx.create_inv_short_link(link)).unwrap();
}

fn get(test: &TestStore, server: &SmpServer, id: &[u8]) -> Option<InvShortLink> {
    test.run(|tx| tx.get_inv_short_link(server, &link_id(id))).unwrap()
}

type LinkRow = (String, String, Option<Vec<u8>>, Vec<u8>, Vec<u8>, Vec<u8>, Option<Vec<u8>>);

fn rows(test: &TestStore) -> Vec<LinkRow> {
    let query = "SELECT host, port, server_key_hash, link_id, link_key, snd_private_key, snd_id
       FROM inv_short_links ORDER BY link_id";
    test.query(query, &[], |row| {
        Ok((
            row.next("l.host")?,
            row.next("l.port")?,
            row.next("l.server_key_hash")?,
            row.next("l.link_id")?,
            row.next("l.link_key")?,
            row.next("l.snd_private_key")?,
            row.next("l.snd_id")?,
        ))
    })
}

fn row(id: &[u8], own_key_hash: Option<&[u8]>, byte: u8, snd: Option<&[u8]>) -> LinkRow {
    let der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    let key = [&der[..], &[byte; 32]].concat();
    let own_key_hash = own_key_hash.map(<[u8]>::to_vec);
    let (host, port) = ("smp.example".to_owned(), "5223".to_owned());
    (host, port, own_key_hash, id.to_vec(), vec![byte; 32], key, snd.map(<[u8]>::to_vec))
}

#[test]
fn f081_f084_joining_through_a_link_is_kept_with_its_router() {
    on_each(|test| {
        assert_eq!(get(test, &smp(1), b"link"), None);
        create(test, &link(b"link", 1, 7, None));
        create(test, &link(b"other", 1, 8, Some(b"snd")));
        assert_eq!(rows(test), [row(b"link", None, 7, None), row(b"other", None, 8, Some(b"snd"))]);
        assert_eq!(get(test, &smp(1), b"link"), Some(link(b"link", 1, 7, None)));
        assert_eq!(get(test, &smp(1), b"other"), Some(link(b"other", 1, 8, Some(b"snd"))));
        let elsewhere = server("smp.example", "", &[1]);
        assert_eq!(get(test, &elsewhere, b"link"), None);
        let hashes: Vec<KeyHash> =
            test.query("SELECT key_hash FROM servers", &[], |row| row.next("s.key_hash"));
        assert_eq!(hashes, [KeyHash(vec![1])]);
    });
}

#[test]
fn f081_q14_the_router_s_fingerprint_is_not_compared_and_is_the_one_asked_for() {
    on_each(|test| {
        create(test, &link(b"link", 1, 7, None));
        assert_eq!(get(test, &smp(2), b"link"), Some(link(b"link", 2, 7, None)));
    });
}

#[test]
fn f084_as37_what_there_was_of_the_same_link_is_replaced() {
    on_each(|test| {
        create(test, &link(b"link", 1, 7, Some(b"snd")));
        create(test, &link(b"link", 2, 8, None));
        // Another fingerprint than the registered one stands in the row.
        assert_eq!(rows(test), [row(b"link", Some(b"Ag=="), 8, None)]);
        create(test, &link(b"link", 1, 9, Some(b"next")));
        assert_eq!(rows(test), [row(b"link", None, 9, Some(b"next"))]);
    });
}

#[test]
fn f082_f085_a_link_is_found_by_the_sender_s_id_once_that_is_known() {
    on_each(|test| {
        let keys =
            |id: &[u8]| test.run(|tx| tx.get_inv_short_link_keys(&smp(3), &snd_id(id))).unwrap();
        for (id, byte) in [(&b"link"[..], 7), (b"other", 8)] {
            create(test, &link(id, 1, byte, None));
        }
        assert_eq!(keys(b"snd"), None);
        let set = |link: &InvShortLink, id: &[u8]| {
            test.run(|tx| tx.set_inv_short_link_snd_id(link, &snd_id(id))).unwrap();
        };
        set(&link(b"link", 2, 0, None), b"snd");
        assert_eq!(rows(test), [row(b"link", None, 7, Some(b"snd")), row(b"other", None, 8, None)]);
        assert_eq!(keys(b"snd"), Some((link_id(b"link"), AuthPrivateKey::Ed25519([7; 32]))));
        assert_eq!(keys(b"other"), None);
        set(&link(b"missing", 1, 0, None), b"snd");
        assert_eq!(rows(test).len(), 2);
    });
}

#[test]
fn f081_f082_a_key_that_cannot_be_read_is_named() {
    on_each(|test| {
        create(test, &link(b"link", 1, 7, Some(b"snd")));
        test.execute("UPDATE inv_short_links SET snd_private_key = $1", &[&b"key"]);
        let by_link = test.run(|tx| tx.get_inv_short_link(&smp(1), &link_id(b"link"))).map(drop);
        let by_sender =
            test.run(|tx| tx.get_inv_short_link_keys(&smp(1), &snd_id(b"snd"))).map(drop);
        for read in [by_link, by_sender] {
            let Err(StoreError::Internal(text)) = read else { panic!("it was read") };
            assert!(text.contains("inv_short_links.snd_private_key: not a private key"), "{text}");
        }
    });
}

#[test]
fn f083_a_link_is_deleted() {
    on_each(|test| {
        for id in [&b"link"[..], b"other"] {
            create(test, &link(id, 1, 7, None));
        }
        test.run(|tx| tx.delete_inv_short_link(&smp(2), &link_id(b"link"))).unwrap();
        test.run(|tx| tx.delete_inv_short_link(&smp(2), &link_id(b"link"))).unwrap();
        assert_eq!(rows(test), [row(b"other", None, 7, None)]);
    });
}

fn creds(id: &[u8]) -> ShortLinkCreds {
    ShortLinkCreds {
        link_id: link_id(id),
        link_key: LinkKey(vec![5; 32]),
        link_priv_sig_key: Ed25519PrivateKey::new([6; 32]),
        link_root_sig_key: None,
        link_enc_fixed_data: Blob::from(&b"fixed"[..]),
    }
}

#[test]
fn f086_as24_a_queue_s_link_is_kept_without_the_root_key() {
    on_each(|test| {
        let user = test.user();
        let (queue, other) = (test.rcv_connection(user, "one"), test.rcv_connection(user, "two"));
        let root = Some(Ed25519PublicKey::new([9; 32]));
        let with_root = ShortLinkCreds { link_root_sig_key: root, ..creds(b"link") };
        test.run(|tx| tx.update_short_link_creds(&queue, &with_root)).unwrap();
        let load = |queue: &RcvQueue| {
            test.run(|tx| tx.get_rcv_queue(&queue.conn_id, &queue.server, &queue.rcv_id)).unwrap()
        };
        assert_eq!(load(&queue), RcvQueue { short_link: Some(creds(b"link")), ..queue.clone() });
        assert_eq!(load(&other), other);
        let query = "SELECT link_id, link_key, link_priv_sig_key, link_enc_fixed_data
           FROM rcv_queues WHERE rcv_id = $1";
        let columns = ["q.link_id", "q.link_key", "q.link_priv_sig_key", "q.link_enc_fixed_data"];
        let stored: Vec<Vec<Vec<u8>>> = test.query(query, &[&queue.rcv_id], |row| {
            columns.iter().map(|column| row.next(column)).collect()
        });
        let der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        let key = [&der[..], &[6; 32]].concat();
        assert_eq!(stored, [[b"link".to_vec(), vec![5; 32], key, b"fixed".to_vec()].to_vec()]);
        let taken = test.run(|tx| tx.update_short_link_creds(&other, &creds(b"link")));
        assert!(matches!(taken, Err(StoreError::Internal(_))), "{taken:?}");
        assert_eq!(load(&other), other);
    });
}
