//! Every type of section 3 as a column, on both databases: what is written is read, and what isn't a value
//! names its table and column.

use std::fmt::Debug;

use simplex_stores::agent_store::types::*;
use simplex_stores::agent_store::{AgentTx, TxError, TxResult};
use simplex_stores::db::{Cell, DbErrorKind, FromCell, Param, Sql, Texts, ToParam, Unreadable};
use simplex_stores::protocol::{AuthKey, DhSecret, IdsHash};

use crate::fixture::{TestStore, on_each, server};

const TEXT: Sql = Sql::new("text", "SELECT CAST($1 AS text) AS value");
const INTEGER: Sql = Sql::new("integer", "SELECT CAST($1 AS bigint) AS value");
const BYTES: Sql = Sql::differing(
    "bytes",
    Texts {
        sqlite: "SELECT CAST($1 AS BLOB) AS value",
        postgres: "SELECT CAST($1 AS bytea) AS value",
    },
);

/// What stands in a column after a value was bound to it.
#[derive(Debug, PartialEq)]
pub(crate) enum Stored {
    Text(String),
    Bytes(Vec<u8>),
    Int(i64),
}

impl FromCell<'_> for Stored {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        Ok(match cell {
            Cell::Text(text) => Self::Text(text.to_owned()),
            Cell::Blob(bytes) => Self::Bytes(bytes.to_owned()),
            Cell::Int(value) => Self::Int(value),
            other => panic!("{other:?}"),
        })
    }
}

