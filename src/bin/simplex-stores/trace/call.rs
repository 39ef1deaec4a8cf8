//! The operations of a recorded run, read from their JSON.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use simplex_stores::{
    encoding::base64url,
    protocol::{
        AuthKey, Blob, BlockingInfo, LinkData, LinkId, NotifierId, NtfCreds, QueueRec, RecipientId,
        RecipientKeys, RoundedDate, ServiceId, ServiceParty, ServiceRec,
    },
    queue_store::QueueKey,
};

use crate::{
    forms::{NtfForm, RecForm, SvcForm},
    recorded::{Parsed, field, id, ids, json_fault, read, string, strings, with_text},
};

/// One line of `ops.jsonl`: the operation, and what the reference did.
pub(super) struct Step<'a> {
    pub(super) line: &'a str,
    pub(super) number: u64,
    pub(super) op: String,
    /// The arguments as they stand.
    pub(super) args: &'a str,
    pub(super) call: Call,
    pub(super) result: &'a str,
    pub(super) log: Vec<String>,
}

#[derive(Deserialize)]
struct RawStep<'a> {
    i: u64,
    op: String,
    #[serde(borrow)]
    args: &'a RawValue,
    #[serde(borrow)]
    result: &'a RawValue,
    /// Runs of other stores have none; their operations are refused by name.
    #[serde(default)]
    log: Vec<String>,
}

/// An operation with its arguments.
pub(super) enum Call {
    AddQueue(RecipientId, Box<QueueRec>),
    GetQueue(QueueKey),
    GetQueues(Vec<RecipientId>),
    GetQueuesByNotifier(Vec<NotifierId>),
    /// An operation on the queue with this id. Without one where the reference had not found the
    /// queue: what it would have done is not recorded.
    OnQueue(RecipientId, Option<Change>),
    CreateService(Box<ServiceRec>),
    SetServices(ServiceParty, Option<ServiceId>, Vec<RecipientId>),
    GroupNotifications(Vec<(NotifierId, i64)>),
    CountHash(ServiceParty, ServiceId),
    Counts,
    FoldQueues(ServiceId),
}

/// An operation on a queue that was found.
pub(super) enum Change {
    AddLink(LinkId, LinkData),
    GetLink(LinkId),
    DeleteLink,
    UpdateKeys(RecipientKeys),
    Secure(AuthKey),
    AddNotifier(Box<NtfCreds>),
    DeleteNotifier,
    Suspend,
    Unblock,
    Block(BlockingInfo),
    UpdateTime(RoundedDate),
    Delete,
    SetService(ServiceParty, Option<ServiceId>),
}

/// The operations on a queue that is looked up first.
const ON_QUEUE: [&str; 13] = [
    "addQueueLinkData",
    "getQueueLinkData",
    "deleteQueueLinkData",
    "updateKeys",
    "secureQueue",
    "addQueueNotifier",
    "deleteQueueNotifier",
    "suspendQueue",
    "unblockQueue",
    "blockQueue",
    "updateQueueTime",
    "deleteStoreQueue",
    "setQueueService",
];

impl<'a> Step<'a> {
    pub(super) fn parse(line: &'a str) -> Parsed<Self> {
        let raw: RawStep<'a> = serde_json::from_str(line).map_err(|error| json_fault(&error))?;
        let args: Value =
            serde_json::from_str(raw.args.get()).map_err(|error| json_fault(&error))?;
        Ok(Self {
            line,
            number: raw.i,
            call: Call::parse(&raw.op, &args)?,
            op: raw.op,
            args: raw.args.get(),
            result: raw.result.get(),
            log: raw.log,
        })
    }
}

impl Call {
    fn parse(op: &str, args: &Value) -> Parsed<Self> {
        Ok(match op {
            "addQueue_" => Self::AddQueue(id(args, "rid")?, Box::new(queue_rec(args)?)),
            "getQueue_" => Self::GetQueue(queue_key(args)?),
            "getQueues_" => match string(args, "party")? {
                "recipient" => Self::GetQueues(ids(args, "ids")?),
                "notifier" => Self::GetQueuesByNotifier(ids(args, "ids")?),
                _ => return Err("unknown party".to_owned()),
            },
            "getCreateService" => Self::CreateService(Box::new(service_rec(args)?)),
            "setQueueServices" => {
                Self::SetServices(id(args, "party")?, optional_id(args)?, ids(args, "rids")?)
            }
            "getQueueNtfServices" => Self::GroupNotifications(notifications(args)?),
            "getServiceQueueCountHash" => {
                Self::CountHash(id(args, "party")?, id(args, "service_id")?)
            }
            "getEntityCounts" => Self::Counts,
            "foldRcvServiceQueues" => Self::FoldQueues(id(args, "service_id")?),
            op if ON_QUEUE.contains(&op) => {
                Self::OnQueue(id(args, "rid")?, Change::parse(op, args)?)
            }
            op if op.starts_with("stm") => {
                return Err(format!(
                    "{op} is no operation of the queue store; `ntf trace` runs those of the \
                     notification store"
                ));
            }
            op => return Err(format!("{op} is no operation of the queue store")),
        })
    }
}

