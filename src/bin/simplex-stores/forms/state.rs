//! A whole state: a line for each object, then the indexes and the counts.

use std::iter;

use serde::{Deserialize, Serialize};
use simplex_stores::{
    protocol::ServiceRole,
    queue_store::{
        EntityCounts,
        stm::{QueueSnapshot, ServiceSetSnapshot, ServiceSnapshot, StoreSnapshot},
    },
};

use super::{Pairs, RecForm, SvcForm, base64, to_json};
use crate::output::Out;

/// The counts of a store (OP-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CountsForm {
    #[serde(rename = "queueCount")]
    pub(crate) queues: u64,
    #[serde(rename = "notifierCount")]
    pub(crate) notifiers: u64,
    #[serde(rename = "rcvServiceCount")]
    pub(crate) rcv_services: u64,
    #[serde(rename = "ntfServiceCount")]
    pub(crate) ntf_services: u64,
    #[serde(rename = "rcvServiceQueuesCount")]
    pub(crate) rcv_service_queues: u64,
    #[serde(rename = "ntfServiceQueuesCount")]
    pub(crate) ntf_service_queues: u64,
}

impl From<EntityCounts> for CountsForm {
    fn from(counts: EntityCounts) -> Self {
        Self {
            queues: counts.queues,
            notifiers: counts.notifiers,
            rcv_services: counts.rcv_services,
            ntf_services: counts.ntf_services,
            rcv_service_queues: counts.rcv_service_queues,
            ntf_service_queues: counts.ntf_service_queues,
        }
    }
}

impl From<&StoreSnapshot> for CountsForm {
    fn from(snapshot: &StoreSnapshot) -> Self {
        let with_role = |role| {
            let services = snapshot.services.iter();
            services.filter(|service| service.record.role == role).count() as u64
        };
        let rcv = snapshot.services.iter().map(|service| service.rcv.ids.len() as u64);
        let ntf = snapshot.services.iter().map(|service| service.ntf.ids.len() as u64);
        Self {
            queues: snapshot.queues.len() as u64,
            notifiers: snapshot.notifiers.len() as u64,
            rcv_services: with_role(ServiceRole::Messaging),
            ntf_services: with_role(ServiceRole::Notifier),
            rcv_service_queues: rcv.sum(),
            ntf_service_queues: ntf.sum(),
        }
    }
}

impl CountsForm {
    pub(crate) fn print(&self, out: &mut Out) {
        out.line(format_args!(
            "state: {} queues, {} notifiers, {} receiving services with {} queues, \
             {} notifying services with {} notifiers",
            self.queues,
            self.notifiers,
            self.rcv_services,
            self.rcv_service_queues,
            self.ntf_services,
            self.ntf_service_queues
        ));
    }
}

#[derive(Serialize)]
struct QueueLine {
    kind: &'static str,
    rid: String,
    q_rid_same: bool,
    rec: Option<RecForm>,
}

#[derive(Serialize)]
struct IndexLine<M> {
    kind: &'static str,
    map: M,
}

#[derive(Serialize)]
struct ServiceLine {
    kind: &'static str,
    id: String,
    rec: SvcForm,
    rcv: SetForm,
    ntf: SetForm,
}

#[derive(Serialize)]
struct CountsLine {
    kind: &'static str,
    counts: CountsForm,
}

/// One set of a service: `consistent` says whether the stored hash is the set's.
#[derive(Serialize)]
struct SetForm {
    ids: Vec<String>,
    hash: String,
    hash_of_ids: String,
    consistent: bool,
}

impl<Id: AsRef<[u8]>> From<&ServiceSetSnapshot<Id>> for SetForm {
    fn from(set: &ServiceSetSnapshot<Id>) -> Self {
        let actual = set.hash_of_ids();
        Self {
            ids: set.ids.iter().map(|id| base64(id.as_ref())).collect(),
            hash: set.hash.to_string(),
            hash_of_ids: actual.to_string(),
            consistent: set.hash == actual,
        }
    }
}

/// The lines of a state, in their order, made one at a time.
pub(crate) fn state_lines(state: &StoreSnapshot) -> impl Iterator<Item = String> {
    state_lines_counted(state, CountsForm::from(state))
}

/// The same with counts that were not made of the lines.
pub(crate) fn state_lines_counted(
    state: &StoreSnapshot,
    counts: CountsForm,
) -> impl Iterator<Item = String> {
    let queues = state.queues.iter().map(queue_line);
    let services = state.services.iter().map(service_line);
    queues
        .chain(iter::once_with(|| index_line("senders", &state.senders)))
        .chain(iter::once_with(|| index_line("notifiers", &state.notifiers)))
        .chain(iter::once_with(|| index_line("links", &state.links)))
        .chain(services)
        .chain(iter::once_with(|| index_line("serviceCerts", &state.service_certs)))
        .chain(iter::once_with(move || counts_line(counts)))
}

fn queue_line(queue: &QueueSnapshot) -> String {
    to_json(&QueueLine {
        kind: "queue",
        rid: queue.id.to_string(),
        q_rid_same: queue.id == queue.own_id,
        rec: queue.record.as_deref().map(RecForm::from),
    })
}

fn index_line<K: ToString, V: ToString>(kind: &'static str, entries: &[(K, V)]) -> String {
    let map = Pairs(entries.iter().map(|(key, value)| (key.to_string(), value.to_string())));
    to_json(&IndexLine { kind, map })
}

fn service_line(service: &ServiceSnapshot) -> String {
    to_json(&ServiceLine {
        kind: "service",
        id: service.id.to_string(),
        rec: SvcForm::from(&service.record),
        rcv: SetForm::from(&service.rcv),
        ntf: SetForm::from(&service.ntf),
    })
}

/// The last line of a state.
fn counts_line(counts: CountsForm) -> String {
    to_json(&CountsLine { kind: "counts", counts })
}
