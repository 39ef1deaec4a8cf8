//! The random work of `ntf stress`: tokens, subscriptions and notifications over a small field, so that
//! threads meet.

use std::sync::Arc;

use simplex_stores::{
    ntf_store::{NtfStore, StoredNtf, Subscription, Token},
    protocol::{
        AuthKey, NotifierId, RoundedTime, ServiceId, SubscriptionId, TokenId,
        ntf::{
            AuthPrivateKey, DeviceToken, Nonce, NotifierQueue, PushProvider, RegCode, ServerHost,
            SmpServer, SubscriptionRec, SubscriptionStatus, TokenNtf, TokenRec, TokenStatus,
            X25519KeyPair,
        },
    },
};

use crate::{
    dice::Dice,
    load::{Answer, Work},
};

/// Routers with queues.
const SERVERS: usize = 8;
/// So many tokens share a device, on average.
const TOKENS_A_DEVICE: usize = 3;
/// So many keys are used on all devices: tokens of one device then take registrations from each other.
const KEYS: usize = 4;
/// Subscriptions a token, on average.
const SUBSCRIPTIONS_A_TOKEN: usize = 4;
/// So many of an operation's places in a hundred are among the first few.
const HOT_PERCENT: u64 = 10;
const HOT: usize = 16;
/// A time in 2025.
const NOW: i64 = 1_750_000_000;

/// What the work is about: ids, devices, keys and queues.
#[derive(Debug)]
pub(super) struct Field {
    tokens: Vec<TokenId>,
    devices: Vec<DeviceToken>,
    keys: Vec<AuthKey>,
    /// One pair for all: making one takes far longer than an operation.
    dh_keys: X25519KeyPair,
    subscriptions: Vec<SubscriptionId>,
    queues: Vec<NotifierQueue>,
}

impl Field {
    /// A field for so many tokens; nothing if no router can be made, which does not happen.
    pub(super) fn new(seed: u64, tokens: usize) -> Self {
        let mut dice = Dice::new(seed ^ 0x6e74_665f_6600);
        let servers: Vec<SmpServer> = (0..SERVERS).filter_map(|at| server(&mut dice, at)).collect();
        let count = tokens.saturating_mul(SUBSCRIPTIONS_A_TOKEN);
        let queues = (0..count).filter_map(|_| {
            let server = dice.pick(&servers)?.clone();
            Some(NotifierQueue { server, notifier_id: NotifierId::random(dice.rng()) })
        });
        let queues = queues.collect();
        Self {
            tokens: (0..tokens).map(|_| TokenId::random(dice.rng())).collect(),
            devices: (0..=tokens / TOKENS_A_DEVICE).map(|_| device(&mut dice)).collect(),
            keys: (0..KEYS).map(|_| dice.key()).collect(),
            dh_keys: X25519KeyPair::from_private(dice.bytes()),
            subscriptions: (0..count).map(|_| SubscriptionId::random(dice.rng())).collect(),
            queues,
        }
    }
}

fn server(dice: &mut Dice, number: usize) -> Option<SmpServer> {
    let host = ServerHost::Domain(format!("smp{number}.example.com").into_bytes().into());
    SmpServer::new(&[host], dice.percent(30).then_some(5223), dice.bytes())
}

fn device(dice: &mut Dice) -> DeviceToken {
    let text: String = dice.bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
    let all = [PushProvider::ApnsDev, PushProvider::ApnsProd, PushProvider::ApnsTest];
    DeviceToken::new(dice.pick(&all).copied().unwrap_or(PushProvider::ApnsProd), &text)
}

/// A thread's own dice on the shared store and field.
pub(super) struct Worker {
    store: Arc<NtfStore>,
    field: Arc<Field>,
    dice: Dice,
}

impl Work for Worker {
    fn operation(&mut self) -> (&'static str, Answer) {
        match self.dice.below(100) {
            0..25 => ("getToken", self.get_token()),
            25..40 => ("findSubscription", self.find_subscription()),
            40..50 => ("addToken", self.add_token()),
            50..65 => ("addSubscription", self.add_subscription()),
            65..85 => ("storeLastNtf", self.store_ntf()),
            85..89 => ("deleteSubscription", self.delete_subscription()),
            89..91 => ("deleteToken", self.delete_token()),
            91..93 => ("removeRivals", self.remove_rivals()),
            93..94 => ("removeRegistration", self.remove_registration()),
            94..97 => ("tokenSubscriptions", self.token_subscriptions()),
            97..98 => ("setService", self.set_service()),
            _ => ("setState", self.set_state()),
        }
    }
}

impl Worker {
    pub(super) fn new(store: Arc<NtfStore>, field: Arc<Field>, seed: u64) -> Self {
        Self { store, field, dice: Dice::new(seed) }
    }

    fn token_id(&mut self) -> Option<TokenId> {
        pick(&mut self.dice, &self.field.tokens).cloned()
    }