impl Change {
    /// `None` when the reference had not found the queue: the arguments are not there then.
    fn parse(op: &str, args: &Value) -> Parsed<Option<Self>> {
        if args.get("found") == Some(&Value::Bool(false)) {
            return Ok(None);
        }
        Ok(Some(match op {
            "addQueueLinkData" => Self::AddLink(id(args, "link_id")?, link_data(args)?),
            "getQueueLinkData" => Self::GetLink(id(args, "link_id")?),
            "deleteQueueLinkData" => Self::DeleteLink,
            "updateKeys" => Self::UpdateKeys(read(&strings(args, "rk")?.join(","))?),
            "secureQueue" => Self::Secure(id(args, "sk")?),
            "addQueueNotifier" => Self::AddNotifier(Box::new(notifier(args)?)),
            "deleteQueueNotifier" => Self::DeleteNotifier,
            "suspendQueue" => Self::Suspend,
            "unblockQueue" => Self::Unblock,
            "blockQueue" => Self::Block(id(args, "info")?),
            "updateQueueTime" => Self::UpdateTime(date(args)?),
            "deleteStoreQueue" => Self::Delete,
            _ => Self::SetService(id(args, "party")?, optional_id(args)?),
        }))
    }
}

fn optional_id(args: &Value) -> Parsed<Option<ServiceId>> {
    match field(args, "service_id")? {
        Value::Null => Ok(None),
        _ => id(args, "service_id").map(Some),
    }
}

fn queue_rec(args: &Value) -> Parsed<QueueRec> {
    with_text(args, "rec", |form: &RecForm| &form.text)
}

fn notifier(args: &Value) -> Parsed<NtfCreds> {
    with_text(args, "creds", |form: &NtfForm| &form.text)
}

fn service_rec(args: &Value) -> Parsed<ServiceRec> {
    with_text(args, "service", |form: &SvcForm| &form.text)
}

fn queue_key(args: &Value) -> Parsed<QueueKey> {
    Ok(match string(args, "party")? {
        "recipient" => QueueKey::Recipient(id(args, "id")?),
        "sender" => QueueKey::Sender(id(args, "id")?),
        "notifier" => QueueKey::Notifier(id(args, "id")?),
        "sender_link" => QueueKey::Link(id(args, "id")?),
        _ => return Err("unknown party".to_owned()),
    })
}

fn link_data(args: &Value) -> Parsed<LinkData> {
    match strings(args, "data")?.as_slice() {
        [fixed, user] => Ok(LinkData { fixed: blob(fixed)?, user: blob(user)? }),
        _ => Err("data has not two parts".to_owned()),
    }
}

/// Bytes, possibly none.
fn blob(text: &str) -> Parsed<Blob> {
    if text.is_empty() {
        return Ok(Blob::default());
    }
    let parse =
        |parser: &mut simplex_stores::encoding::Parser<'_>| base64url::parse(parser, "base64url");
    let bytes = simplex_stores::encoding::Parser::whole(text.as_bytes(), parse);
    bytes.map(Blob::from).map_err(|error| error.to_string())
}

fn date(args: &Value) -> Parsed<RoundedDate> {
    let seconds = field(args, "date")?.as_i64().ok_or("date is not a number")?;
    Ok(RoundedDate::from_seconds(seconds))
}

fn notifications(args: &Value) -> Parsed<Vec<(NotifierId, i64)>> {
    let pairs: Vec<(String, i64)> =
        serde_json::from_value(field(args, "ntfs")?.clone()).map_err(|error| json_fault(&error))?;
    pairs.into_iter().map(|(id, number)| Ok((read(&id)?, number))).collect()
}
