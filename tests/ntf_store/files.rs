//! What is saved is loaded, in both forms.

use std::num::NonZeroUsize;
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};
use simplex_stores::ntf_store::{
    NtfFile, NtfFileConfig, NtfFileError, NtfFileForm, NtfNotHeldItem, NtfRecord, NtfRecordKind,
    NtfStore, Subscription, Token,
};
use simplex_stores::protocol::ntf::{
    DeviceToken, NotifierQueue, PushProvider, ServerHost, SmpServer, SubscriptionRec,
    SubscriptionStatus, TokenNtf, TokenRec,
};
use simplex_stores::protocol::{RoundedTime, Semantics, ServiceId};
use simplex_stores::sync::atomic::{AtomicU64, Ordering};
use simplex_stores::testing::MemStorage;

use crate::files_support::{
    BOTH_FORMS, BOTH_SEMANTICS, FILE, LAST_NTF, SUBSCRIPTION, TOKEN, config, disk_with,
    expected_of_text, lines, parse, random_store, saved,
};

/// Random stores of all sizes, under one semantics.
fn stores(semantics: Semantics, check: impl Fn(&NtfStore)) {
    for seed in 0..24 {
        let mut g = Gen::from_size_and_seed(20, seed);
        check(&random_store(&mut g, semantics, [0, 3, 40, 150][seed as usize % 4]));
    }
}

#[test]
fn a_binary_file_gives_back_the_whole_store() {
    for semantics in BOTH_SEMANTICS {
        stores(semantics, |store| {
            let (_, config, report) = saved(store, NtfFileForm::Binary);
            assert_eq!(report.not_held.total(), 0);
            let (loaded, read) = NtfStore::load(&config).unwrap();
            assert_eq!(loaded.snapshot(), store.snapshot());
            assert_eq!((read.lost, read.over_limit, read.form), (0, 0, NtfFileForm::Binary));
            assert_eq!(
                (read.tokens, read.subscriptions, read.last_ntfs, read.services),
                (report.tokens, report.subscriptions, report.last_ntfs, report.services)
            );
        });
    }
}

#[test]
fn a_text_gives_back_everything_but_what_the_report_names() {
    stores(Semantics::Strict, |store| {
        let (disk, config, report) = saved(store, NtfFileForm::Text);
        let not_held = &report.not_held;
        assert_eq!(not_held.services, store.snapshot().services.len() as u64);
        assert_eq!((not_held.altered, not_held.left_out, not_held.index_entries), (0, 0, 0));
        assert_eq!(not_held.items.len() as u64, not_held.total());
        let (loaded, read) = NtfStore::load(&config).unwrap();
        assert_eq!((read.lost, read.warnings.as_slice()), (0, &[][..]));
        assert_eq!(loaded.check_invariants().err(), None);
        assert_eq!(loaded.snapshot(), expected_of_text(store, &report));
        assert_eq!(
            (read.tokens, read.subscriptions, read.last_ntfs),
            (report.tokens, report.subscriptions, report.last_ntfs)
        );
        assert_eq!(read.lines, read.tokens + read.subscriptions + read.last_ntfs);
        assert_eq!(read.bytes, disk.read(FILE).unwrap().len() as u64);
    });
}

