//! Random calls: ids come from small pools, so that they collide often.

use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};

use super::op::{NtfLookup, NtfOp, TokenArg};
use super::sample::{
    device, ntf, queue, server, subscription, subscription_id, token, token_id, verify_key,
};
use super::strict::{ModelToken, StrictNtfModel};
use crate::ntf_store::{SubscriptionState, TokenState};
use crate::protocol::RoundedDate;
use crate::protocol::ntf::{
    InvalidReason, NotifierQueue, SmpServer, SubscriptionRec, SubscriptionStatus, TokenRec,
    TokenStatus,
};
use crate::testing::queue_store::sample::service_id;

const TOKENS: u8 = 5;
const DEVICES: u8 = 2;
const KEYS: u8 = 4;
const SUBSCRIPTIONS: u8 = 6;
const QUEUES: u8 = 5;

fn below(g: &mut Gen, bound: u8) -> u8 {
    u8::arbitrary(g) % bound
}

fn some_token(g: &mut Gen) -> TokenRec {
    let number = below(g, TOKENS);
    let TokenState { status, cron, updated_at } = some_token_state(g);
    TokenRec { status, cron, updated_at, ..token(number, below(g, DEVICES), below(g, KEYS)) }
}

fn some_token_state(g: &mut Gen) -> TokenState {
    let statuses = [
        TokenStatus::New,
        TokenStatus::Registered,
        TokenStatus::Confirmed,
        TokenStatus::Active,
        TokenStatus::Invalid(Some(InvalidReason::Topic)),
        TokenStatus::Expired,
    ];
    let date = i64::from(below(g, 3));
    TokenState {
        status: g.choose(&statuses).copied().unwrap_or(TokenStatus::New),
        cron: u16::from(below(g, 2)) * 20,
        // None is of records older than the field (NS-18).
        updated_at: (date > 0).then(|| RoundedDate::from_seconds(1_735_689_600 + 86_400 * date)),
    }
}

fn some_argument(g: &mut Gen) -> TokenArg {
    match below(g, 4) {
        0 => TokenArg::Apart(Box::new(some_token(g))),
        _ => TokenArg::Stored(token_id(below(g, TOKENS))),
    }
}

fn some_subscription(g: &mut Gen) -> SubscriptionRec {
    let (number, token) = (below(g, SUBSCRIPTIONS), below(g, TOKENS));
    let SubscriptionState { status, service_associated } = some_subscription_state(g);
    SubscriptionRec { status, service_associated, ..subscription(number, token, below(g, QUEUES)) }
}

fn some_subscription_state(g: &mut Gen) -> SubscriptionState {
    let statuses = [SubscriptionStatus::New, SubscriptionStatus::Active, SubscriptionStatus::End];
    let status = g.choose(&statuses).cloned().unwrap_or(SubscriptionStatus::New);
    SubscriptionState { status, service_associated: bool::arbitrary(g) }
}

fn some_queue(g: &mut Gen) -> NotifierQueue {
    queue(below(g, QUEUES))
}

fn some_server(g: &mut Gen) -> SmpServer {
    server(below(g, 2))
}

impl Arbitrary for NtfOp {
    fn arbitrary(g: &mut Gen) -> Self {
        let token = token_id(below(g, TOKENS));
        let subscription = subscription_id(below(g, SUBSCRIPTIONS));
        match below(g, 32) {
            0..=5 => NtfOp::AddToken(Box::new(some_token(g))),
            6 | 7 => NtfOp::RemoveRivals(some_argument(g)),
            8 | 9 => NtfOp::RemoveRegistration(some_argument(g)),
            10 | 11 => NtfOp::DeleteToken(token),
            12 => NtfOp::SetTokenState(token, some_token_state(g)),
            13..=18 => NtfOp::AddSubscription(Box::new(some_subscription(g))),
            19 | 20 => NtfOp::DeleteSubscription(subscription),
            21 => NtfOp::SetSubscriptionState(subscription, some_subscription_state(g)),
            22..=25 => NtfOp::StoreNtf(token, ntf(below(g, QUEUES), below(g, 8))),
            26 => {
                let id = bool::arbitrary(g).then(|| service_id(below(g, 2)));
                NtfOp::SetService(some_server(g), id)
            }
            _ => NtfOp::LookUp(NtfLookup::arbitrary(g)),
        }
    }
}

