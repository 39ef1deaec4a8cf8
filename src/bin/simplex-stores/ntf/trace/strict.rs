//! What a strict store must answer and become, told from what the reference does from the same state.
//!
//! Before each step the strict store's state is sound. A store under `Semantics::Reference` is made of it, the twin,
//! and the step is run on both. What the twin answers and becomes is what the strict store must, but for what the
//! reference leaves broken (an index entry that does not agree with the records), what it refuses, and what
//! it removes or leaves beyond that: each of them a [`Kind`], and worked out here on plain data.

use std::collections::{BTreeMap, BTreeSet};

use simplex_stores::{
    ntf_store::{DeviceSnapshot, NtfSnapshot, NtfStoreError, RegistrationKey, TokenRegistration},
    protocol::{
        Semantics, TokenId,
        ntf::{SubscriptionRec, TokenRec},
    },
};

use super::{
    call::{Call, TokenArg},
    ledger::Kind,
    runner::{ok, refused},
};

/// What a strict store must have answered and become.
pub(super) struct Expected {
    pub(super) result: String,
    /// In the form of [`as_reference`].
    pub(super) state: NtfSnapshot,
    /// In what it differs from the reference.
    pub(super) kinds: BTreeSet<Kind>,
}

/// A strict state as the reference would hold it: without the tokens that are known of a device and have no
/// registration, and without a limit.
pub(super) fn as_reference(strict: &NtfSnapshot) -> NtfSnapshot {
    let mut state = strict.clone();
    state.semantics = Semantics::Reference;
    state.last_ntf_limit = None;
    for device in &mut state.registrations {
        device.tokens.retain(|one| one.registered);
    }
    state.registrations.retain(|device| !device.tokens.is_empty());
    state
}

/// Works it out from the strict state before, whether the strict store had the very token object that the
/// call names, and the twin's answer and state.
pub(super) fn expected(
    call: &Call,
    before: &NtfSnapshot,
    has_object: bool,
    result: String,
    twin: NtfSnapshot,
) -> Expected {
    if let Some((kind, result)) = refusal(call, before, has_object, &result) {
        let state = as_reference(before);
        let changed = twin != state || kind != Kind::NotTheHolder;
        let kinds = changed.then_some(kind).into_iter().collect();
        return Expected { result, state, kinds };
    }
    let mut expected = Expected { result, state: twin, kinds: BTreeSet::new() };
    match call {
        Call::RemoveRivals(token) => expected.remove_found_rivals(token, before),
        Call::DeleteToken(id) => expected.keep_registration_of_another(id, before),
        Call::StoreNtf(id, _) => expected.drop_oldest(id, before),
        _ => {}
    }
    expected.repair();
    expected
}

/// What a strict store answers where it changes nothing.
fn refusal(
    call: &Call,
    before: &NtfSnapshot,
    has_object: bool,
    result: &str,
) -> Option<(Kind, String)> {
    let unknown = |id: &TokenId| refused(&NtfStoreError::UnknownToken(id.clone()));
    match call {
        Call::AddSubscription(rec) if !has_token(before, &rec.token_id) => {
            Some((Kind::UnknownToken, unknown(&rec.token_id)))
        }
        Call::RemoveRivals(token) if !has_object => {
            Some((Kind::NotTheStored, unknown(&token.rec.id)))
        }
        Call::RemoveRegistration(_) if !has_object => Some((Kind::NotTheHolder, result.to_owned())),
        _ => None,
    }
}

fn has_token(state: &NtfSnapshot, id: &TokenId) -> bool {
    state.tokens.iter().any(|rec| rec.id == *id)
}

impl Expected {
    /// Activation finds those, too, that lost their registration, and gives the token its own.
    fn remove_found_rivals(&mut self, token: &TokenArg, before: &NtfSnapshot) {
        let known = before.registrations.iter().find(|one| one.device == token.rec.device);
        let known = known.map_or(&[][..], |device| &device.tokens);
        let rivals = known.iter().filter(|one| one.token_id != token.rec.id);
        let ids: Vec<String> = rivals.clone().map(|one| one.token_id.to_string()).collect();
        self.result = ok(&ids);
        for rival in rivals.filter(|one| !one.registered) {
            self.kinds.insert(Kind::RivalFound);
            self.remove_token(&rival.token_id);
        }
        let own = known.iter().find(|one| one.token_id == token.rec.id);
        if own.is_some_and(|own| !own.registered) {
            self.kinds.insert(Kind::RegistrationBack);
            self.register(&token.rec);
        }
    }

