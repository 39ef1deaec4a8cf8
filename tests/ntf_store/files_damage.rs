//! A damaged record loses only itself, and the report says which line. What was damaged is kept.

use std::sync::Arc;

use quickcheck::Gen;
use simplex_stores::ntf_store::{
    NtfFile, NtfFileError, NtfFileForm, NtfLoadReport, NtfLoadWarningKind, NtfStore, Token,
};
use simplex_stores::protocol::{Semantics, TokenId};
use simplex_stores::store_log::{SnapshotError, write_snapshot};

use crate::files_support::{
    FILE, KEPT, LAST_NTF, SUBSCRIPTION, TOKEN, config, disk_with, lines, load_text, parse,
    random_store, saved,
};

fn warnings(report: &NtfLoadReport) -> Vec<String> {
    report.warnings.iter().map(ToString::to_string).collect()
}

/// How many tokens, subscriptions and notifications a report counts.
fn reached(report: &NtfLoadReport) -> [u64; 3] {
    [report.tokens, report.subscriptions, report.last_ntfs]
}

const TOKEN_ID: &str = "wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX";
const UNKNOWN_ID: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A text with this line between whole ones, and what is said about it.
fn with_line(line: &[u8]) -> (NtfLoadReport, Vec<String>) {
    let mut text = format!("{TOKEN}\n{SUBSCRIPTION}\n").into_bytes();
    text.extend_from_slice(line);
    text.extend_from_slice(format!("\n{LAST_NTF}\n").as_bytes());
    let (store, report) = load_text(text);
    assert_eq!(store.counts().tokens_with_ntfs, 1, "the line after it is read");
    assert_eq!(report.lines, 4);
    let said = warnings(&report);
    (report, said)
}

#[test]
fn each_kind_of_unreadable_line_is_skipped_with_its_line_offset_and_reason() {
    let offset = TOKEN.len() + SUBSCRIPTION.len() + 2;
    let begin = "expected a token, a subscription or a notification";
    let cases: [(&[u8], String); 9] = [
        (b"", format!("at byte 0: {begin}")),
        (b"\0\xff\x1b[2J", format!("at byte 0: {begin}")),
        (b"v2 AAAA", format!("at byte 0: {begin}")),
        (b"tknid=AAAA", format!("at byte 0: {begin}")),
        (b"tknId=????", "at byte 6: expected a base64url id".to_owned()),
        (b"v1 AAAA", "at byte 7: expected a space".to_owned()),
        (b"subId=AAAA smpQueue=smp://AAAA", "at byte 26".to_owned()),
        // Bytes left over, a carriage return among them.
        (&[TOKEN.as_bytes(), b" x"].concat(), format!("at byte {}", TOKEN.len())),
        (&[LAST_NTF.as_bytes(), b"\r"].concat(), format!("at byte {}", LAST_NTF.len())),
    ];
    for (line, reason) in cases {
        let (report, said) = with_line(line);
        assert_eq!((report.lost, reached(&report)), (1, [1, 1, 1]));
        let place =
            format!("line 3 (offset {offset}): not a record ({} bytes), skipped: ", line.len());
        let rest = said[0].strip_prefix(&place).unwrap_or_else(|| panic!("{}", said[0]));
        assert!(rest.starts_with(&reason), "{rest}");
    }
}

#[test]
fn a_subscription_of_an_unknown_token_is_refused_under_strict_and_taken_under_reference() {
    let line = SUBSCRIPTION.replace(TOKEN_ID, UNKNOWN_ID).replace("4OHi", "AOHi");
    let (report, said) = with_line(line.as_bytes());
    assert_eq!((report.lost, reached(&report)), (1, [1, 1, 1]));
    let offset = TOKEN.len() + SUBSCRIPTION.len() + 2;
    assert_eq!(
        said,
        [format!(
            "line 3 (offset {offset}): subscription AOHi4-Tl5ufo6err7O3u7_Dx8vP09fb3 of token \
             {UNKNOWN_ID}, which no line before has, skipped"
        )]
    );
    let disk = disk_with(format!("{TOKEN}\n{line}\n"));
    let config = config(disk, NtfFileForm::Text).semantics(Semantics::Reference);
    let (store, report) = NtfStore::load(&config).unwrap();
    assert_eq!((report.lost, store.counts().subscriptions), (0, 1));
}

