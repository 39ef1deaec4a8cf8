//! The device's token for notifications, and tokens to delete (section 4.10).

use std::time::Duration;

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    DeviceToken, NotificationsMode, NtfServer, NtfTknAction, NtfTknStatus, NtfToken, NtfTokenId,
    NtfTokenToDelete, NtfTokenToDeleteId, PushProvider,
};
use simplex_stores::db::{Sql, UtcTime};
use simplex_stores::protocol::ntf::{AuthPrivateKey, X25519KeyPair};
use simplex_stores::protocol::{AuthKey, DhSecret};

use crate::fixture::{Place, TestStore, on_each, server};

const BROKEN: Sql = Sql::new("broken", "SELECT absent FROM nowhere");

pub(crate) fn router() -> NtfServer {
    server("ntf.example,abc.onion", "443", b"fingerprint")
}

fn token(text: &str) -> NtfToken {
    NtfToken::new(
        DeviceToken::new(PushProvider::ApnsTest, text),
        router(),
        (AuthKey::Ed25519([1; 32]), AuthPrivateKey::Ed25519([2; 32])),
        X25519KeyPair::from_private([3; 32]),
        NotificationsMode::Instant,
    )
}

fn id(bytes: &[u8]) -> NtfTokenId {
    NtfTokenId::from_bytes(bytes).unwrap()
}

fn long_ago() -> UtcTime {
    UtcTime::from_text("2001-02-03 04:05:06").unwrap()
}

fn create(test: &TestStore, token: &NtfToken) {
    test.run(|tx| tx.create_ntf_token(token)).unwrap();
    test.execute("UPDATE ntf_tokens SET created_at = $1, updated_at = $1", &[&long_ago()]);
}

fn saved(test: &TestStore) -> Option<NtfToken> {
    test.run(|tx| tx.get_saved_ntf_token()).unwrap()
}

type Bytes = Vec<u8>;

/// What changes in a token's row, and whether it is younger than [`long_ago`].
#[derive(Debug, PartialEq)]
struct State {
    provider: String,
    device_token: Bytes,
    id: Option<Bytes>,
    secret: Option<Bytes>,
    status: String,
    action: Option<Bytes>,
    mode: Option<String>,
    updated: bool,
}

fn states(test: &TestStore) -> Vec<State> {
    let query = "SELECT provider, device_token, tkn_id, tkn_dh_secret, tkn_status, tkn_action,
                   ntf_mode, updated_at FROM ntf_tokens ORDER BY device_token";
    test.query(query, &[], |row| {
        Ok(State {
            provider: row.next("t.provider")?,
            device_token: row.next("t.device_token")?,
            id: row.next("t.tkn_id")?,
            secret: row.next("t.tkn_dh_secret")?,
            status: row.next("t.tkn_status")?,
            action: row.next("t.tkn_action")?,
            mode: row.next("t.ntf_mode")?,
            updated: row.next::<UtcTime>("t.updated_at")? > long_ago(),
        })
    })
}

/// The state of `token(text)` after it was created.
fn created(text: &str) -> State {
    State {
        provider: "apns_test".to_owned(),
        device_token: text.into(),
        id: None,
        secret: None,
        status: "NEW".to_owned(),
        action: Some(b"R".to_vec()),
        mode: Some("INSTANT".to_owned()),
        updated: false,
    }
}

fn router_hash(test: &TestStore) -> Vec<Bytes> {
    test.query("SELECT ntf_key_hash FROM ntf_servers", &[], |row| row.next("t.ntf_key_hash"))
}

#[test]
fn f132_a_token_is_stored_in_the_documented_form() {
    on_each(|test| {
        create(test, &token("abcd"));
        assert_eq!(states(test), [created("abcd")]);
        let rest = "SELECT ntf_host, ntf_port, tkn_pub_key, tkn_priv_key, tkn_pub_dh_key,
                      tkn_priv_dh_key FROM ntf_tokens";
        let rest: Vec<(String, String, [Bytes; 4])> = test.query(rest, &[], |row| {
            let address = (row.next("t.ntf_host")?, row.next("t.ntf_port")?);
            let keys = [
                row.next("t.tkn_pub_key")?,
                row.next("t.tkn_priv_key")?,
                row.next("t.tkn_pub_dh_key")?,
                row.next("t.tkn_priv_dh_key")?,
            ];
            Ok((address.0, address.1, keys))
        });
        let [(host, port, keys)] = &rest[..] else { panic!("{}", rest.len()) };
        assert_eq!((&host[..], &port[..]), ("ntf.example,abc.onion", "443"));
        let dh = X25519KeyPair::from_private([3; 32]);
        let expected = [
            AuthKey::Ed25519([1; 32]).to_der(),
            AuthPrivateKey::Ed25519([2; 32]).to_der(),
            AuthKey::X25519(*dh.public()).to_der(),
            AuthPrivateKey::X25519([3; 32]).to_der(),
        ];
        assert!(*keys == expected, "the keys are stored in other forms");
        assert_eq!(router_hash(test), [b"ZmluZ2VycHJpbnQ=".to_vec()]);
    });
}