pub(crate) fn through<T>(tx: &mut AgentTx<'_>, value: &dyn ToParam) -> TxResult<T>
where
    T: for<'r> FromCell<'r>,
{
    let sql = match value.to_param() {
        Param::Text(_) => &TEXT,
        Param::Blob(_) => &BYTES,
        Param::Int(_) => &INTEGER,
        other => panic!("{other:?}"),
    };
    Ok(tx.statements().query_one(sql, &[&value], |row| row.next("t.value"))?)
}

/// The value comes back, and stands in the column as it should.
pub(crate) fn assert_column<T>(test: &TestStore, value: &T, stored: &Stored)
where
    T: ToParam + for<'r> FromCell<'r> + PartialEq + Debug,
{
    let read = test.run(|tx| Ok((through::<T>(tx, value)?, through::<Stored>(tx, value)?)));
    let (read, found) = read.unwrap();
    assert_eq!((&read, &found), (value, stored));
}

fn text(value: &str) -> Stored {
    Stored::Text(value.to_owned())
}

pub(crate) fn bytes(value: &[u8]) -> Stored {
    Stored::Bytes(value.to_owned())
}

/// What isn't a value is an error that names table and column, and doesn't repeat it.
pub(crate) fn assert_refused<T>(test: &TestStore, values: &[&dyn ToParam])
where
    T: for<'r> FromCell<'r> + Debug,
{
    for value in values {
        let read = test.run(|tx| {
            let read = through::<T>(tx, value);
            match read {
                Err(TxError::Database(error)) => Ok(error),
                other => panic!("{:?} was read as {other:?}", value.to_param()),
            }
        });
        let error = read.unwrap();
        assert_eq!(*error.kind(), DbErrorKind::Row { table: "t", column: "value" });
        if let Param::Text(text) = value.to_param() {
            assert!(text.len() < 3 || !error.to_string().contains(&*text), "{error}");
        }
    }
}

/// All values of an enumeration against the texts of the specification, in order.
macro_rules! assert_texts {
    ($test:ident, $name:ident, [$($text:literal),+ $(,)?]) => {{
        let texts = [$($text),+];
        assert_eq!($name::ALL.iter().map(|value| value.text()).collect::<Vec<&str>>(), texts);
        for value in $name::ALL {
            assert_eq!($name::from_text(value.text()), Some(*value));
            assert_column($test, value, &text(value.text()));
        }
        let upper = texts[0].to_lowercase() + " ";
        assert_refused::<$name>($test, &[&"", &"unknown", &upper, &b"bytes", &7]);
    }};
}

#[test]
fn every_status_has_its_documented_text_and_no_other_is_read() {
    on_each(|test| {
        assert_texts!(test, ConnectionMode, ["INV", "CON"]);
        assert_texts!(test, QueueStatus, ["new", "confirmed", "secured", "active", "disabled"]);
        assert_texts!(
            test,
            RcvSwitchStatus,
            ["switch_started", "sending_qadd", "sending_quse", "received_message"]
        );
        assert_texts!(test, SndSwitchStatus, ["sending_qkey", "sending_qtest"]);
        assert_texts!(test, RatchetSyncState, ["ok", "allowed", "required", "started", "agreed"]);
        assert_texts!(test, MsgReceiptStatus, ["ok", "badMsgHash"]);
        assert_texts!(test, NotificationsMode, ["PERIODIC", "INSTANT"]);
        assert_texts!(test, NtfSubNtfAction, ["N", "C", "D", "R"]);
        assert_texts!(test, NtfSubSmpAction, ["K", "D"]);
        assert_texts!(
            test,
            RcvFileStatus,
            ["receiving", "received", "decrypting", "complete", "error"]
        );
        assert_texts!(
            test,
            SndFileStatus,
            ["new", "encrypting", "encrypted", "uploading", "complete", "error"]
        );
        assert_texts!(test, SndFileReplicaStatus, ["created", "uploaded"]);
    });
}

#[test]
fn kinds_of_messages_are_bytes() {
    let texts = ["C", "D", "S", "H", "M", "V", "QC", "QA", "QK", "QU", "QT", "E"];
    let found: Vec<&str> = AgentMessageType::ALL.iter().map(|kind| kind.text()).collect();
    assert_eq!(found, texts);
    on_each(|test| {
        for kind in AgentMessageType::ALL {
            assert_column(test, kind, &bytes(kind.text().as_bytes()));
        }
        assert_refused::<AgentMessageType>(test, &[&b"", &b"Q", &b"MM", &[0xff; 2], &"M"]);
    });
}

#[test]
fn statuses_of_the_router_s_types_are_the_documented_ones() {
    use simplex_stores::protocol::ntf::InvalidReason;
    on_each(|test| {
        for (mode, stored) in [(QueueMode::Messaging, "M"), (QueueMode::Contact, "C")] {
            assert_column(test, &mode, &text(stored));
        }
        for provider in PushProvider::ALL {
            assert_column(test, &provider, &text(provider.name()));
        }
        let statuses = [
            (NtfTknStatus::New, "NEW"),
            (NtfTknStatus::Registered, "REGISTERED"),
            (NtfTknStatus::Invalid(None), "INVALID"),
            (NtfTknStatus::Invalid(Some(InvalidReason::Bad)), "INVALID,BAD"),
            (NtfTknStatus::Invalid(Some(InvalidReason::Topic)), "INVALID,TOPIC"),
            (NtfTknStatus::Invalid(Some(InvalidReason::Expired)), "INVALID,EXPIRED"),
            (NtfTknStatus::Invalid(Some(InvalidReason::Unregistered)), "INVALID,UNREGISTERED"),
            (NtfTknStatus::Confirmed, "CONFIRMED"),
            (NtfTknStatus::Active, "ACTIVE"),
            (NtfTknStatus::Expired, "EXPIRED"),
        ];
        for (status, stored) in statuses {
            assert_column(test, &status, &text(stored));
        }
        assert_refused::<QueueMode>(test, &[&"", &"m", &"MM"]);
        assert_refused::<PushProvider>(test, &[&"", &"apns"]);
        assert_refused::<NtfTknStatus>(test, &[&"", &"INVALID,", &"ACTIVE "]);
    });
}

#[test]
fn statuses_of_subscriptions_hold_the_router_s() {
    on_each(|test| {
        let created = NtfAgentSubStatus::Created;
        let statuses = [
            (NtfAgentSubStatus::New, "NEW"),
            (NtfAgentSubStatus::Key, "KEY"),
            (NtfAgentSubStatus::Off, "OFF"),
            (NtfAgentSubStatus::Deleted, "DELETED"),
            (created(NtfSubStatus::New), "CREATED NEW"),
            (created(NtfSubStatus::Pending), "CREATED PENDING"),
            (created(NtfSubStatus::Active), "CREATED ACTIVE"),
            (created(NtfSubStatus::Inactive), "CREATED INACTIVE"),
            (created(NtfSubStatus::End), "CREATED END"),
            (created(NtfSubStatus::Deleted), "CREATED DELETED"),
            (created(NtfSubStatus::Auth), "CREATED AUTH"),
            (created(NtfSubStatus::Service), "CREATED SERVICE"),
            (created(NtfSubStatus::Err(b"in words"[..].into())), "CREATED ERR in words"),
        ];
        for (status, stored) in statuses {
            assert_column(test, &status, &text(stored));
        }
        // A router may send any bytes; PostgreSQL takes no zero in a text.
        let bytes = created(NtfSubStatus::Err(b"a\0b\xff"[..].into()));
        let Param::Text(stored) = bytes.to_param() else { panic!("no text") };
        assert_eq!(stored, "CREATED ERR a\u{fffd}b\u{fffd}");
        let read = created(NtfSubStatus::Err("a\u{fffd}b\u{fffd}".as_bytes().into()));
        assert_column(test, &read, &text(&stored));
        let wrong: [&dyn ToParam; 4] = [&"", &"CREATED", &"CREATED ", &"CREATED ACTIVE "];
        assert_refused::<NtfAgentSubStatus>(test, &wrong);
    });
}

#[test]
fn actions_stand_in_a_column_of_their_own() {
    on_each(|test| {
        let actions = [
            (NtfTknAction::Register, &b"R"[..]),
            (NtfTknAction::Verify(b"code".to_vec()), b"Vcode"),
            (NtfTknAction::Verify(Vec::new()), b"V"),
            (NtfTknAction::Check, b"C"),
            (NtfTknAction::Delete, b"D"),
        ];
        for (action, stored) in &actions {
            assert_column(test, action, &bytes(stored));
        }
        assert_refused::<NtfTknAction>(test, &[&b"", &b"X", &b"RR", &"R"]);
    });
    assert!(!format!("{:?}", NtfTknAction::Verify(b"code".to_vec())).contains("code\""));
    for action in NtfSubNtfAction::ALL.iter().map(|one| NtfSubAction::Ntf(*one)) {
        let (ntf, smp) = action.columns();
        assert_eq!((NtfSubAction::of_columns(ntf, smp), smp), (Some(action), None));
        assert_eq!(action.kind(), NtfActionKind::Ntf);
    }
    for action in NtfSubSmpAction::ALL.iter().map(|one| NtfSubAction::Smp(*one)) {
        let (ntf, smp) = action.columns();
        assert_eq!((NtfSubAction::of_columns(ntf, smp), ntf), (Some(action), None));
        assert_eq!(action.kind(), NtfActionKind::Smp);
    }
    let (ntf, smp) = (NtfSubNtfAction::Check, NtfSubSmpAction::Key);
    assert_eq!(NtfSubAction::of_columns(Some(ntf), Some(smp)), None);
    assert_eq!(NtfSubAction::of_columns(None, None), None);
    let deleting: Vec<bool> =
        NtfSubNtfAction::ALL.iter().map(|one| NtfSubAction::Ntf(*one).is_deleting()).collect();
    assert_eq!(deleting, [false, false, true, true]);
    assert!(NtfSubAction::Smp(NtfSubSmpAction::Delete).is_deleting());
    assert!(!NtfSubAction::Smp(NtfSubSmpAction::Key).is_deleting());
}

#[test]
fn integrity_says_what_is_missing() {
    on_each(|test| {
        let error = MsgIntegrity::Error;
        let (from, to) = (AgentMsgId(3), AgentMsgId(i64::MAX));
        let values = [
            (MsgIntegrity::Ok, "OK"),
            (error(MsgErrorType::Skipped { from, to }), "ERR NO_ID 3 9223372036854775807"),
            (error(MsgErrorType::BadId { previous: ExternalSndId(-4) }), "ERR ID -4"),
            (error(MsgErrorType::BadHash), "ERR HASH"),
            (error(MsgErrorType::Duplicate), "ERR DUPLICATE"),
        ];
        for (value, stored) in values {
            assert_column(test, &value, &bytes(stored.as_bytes()));
        }
        let wrong: [&[u8]; 7] = [
            b"",
            b"ok",
            b"OK ",
            b"ERR",
            b"ERR NO_ID 1",
            b"ERR ID 9223372036854775808",
            b"ERR HASH 1",
        ];
        for wrong in wrong {
            assert_refused::<MsgIntegrity>(test, &[&wrong]);
        }
    });
}

#[test]
fn flags_of_messages_may_be_followed_by_those_of_later_versions() {
    on_each(|test| {
        for (notification, stored) in [(true, "T"), (false, "F")] {
            assert_column(test, &MsgFlags { notification }, &text(stored));
            let longer = format!("{stored}later");
            let read = test.run(|tx| through::<MsgFlags>(tx, &longer));
            assert_eq!(read, Ok(MsgFlags { notification }));
        }
        assert_refused::<MsgFlags>(test, &[&"", &"t", &"T later", &" T"]);
    });
    assert_eq!(MsgFlags::default(), MsgFlags { notification: false });
}

#[test]
fn ids_of_bytes_are_never_empty_and_numbers_are_kept() {
    on_each(|test| {
        let id = ConnId::from_bytes(b"\0\xff any bytes").unwrap();
        assert_column(test, &id, &bytes(b"\0\xff any bytes"));
        assert_column(test, &RecipientId::from_bytes(b"r").unwrap(), &bytes(b"r"));
        assert_column(test, &CorrId(Vec::new()), &bytes(b""));
        assert_column(test, &UserId(i64::MIN), &Stored::Int(i64::MIN));
        assert_column(test, &InternalId(i64::MAX), &Stored::Int(i64::MAX));
        assert_refused::<ConnId>(test, &[&b"", &"text"]);
        assert_refused::<SenderId>(test, &[&b""]);
        assert_refused::<UserId>(test, &[&"1", &b"1"]);
    });
    assert_eq!(ConnId::from_bytes(b""), None);
}

#[test]
fn as19_new_and_stored_are_different_types() {
    assert_eq!((NewEntity.number(), StoredEntity(5).number()), (None, Some(5)));
    assert_eq!(serde_json::to_string(&NewEntity).unwrap(), "null");
    assert_eq!(serde_json::to_string(&StoredEntity(5)).unwrap(), "5");
    assert_eq!(serde_json::from_str::<NewEntity>("null").unwrap(), NewEntity);
    assert_eq!(serde_json::from_str::<StoredEntity>("-5").unwrap(), StoredEntity(-5));
    assert!(serde_json::from_str::<NewEntity>("5").is_err());
    for wrong in ["null", "1.5", "\"5\"", "9223372036854775808"] {
        assert!(serde_json::from_str::<StoredEntity>(wrong).is_err(), "{wrong}");
    }
    #[derive(serde::Deserialize)]
    struct Queue {
        #[serde(default)]
        id: NewEntity,
    }
    assert_eq!(serde_json::from_str::<Queue>("{}").unwrap().id, NewEntity);
}

#[test]
fn routers_are_kept_as_hosts_port_and_the_fingerprint_s_text() {
    on_each(|test| {
        let smp: SmpServer =
            server("smp.example,1.2.3.4,2001:db8::1,abc.onion", "5223", &[1, 2, 3]);
        assert_column(test, &smp.hosts, &text("smp.example,1.2.3.4,2001:db8::1,abc.onion"));
        assert_column(test, &smp.port, &text("5223"));
        assert_column(test, &smp.key_hash, &bytes(b"AQID"));
        assert_refused::<ServerHosts>(test, &[&"", &",", &"a,", &"a b", &"a,,b"]);
        assert_refused::<KeyHash>(test, &[&b"AQIDA", &b"AQ ID", &b"!", &"AQID"]);
        let uri = "smp://AQID@smp.example,1.2.3.4,2001:db8::1,abc.onion:5223";
        assert_eq!(smp.to_string(), uri);
        let other = server("smp.example,1.2.3.4,2001:db8::1,abc.onion", "5223", &[9]);
        assert!(smp.same_address(&other) && smp != other);
    });
    assert_eq!(ServerHosts::new(Vec::new()), None);
    assert_eq!((Smp::SCHEME, Ntf::SCHEME, Xftp::SCHEME), ("smp", "ntf", "xftp"));
}

#[test]
fn keys_and_hashes_are_kept_in_their_forms() {
    on_each(|test| {
        let public = AuthKey::Ed25519([7; 32]);
        assert_column(test, &public, &bytes(&public.to_der()));
        for private in [AuthPrivateKey::Ed25519([7; 32]), AuthPrivateKey::X25519([8; 32])] {
            assert_column(test, &private, &bytes(&private.to_der()));
        }
        assert_column(test, &DhSecret::new([9; 32]), &bytes(&[9; 32]));
        assert_column(test, &IdsHash::of_id(b"id"), &bytes(IdsHash::of_id(b"id").as_bytes()));
        assert_refused::<AuthKey>(test, &[&b"", &AuthPrivateKey::Ed25519([7; 32])]);
        assert_refused::<AuthPrivateKey>(test, &[&b"", &public]);
        assert_refused::<DhSecret>(test, &[&[9; 31], &[9; 33]]);
        assert_refused::<IdsHash>(test, &[&[9; 15], &[9; 17]]);
    });
}

#[test]
fn sizes_digests_and_keys_of_files_are_kept_as_numbers_and_bytes() {
    on_each(|test| {
        assert_column(test, &FileSize(i64::MAX), &Stored::Int(i64::MAX));
        assert_column(test, &ChunkSize(u32::MAX), &Stored::Int(i64::from(u32::MAX)));
        assert_column(test, &FileDigest(vec![1, 2, 3]), &bytes(&[1, 2, 3]));
        assert_column(test, &SbKey::new([7; 32]), &bytes(&[7; 32]));
        assert_column(test, &SbNonce([8; 24]), &bytes(&[8; 24]));
        assert_refused::<ChunkSize>(test, &[&-1, &(i64::from(u32::MAX) + 1), &"1"]);
        assert_refused::<FileDigest>(test, &[&"text"]);
        assert_refused::<SbKey>(test, &[&b"", &[7; 31], &[7; 33]]);
        assert_refused::<SbNonce>(test, &[&b"", &[8; 23], &[8; 25]]);
    });
    assert_eq!(format!("{:?}", SbKey::new([7; 32])), "<key>");
}

#[test]
fn paths_are_texts_that_both_databases_can_keep() {
    on_each(|test| {
        for path in ["", "/tmp/a file", "\u{1f4c4}"] {
            assert_column(test, &FilePath::new(path).unwrap(), &text(path));
        }
        assert_refused::<FilePath>(test, &[&b"/tmp", &7]);
        let error = FileErrorText::new("router: \0 bytes");
        let read = test.run(|tx| through::<Stored>(tx, &error)).unwrap();
        assert_eq!(read, text("router: \u{fffd} bytes"));
    });
    assert_eq!(FilePath::new("/tmp/\0"), None);
    let path = FilePath::from_path(std::path::Path::new("/tmp/a")).unwrap();
    assert_eq!((path.as_str(), path.as_path().is_absolute()), ("/tmp/a", true));
}

#[test]
fn a_local_encryption_has_a_key_and_a_nonce_or_neither() {
    let (key, nonce) = (SbKey::new([7; 32]), SbNonce([8; 24]));
    let args = CryptoFileArgs { key: key.clone(), nonce };
    assert_eq!(CryptoFileArgs::of_columns(Some(key.clone()), Some(nonce)), Ok(Some(args.clone())));
    assert_eq!(CryptoFileArgs::of_columns(None, None), Ok(None));
    assert!(CryptoFileArgs::of_columns(Some(key.clone()), None).is_err());
    assert!(CryptoFileArgs::of_columns(None, Some(nonce)).is_err());
    let path = FilePath::new("file").unwrap();
    let encrypted = CryptoFile { path: path.clone(), crypto: Some(args) };
    assert_eq!(encrypted.crypto_columns(), (Some(&key), Some(nonce)));
    assert_eq!(CryptoFile::plain(path).crypto_columns(), (None, None));
}

#[test]
fn as20_a_connection_without_queues_serves_as_nothing() {
    let kinds = [ConnType::New, ConnType::Rcv, ConnType::Snd, ConnType::Duplex, ConnType::Contact];
    for found in kinds {
        for wanted in kinds {
            let same = found == wanted && found != ConnType::New;
            assert_eq!(found.serves_as(wanted), same, "{found:?} as {wanted:?}");
        }
    }
}

#[test]
fn as26_a_switch_may_be_aborted_in_its_first_two_states() {
    let abortable: Vec<bool> = RcvSwitchStatus::ALL.iter().map(|one| one.can_abort()).collect();
    assert_eq!(abortable, [true, true, false, false]);
}

#[test]
fn as27_when_ratchets_may_be_synchronised_and_when_nothing_may_be_sent() {
    let allowed = |version| -> Vec<bool> {
        let version = AgentVersion(version);
        RatchetSyncState::ALL.iter().map(|state| state.may_synchronise(version)).collect()
    };
    assert_eq!(allowed(3), [false, true, true, false, false]);
    assert_eq!(allowed(2), [false; 5]);
    let prohibited: Vec<bool> =
        RatchetSyncState::ALL.iter().map(|state| state.prohibits_sending()).collect();
    assert_eq!(prohibited, [false, false, true, true, true]);
}