#[test]
fn a_notification_of_an_unknown_token_is_refused() {
    let (report, said) = with_line(LAST_NTF.replace(TOKEN_ID, UNKNOWN_ID).as_bytes());
    assert_eq!((report.lost, reached(&report)), (1, [1, 1, 1]));
    let place = format!("line 3 (offset {}): ", TOKEN.len() + SUBSCRIPTION.len() + 2);
    let rest = format!("notification of token {UNKNOWN_ID}, which no line before has, skipped");
    assert_eq!(said, [place + &rest]);
}

#[test]
fn of_two_records_with_one_id_or_one_queue_the_later_one_is_kept_and_both_are_named() {
    let (report, said) = with_line(TOKEN.replace("cron=20", "cron=30").as_bytes());
    assert_eq!((report.lost, said.len()), (1, 1));
    assert!(
        said[0]
            .ends_with(&format!("token {TOKEN_ID} stands in an earlier line, too, which is lost"))
    );
    let (report, said) = with_line(SUBSCRIPTION.replace("ACTIVE", "END").as_bytes());
    assert_eq!((report.lost, said.len()), (1, 1));
    assert!(said[0].contains("stands in an earlier line"), "{}", said[0]);
    let (report, said) = with_line(SUBSCRIPTION.replace("4OHi", "AOHi").as_bytes());
    assert_eq!((report.lost, said.len()), (1, 1));
    assert!(said[0].contains("is for the queue of subscription 4OHi"), "{}", said[0]);
    // Under `Reference` both stay (NS-14).
    let text = format!("{TOKEN}\n{SUBSCRIPTION}\n{}\n", SUBSCRIPTION.replace("4OHi", "AOHi"));
    let config = config(disk_with(text), NtfFileForm::Text).semantics(Semantics::Reference);
    assert_eq!(NtfStore::load(&config).unwrap().1.lost, 0);
}

#[test]
fn a_line_that_is_too_long_is_walked_over() {
    let text = format!("{TOKEN}\n{}\n{LAST_NTF}\n", "x".repeat(100_000));
    let config = config(disk_with(text), NtfFileForm::Text).max_line(TOKEN.len());
    let (_, report) = NtfStore::load(&config).unwrap();
    assert_eq!((report.lines, report.lost, reached(&report)), (3, 1, [1, 0, 1]));
    assert!(warnings(&report)[0].ends_with("line too long (100000 bytes), skipped"));
}

#[test]
fn race7_a_last_line_without_its_newline_is_skipped_though_it_could_be_read() {
    let (_, report) = load_text(format!("{TOKEN}\n{SUBSCRIPTION}"));
    assert_eq!((report.lines, report.lost, reached(&report)), (1, 1, [1, 0, 0]));
    let said = format!(
        "line 2 (offset {}): last line has no newline ({} bytes), skipped",
        TOKEN.len() + 1,
        SUBSCRIPTION.len()
    );
    assert_eq!(warnings(&report), [said]);
    assert_eq!(report.bytes, (TOKEN.len() + 1 + SUBSCRIPTION.len()) as u64);
}

#[test]
fn race17_no_report_shows_a_part_of_a_line() {
    let secret = "c2VjcmV0IGtleQ";
    let (report, said) = with_line(format!("{TOKEN}{secret}").as_bytes());
    assert_eq!(report.lost, 1);
    for text in [format!("{report:?}"), said.concat()] {
        assert!(!text.contains(secret) && !text.contains("MC4CAQAw"), "{text}");
    }
}

#[test]
fn only_so_many_warnings_are_listed_and_all_are_counted() {
    let text = format!("{TOKEN}\n{}", "bad\n".repeat(100));
    let config = config(disk_with(text), NtfFileForm::Text).max_warnings(3);
    let (_, report) = NtfStore::load(&config).unwrap();
    assert_eq!((report.lost, report.warnings.len(), report.tokens), (100, 3, 1));
}