#[test]
fn f132_the_router_s_fingerprint_is_replaced_and_a_token_is_created_once() {
    on_each(|test| {
        create(test, &token("abcd"));
        let renewed = |text| NtfToken {
            ntf_server: server("ntf.example,abc.onion", "443", b"renewed"),
            ..token(text)
        };
        let again = test.run(|tx| tx.create_ntf_token(&renewed("abcd")));
        assert!(matches!(again, Err(StoreError::Internal(_))), "{again:?}");
        assert_eq!(router_hash(test), [b"ZmluZ2VycHJpbnQ=".to_vec()], "nothing of it is left");
        create(test, &renewed("ef"));
        assert_eq!(router_hash(test), [b"cmVuZXdlZA==".to_vec()]);
        assert_eq!(states(test), [created("abcd"), created("ef")]);
    });
}

#[test]
fn f133_the_token_that_was_created_is_the_one_that_is_found() {
    on_each(|test| {
        assert_eq!(saved(test), None);
        let code = NtfTknAction::Verify(b"code".to_vec());
        let full = NtfToken {
            ntf_token_id: Some(id(b"id")),
            ntf_dh_secret: Some(DhSecret::new([4; 32])),
            ntf_tkn_status: NtfTknStatus::Invalid(None),
            ntf_tkn_action: Some(code),
            ..token("abcd")
        };
        create(test, &full);
        assert_eq!(saved(test), Some(full.clone()));
        test.execute("UPDATE ntf_tokens SET ntf_mode = NULL, tkn_action = NULL", &[]);
        let older = NtfToken {
            ntf_mode: NotificationsMode::Periodic,
            ntf_tkn_action: None,
            ..full.clone()
        };
        assert_eq!(saved(test), Some(older));
        let shown = format!("{full:?}");
        assert!(!shown.contains("code\"") && !shown.contains("[4"), "{shown}");
    });
}

#[test]
fn f133_a_token_that_cannot_be_read_is_an_error_that_names_its_column() {
    let damages = [
        ("UPDATE ntf_tokens SET provider = 'apns'", "provider"),
        ("UPDATE ntf_tokens SET tkn_status = 'new'", "tkn_status"),
        ("UPDATE ntf_tokens SET ntf_mode = ''", "ntf_mode"),
        ("UPDATE ntf_tokens SET device_token = $1", "device_token"),
        ("UPDATE ntf_tokens SET tkn_id = $1", "tkn_id"),
        ("UPDATE ntf_tokens SET tkn_pub_key = $1", "tkn_pub_key"),
        ("UPDATE ntf_tokens SET tkn_priv_key = $1", "tkn_priv_key"),
        ("UPDATE ntf_tokens SET tkn_pub_dh_key = $1", "tkn_pub_dh_key"),
        ("UPDATE ntf_tokens SET tkn_priv_dh_key = $1", "tkn_priv_dh_key"),
        ("UPDATE ntf_tokens SET tkn_dh_secret = $1", "tkn_dh_secret"),
        ("UPDATE ntf_tokens SET tkn_action = $1", "tkn_action"),
    ];
    on_each(|test| {
        for (damage, column) in damages {
            create(test, &token("abcd"));
            // Empty where bytes may be anything, no text where there is to be one.
            let bytes: &[u8] = if column == "tkn_id" { b"" } else { b"\xff" };
            if damage.contains('$') {
                test.execute(damage, &[&bytes]);
            } else {
                test.execute(damage, &[]);
            }
            let error = test.run(|tx| tx.get_saved_ntf_token()).unwrap_err().to_string();
            assert!(error.contains(&format!("ntf_tokens.{column}: ")), "{error}");
            test.execute("DELETE FROM ntf_tokens", &[]);
        }
        create(test, &token("abcd"));
        let other = AuthPrivateKey::X25519([9; 32]);
        test.execute("UPDATE ntf_tokens SET tkn_priv_dh_key = $1", &[&other]);
        let error = test.run(|tx| tx.get_saved_ntf_token()).unwrap_err().to_string();
        assert!(error.contains("tkn_priv_dh_key: not the private half of"), "{error}");
    });
}