#[test]
fn under_reference_a_text_gives_back_every_record_and_indexes_that_agree_with_them() {
    stores(Semantics::Reference, |store| {
        let (disk, config, report) = saved(store, NtfFileForm::Text);
        let text = disk.read(FILE).unwrap();
        let (loaded, read) = NtfStore::load(&config).unwrap();
        if report.not_held.strict_only > 0 {
            assert!(read.lost >= report.not_held.strict_only);
            return;
        }
        assert_eq!(read.lost, 0);
        let (before, after) = (store.snapshot(), loaded.snapshot());
        assert_eq!(after.tokens, before.tokens);
        assert_eq!(after.last_ntfs, before.last_ntfs);
        let ids = |of: &[SubscriptionRec]| of.iter().map(|rec| rec.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&after.subscriptions), ids(&before.subscriptions));
        let differ = before.subscriptions.iter().zip(&after.subscriptions).filter(|(a, b)| a != b);
        let errors = |rec: &SubscriptionRec| matches!(rec.status, SubscriptionStatus::Err(_));
        assert!(
            differ.clone().all(|(rec, _)| errors(rec)),
            "only a flag behind an error (RACE-15)"
        );
        assert_eq!(differ.count() as u64, report.not_held.altered);
        if report.not_held.total() == 0 {
            assert_eq!(after, before);
        }
        // Once it is what a text holds, it stays so.
        let (again, _, report) = saved(&loaded, NtfFileForm::Text);
        assert_eq!(report.not_held.services, 0);
        if report.not_held.altered == 0 {
            assert_eq!(again.read(FILE).unwrap(), text);
        }
    });
}

#[test]
fn a_text_of_a_store_under_reference_gives_a_sound_strict_store() {
    stores(Semantics::Reference, |store| {
        let (_, config, _) = saved(store, NtfFileForm::Text);
        let (loaded, read) = NtfStore::load(&config.semantics(Semantics::Strict)).unwrap();
        assert_eq!(loaded.check_invariants().err(), None);
        assert_eq!(loaded.snapshot().tokens, store.snapshot().tokens);
        let gone = store.counts().subscriptions - loaded.counts().subscriptions;
        assert!(gone as u64 <= read.lost);
    });
}

#[test]
fn the_vectors_of_the_records_are_a_file_and_are_written_as_they_are() {
    let text = format!("{TOKEN}\n{SUBSCRIPTION}\n{LAST_NTF}\n");
    let disk = disk_with(text.as_bytes());
    let config = config(disk.clone(), NtfFileForm::Text);
    let (mut file, store, report) = NtfFile::open(&config).unwrap();
    assert_eq!((report.tokens, report.subscriptions, report.last_ntfs, report.lost), (1, 1, 1, 0));
    file.save(&store).unwrap();
    assert_eq!(disk.read(FILE).unwrap(), text.as_bytes());
    for (line, kind) in [
        (TOKEN, NtfRecordKind::Token),
        (SUBSCRIPTION, NtfRecordKind::Subscription),
        (LAST_NTF, NtfRecordKind::LastNtf),
    ] {
        let record = parse(line.as_bytes());
        assert_eq!(record.kind(), kind);
        let mut written = Vec::new();
        record.encode(&mut written);
        assert_eq!(written, line.as_bytes());
    }
}

/// Notifications of a token in the order of their times.
fn ntf(seconds: i64) -> Arc<TokenNtf> {
    let NtfRecord::LastNtf(record) = parse(LAST_NTF.as_bytes()) else { panic!("a notification") };
    Arc::new(TokenNtf { at: RoundedTime::from_seconds(seconds), ..record.ntf })
}

fn token() -> TokenRec {
    let NtfRecord::Token(rec) = parse(TOKEN.as_bytes()) else { panic!("a token") };
    *rec
}

fn subscription() -> SubscriptionRec {
    let NtfRecord::Subscription(rec) = parse(SUBSCRIPTION.as_bytes()) else {
        panic!("a subscription")
    };
    *rec
}

#[test]
fn ns4_last_notifications_keep_their_order_across_restarts() {
    for form in BOTH_FORMS {
        let disk = MemStorage::new();
        let config = config(disk.clone(), form);
        let (mut file, store, _) = NtfFile::open(&config).unwrap();
        store.add_token(Arc::new(Token::new(token())));
        for at in 1..=5 {
            drop(store.store_last_ntf(&token().id, ntf(at)));
        }
        file.save(&store).unwrap();
        drop(file);
        let (mut file, store, _) = NtfFile::open(&config).unwrap();
        drop(store.store_last_ntf(&token().id, ntf(6)));
        file.save(&store).unwrap();
        drop(file);
        let (_file, store, _) = NtfFile::open(&config).unwrap();
        let newest_first: Vec<_> = [6, 5, 4, 3, 2, 1].map(ntf).into();
        assert_eq!(store.last_ntfs(&token().id), newest_first);
    }
}

