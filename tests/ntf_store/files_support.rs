//! Random stores, and files to keep them in.

use std::collections::BTreeSet;
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};
use simplex_stores::ntf_store::{
    NtfFile, NtfFileConfig, NtfFileForm, NtfLoadReport, NtfNotHeldItem, NtfRecord, NtfSaveReport,
    NtfSnapshot, NtfStore, Subscription, Token,
};
use simplex_stores::protocol::ntf::{NotifierQueue, SubscriptionRec, TokenNtf, TokenRec};
use simplex_stores::protocol::{AuthKey, Semantics, ServiceId, SubscriptionId, TokenId};
use simplex_stores::store_log::Storage;
use simplex_stores::testing::MemStorage;
use time::{OffsetDateTime, macros::datetime};

pub(crate) const FILE: &str = "/ntf/F";
pub(crate) const NOW: OffsetDateTime = datetime!(2025-06-01 12:00:00.5 UTC);
pub(crate) const KEPT: &str = "/ntf/F.2025-06-01T12:00:00.5Z.damaged";

pub(crate) const BOTH_FORMS: [NtfFileForm; 2] = [NtfFileForm::Text, NtfFileForm::Binary];
pub(crate) const BOTH_SEMANTICS: [Semantics; 2] = [Semantics::Strict, Semantics::Reference];

pub(crate) fn config(storage: impl Storage + 'static, form: NtfFileForm) -> NtfFileConfig {
    NtfFileConfig::new(FILE).storage(Arc::new(storage)).form(form).clock(|| NOW)
}

/// Few of each, so that the records meet.
struct Pool {
    tokens: Vec<TokenRec>,
    keys: Vec<AuthKey>,
    subscriptions: Vec<SubscriptionRec>,
    queues: Vec<NotifierQueue>,
}

impl Pool {
    fn new(g: &mut Gen, size: usize) -> Self {
        Self {
            tokens: (0..size).map(|_| TokenRec::arbitrary(g)).collect(),
            keys: (0..3).map(|_| AuthKey::arbitrary(g)).collect(),
            subscriptions: (0..size * 2).map(|_| SubscriptionRec::arbitrary(g)).collect(),
            queues: (0..size).map(|_| NotifierQueue::arbitrary(g)).collect(),
        }
    }

    fn token(&self, g: &mut Gen) -> TokenRec {
        let id = g.choose(&self.tokens).unwrap().id.clone();
        let device = g.choose(&self.tokens).unwrap().device.clone();
        let verify_key = g.choose(&self.keys).unwrap().clone();
        TokenRec { id, device, verify_key, ..TokenRec::arbitrary(g) }
    }

    fn subscription(&self, g: &mut Gen) -> SubscriptionRec {
        let id = g.choose(&self.subscriptions).unwrap().id.clone();
        let token_id = self.token_id(g);
        let queue = g.choose(&self.queues).unwrap().clone();
        SubscriptionRec { id, token_id, queue, ..SubscriptionRec::arbitrary(g) }
    }

    fn token_id(&self, g: &mut Gen) -> TokenId {
        g.choose(&self.tokens).unwrap().id.clone()
    }

    fn subscription_id(&self, g: &mut Gen) -> SubscriptionId {
        g.choose(&self.subscriptions).unwrap().id.clone()
    }
}

/// A store after many random calls, with everything in it that calls can bring about.
pub(crate) fn random_store(g: &mut Gen, semantics: Semantics, calls: usize) -> NtfStore {
    let pool = Pool::new(g, 2 + calls / 12);
    let store = NtfStore::new(semantics);
    for _ in 0..calls {
        let token = store.get_token(&pool.token_id(g));
        match u8::arbitrary(g) % 20 {
            0..5 => drop(store.add_token(Arc::new(Token::new(pool.token(g))))),
            5..12 => {
                drop(store.add_subscription(Arc::new(Subscription::new(pool.subscription(g)))))
            }
            12..16 => {
                drop(store.store_last_ntf(&pool.token_id(g), Arc::new(TokenNtf::arbitrary(g))))
            }
            16 => drop(store.delete_subscription(&pool.subscription_id(g))),
            17 if bool::arbitrary(g) => drop(store.delete_token(&pool.token_id(g))),
            18 => {
                let _ = token.map(|token| store.remove_registration(&token));
            }
            19 if u8::arbitrary(g) < 80 => drop(token.map(|token| store.remove_rivals(&token))),
            _ => {
                let server = &g.choose(&pool.queues).unwrap().server;
                drop(store.set_service(server, Option::<ServiceId>::arbitrary(g)));
            }
        }
    }
    store
}

