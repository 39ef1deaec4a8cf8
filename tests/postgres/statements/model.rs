//! Random statements, answered by the server and by the model that the loom tests run on.

use std::fmt::Debug;

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use simplex_stores::protocol::{
    EntityStatus, NtfCreds, QueueLink, QueueRec, RecipientId, RoundedDate, Semantics, ServiceId,
    ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::QueueKey;
use simplex_stores::queue_store::database::{QueueDatabase, StatementError};
use simplex_stores::testing::queue_store::{ModelDatabase, sample};

use super::{queues, service};

const STEPS: usize = 1500;
/// Ids of queues, and of each further kind, are below this.
const IDS: u8 = 4;
/// Services 1 and 2 are for messages, 3 and 4 for notifications, 5 isn't there.
const SERVICES: u8 = 5;

struct Dice(SmallRng);

impl Dice {
    fn below(&mut self, end: u8) -> u8 {
        self.0.random_range(0..end)
    }

    fn chance(&mut self) -> bool {
        self.0.random_range(0..2) == 0
    }

    fn recipient(&mut self) -> RecipientId {
        sample::recipient(self.below(IDS))
    }

    fn recipients(&mut self) -> Vec<RecipientId> {
        (0..self.below(5)).map(|_| self.recipient()).collect()
    }

    /// None more often than one that isn't there.
    fn service(&mut self, known: bool) -> Option<ServiceId> {
        let last = if known { SERVICES } else { SERVICES + 1 };
        let number = self.below(last);
        (number > 0).then(|| sample::service_id(number))
    }

    fn creds(&mut self, known: bool) -> NtfCreds {
        let (number, service) = (self.below(IDS), self.service(known));
        sample::creds(number, service)
    }

    fn link(&mut self) -> QueueLink {
        let data = sample::link_data(self.below(2), self.below(3));
        QueueLink { id: sample::link(self.below(IDS)), data }
    }

    fn record(&mut self, known: bool) -> QueueRec {
        QueueRec {
            link: self.chance().then(|| Box::new(self.link())),
            notifier: self.chance().then(|| Box::new(self.creds(known))),
            rcv_service_id: self.service(known),
            ..sample::record(self.below(IDS))
        }
    }

    fn key(&mut self) -> QueueKey {
        let number = self.below(IDS);
        match self.below(4) {
            0 => sample::recipient(number).into(),
            1 => sample::sender(number).into(),
            2 => sample::notifier(number).into(),
            _ => sample::link(number).into(),
        }
    }

    fn party(&mut self) -> ServiceParty {
        if self.chance() { ServiceParty::Receiver } else { ServiceParty::Notifier }
    }
}

/// What the two say about the same statement.
struct Two<'a>(&'a dyn QueueDatabase, &'a dyn QueueDatabase);

impl Two<'_> {
    fn agree<T: Debug, E: Into<StatementError>>(
        &self,
        what: &str,
        run: impl Fn(&dyn QueueDatabase) -> Result<T, E>,
    ) -> String {
        let said = |database| match run(database).map_err(Into::into) {
            Ok(answer) => format!("{answer:?}"),
            Err(StatementError::Refused(refusal)) => format!("{refusal:?}"),
            Err(StatementError::Failed(_)) => "failed".to_owned(),
        };
        let (server, model) = (said(self.0), said(self.1));
        assert_eq!(server, model, "{what}");
        server
    }

    fn step(&self, dice: &mut Dice, known: bool) -> (u8, String) {
        let kind = dice.below(20);
        let id = dice.recipient();
        let number = dice.below(IDS);
        let said = match kind {
            0..=2 => {
                let record = dice.record(known);
                self.agree(&format!("insert {id} {record:?}"), |db| db.insert_queue(&id, &record))
            }
            3 => {
                let key = dice.key();
                self.agree(&format!("find {key:?}"), |db| db.find_queue(&key))
            }
            4 => {
                let ids = dice.recipients();
                self.agree("find many", |db| {
                    let mut found = db.find_queues(&ids)?;
                    found.sort_by(|one, other| one.0.cmp(&other.0));
                    found.dedup_by(|one, other| one.0 == other.0);
                    Ok::<_, StatementError>(found)
                })
            }
            5 => {
                let ids: Vec<_> = (0..IDS).map(sample::notifier).collect();
                self.agree("find by notifier", |db| {
                    let mut found = db.find_queues_by_notifier(&ids)?;
                    found.sort_by(|one, other| one.0.cmp(&other.0));
                    Ok::<_, StatementError>(found)
                })
            }
            6 => {
                let link = sample::link(number);
                self.agree("link data", |db| db.link_data(&id, &link))
            }
            7 => {
                let link = dice.link();
                self.agree(&format!("set link {id} {link:?}"), |db| db.set_link(&id, &link))
            }
            8 => self.agree("delete link", |db| db.delete_link(&id)),
            9 => self.agree("set key", |db| db.set_sender_key(&id, &sample::key(number))),
            10 => self.agree("set keys", |db| db.set_recipient_keys(&id, &sample::keys(number))),
            11 => self.agree("set status", |db| db.set_status(&id, &EntityStatus::Off)),
            12 => {
                let date = RoundedDate::from_seconds(number.into());
                self.agree("set date", |db| db.set_date(&id, date))
            }
            13 | 14 => {
                let creds = dice.creds(known);
                self.agree(&format!("notifier {id} {creds:?}"), |db| db.set_notifier(&id, &creds))
            }
            15 => self.agree("delete notifier", |db| db.delete_notifier(&id)),
            16 => self.agree("delete queue", |db| db.delete_queue(&id, 7)),
            17 | 18 => {
                let (ids, party) = (dice.recipients(), dice.party());
                let service = dice.service(known);
                self.agree(&format!("services {ids:?} {party:?} {service:?}"), |db| {
                    let mut results = db.set_services(party, service.as_ref(), &ids)?;
                    results.sort_by(|one, other| one.0.cmp(&other.0));
                    results.dedup_by(|one, other| one.0 == other.0);
                    Ok::<_, StatementError>(results)
                })
            }
            // How many there are to purge differs: a row that lost its link stays one.
            _ => self.agree("purge", |db| db.purge(8).map(drop)),
        };
        (kind, said)
    }

    fn look(&self) {
        self.agree("counts", |db| db.counts());
        let notifiers: Vec<_> = (0..IDS).map(sample::notifier).collect();
        self.agree("services of notifiers", |db| {
            let mut found = db.ntf_services(&notifiers)?;
            found.notifiers.sort();
            Ok::<_, StatementError>(found)
        });
        for service in (1..=SERVICES).map(sample::service_id) {
            self.agree("service's queues", |db| db.service_queues(&service));
            for party in [ServiceParty::Receiver, ServiceParty::Notifier] {
                self.agree("count and hash", |db| db.count_hash(party, &service));
            }
        }
    }
}

fn random_statements(semantics: Semantics, seed: u64) {
    let (_database, server) = queues(semantics);
    let model = ModelDatabase::new(semantics);
    let two = Two(&server, &model);
    for number in 1..SERVICES {
        let role = if number < 3 { ServiceRole::Messaging } else { ServiceRole::Notifier };
        two.agree("service", |db| db.find_or_insert_service(&service(number, role)));
    }
    // The model has no foreign keys: where the reference has nothing but those, a service is there.
    let known = semantics == Semantics::Reference;
    let mut dice = Dice(SmallRng::seed_from_u64(seed));
    let mut said = std::collections::BTreeSet::new();
    for step in 0..STEPS {
        let (kind, answer) = two.step(&mut dice, known);
        said.insert((kind, answer.chars().take(4).collect::<String>()));
        if step % 5 == 0 {
            two.look();
        }
    }
    // Each kind of statement has been refused and done, or the test shows little.
    assert!(said.len() >= 45, "{}: {said:?}", said.len());
}

#[test]
fn random_statements_have_the_models_answers_under_strict() {
    random_statements(Semantics::Strict, 1);
}

#[test]
fn random_statements_have_the_models_answers_under_reference() {
    random_statements(Semantics::Reference, 2);
}