#[test]
fn a_store_that_keeps_fewer_notifications_takes_the_newest() {
    for form in BOTH_FORMS {
        let store = NtfStore::new(Semantics::Strict);
        store.add_token(Arc::new(Token::new(token())));
        for at in 1..=5 {
            drop(store.store_last_ntf(&token().id, ntf(at)));
        }
        let (_, config, _) = saved(&store, form);
        let (loaded, read) = NtfStore::load(&config.last_ntf_limit(NonZeroUsize::new(2))).unwrap();
        assert_eq!(read.over_limit, 3);
        assert_eq!(loaded.last_ntfs(&token().id), [5, 4].map(ntf));
        assert_eq!(loaded.last_ntf_limit(), NonZeroUsize::new(2));
        assert_eq!(loaded.check_invariants().err(), None);
    }
}

#[test]
fn a_binary_file_keeps_the_limit_that_the_store_was_made_with() {
    let store = NtfStore::with_last_ntf_limit(Semantics::Strict, NonZeroUsize::new(3));
    let (_, config, _) = saved(&store, NtfFileForm::Binary);
    assert_eq!(NtfStore::load(&config).unwrap().0.last_ntf_limit(), NonZeroUsize::new(3));
}

#[test]
fn race68_the_holder_of_a_registration_comes_after_those_that_lost_it() {
    let mut g = Gen::from_size_and_seed(20, 5);
    let (mut first, mut second) = (TokenRec::arbitrary(&mut g), TokenRec::arbitrary(&mut g));
    if first.id < second.id {
        std::mem::swap(&mut first, &mut second);
    }
    let store = NtfStore::new(Semantics::Strict);
    // The holder has the smaller id, so the order of ids would give the registration to the other.
    let holder = TokenRec { id: second.id.clone(), ..first.clone() };
    store.add_token(Arc::new(Token::new(first.clone())));
    store.add_token(Arc::new(Token::new(holder.clone())));
    let (disk, config, report) = saved(&store, NtfFileForm::Text);
    assert_eq!(report.not_held.total(), 0);
    let text = disk.read(FILE).unwrap();
    let order: Vec<String> = lines(&text).into_iter().map(|line| parse(line).id()).collect();
    assert_eq!(order, [first.id.to_string(), holder.id.to_string()]);
    let (loaded, _) = NtfStore::load(&config).unwrap();
    assert_eq!(loaded.snapshot(), store.snapshot());
    assert_eq!(loaded.find_token(&holder.device, &holder.verify_key).unwrap().id(), &holder.id);
}

#[test]
fn a_removed_registration_comes_back_and_the_report_names_the_token() {
    let store = NtfStore::new(Semantics::Strict);
    store.add_token(Arc::new(Token::new(token())));
    assert!(store.remove_registration(&store.get_token(&token().id).unwrap()));
    let (_, config, report) = saved(&store, NtfFileForm::Text);
    assert_eq!(report.not_held.items, [NtfNotHeldItem::Registration(token().id)]);
    assert_eq!(
        report.not_held.items[0].to_string(),
        "token wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX has no registration, and will have one when it is loaded"
    );
    let (loaded, _) = NtfStore::load(&config).unwrap();
    assert!(loaded.find_token(&token().device, &token().verify_key).is_some());
}