    fn remove_token(&mut self, id: &TokenId) {
        self.state.tokens.retain(|rec| rec.id != *id);
        self.state.subscriptions.retain(|rec| rec.token_id != *id);
        let left: BTreeSet<_> = self.state.subscriptions.iter().map(|rec| rec.id.clone()).collect();
        self.state.queue_subscriptions.retain(|(_, subscription)| left.contains(subscription));
        self.state.token_subscriptions.retain(|(token, _)| token != id);
        self.state.last_ntfs.retain(|(token, _)| token != id);
    }

    fn keep_registration_of_another(&mut self, id: &TokenId, before: &NtfSnapshot) {
        let Some(deleted) = before.tokens.iter().find(|rec| rec.id == *id) else { return };
        let key = RegistrationKey::from(&deleted.verify_key);
        let mut devices = before.registrations.iter().filter(|one| one.device == deleted.device);
        let holder = devices.find_map(|device| {
            let held = device.tokens.iter().find(|one| one.registered && one.key == key);
            held.filter(|one| one.token_id != *id)
        });
        let another =
            holder.and_then(|one| before.tokens.iter().find(|rec| rec.id == one.token_id));
        if let Some(another) = another {
            self.kinds.insert(Kind::RegistrationOfAnother);
            self.register(another);
        }
    }

    /// Lists a token with its registration.
    fn register(&mut self, rec: &TokenRec) {
        let (device, devices) = (&rec.device, &mut self.state.registrations);
        let at = match devices.binary_search_by(|one| one.device.cmp(device)) {
            Ok(at) => at,
            Err(at) => {
                devices.insert(at, DeviceSnapshot { device: device.clone(), tokens: Vec::new() });
                at
            }
        };
        if let Some(device) = devices.get_mut(at) {
            let key = RegistrationKey::from(&rec.verify_key);
            let token_id = rec.id.clone();
            device.tokens.push(TokenRegistration { key, token_id, registered: true });
            device.tokens.sort();
        }
    }

    fn drop_oldest(&mut self, id: &TokenId, before: &NtfSnapshot) {
        let limit = before.last_ntf_limit.map_or(usize::MAX, |limit| limit.get());
        let list = self.state.last_ntfs.iter_mut().find(|(token, _)| token == id);
        if let Some((_, ntfs)) = list.filter(|(_, ntfs)| ntfs.len() > limit) {
            self.kinds.insert(Kind::OldestNtf);
            ntfs.truncate(limit);
        }
    }

    /// Takes away what does not agree with the records, and what is empty.
    fn repair(&mut self) {
        let state = &mut self.state;
        let tokens: BTreeMap<&TokenId, &TokenRec> =
            state.tokens.iter().map(|rec| (&rec.id, rec)).collect();
        let mut stale = false;
        for device in &mut state.registrations {
            let fits = |one: &TokenRegistration| {
                tokens.get(&one.token_id).is_some_and(|rec| {
                    rec.device == device.device && RegistrationKey::from(&rec.verify_key) == one.key
                })
            };
            let before = device.tokens.len();
            device.tokens.retain(fits);
            stale |= device.tokens.len() < before;
        }
        let empty = removes(&mut state.registrations, |device| !device.tokens.is_empty());
        let by_queue: BTreeMap<_, _> = state.queue_subscriptions.iter().cloned().collect();
        let taken = removes(&mut state.subscriptions, |rec: &SubscriptionRec| {
            by_queue.get(&rec.queue).is_none_or(|found| *found == rec.id)
        });
        let records: BTreeMap<_, _> =
            state.subscriptions.iter().map(|rec| (&rec.id, rec)).collect();
        let old_queue = removes(&mut state.queue_subscriptions, |(queue, id)| {
            records.get(id).is_some_and(|rec| rec.queue == *queue)
        });
        let mut old_set = false;
        for (token, ids) in &mut state.token_subscriptions {
            old_set |= removes(ids, |id| records.get(id).is_some_and(|rec| rec.token_id == *token));
        }
        let empty_set = removes(&mut state.token_subscriptions, |(_, ids)| !ids.is_empty());
        let found = [
            (Kind::StaleRegistration, stale),
            (Kind::EmptyDevice, empty && !stale),
            (Kind::QueueTaken, taken),
            (Kind::OldQueue, old_queue),
            (Kind::OldSet, old_set && !taken),
            (Kind::EmptySet, empty_set),
        ];
        self.kinds.extend(found.iter().filter(|(_, found)| *found).map(|(kind, _)| *kind));
    }
}

/// Keeps what `stays` says; whether anything had to go.
fn removes<T>(list: &mut Vec<T>, stays: impl FnMut(&T) -> bool) -> bool {
    let before = list.len();
    list.retain(stays);
    list.len() < before
}
