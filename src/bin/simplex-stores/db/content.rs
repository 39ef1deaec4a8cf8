//! What both sides of a transfer hold, as text and as JSON.

use serde::Serialize;
use simplex_stores::queue_store::postgres::transfer::Content;

use crate::output::Out;

#[derive(Debug, Serialize)]
pub(crate) struct ContentForm {
    queues: u64,
    notifiers: u64,
    links: u64,
    services: u64,
    /// Combined SHA-256 of the rows, in hexadecimal.
    queues_digest: String,
    services_digest: String,
    service_queues: Vec<ServiceQueuesForm>,
}

#[derive(Debug, Serialize)]
struct ServiceQueuesForm {
    service_id: String,
    queue_count: i64,
    queue_ids_hash: String,
}

impl From<&Content> for ContentForm {
    fn from(content: &Content) -> Self {
        let services = content.service_queues.iter().map(|(id, queues)| ServiceQueuesForm {
            service_id: id.to_string(),
            queue_count: queues.count,
            queue_ids_hash: queues.hash.to_string(),
        });
        Self {
            queues: content.queues,
            notifiers: content.notifiers,
            links: content.links,
            services: content.services,
            queues_digest: content.queues_digest.to_string(),
            services_digest: content.services_digest.to_string(),
            service_queues: services.collect(),
        }
    }
}

impl ContentForm {
    pub(crate) fn print(&self, out: &mut Out) {
        out.line(format_args!(
            "both sides have: {} queues, {} notifiers, {} links, {} services",
            self.queues, self.notifiers, self.links, self.services
        ));
        out.line(format_args!("digest of the queues:   {}", self.queues_digest));
        out.line(format_args!("digest of the services: {}", self.services_digest));
        for ServiceQueuesForm { service_id, queue_count, queue_ids_hash } in &self.service_queues {
            out.line(format_args!(
                "  service {service_id}: {queue_count} queues, hash {queue_ids_hash}"
            ));
        }
    }
}
