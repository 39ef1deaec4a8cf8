//! The queues and services that the work is about.

use simplex_stores::protocol::{
    LinkId, NotifierId, RecipientId, SenderId, ServiceRec, ServiceRole,
};

use crate::dice::Dice;

/// So many spots are hot: every thread comes to them often.
const HOT: usize = 16;
/// So many operations in a hundred go to a hot spot.
const HOT_PERCENT: u64 = 10;
/// Services of each role.
const SERVICES: usize = 8;

/// Where queues may be. A spot has the same ids whenever a queue is made there, and shares some with its
/// neighbour, so that ids clash.
#[derive(Debug)]
pub(crate) struct Field {
    spots: Vec<Spot>,
    pub(super) receivers: Vec<ServiceRec>,
    pub(super) notifiers: Vec<ServiceRec>,
}

/// The ids of a queue that may be there.
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) recipient: RecipientId,
    pub(super) sender: SenderId,
    pub(super) notifier: NotifierId,
    pub(super) link: LinkId,
}

impl Field {
    /// So many new spots, and one for each queue that is there already.
    pub(crate) fn new(seed: u64, size: usize, queues: &[RecipientId]) -> Self {
        let mut dice = Dice::new(seed ^ 0x6669_656c_6400);
        let mut spot = |recipient: Option<&RecipientId>| Spot {
            recipient: recipient.cloned().unwrap_or_else(|| RecipientId::random(dice.rng())),
            sender: SenderId::random(dice.rng()),
            notifier: NotifierId::random(dice.rng()),
            link: LinkId::random(dice.rng()),
        };
        let mut spots: Vec<Spot> = (0..size).map(|_| spot(None)).collect();
        spots.extend(queues.iter().map(|queue| spot(Some(queue))));
        let mut services =
            |role| (0..SERVICES).map(|_| dice.service(role)).collect::<Vec<ServiceRec>>();
        let receivers = services(ServiceRole::Messaging);
        let notifiers = services(ServiceRole::Notifier);
        Self { spots, receivers, notifiers }
    }

    /// A spot, hot or not.
    pub(super) fn spot(&self, dice: &mut Dice) -> Option<&Spot> {
        self.spots.get(self.place(dice))
    }

    /// A spot, or now and then its neighbour: its ids are then another queue's too.
    pub(super) fn spot_or_neighbour(&self, dice: &mut Dice) -> Option<&Spot> {
        let place = self.place(dice);
        let place = if dice.percent(2) { place + 1 } else { place };
        self.spots.get(place % self.spots.len().max(1))
    }

    fn place(&self, dice: &mut Dice) -> usize {
        let hot = dice.percent(HOT_PERCENT);
        dice.index(if hot { HOT.min(self.spots.len()) } else { self.spots.len() })
    }
}
