//! The operations of a recorded run, read from their JSON.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use simplex_stores::{
    encoding::base64url,
    protocol::{
        AuthKey, Blob, BlockingInfo, LinkData, LinkId, NotifierId, NtfCreds, QueueRec, RecipientId,
        RecipientKeys, RoundedDate, Semantics, ServiceId, ServiceParty, ServiceRec, TextDecode,
    },
    queue_store::QueueKey,
};

use crate::forms::{NtfForm, RecForm, SvcForm};

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

/// What is wrong with a line, for the user.
type Parsed<T> = Result<T, String>;

/// What is wrong with a JSON text. A value of another type is not repeated as serde does, for values
/// may be secret (RACE-17).
pub(super) fn json_fault(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let names_a_field = ["missing field", "duplicate field"].iter().any(|it| text.starts_with(it));
    match (error.is_data() && !names_a_field, error.column()) {
        (false, _) => text,
        (true, 0) => "a field holds a value of another type".to_owned(),
        (true, column) => format!("a value of another type before column {column}"),
    }
}

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

/// Reads the text form of a value; link data may have empty parts.
fn read<T: TextDecode>(text: &str) -> Parsed<T> {
    T::from_text(text.as_bytes(), Semantics::Strict).map_err(|error| error.to_string())
}

fn field<'a>(args: &'a Value, name: &str) -> Parsed<&'a Value> {
    args.get(name).ok_or_else(|| format!("no field {name}"))
}

fn string<'a>(args: &'a Value, name: &str) -> Parsed<&'a str> {
    field(args, name)?.as_str().ok_or_else(|| format!("{name} is not a text"))
}

fn strings<'a>(args: &'a Value, name: &str) -> Parsed<Vec<&'a str>> {
    let list = field(args, name)?.as_array().ok_or_else(|| format!("{name} is not a list"))?;
    let item = |item: &'a Value| item.as_str().ok_or_else(|| format!("{name} holds no texts"));
    list.iter().map(item).collect()
}

/// A value that is written as its text form.
fn id<T: TextDecode>(args: &Value, name: &str) -> Parsed<T> {
    read(string(args, name)?).map_err(|error| format!("{name}: {error}"))
}

fn ids<T: TextDecode>(args: &Value, name: &str) -> Parsed<Vec<T>> {
    strings(args, name)?.into_iter().map(read).collect()
}

fn optional_id(args: &Value) -> Parsed<Option<ServiceId>> {
    match field(args, "service_id")? {
        Value::Null => Ok(None),
        _ => id(args, "service_id").map(Some),
    }
}

/// A form that carries its own text: the text is read, and must make the same form again.
fn with_text<F, T>(args: &Value, name: &str, text: fn(&F) -> &str) -> Parsed<T>
where
    F: for<'de> Deserialize<'de> + for<'t> From<&'t T> + PartialEq,
    T: TextDecode,
{
    let form: F =
        serde_json::from_value(field(args, name)?.clone()).map_err(|error| json_fault(&error))?;
    let value: T = read(text(&form)).map_err(|error| format!("{name}: {error}"))?;
    match F::from(&value) == form {
        true => Ok(value),
        false => Err(format!("{name}: its text and its fields differ")),
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
