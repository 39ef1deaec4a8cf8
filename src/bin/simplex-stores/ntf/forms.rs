//! The JSON forms of tokens, subscriptions and states, byte for byte those of the recorded runs.

use std::iter;

use serde::{Deserialize, Serialize};
use simplex_stores::{
    ntf_store::{DeviceSnapshot, NtfSnapshot, TokenRegistration},
    protocol::{
        SubscriptionId, TokenId,
        ntf::{AuthPrivateKey, SubscriptionRec, TokenNtf, TokenRec},
    },
};

use crate::forms::{Pairs, base64, text, to_json};

/// A token. `text` is its record (NE-10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TknForm {
    tkn_id: String,
    token: String,
    status: String,
    verify_key: String,
    reg_key: String,
    dh_priv_key: String,
    dh_secret: String,
    reg_code: String,
    cron: u16,
    updated_at: Option<i64>,
    pub(super) text: String,
}

/// A subscription. `text` is its record (NE-11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SubForm {
    sub_id: String,
    smp_queue: String,
    smp_server: String,
    notifier_id: String,
    notifier_key: String,
    tkn_id: String,
    status: String,
    service_assoc: bool,
    pub(super) text: String,
}

impl From<&TokenRec> for TknForm {
    fn from(rec: &TokenRec) -> Self {
        Self {
            tkn_id: rec.id.to_string(),
            token: text(&rec.device),
            status: text(&rec.status),
            verify_key: text(&rec.verify_key),
            reg_key: base64(rec.verify_key.key_bytes()),
            dh_priv_key: base64(&AuthPrivateKey::X25519(*rec.dh_keys.private()).to_der()),
            dh_secret: text(&rec.dh_secret),
            reg_code: text(&rec.reg_code),
            cron: rec.cron,
            updated_at: rec.updated_at.map(|date| date.seconds()),
            text: text(rec),
        }
    }
}

impl From<&SubscriptionRec> for SubForm {
    fn from(rec: &SubscriptionRec) -> Self {
        Self {
            sub_id: rec.id.to_string(),
            smp_queue: text(&rec.queue),
            smp_server: text(&rec.queue.server),
            notifier_id: rec.queue.notifier_id.to_string(),
            notifier_key: text(&rec.notifier_key),
            tkn_id: rec.token_id.to_string(),
            status: text(&rec.status),
            service_assoc: rec.service_associated,
            text: text(rec),
        }
    }
}

/// The lines of a state, in their order, made one at a time.
pub(super) fn state_lines(state: &NtfSnapshot) -> impl Iterator<Item = String> {
    let tokens = state.tokens.iter().map(token_line);
    let subscriptions = state.subscriptions.iter().map(subscription_line);
    tokens
        .chain(state.registrations.iter().map(registrations_line))
        .chain(subscriptions)
        .chain(state.token_subscriptions.iter().map(set_line))
        .chain(iter::once_with(|| lookup_line(state)))
        .chain(state.last_ntfs.iter().map(|(id, ntfs)| ntfs_line(id, ntfs)))
        .chain(iter::once_with(|| services_line(state)))
}

#[derive(Serialize)]
struct RecordLine<F> {
    kind: &'static str,
    id: String,
    rec: F,
}

#[derive(Serialize)]
struct RegistrationsLine<R, U> {
    kind: &'static str,
    token: String,
    regs: R,
    /// Tokens that are known of the device and have no registration; the reference knows of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    unregistered: Option<U>,
}

#[derive(Serialize)]
struct SetLine {
    kind: &'static str,
    tkn_id: String,
    subs: Vec<String>,
}

#[derive(Serialize)]
struct MapLine<M> {
    kind: &'static str,
    map: M,
}

#[derive(Serialize)]
struct NtfsLine {
    kind: &'static str,
    tkn_id: String,
    ntfs: Vec<String>,
    /// The same as the plaintext of a push (NE-13).
    text: String,
}

fn token_line(rec: &TokenRec) -> String {
    to_json(&RecordLine { kind: "token", id: rec.id.to_string(), rec: TknForm::from(rec) })
}

fn subscription_line(rec: &SubscriptionRec) -> String {
    to_json(&RecordLine { kind: "subscription", id: rec.id.to_string(), rec: SubForm::from(rec) })
}

fn registrations_line(device: &DeviceSnapshot) -> String {
    let listed = |registered: bool| {
        let those = device.tokens.iter().filter(move |one| one.registered == registered);
        those.map(|TokenRegistration { key, token_id, .. }| {
            (base64(key.as_bytes()), token_id.to_string())
        })
    };
    let unregistered: Vec<_> = listed(false).collect();
    to_json(&RegistrationsLine {
        kind: "tokenRegistrations",
        token: text(&device.device),
        regs: Pairs(listed(true)),
        unregistered: (!unregistered.is_empty()).then_some(unregistered),
    })
}

fn set_line((token, ids): &(TokenId, Vec<SubscriptionId>)) -> String {
    let subs = ids.iter().map(ToString::to_string).collect();
    to_json(&SetLine { kind: "tokenSubscriptions", tkn_id: token.to_string(), subs })
}

fn lookup_line(state: &NtfSnapshot) -> String {
    let pairs = state.queue_subscriptions.iter().map(|(queue, id)| (text(queue), id.to_string()));
    to_json(&MapLine { kind: "subscriptionLookup", map: pairs.collect::<Vec<_>>() })
}

fn ntfs_line(token: &TokenId, ntfs: &[std::sync::Arc<TokenNtf>]) -> String {
    let ntfs: Vec<String> = ntfs.iter().map(|ntf| text(ntf.as_ref())).collect();
    let text = ntfs.join(";");
    to_json(&NtfsLine { kind: "tokenLastNtfs", tkn_id: token.to_string(), ntfs, text })
}

fn services_line(state: &NtfSnapshot) -> String {
    let pairs = state.services.iter().map(|(server, id)| (text(server), id.to_string()));
    to_json(&MapLine { kind: "ntfServices", map: Pairs(pairs) })
}
