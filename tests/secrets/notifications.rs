//! The records of notification servers: private keys, secrets, codes, device tokens and the metadata
//! of messages.

use std::{fmt::Debug, fs, process::Command, sync::Arc};

use quickcheck::{Arbitrary, Gen};
use simplex_stores::{
    ntf_store::{NtfFile, NtfFileConfig, NtfLoadReport, NtfSaveReport},
    protocol::{
        Blob, DhSecret, Semantics, TextDecode, TextEncode,
        ntf::{
            AuthPrivateKey, DeviceToken, PendingNtfRecord, PushProvider, RegCode, SubscriptionRec,
            TokenNtfRecord, TokenRec, X25519KeyPair,
        },
    },
    testing::MemStorage,
};

use crate::plants::{Search, damaged, planted, secrets};

/// The same for each call.
fn some<T: Arbitrary>() -> T {
    T::arbitrary(&mut Gen::from_size_and_seed(20, 17))
}

fn blob(number: u8) -> Blob {
    Blob::from(planted::<32>(number).to_vec())
}

fn token() -> TokenRec {
    let device: String = planted::<32>(3).iter().map(|byte| format!("{byte:02x}")).collect();
    TokenRec {
        device: DeviceToken::new(PushProvider::ApnsProd, &device),
        dh_keys: X25519KeyPair::from_private(planted(1)),
        dh_secret: DhSecret::new(planted(2)),
        reg_code: RegCode(blob(4)),
        ..some()
    }
}

fn subscription() -> SubscriptionRec {
    SubscriptionRec { notifier_key: AuthPrivateKey::X25519(planted(5)), ..some() }
}

fn last_notification() -> TokenNtfRecord {
    let mut record: TokenNtfRecord = some();
    record.ntf.meta = blob(6);
    record
}

fn pending() -> PendingNtfRecord {
    let mut record: PendingNtfRecord = some();
    record.ntf.meta = blob(6);
    record
}

/// Neither the value nor an error about its text, with damage in every place, shows a secret.
fn check<T: TextEncode + TextDecode + Debug>(what: &str, value: &T, search: &Search) {
    search.nothing_in_debug(what, value);
    let text = value.to_text();
    assert!(search.find(&text).is_some(), "{what} holds no secret");
    let mut errors = 0;
    for damaged in damaged(&text) {
        for semantics in [Semantics::Strict, Semantics::Reference] {
            match T::from_text(&damaged, semantics) {
                Ok(value) => search.nothing_in_debug(what, &value),
                Err(error) => {
                    search.nothing_in_debug(what, &error);
                    search.nothing_in(what, error.to_string());
                    errors += 1;
                }
            }
        }
    }
    assert!(errors > 100, "{what}: {errors}");
}

#[test]
fn race17_nothing_about_a_notification_servers_records_shows_a_secret() {
    let search = Search::of(&secrets());
    check("TokenRec", &token(), &search);
    check("SubscriptionRec", &subscription(), &search);
    check("TokenNtfRecord", &last_notification(), &search);
    check("PendingNtfRecord", &pending(), &search);
}

/// A token, its subscription and its notification, a line each.
fn file() -> Vec<u8> {
    let token_id = token().id;
    let subscription = SubscriptionRec { token_id: token_id.clone(), ..subscription() };
    let last = TokenNtfRecord { token_id, ..last_notification() };
    let lines = [token().to_text(), subscription.to_text(), last.to_text()];
    lines.map(|line| [line.as_slice(), b"\n"].concat()).concat()
}

/// Loads a file and saves it again; both reports, also with things that the text has no place for.
fn loaded_and_saved(bytes: &[u8]) -> (NtfLoadReport, NtfSaveReport) {
    let disk = MemStorage::new();
    disk.put("F", bytes);
    let config = NtfFileConfig::new("F").storage(Arc::new(disk));
    let (mut file, store, loaded) = NtfFile::open(&config).unwrap();
    if let Some(token) = store.get_token(&token().id) {
        assert!(store.remove_registration(&token));
    }
    (loaded, file.save(&store).unwrap())
}

#[test]
fn race17_no_report_about_a_file_of_notifications_shows_a_secret() {
    let (search, file) = (Search::of(&secrets()), file());
    assert!(search.find(&file).is_some());
    let (mut lost, mut named) = (0, 0);
    // One in seven, and there are six kinds at each place: every kind, in many places.
    for damaged in damaged(&file).step_by(7) {
        let (loaded, saved) = loaded_and_saved(&damaged);
        search.nothing_in_debug("NtfLoadReport", &loaded);
        search.nothing_in_debug("NtfSaveReport", &saved);
        let warnings = loaded.warnings.iter().map(ToString::to_string);
        for text in warnings.chain(saved.not_held.items.iter().map(ToString::to_string)) {
            search.nothing_in("a report about a file", text);
        }
        lost += loaded.lost;
        named += saved.not_held.total();
    }
    assert!(lost > 50 && named > 50, "{lost}, {named}");
}

#[test]
fn race17_no_command_about_a_file_of_notifications_shows_a_secret() {
    let search = Search::of(&secrets());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ntf").to_str().unwrap().to_owned();
    for damage in [0, 3, 200, 700, 1200] {
        let mut bytes = file();
        let at = damage % bytes.len();
        bytes[at] ^= 0x55;
        fs::write(&path, &bytes).unwrap();
        for args in [&["ntf", "verify", &path] as &[&str], &["ntf", "verify", "--json", &path]] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_simplex-stores"));
            let output = command.env("RUST_LOG", "trace").args(args).output().unwrap();
            assert!(output.status.code().is_some_and(|code| code <= 1));
            search.nothing_in(&format!("{args:?}"), [output.stdout, output.stderr].concat());
        }
    }
}