#[test]
fn f134_a_registration_is_written_down() {
    on_each(|test| {
        create(test, &token("abcd"));
        create(test, &token("ef"));
        let secret = DhSecret::new([4; 32]);
        test.run(|tx| tx.update_ntf_token_registration(&token("abcd"), &id(b"id"), &secret))
            .unwrap();
        let registered = State {
            id: Some(b"id".to_vec()),
            secret: Some(vec![4; 32]),
            status: "REGISTERED".to_owned(),
            action: None,
            updated: true,
            ..created("abcd")
        };
        assert_eq!(states(test), [registered, created("ef")]);
    });
}

#[test]
fn f135_the_device_token_is_replaced() {
    on_each(|test| {
        create(test, &token("abcd"));
        create(test, &token("ef"));
        let new = DeviceToken::new(PushProvider::ApnsProd, "99");
        test.run(|tx| tx.update_device_token(&token("abcd"), &new)).unwrap();
        let replaced = State {
            provider: "apns_prod".to_owned(),
            status: "REGISTERED".to_owned(),
            action: None,
            updated: true,
            ..created("99")
        };
        assert_eq!(states(test), [replaced, created("ef")]);
        let moved = NtfToken { device_token: new, ..token("") };
        let taken = test.run(|tx| tx.update_device_token(&moved, &token("ef").device_token));
        assert!(matches!(taken, Err(StoreError::Internal(_))), "{taken:?}");
        let another = DeviceToken::new(PushProvider::ApnsDev, "ef");
        test.run(|tx| tx.update_device_token(&moved, &another)).unwrap();
        let texts: Vec<Bytes> = states(test).into_iter().map(|one| one.device_token).collect();
        assert_eq!(texts, [b"ef", b"ef"], "another provider's is another token");
    });
}

#[test]
fn f136_f137_mode_status_and_action_are_changed() {
    on_each(|test| {
        create(test, &token("abcd"));
        create(test, &token("ef"));
        let periodic = NotificationsMode::Periodic;
        test.run(|tx| tx.update_ntf_mode(&token("abcd"), periodic)).unwrap();
        let mode = Some("PERIODIC".to_owned());
        let changed = State { mode, updated: true, ..created("abcd") };
        assert_eq!(states(test), [changed, created("ef")]);

        let code = NtfTknAction::Verify(b"code".to_vec());
        let status = NtfTknStatus::Confirmed;
        test.run(|tx| tx.update_ntf_token(&token("ef"), status, Some(&code))).unwrap();
        let confirmed = State {
            status: "CONFIRMED".to_owned(),
            action: Some(b"Vcode".to_vec()),
            updated: true,
            ..created("ef")
        };
        assert_eq!(states(test)[1], confirmed);
        test.run(|tx| tx.update_ntf_token(&token("ef"), NtfTknStatus::Active, None)).unwrap();
        let active =
            State { status: "ACTIVE".to_owned(), action: None, updated: true, ..created("ef") };
        assert_eq!(states(test)[1], active);
    });
}

#[test]
fn f134_to_f138_a_token_that_is_not_there_is_not_changed() {
    on_each(|test| {
        create(test, &token("abcd"));
        let elsewhere = server("ntf.example,abc.onion", "444", b"fingerprint");
        let others = [
            token("ef"),
            NtfToken { ntf_server: elsewhere, ..token("abcd") },
            NtfToken {
                device_token: DeviceToken::new(PushProvider::ApnsDev, "abcd"),
                ..token("abcd")
            },
        ];
        for other in &others {
            test.run(|tx| {
                tx.update_ntf_token_registration(other, &id(b"id"), &DhSecret::new([4; 32]))?;
                tx.update_device_token(other, &DeviceToken::new(PushProvider::ApnsDev, "1"))?;
                tx.update_ntf_mode(other, NotificationsMode::Periodic)?;
                tx.update_ntf_token(other, NtfTknStatus::Active, None)?;
                tx.remove_ntf_token(other)
            })
            .unwrap();
        }
        assert_eq!(states(test), [created("abcd")]);
    });
}

#[test]
fn f138_a_token_is_removed() {
    on_each(|test| {
        create(test, &token("abcd"));
        create(test, &token("ef"));
        test.run(|tx| tx.remove_ntf_token(&token("abcd"))).unwrap();
        assert_eq!(states(test), [created("ef")]);
    });
}