#[test]
fn ns11_services_are_in_a_binary_file_and_the_report_of_a_text_names_them() {
    let store = NtfStore::new(Semantics::Strict);
    let server = subscription().queue.server;
    let service = ServiceId::from_bytes(b"service");
    store.set_service(&server, service.clone());
    let (_, config, report) = saved(&store, NtfFileForm::Text);
    assert_eq!(report.not_held.services, 1);
    assert_eq!(report.not_held.items, [NtfNotHeldItem::Service(server.clone())]);
    assert_eq!(NtfStore::load(&config).unwrap().0.service(&server), None);
    let (_, config, report) = saved(&store, NtfFileForm::Binary);
    assert_eq!((report.services, report.not_held.total()), (1, 0));
    assert_eq!(NtfStore::load(&config).unwrap().0.service(&server), service);
}

/// A strict store with a token, and this subscription of it.
fn store_with(rec: SubscriptionRec) -> NtfStore {
    let store = NtfStore::new(Semantics::Strict);
    store.add_token(Arc::new(Token::new(token())));
    store.add_subscription(Arc::new(Subscription::new(rec))).unwrap();
    store
}

#[test]
fn a_newline_in_an_error_never_makes_a_line_of_its_own() {
    let text = format!("oops\n{}", TOKEN.replace("wMHC", "AAAA"));
    let status = SubscriptionStatus::Err(text.as_bytes().into());
    let store = store_with(SubscriptionRec { status, ..subscription() });
    let (disk, config, report) = saved(&store, NtfFileForm::Text);
    assert_eq!(lines(&disk.read(FILE).unwrap()).len(), 2);
    let (record, id) = (NtfRecordKind::Subscription, subscription().id.to_string());
    assert_eq!(report.not_held.items, [NtfNotHeldItem::Altered { record, id }]);
    let (loaded, read) = NtfStore::load(&config).unwrap();
    assert_eq!((read.lost, loaded.counts().tokens), (0, 1));
    let status = SubscriptionStatus::Err(text.replace('\n', " ").as_bytes().into());
    let loaded = loaded.get_subscription(&subscription().id).unwrap().record();
    assert_eq!(loaded, SubscriptionRec { status, ..subscription() });
}

#[test]
fn ne6_a_preset_router_without_its_onion_host_is_named_as_altered() {
    let host = ServerHost::Domain(b"smp4.simplex.im"[..].into());
    let server = SmpServer::new(&[host], None, [7; 32]).unwrap();
    let queue = NotifierQueue { server, ..subscription().queue };
    let store = store_with(SubscriptionRec { queue, ..subscription() });
    let (_, config, report) = saved(&store, NtfFileForm::Text);
    assert_eq!((report.not_held.altered, report.not_held.total()), (1, 1));
    let (loaded, read) = NtfStore::load(&config).unwrap();
    assert_eq!(read.lost, 0);
    let loaded = loaded.get_subscription(&subscription().id).unwrap();
    assert_eq!(loaded.server().hosts().len(), 2);
}

#[test]
fn ne2_what_could_not_be_read_again_is_left_out_and_named() {
    let store = NtfStore::new(Semantics::Strict);
    let device = DeviceToken::new(PushProvider::ApnsProd, "NOT HEX\nv1 x");
    store.add_token(Arc::new(Token::new(TokenRec { device, ..token() })));
    let (disk, config, report) = saved(&store, NtfFileForm::Text);
    assert_eq!(disk.read(FILE).unwrap(), b"");
    assert_eq!((report.tokens, report.not_held.left_out), (0, 1));
    let item = report.not_held.items[0].to_string();
    assert!(
        item.starts_with(
            "token wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX left out: it could not be read again"
        ),
        "{item}"
    );
    assert_eq!(NtfStore::load(&config).unwrap().0.counts().tokens, 0);
    // A binary file has it.
    let (_, config, _) = saved(&store, NtfFileForm::Binary);
    assert_eq!(NtfStore::load(&config).unwrap().0.snapshot(), store.snapshot());
}

