//! Transaction parts for short links.

use super::StmQueueStore;
use super::records::{live, replace};
use crate::protocol::{ErrorType, LinkData, LinkId, QueueLink};
use crate::queue_store::{QueueFactory, StoreQueue};
use crate::stm::{Transaction, TxResult, abort};
use crate::store_log::LogRecord;

impl<F: QueueFactory> StmQueueStore<F> {
    /// The link data, when the queue has this link; else `AUTH` (OP-9).
    pub fn get_link_data_tx(
        &self,
        tx: &mut Transaction<'_>,
        queue: &F::Queue,
        link_id: &LinkId,
    ) -> TxResult<LinkData, ErrorType> {
        match &live(tx, queue)?.link {
            Some(link) if link.id == *link_id => Ok(link.data.clone()),
            _ => abort(ErrorType::Auth),
        }
    }

    /// Sets the link, or replaces its user data (OP-10, QS-8).
    ///
    /// Aborts with `AUTH` when the queue has another link or other fixed data. When the queue has
    /// no link and another queue has this one, `Strict` aborts with `DUPLICATE_`; `Reference` lets
    /// the index be taken over (RACE-19).
    pub fn add_link_data_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
        link: &QueueLink,
    ) -> TxResult<(), ErrorType> {
        self.admit(tx)?;
        let record = live(tx, queue)?;
        match &record.link {
            None => self.check_link_free(tx, &link.id)?,
            Some(present) if present.id == link.id && present.data.fixed == link.data.fixed => {}
            Some(_) => return abort(ErrorType::Auth),
        }
        let id = queue.recipient_id();
        replace(tx, queue, &record, |changed| changed.link = Some(Box::new(link.clone())))?;
        let indexed = self.indexed(tx, id)?;
        self.links.insert(tx, link.id.clone(), indexed)?;
        log.push(LogRecord::CreateLink(id.clone(), link.clone()));
        Ok(())
    }

    fn check_link_free(&self, tx: &mut Transaction<'_>, id: &LinkId) -> TxResult<(), ErrorType> {
        if self.is_strict() && self.links.contains_key(tx, id)? {
            return abort(ErrorType::Duplicate);
        }
        Ok(())
    }

    /// Removes the link and its index entry; success, and journalled, when there was none (OP-11, QS-14).
    pub fn delete_link_data_tx(
        &self,
        tx: &mut Transaction<'_>,
        log: &mut Vec<LogRecord>,
        queue: &F::Queue,
    ) -> TxResult<(), ErrorType> {
        self.admit(tx)?;
        let record = live(tx, queue)?;
        if let Some(link) = &record.link {
            replace(tx, queue, &record, |changed| changed.link = None)?;
            self.links.remove(tx, &link.id)?;
        }
        log.push(LogRecord::DeleteLink(queue.recipient_id().clone()));
        Ok(())
    }
}
