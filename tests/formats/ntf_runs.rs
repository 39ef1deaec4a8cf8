//! Recorded runs of the notification store: every text that the reference wrote is read, and
//! written again byte for byte; and the order in which it lists queues and device tokens.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use simplex_stores::encoding::base64url;
use simplex_stores::protocol::Semantics::{Reference, Strict};
use simplex_stores::protocol::ntf::{
    AuthPrivateKey, DeviceToken, NotifierQueue, SmpServer, SubscriptionRec, SubscriptionStatus,
    TokenNtf, TokenNtfRecord, TokenNtfs, TokenRec, TokenStatus,
};
use simplex_stores::protocol::{AuthKey, DhSecret, TextDecode, TextEncode};

/// The folders of runs of notification stores: the project's own, and those in the folder that the
/// environment names.
fn runs() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect_runs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors"), &mut found);
    assert!(found.len() >= 2, "the project's own runs");
    if let Some(more) = std::env::var_os("SIMPLEX_STORES_VECTORS") {
        collect_runs(Path::new(&more), &mut found);
    }
    found
}

/// Runs at any depth; those of queue stores have a store log.
fn collect_runs(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.join("ops.jsonl").is_file() && !folder.join("store.log").exists() {
        found.push(folder.to_owned());
        return;
    }
    let mut inside: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inside.sort();
    for path in inside.iter().filter(|path| path.is_dir()) {
        collect_runs(path, found);
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How many values of each kind were checked.
#[derive(Debug, Default)]
struct Checked(BTreeMap<&'static str, usize>);

impl Checked {
    /// Reads a value as the strict reader does, and writes it again.
    fn again<T: TextDecode + TextEncode>(&mut self, kind: &'static str, text: &Value) -> T {
        let text = text.as_str().unwrap();
        let value = T::from_text(text.as_bytes(), Strict).expect(text);
        assert_eq!(value.to_text(), text.as_bytes());
        *self.0.entry(kind).or_default() += 1;
        value
    }

    /// Checks every record and notification anywhere below `value`.
    fn walk(&mut self, value: &Value) {
        if let Some(items) = value.as_array() {
            items.iter().for_each(|item| self.walk(item));
        }
        let Some(object) = value.as_object() else { return };
        match object.get("text") {
            Some(text) if object.contains_key("tkn_id") && object.contains_key("reg_code") => {
                self.token(text, value);
            }
            Some(text) if object.contains_key("sub_id") => self.subscription(text, value),
            _ => {}
        }
        if let Some(text) = object.get("ntf") {
            let ntf: TokenNtf = self.again("notification", text);
            let record: TokenNtfRecord = self.again("saved notification", &object["record"]);
            assert_eq!(record.ntf, ntf);
            assert_eq!(record.token_id.to_string(), object["tkn_id"].as_str().unwrap());
        }
        if let Some(ntfs) = object.get("ntfs").and_then(Value::as_array) {
            let ntfs = ntfs.iter().map(|text| self.again("notification", text)).collect();
            let list: TokenNtfs = self.again("list of notifications", &object["text"]);
            assert_eq!(list, TokenNtfs::new(ntfs).unwrap());
        }
        object.values().for_each(|inner| self.walk(inner));
    }

    /// A token's record has the values that stand beside its text.
    fn token(&mut self, text: &Value, beside: &Value) {
        let record: TokenRec = self.again("token", text);
        let reference = TokenRec::from_text(text.as_str().unwrap().as_bytes(), Reference);
        assert_eq!(reference.as_ref(), Ok(&record));
        assert_eq!(record.id.to_string(), beside["tkn_id"].as_str().unwrap());
        assert_eq!(self.again::<DeviceToken>("device token", &beside["token"]), record.device);
        assert_eq!(self.again::<TokenStatus>("token status", &beside["status"]), record.status);
        let key: AuthKey = self.again("public key", &beside["verify_key"]);
        assert_eq!(base64url::to_string(key.key_bytes()), beside["reg_key"].as_str().unwrap());
        assert_eq!(key, record.verify_key);
        let private: AuthPrivateKey = self.again("private key", &beside["dh_priv_key"]);
        assert_eq!(private, AuthPrivateKey::X25519(*record.dh_keys.private()));
        assert_eq!(self.again::<DhSecret>("secret", &beside["dh_secret"]), record.dh_secret);
        let code = base64url::to_string(record.reg_code.0.as_bytes());
        assert_eq!(code, beside["reg_code"].as_str().unwrap());
        assert_eq!(u64::from(record.cron), beside["cron"].as_u64().unwrap());
        let date = record.updated_at.map(|date| date.seconds());
        assert_eq!(date, beside["updated_at"].as_i64());
    }

    /// The same for a subscription's; and what the reference's reader makes of an error.
    fn subscription(&mut self, text: &Value, beside: &Value) {
        let record: SubscriptionRec = self.again("subscription", text);
        assert_eq!(record.id.to_string(), beside["sub_id"].as_str().unwrap());
        assert_eq!(record.token_id.to_string(), beside["tkn_id"].as_str().unwrap());
        assert_eq!(self.again::<NotifierQueue>("queue", &beside["smp_queue"]), record.queue);
        assert_eq!(self.again::<SmpServer>("server", &beside["smp_server"]), record.queue.server);
        assert_eq!(record.queue.notifier_id.to_string(), beside["notifier_id"].as_str().unwrap());
        let key: AuthPrivateKey = self.again("private key", &beside["notifier_key"]);
        assert_eq!(key, record.notifier_key);
        let status: SubscriptionStatus = self.again("subscription status", &beside["status"]);
        assert_eq!(status, record.status);
        assert_eq!(record.service_associated, beside["service_assoc"].as_bool().unwrap());
        let text = text.as_str().unwrap().as_bytes();
        let reference = SubscriptionRec::from_text(text, Reference).unwrap();
        assert_eq!(reference == record, !matches!(status, SubscriptionStatus::Err(_)));
    }
}

#[test]
fn every_text_of_every_run_is_read_and_written_again() {
    let mut checked = Checked::default();
    for run in runs() {
        for file in ["ops.jsonl", "final.jsonl", "snapshots.jsonl"] {
            lines(&run.join(file)).iter().for_each(|line| checked.walk(line));
        }
    }
    let kinds = ["token", "subscription", "notification", "saved notification"];
    for kind in kinds {
        assert!(checked.0[kind] >= 200, "{kind}: {checked:?}");
    }
    assert!(checked.0["list of notifications"] >= 20, "{checked:?}");
}

/// Values of type `T` in the order in which they are listed.
fn listed<T: TextDecode>(texts: impl Iterator<Item = Value>) -> Vec<T> {
    texts.map(|text| T::from_text(text.as_str().unwrap().as_bytes(), Strict).unwrap()).collect()
}

#[test]
fn queues_and_device_tokens_stand_in_the_order_of_the_reference() {
    let (mut servers, mut devices_seen) = (0, 0);
    for run in runs() {
        let state = lines(&run.join("final.jsonl"));
        let of_kind =
            |kind: &'static str| state.iter().filter(move |line| line["kind"] == *kind).cloned();
        for lookup in of_kind("subscriptionLookup") {
            let pairs = lookup["map"].as_array().unwrap().clone();
            let queues: Vec<NotifierQueue> = listed(pairs.into_iter().map(|pair| pair[0].clone()));
            assert!(queues.is_sorted_by(|one, next| one < next), "{run:?}");
            let mut different: Vec<&SmpServer> = queues.iter().map(|queue| &queue.server).collect();
            different.dedup();
            servers += different.len();
        }
        let devices: Vec<DeviceToken> =
            listed(of_kind("tokenRegistrations").map(|line| line["token"].clone()));
        assert!(devices.is_sorted_by(|one, next| one < next), "{run:?}");
        devices_seen += devices.len();
    }
    assert!(servers >= 6 && devices_seen >= 10, "{servers} servers, {devices_seen} devices");
}