#[test]
fn a_line_that_would_be_too_long_to_read_is_left_out_and_named() {
    let status = SubscriptionStatus::Err(vec![b'x'; 2_000].into());
    let store = store_with(SubscriptionRec { status, ..subscription() });
    let disk = MemStorage::new();
    let config = config(disk.clone(), NtfFileForm::Text).max_line(1_000);
    let (mut file, ..) = NtfFile::open(&config).unwrap();
    let report = file.save(&store).unwrap();
    assert_eq!((report.tokens, report.subscriptions, report.not_held.left_out), (1, 0, 1));
    assert!(report.not_held.items[0].to_string().contains("too many to be read"));
    assert_eq!(NtfStore::load(&config).unwrap().1.lost, 0);
}

#[test]
fn only_so_many_things_are_listed_and_all_are_counted() {
    let store = NtfStore::new(Semantics::Strict);
    let mut g = Gen::from_size_and_seed(20, 9);
    for _ in 0..10 {
        store.set_service(&SmpServer::arbitrary(&mut g), ServiceId::from_bytes(b"s"));
    }
    let config = config(MemStorage::new(), NtfFileForm::Text).max_warnings(3);
    let report = NtfFile::open(&config).unwrap().0.save(&store).unwrap();
    assert_eq!((report.not_held.items.len(), report.not_held.services), (3, 10));
}

#[test]
fn one_form_is_loaded_and_the_other_saved() {
    let mut g = Gen::from_size_and_seed(20, 3);
    let store = random_store(&mut g, Semantics::Strict, 100);
    let (disk, _, _) = saved(&store, NtfFileForm::Binary);
    for form in [NtfFileForm::Text, NtfFileForm::Binary, NtfFileForm::Text] {
        let (mut file, loaded, read) = NtfFile::open(&config(disk.clone(), form)).unwrap();
        assert_ne!(read.form, form);
        let report = file.save(&loaded).unwrap();
        assert_eq!((report.form, report.kept), (form, None));
    }
}

#[test]
fn race11_a_file_has_one_owner() {
    let disk = MemStorage::new();
    let config = config(disk, NtfFileForm::Text);
    let (file, ..) = NtfFile::open(&config).unwrap();
    let refused = NtfFile::open(&config).unwrap_err();
    assert!(matches!(refused, NtfFileError::Locked { .. }));
    assert_eq!(refused.to_string(), "/ntf/F: in use by another process; stop it first");
    drop(file);
    NtfFile::open(&config).unwrap();
}

#[test]
fn a_large_text_is_loaded_in_several_batches() {
    let mut g = Gen::from_size_and_seed(5, 1);
    let store = NtfStore::with_last_ntf_limit(Semantics::Strict, None);
    store.add_token(Arc::new(Token::new(token())));
    for _ in 0..5_000 {
        drop(store.store_last_ntf(&token().id, Arc::new(TokenNtf::arbitrary(&mut g))));
    }
    let (_, config, _) = saved(&store, NtfFileForm::Text);
    let steps = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&steps);
    let config: NtfFileConfig = config.last_ntf_limit(None).progress(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let (loaded, _) = NtfStore::load(&config).unwrap();
    assert_eq!(loaded.snapshot(), store.snapshot());
    assert_eq!(steps.load(Ordering::Relaxed), 2);
}

#[test]
fn files_of_the_operating_system_work_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut g = Gen::from_size_and_seed(20, 7);
    let store = random_store(&mut g, Semantics::Strict, 200);
    for form in BOTH_FORMS {
        let config = NtfFileConfig::new(folder.path().join(format!("{form:?}"))).form(form);
        let report = NtfFile::open(&config).unwrap().0.save(&store).unwrap();
        let (_, loaded, _) = NtfFile::open(&config).unwrap();
        match form {
            NtfFileForm::Text => {
                assert_eq!(loaded.snapshot(), expected_of_text(&store, &report));
            }
            NtfFileForm::Binary => assert_eq!(loaded.snapshot(), store.snapshot()),
        }
    }
}