#[test]
fn f157_only_a_token_in_use_is_the_active_one() {
    on_each(|test| {
        let active = |test: &TestStore| test.run(|tx| tx.get_active_ntf_token()).unwrap();
        create(test, &token("abcd"));
        create(test, &token("ef"));
        assert_eq!(active(test), None);
        test.run(|tx| tx.update_ntf_token(&token("ef"), NtfTknStatus::Active, None)).unwrap();
        let expected =
            NtfToken { ntf_tkn_status: NtfTknStatus::Active, ntf_tkn_action: None, ..token("ef") };
        assert_eq!(active(test), Some(expected));
        test.run(|tx| tx.update_ntf_token(&token("ef"), NtfTknStatus::Expired, None)).unwrap();
        assert_eq!(active(test), None);
    });
}

fn key(number: u8) -> AuthPrivateKey {
    AuthPrivateKey::Ed25519([number; 32])
}

pub(crate) fn record(test: &TestStore, at: &NtfServer, number: u8) {
    test.run(|tx| tx.add_ntf_token_to_delete(at, &key(number), &id(&[number]))).unwrap();
}

fn to_delete(number: u8) -> NtfTokenToDelete {
    let id_of_row = NtfTokenToDeleteId(i64::from(number));
    NtfTokenToDelete { id: id_of_row, priv_key: key(number), token_id: id(&[number]) }
}

fn next(test: &TestStore, at: &NtfServer) -> Result<Option<NtfTokenToDelete>, StoreError> {
    test.run(|tx| tx.get_next_ntf_token_to_delete(at))
}

/// The numbers of the rows, and whether they are marked.
fn recorded(test: &TestStore) -> Vec<(i64, bool)> {
    let query = "SELECT ntf_token_to_delete_id, del_failed FROM ntf_tokens_to_delete
                  ORDER BY ntf_token_to_delete_id";
    test.query(query, &[], |row| {
        Ok((row.next("t.ntf_token_to_delete_id")?, row.next("t.del_failed")?))
    })
}

#[test]
fn f139_as77_a_token_is_removed_here_at_once_and_on_its_router_later_also_after_a_restart() {
    on_each(|test| {
        let registered = NtfToken { ntf_token_id: Some(id(&[1])), ..token("abcd") };
        create(test, &registered);
        let forget = |broken: bool| {
            test.run(|tx| {
                tx.remove_ntf_token(&registered)?;
                tx.add_ntf_token_to_delete(&router(), &key(1), &id(&[1]))?;
                match broken {
                    true => Ok(tx.statements().execute(&BROKEN, &[])?),
                    false => Ok(0),
                }
            })
        };
        assert!(forget(true).is_err());
        assert_eq!((saved(test), recorded(test)), (Some(registered.clone()), vec![]));
        assert!(forget(false).is_ok());
        assert_eq!(saved(test), None);
        let columns = "SELECT ntf_host, ntf_port, ntf_key_hash, tkn_id, tkn_priv_key, del_failed
                         FROM ntf_tokens_to_delete";
        let row = test.query(columns, &[], |row| {
            let host: String = row.next("t.ntf_host")?;
            let port: String = row.next("t.ntf_port")?;
            let hash: Bytes = row.next("t.ntf_key_hash")?;
            let (id, key): (Bytes, Bytes) = (row.next("t.tkn_id")?, row.next("t.tkn_priv_key")?);
            Ok((
                host,
                port,
                hash,
                id,
                key == self::key(1).to_der(),
                row.next::<i64>("t.del_failed")?,
            ))
        });
        let (host, port) = ("ntf.example,abc.onion".to_owned(), "443".to_owned());
        let hash = b"ZmluZ2VycHJpbnQ=".to_vec();
        assert_eq!(row, [(host, port, hash, vec![1], true, 0)]);

        test.store.database().close().unwrap();
        let reopened = TestStore { store: test.place.open().unwrap(), place: Place::file() };
        let servers = reopened.run(|tx| tx.get_pending_del_tkn_servers()).unwrap();
        assert_eq!(servers, [router()]);
        let found = next(&reopened, &router()).unwrap().map(|one| (one.priv_key, one.token_id));
        assert_eq!(found, Some((key(1), id(&[1]))));
    });
}

