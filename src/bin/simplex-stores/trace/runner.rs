//! Running recorded operations on a store, with the answers in the recorded form.
//!
//! Any store can be run that says what state it is in.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Serialize;
use simplex_stores::{
    protocol::{ErrorType, NotifierId, QueueRec, RecipientId, Semantics, ServiceId, ServiceParty},
    queue_store::{BasicFactory, BasicQueue, QueueKey, QueueStore, StmQueueStore, StoreQueue},
    store_log::{Durability, StoreLogConfig},
};

use super::call::{Call, Change, Step};
use crate::{
    failure::Failure,
    forms::{CountsForm, NtfForm, Pairs, QueueForm, RecForm, base64, state_lines, to_json},
};

/// What a step gave, in the form of `ops.jsonl`.
pub(super) struct Outcome {
    pub(super) line: String,
    pub(super) args: String,
    pub(super) result: String,
    pub(super) log: Vec<String>,
}

/// The lines of the state that a store is in.
type StateOf<S> = Box<dyn Fn(&S) -> Result<Vec<String>, Failure>>;

/// A store, and the journal that it writes if any.
pub(super) struct Runner<S = StmQueueStore> {
    pub(super) store: S,
    journal: Option<JournalTail>,
    state: StateOf<S>,
}

/// Reads what was appended to a journal since it was read last.
struct JournalTail {
    path: PathBuf,
    file: File,
}

impl Runner {
    /// A new store that journals to a new file.
    pub(super) fn with_journal(semantics: Semantics, path: &Path) -> Result<Self, Failure> {
        let config = StoreLogConfig::new(path).semantics(semantics).durability(Durability::Flush);
        let (store, _) = StmQueueStore::open(&config, BasicFactory)?;
        Self::journalling(store, path, snapshot_lines)
    }

    /// A new store without a journal.
    pub(super) fn in_memory(semantics: Semantics) -> Self {
        let store = StmQueueStore::new(BasicFactory, semantics);
        Self { store, journal: None, state: Box::new(snapshot_lines) }
    }
}

fn snapshot_lines(store: &StmQueueStore) -> Result<Vec<String>, Failure> {
    Ok(state_lines(&store.snapshot()).collect())
}

impl<S: QueueStore<Queue = BasicQueue>> Runner<S> {
    /// A store that journals to a file that is there.
    pub(super) fn journalling(
        store: S,
        path: &Path,
        state: impl Fn(&S) -> Result<Vec<String>, Failure> + 'static,
    ) -> Result<Self, Failure> {
        let file = File::open(path).map_err(Failure::reading(path))?;
        let journal = Some(JournalTail { path: path.to_owned(), file });
        Ok(Self { store, journal, state: Box::new(state) })
    }

    /// The lines of the state that the store is in.
    pub(super) fn state(&self) -> Result<Vec<String>, Failure> {
        (self.state)(&self.store)
    }

    pub(super) fn run(&mut self, step: &Step<'_>) -> Result<Outcome, Failure> {
        let (found, result) = self.call(&step.call);
        let log = self.appended()?;
        let args = args_after(step, found);
        let Step { number, op, .. } = step;
        let line = format!(
            "{{\"i\":{number},\"op\":{},\"args\":{args},\"result\":{result},\"log\":{}}}",
            to_json(op),
            to_json(&log)
        );
        Ok(Outcome { line, args, result, log })
    }