    fn token(&mut self) -> Option<Arc<Token>> {
        let id = self.token_id()?;
        self.store.get_token(&id)
    }

    fn subscription_id(&mut self) -> Option<SubscriptionId> {
        pick(&mut self.dice, &self.field.subscriptions).cloned()
    }

    fn get_token(&mut self) -> Answer {
        found(self.token().map(|token| token.record()))
    }

    fn find_subscription(&mut self) -> Answer {
        let queue = pick(&mut self.dice, &self.field.queues);
        found(queue.and_then(|queue| self.store.find_subscription(queue)))
    }

    fn add_token(&mut self) -> Answer {
        let (field, dice) = (Arc::clone(&self.field), &mut self.dice);
        let (Some(id), Some(device), Some(key)) =
            (pick(dice, &field.tokens), pick(dice, &field.devices), dice.pick(&field.keys))
        else {
            return Answer::Refused;
        };
        let rec = TokenRec {
            id: id.clone(),
            device: device.clone(),
            status: TokenStatus::Registered,
            verify_key: key.clone(),
            dh_keys: field.dh_keys.clone(),
            dh_secret: dice.secret(),
            reg_code: RegCode(dice.blob(32)),
            cron: 0,
            updated_at: Some(dice.day(100)),
        };
        drop(self.store.add_token(Arc::new(Token::new(rec))));
        Answer::Done
    }

    fn add_subscription(&mut self) -> Answer {
        let (Some(id), Some(token_id)) = (self.subscription_id(), self.token_id()) else {
            return Answer::Refused;
        };
        let Some(queue) = pick(&mut self.dice, &self.field.queues).cloned() else {
            return Answer::Refused;
        };
        let subscription = Subscription::new(SubscriptionRec {
            id,
            queue,
            notifier_key: AuthPrivateKey::Ed25519(self.dice.bytes()),
            token_id,
            status: SubscriptionStatus::New,
            service_associated: self.dice.percent(20),
        });
        match self.store.add_subscription(Arc::new(subscription)) {
            Ok(_) => Answer::Done,
            // The only reason is that the token is gone.
            Err(_) => Answer::Refused,
        }
    }

    fn store_ntf(&mut self) -> Answer {
        let (Some(id), Some(queue)) =
            (self.token_id(), pick(&mut self.dice, &self.field.queues).cloned())
        else {
            return Answer::Refused;
        };
        let after = i64::try_from(self.dice.below(1_000_000)).unwrap_or(0);
        let ntf = TokenNtf {
            queue,
            at: RoundedTime::from_seconds(NOW + after),
            nonce: Nonce(self.dice.bytes()),
            meta: self.dice.blob(64),
        };
        match self.store.store_last_ntf(&id, Arc::new(ntf)) {
            StoredNtf::Stored { .. } => Answer::Done,
            StoredNtf::UnknownToken => Answer::Refused,
        }
    }

    fn delete_subscription(&mut self) -> Answer {
        let id = self.subscription_id();
        found(id.and_then(|id| self.store.delete_subscription(&id)))
    }

    fn delete_token(&mut self) -> Answer {
        let id = self.token_id();
        found(id.and_then(|id| self.store.delete_token(&id).token))
    }

    /// The token may be gone by the time that it activates.
    fn remove_rivals(&mut self) -> Answer {
        let token = self.token();
        found(token.and_then(|token| self.store.remove_rivals(&token).ok()))
    }

    fn remove_registration(&mut self) -> Answer {
        let token = self.token();
        found(token.filter(|token| self.store.remove_registration(token)))
    }

    fn token_subscriptions(&mut self) -> Answer {
        let id = self.token_id();
        found(id.map(|id| self.store.token_subscriptions(&id)))
    }

    fn set_service(&mut self) -> Answer {
        let Some(queue) = pick(&mut self.dice, &self.field.queues) else { return Answer::Refused };
        let service = self.dice.percent(70).then(|| ServiceId::random(self.dice.rng()));
        drop(self.store.set_service(&queue.server, service));
        Answer::Done
    }

    fn set_state(&mut self) -> Answer {
        let cron = u16::try_from(self.dice.below(1_440)).unwrap_or(0);
        let Some(token) = self.token() else { return Answer::Refused };
        simplex_stores::stm::atomically(|tx| {
            token.state().update(tx, |state| {
                state.status = TokenStatus::Active;
                state.cron = cron;
            })
        });
        Answer::Done
    }
}

/// One of a list, now and then one of the first few.
fn pick<'a, T>(dice: &mut Dice, from: &'a [T]) -> Option<&'a T> {
    let few = if dice.percent(HOT_PERCENT) { HOT } else { usize::MAX };
    from.get(dice.index(few.min(from.len())))
}

fn found<T>(what: Option<T>) -> Answer {
    if what.is_some() { Answer::Done } else { Answer::Refused }
}