impl Arbitrary for NtfLookup {
    fn arbitrary(g: &mut Gen) -> Self {
        let token = token_id(below(g, TOKENS));
        let device = device(below(g, DEVICES));
        match below(g, 9) {
            0 => NtfLookup::Token(token),
            1 => NtfLookup::RegisteredToken(device, verify_key(below(g, KEYS))),
            2 => NtfLookup::Registrations(device),
            3 => NtfLookup::Subscription(subscription_id(below(g, SUBSCRIPTIONS))),
            4 => NtfLookup::QueueSubscription(some_queue(g)),
            5 => NtfLookup::TokenSubscriptions(token),
            6 => NtfLookup::LastNtfs(token),
            7 => NtfLookup::Service(some_server(g)),
            _ => NtfLookup::Counts,
        }
    }
}

/// A sequence of calls that keeps a notification server's rules.
///
/// A token is added under a new id, or in the place of one whose registration was removed, and never with another
/// token's device token and key; a subscription is added under a new id, to a queue without one and to a token that is
/// there; only stored tokens are activated, and not beside one without a registration. On such sequences both semantics
/// give the same answers and find the same things. Listing a device's tokens and counting them are left out: under `Strict`
/// they show tokens without a registration, too.
#[derive(Clone, Debug)]
pub struct ServerOps(pub Vec<NtfOp>);

impl Arbitrary for ServerOps {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut model = StrictNtfModel::new(None);
        let mut kept = Vec::new();
        for op in Vec::<NtfOp>::arbitrary(g) {
            if keeps_rules(&model, &op) {
                model.apply(&op);
                kept.push(op);
            }
        }
        Self(kept)
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let ops = Arc::new(self.0.clone());
        let without = move |left_out: usize| {
            let kept = ops.iter().enumerate().filter(|(at, _)| *at != left_out);
            kept.map(|(_, op)| op.clone()).collect::<Vec<_>>()
        };
        let valid = |ops: &Vec<NtfOp>| {
            let mut model = StrictNtfModel::new(None);
            ops.iter().all(|op| {
                let keeps = keeps_rules(&model, op);
                model.apply(op);
                keeps
            })
        };
        Box::new((0..self.0.len()).map(without).filter(valid).map(Self))
    }
}

/// Whether a server in this state would make the call.
fn keeps_rules(model: &StrictNtfModel, op: &NtfOp) -> bool {
    match op {
        NtfOp::AddToken(record) => {
            let is_free = model.tokens.get(&record.id).is_none_or(|token| !token.registered);
            let mut others = model.tokens.iter().filter(|(id, _)| **id != record.id);
            is_free && others.all(|(_, token)| !token.has(&record.device, &record.verify_key))
        }
        NtfOp::RemoveRivals(TokenArg::Stored(id)) => model.tokens.get(id).is_none_or(|token| {
            let same_device = |one: &&ModelToken| one.record.device == token.record.device;
            model.tokens.values().filter(same_device).all(|one| one.registered)
        }),
        NtfOp::AddSubscription(record) => {
            let is_free = |one: &SubscriptionRec| one.queue != record.queue;
            model.tokens.contains_key(&record.token_id)
                && !model.subscriptions.contains_key(&record.id)
                && model.subscriptions.values().all(is_free)
        }
        NtfOp::RemoveRivals(TokenArg::Apart(_)) | NtfOp::RemoveRegistration(TokenArg::Apart(_)) => {
            false
        }
        NtfOp::LookUp(lookup) => !matches!(lookup, NtfLookup::Registrations(_) | NtfLookup::Counts),
        _ => true,
    }
}