    /// The lines that were appended to the journal since the last call.
    pub(super) fn appended(&mut self) -> Result<Vec<String>, Failure> {
        let Some(journal) = &mut self.journal else {
            return Ok(Vec::new());
        };
        let mut text = String::new();
        journal.file.read_to_string(&mut text).map_err(Failure::reading(&journal.path))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Runs one operation; for one on a queue also whether the queue was found.
    fn call(&self, call: &Call) -> (Option<bool>, String) {
        let store = &self.store;
        let result = match call {
            Call::OnQueue(id, change) => return self.on_queue(id, change.as_ref()),
            Call::AddQueue(id, record) => {
                answer(store.add_queue(id.clone(), record.as_ref().clone()).map(queue_form))
            }
            Call::GetQueue(key) => answer(store.get_queue(key).map(queue_form)),
            Call::GetQueues(ids) => batch(store.get_queues(ids)),
            Call::GetQueuesByNotifier(ids) => batch(store.get_queues_by_notifier(ids)),
            Call::CreateService(service) => {
                let id = store.get_or_create_service(service.as_ref().clone());
                answer(id.map(|id| id.to_string()))
            }
            Call::SetServices(party, service, ids) => self.set_services(*party, service, ids),
            Call::GroupNotifications(ntfs) => self.group(ntfs),
            Call::CountHash(party, service) => self.count_hash(*party, service),
            Call::Counts => answer(store.entity_counts().map(CountsForm::from)),
            Call::FoldQueues(service) => self.fold(service),
        };
        (None, result)
    }

    fn on_queue(&self, id: &RecipientId, change: Option<&Change>) -> (Option<bool>, String) {
        let queue = match self.store.get_queue(&QueueKey::Recipient(id.clone())) {
            Ok(queue) => queue,
            Err(error) => return (Some(false), err(&error)),
        };
        let result = match change {
            Some(change) => self.change(&queue, change),
            None => "{\"not called\":\"the arguments are not recorded\"}".to_owned(),
        };
        (Some(true), result)
    }

    fn change(&self, queue: &BasicQueue, change: &Change) -> String {
        let store = &self.store;
        match change {
            Change::AddLink(id, data) => {
                answer(store.add_link_data(queue, id.clone(), data.clone()))
            }
            Change::GetLink(id) => answer(
                (store.get_link_data(queue, id))
                    .map(|data| (base64(data.fixed.as_bytes()), base64(data.user.as_bytes()))),
            ),
            Change::DeleteLink => answer(store.delete_link_data(queue)),
            Change::UpdateKeys(keys) => answer(store.update_keys(queue, keys.clone())),
            Change::Secure(key) => answer(store.secure_queue(queue, key.clone())),
            Change::AddNotifier(creds) => {
                let replaced = store.add_notifier(queue, creds.as_ref().clone());
                answer(replaced.map(|creds| creds.as_ref().map(NtfForm::from)))
            }
            Change::DeleteNotifier => {
                let removed = store.delete_notifier(queue);
                answer(removed.map(|creds| creds.as_ref().map(NtfForm::from)))
            }
            Change::Suspend => answer(store.suspend_queue(queue)),
            Change::Unblock => answer(store.unblock_queue(queue)),
            Change::Block(info) => answer(store.block_queue(queue, *info)),
            Change::UpdateTime(date) => answer(store.update_time(queue, *date).map(rec_form)),
            Change::Delete => answer(store.delete_queue(queue).map(rec_form)),
            Change::SetService(party, service) => {
                answer(store.set_queue_service(queue, *party, service.clone()))
            }
        }
    }

    /// A queue that is not there answers as it would to a caller who looks it up first.
    fn set_services(
        &self,
        party: ServiceParty,
        service: &Option<ServiceId>,
        ids: &[RecipientId],
    ) -> String {
        let found = match self.store.get_queues(ids) {
            Ok(found) => found,
            Err(error) => return err(&error),
        };
        let queues: Vec<Arc<BasicQueue>> = found.iter().flatten().cloned().collect();
        let set = match self.store.set_queue_services(party, service.clone(), &queues) {
            Ok(set) => set,
            Err(error) => return err(&error),
        };
        let missing = ids.iter().zip(found).filter_map(|(id, queue)| Some((id, queue.err()?)));
        let mut results: std::collections::BTreeMap<RecipientId, Answer<()>> =
            missing.map(|(id, error)| (id.clone(), Answer::Err(error.to_string()))).collect();
        results.extend(set.into_iter().map(|(id, result)| (id, result.into())));
        ok(&Pairs(results.iter().map(|(id, result)| (id.to_string(), result))))
    }

    fn group(&self, ntfs: &[(NotifierId, i64)]) -> String {
        #[derive(Serialize)]
        struct Group {
            service_id: Option<String>,
            ntfs: Vec<(String, i64)>,
        }
        #[derive(Serialize)]
        struct Groups {
            services: Vec<Group>,
            delete: Vec<(String, i64)>,
        }
        let pairs = |ntfs: Vec<(NotifierId, i64)>| -> Vec<(String, i64)> {
            ntfs.into_iter().map(|(id, number)| (id.to_string(), number)).collect()
        };
        let groups = self.store.group_by_ntf_service(ntfs.to_vec()).map(|groups| Groups {
            services: groups
                .services
                .into_iter()
                .map(|(service, ntfs)| Group {
                    service_id: service.map(|id| id.to_string()),
                    ntfs: pairs(ntfs),
                })
                .collect(),
            delete: pairs(groups.deleted),
        });
        answer(groups)
    }

    fn count_hash(&self, party: ServiceParty, service: &ServiceId) -> String {
        #[derive(Serialize)]
        struct CountHashForm {
            count: i64,
            hash: String,
        }
        let counted = self.store.service_count_hash(party, service);
        answer(counted.map(|it| CountHashForm { count: it.count, hash: it.hash.to_string() }))
    }

    fn fold(&self, service: &ServiceId) -> String {
        let add = |mut queues: Vec<QueueForm>, id: &RecipientId, record: Arc<QueueRec>| {
            queues.push(QueueForm::new(id, Some(&record)));
            queues
        };
        answer(self.store.fold_service_queues(service, Vec::new(), add))
    }
}

/// The arguments as recorded, unless the queue was found here and not there, or the other way.
fn args_after(step: &Step<'_>, found: Option<bool>) -> String {
    let (Call::OnQueue(id, change), Some(found)) = (&step.call, found) else {
        return step.args.to_owned();
    };
    if found == change.is_some() {
        return step.args.to_owned();
    }
    format!("{{\"rid\":{},\"found\":{found}}}", to_json(&id.to_string()))
}

fn queue_form(queue: Arc<BasicQueue>) -> QueueForm {
    QueueForm::new(queue.recipient_id(), queue.record().read_atomic().as_deref())
}

fn rec_form(record: Arc<QueueRec>) -> RecForm {
    RecForm::from(record.as_ref())
}

/// A result as it is recorded: the value, or the error's name.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer<T> {
    Ok(T),
    Err(String),
}

impl<T> From<Result<T, ErrorType>> for Answer<T> {
    fn from(result: Result<T, ErrorType>) -> Self {
        match result {
            Ok(value) => Self::Ok(value),
            Err(error) => Self::Err(error.to_string()),
        }
    }
}

fn answer<T: Serialize>(result: Result<T, ErrorType>) -> String {
    to_json(&Answer::from(result))
}

fn ok<T: Serialize>(value: &T) -> String {
    to_json(&Answer::Ok(value))
}

fn err(error: &ErrorType) -> String {
    to_json(&Answer::<()>::Err(error.to_string()))
}

fn batch(results: Result<Vec<Result<Arc<BasicQueue>, ErrorType>>, ErrorType>) -> String {
    answer(results.map(|results| {
        let each = results.into_iter().map(|queue| Answer::from(queue.map(queue_form)));
        each.collect::<Vec<_>>()
    }))
}