/// A store of some size, and its text.
fn store_and_text() -> (NtfStore, Vec<u8>) {
    let stores = (0..)
        .map(|seed| random_store(&mut Gen::from_size_and_seed(6, seed), Semantics::Strict, 24));
    let has_some_of_each = |store: &NtfStore| {
        let counts = store.counts();
        counts.tokens > 1 && counts.subscriptions > 1 && counts.tokens_with_ntfs > 0
    };
    let store = stores.into_iter().find(has_some_of_each).unwrap();
    let text = saved(&store, NtfFileForm::Text).0.read(FILE).unwrap();
    (store, text)
}

#[test]
fn cut_at_every_byte_a_text_gives_the_lines_before_the_cut() {
    let (_, text) = store_and_text();
    let mut whole_lines = 0;
    let mut expected = NtfStore::new(Semantics::Strict).snapshot();
    for cut in 0..=text.len() {
        let torn = cut > 0 && text[cut - 1] != b'\n';
        if cut > 0 && !torn {
            whole_lines += 1;
            expected = load_text(&text[..cut]).0.snapshot();
        }
        // Between newlines the state is that of the last one; every byte of the first and last lines is tried.
        let (store, report) = load_text(&text[..cut]);
        assert_eq!((report.lines, report.lost), (whole_lines, u64::from(torn)), "cut at {cut}");
        assert_eq!(report.bytes, cut as u64);
        if torn && cut % 97 == 0 {
            assert_eq!(store.snapshot(), expected, "cut at {cut}");
        }
    }
    assert_eq!(whole_lines as usize, lines(&text).len());
}

#[test]
fn with_any_byte_changed_a_text_accounts_for_every_line() {
    let (_, text) = store_and_text();
    for at in 0..text.len() {
        // Another letter, another case, no letter at all: each a third of the bytes.
        let bits = [0x01, 0x20, 0x80][at % 3];
        let mut damaged = text.clone();
        damaged[at] ^= bits;
        let (_, report) = load_text(damaged);
        let skipped = report.warnings.iter().filter(|warning| {
            use NtfLoadWarningKind::{SameQueue, Twice};
            !matches!(warning.kind, Twice { .. } | SameQueue { .. })
        });
        let torn = u64::from(at + 1 == text.len());
        let seen = reached(&report).iter().sum::<u64>() + skipped.count() as u64;
        assert_eq!(seen, report.lines + torn, "byte {at} changed by {bits:#x}");
    }
}

#[test]
fn a_removed_line_of_a_token_takes_its_subscriptions_and_notifications_and_nothing_else() {
    let (store, text) = store_and_text();
    for line in lines(&text).into_iter().filter(|line| line.starts_with(b"tknId=")) {
        let id = TokenId::from_bytes(&id_bytes(line)).unwrap();
        let rest: Vec<u8> =
            lines(&text).into_iter().filter(|other| *other != line).flatten().copied().collect();
        let (loaded, report) = load_text(rest);
        let own = store.token_subscriptions(&id).len() + store.last_ntfs(&id).len();
        assert_eq!(report.lost, own as u64);
        assert_eq!(loaded.counts().tokens, store.counts().tokens - 1);
        let others = store.counts().subscriptions - store.token_subscriptions(&id).len();
        assert_eq!(loaded.counts().subscriptions, others);
    }
}