/// Saves a store to a new disk.
pub(crate) fn saved(
    store: &NtfStore,
    form: NtfFileForm,
) -> (MemStorage, NtfFileConfig, NtfSaveReport) {
    let disk = MemStorage::new();
    let config = config(disk.clone(), form).semantics(store.semantics());
    let (mut file, _, loaded) = NtfFile::open(&config).unwrap();
    assert!(loaded.absent);
    let report = file.save(store).unwrap();
    assert_eq!(report.bytes, disk.read(FILE).unwrap().len() as u64);
    (disk, config, report)
}

/// A disk with this as the file.
pub(crate) fn disk_with(bytes: impl Into<Vec<u8>>) -> MemStorage {
    let disk = MemStorage::new();
    disk.put(FILE, bytes);
    disk
}

/// Loads a text under strict semantics.
pub(crate) fn load_text(text: impl Into<Vec<u8>>) -> (NtfStore, NtfLoadReport) {
    let config = config(disk_with(text), NtfFileForm::Text);
    let (store, report) = NtfStore::load(&config).unwrap();
    assert_eq!(store.check_invariants().err(), None);
    (store, report)
}

/// What a load of a strict store's text gives, by what the report of the save says.
pub(crate) fn expected_of_text(store: &NtfStore, report: &NtfSaveReport) -> NtfSnapshot {
    let mut snapshot = store.snapshot();
    snapshot.services.clear();
    let items = report.not_held.items.iter();
    let regained: BTreeSet<_> = items
        .filter_map(|item| match item {
            NtfNotHeldItem::Registration(token) => Some(token),
            _ => None,
        })
        .collect();
    let listed = snapshot.registrations.iter_mut().flat_map(|device| &mut device.tokens);
    for one in listed.filter(|one| regained.contains(&one.token_id)) {
        one.registered = true;
    }
    snapshot
}

/// The lines of a text.
pub(crate) fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

pub(crate) fn parse(line: &[u8]) -> NtfRecord {
    NtfRecord::parse(line.strip_suffix(b"\n").unwrap_or(line), Semantics::Strict).unwrap()
}

/// The vectors of the specification: a token, its subscription, its notification.
pub(crate) const TOKEN: &str = "tknId=wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX token=apns_prod abcd1234 tokenStatus=ACTIVE verifyKey=MCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w= dhKeys=MCowBQYDK2VuAyEArAGyIJ6GNU-4UyN7XeD0-rE8f8v0M6YcAZNpYX_s8Qs= MC4CAQAwBQYDK2VuBCIEIAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE dhSecret=WFV1gOHNAQ2R6bm_vIrq8ARYNa0kD15AN6i6DRpQJQ4= regCode=MDEyMzQ1Njc4OWFiY2RlZg== cron=20 updatedAt=1735689600";
pub(crate) const SUBSCRIPTION: &str = "subId=4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3 smpQueue=smp://CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=@smp.example.com:5223/QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX notifierKey=MC4CAQAwBQYDK2VwBCIEIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC tknId=wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX subStatus=ACTIVE serviceAssoc=T";
pub(crate) const LAST_NTF: &str = "v1 wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX smp://CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=@smp.example.com:5223/QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX 1735690000 CAgICAgICAgICAgICAgICAgICAgICAgI ZW5jIG1ldGE=";