#[test]
fn f140_records_of_tokens_to_delete_expire_whether_they_failed_or_not() {
    on_each(|test| {
        for number in 1..=4 {
            record(test, &router(), number);
        }
        let old = UtcTime::now().before(Duration::from_secs(61));
        let set = "UPDATE ntf_tokens_to_delete SET created_at = $1
                    WHERE ntf_token_to_delete_id = $2";
        test.execute(set, &[&old, &1]);
        test.execute(set, &[&old, &2]);
        test.execute(set, &[&UtcTime::now().before(Duration::from_secs(30)), &3]);
        test.run(|tx| tx.mark_ntf_token_to_delete_failed(NtfTokenToDeleteId(2))).unwrap();
        let expire = |seconds| {
            let ttl = Duration::from_secs(seconds);
            test.run(|tx| tx.delete_expired_ntf_tokens_to_delete(ttl)).unwrap();
            recorded(test)
        };
        assert_eq!(expire(u64::MAX), [(1, false), (2, true), (3, false), (4, false)]);
        assert_eq!(expire(60), [(3, false), (4, false)]);
    });
}

#[test]
fn f141_f144_tokens_to_delete_come_oldest_first_each_until_it_is_deleted() {
    on_each(|test| {
        assert_eq!(next(test, &router()), Ok(None));
        for number in 1..=3 {
            record(test, &router(), number);
        }
        let elsewhere = server("ntf.example,abc.onion", "444", b"fingerprint");
        record(test, &elsewhere, 4);
        let set = "UPDATE ntf_tokens_to_delete SET created_at = $1
                    WHERE ntf_token_to_delete_id = $2";
        test.execute(set, &[&long_ago(), &3]);
        let later = UtcTime::from_text("2001-02-03 04:05:06.5").unwrap();
        test.execute(set, &[&later, &1]);
        test.execute(set, &[&later, &2]);
        let renewed = server("ntf.example,abc.onion", "443", b"renewed");
        for number in [3, 1, 2] {
            let found = next(test, &renewed);
            assert_eq!(found, Ok(Some(to_delete(number))), "the fingerprint isn't compared");
            assert_eq!(next(test, &router()), found, "it stays until it is deleted");
            let row = NtfTokenToDeleteId(i64::from(number));
            test.run(|tx| tx.delete_ntf_token_to_delete(row)).unwrap();
        }
        assert_eq!(next(test, &router()), Ok(None));
        assert_eq!(recorded(test), [(4, false)]);
        test.run(|tx| tx.delete_ntf_token_to_delete(NtfTokenToDeleteId(99))).unwrap();
    });
}

#[test]
fn f141_as34_a_token_to_delete_that_cannot_be_read_is_marked_and_passed_over() {
    on_each(|test| {
        for number in 1..=3 {
            record(test, &router(), number);
        }
        let bad = &b"\x30"[..];
        let key = "UPDATE ntf_tokens_to_delete SET tkn_priv_key = $1
                    WHERE ntf_token_to_delete_id = 1";
        test.execute(key, &[&bad]);
        let id = "UPDATE ntf_tokens_to_delete SET tkn_id = $1 WHERE ntf_token_to_delete_id = 2";
        test.execute(id, &[&&b""[..]]);
        for column in ["tkn_priv_key", "tkn_id"] {
            let Err(StoreError::Internal(error)) = next(test, &router()) else {
                panic!("{column}")
            };
            assert!(error.contains(&format!("ntf_tokens_to_delete.{column}: ")), "{error}");
        }
        assert_eq!(recorded(test), [(1, true), (2, true), (3, false)]);
        assert_eq!(next(test, &router()), Ok(Some(to_delete(3))));
    });
}

#[test]
fn f142_a_failed_token_to_delete_is_not_given_again() {
    on_each(|test| {
        record(test, &router(), 1);
        test.run(|tx| tx.mark_ntf_token_to_delete_failed(NtfTokenToDeleteId(1))).unwrap();
        test.run(|tx| tx.mark_ntf_token_to_delete_failed(NtfTokenToDeleteId(99))).unwrap();
        assert_eq!(recorded(test), [(1, true)]);
        assert_eq!(next(test, &router()), Ok(None));
    });
}

#[test]
fn f143_as35_the_routers_of_all_tokens_to_delete_are_listed_once_also_of_failed_ones() {
    on_each(|test| {
        let elsewhere = server("ntf.example,abc.onion", "444", b"fingerprint");
        record(test, &router(), 1);
        record(test, &router(), 2);
        record(test, &elsewhere, 3);
        test.run(|tx| tx.mark_ntf_token_to_delete_failed(NtfTokenToDeleteId(3))).unwrap();
        let mut servers = test.run(|tx| tx.get_pending_del_tkn_servers()).unwrap();
        servers.sort();
        assert_eq!(servers, [router(), elsewhere]);
    });
}