fn id_bytes(line: &[u8]) -> Vec<u8> {
    match parse(line) {
        simplex_stores::ntf_store::NtfRecord::Token(rec) => rec.id.as_ref().to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_with_lost_records_is_kept_before_it_is_replaced_once() {
    for form in [NtfFileForm::Text, NtfFileForm::Binary] {
        let text = format!("{TOKEN}\nbad\n{LAST_NTF}");
        let disk = disk_with(text.as_bytes());
        let (mut file, store, report) = NtfFile::open(&config(disk.clone(), form)).unwrap();
        assert_eq!(report.lost, 2);
        assert_eq!(disk.read(FILE).unwrap(), text.as_bytes(), "loading changes nothing");
        let report = file.save(&store).unwrap();
        assert_eq!(report.kept.as_deref(), Some(std::path::Path::new(KEPT)));
        assert_eq!(disk.read(KEPT).unwrap(), text.as_bytes());
        assert_eq!(disk.read_synced(KEPT).unwrap(), text.as_bytes());
        assert_eq!(file.save(&store).unwrap().kept, None);
        drop(file);
        let (mut file, store, report) = NtfFile::open(&config(disk.clone(), form)).unwrap();
        assert_eq!(report.lost, 0);
        assert_eq!(file.save(&store).unwrap().kept, None);
        assert_eq!(disk.names().len(), 3, "the file, the kept one, the lock: {:?}", disk.names());
    }
}

#[test]
fn a_kept_file_never_replaces_another() {
    let disk = disk_with("bad\n");
    disk.put(KEPT, "older");
    let (mut file, store, _) = NtfFile::open(&config(disk.clone(), NtfFileForm::Text)).unwrap();
    let kept = file.save(&store).unwrap().kept.unwrap();
    assert_eq!(disk.read(&kept).unwrap(), b"bad\n");
    assert_eq!(disk.read(KEPT).unwrap(), b"older");
}

#[test]
fn a_lost_file_that_somebody_moved_away_needs_no_copy() {
    use simplex_stores::store_log::Storage;
    let disk = disk_with("bad\n");
    let (mut file, store, _) = NtfFile::open(&config(disk.clone(), NtfFileForm::Text)).unwrap();
    disk.remove(std::path::Path::new(FILE)).unwrap();
    assert_eq!(file.save(&store).unwrap().kept, None);
}

#[test]
fn a_binary_file_is_refused_with_any_bit_changed_and_cut_at_every_byte() {
    let store = NtfStore::new(Semantics::Strict);
    let simplex_stores::ntf_store::NtfRecord::Token(rec) = parse(TOKEN.as_bytes()) else {
        panic!()
    };
    store.add_token(Arc::new(Token::new(*rec)));
    let (disk, config, _) = saved(&store, NtfFileForm::Binary);
    let whole = disk.read(FILE).unwrap();
    for at in 0..whole.len() {
        for bit in 0..8 {
            disk.damage(FILE, |bytes| bytes[at] ^= 1 << bit);
            let refused = NtfStore::load(&config).expect_err("a changed bit");
            assert!(matches!(refused, NtfFileError::Snapshot { .. }), "{at}: {refused}");
            disk.damage(FILE, |bytes| bytes[at] ^= 1 << bit);
        }
    }
    // Without a byte it is an empty text.
    for cut in 1..whole.len() {
        disk.damage(FILE, |bytes| *bytes = whole[..cut].to_vec());
        let refused = NtfFile::open(&config).expect_err("a cut file");
        let NtfFileError::Snapshot { source, .. } = &refused else { panic!("{refused}") };
        assert!(matches!(source, SnapshotError::Truncated { .. }), "{cut}: {refused}");
        assert!(refused.to_string().starts_with("/ntf/F: snapshot cut short"), "{refused}");
    }
    assert_eq!(disk.names().len(), 2, "nothing is made beside it");
}

#[test]
fn a_snapshot_of_something_else_is_refused() {
    let disk = disk_with("");
    write_snapshot(&disk, std::path::Path::new(FILE), *b"QUEUES 1", &(1, 2)).unwrap();
    let refused = NtfStore::load(&config(disk, NtfFileForm::Text)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "/ntf/F: snapshot of another kind of value; restore a backup, or move the file away to start without it"
    );
}

#[test]
fn a_missing_file_is_an_empty_store_to_open_and_an_error_to_load() {
    let disk = simplex_stores::testing::MemStorage::new();
    let config = config(disk, NtfFileForm::Text);
    let refused = NtfStore::load(&config).unwrap_err();
    assert_eq!(refused.to_string(), "/ntf/F: reading: entity not found");
    let (_, store, report) = NtfFile::open(&config).unwrap();
    assert!(report.absent);
    assert_eq!(store.counts(), NtfStore::new(Semantics::Strict).counts());
}
