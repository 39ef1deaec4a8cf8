//! The operations of a recorded run, read from their JSON.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use simplex_stores::protocol::{
    SubscriptionId, TokenId,
    ntf::{SubscriptionRec, TokenNtf, TokenNtfRecord, TokenRec},
};

use crate::{
    ntf::forms::{SubForm, TknForm},
    recorded::{Parsed, field, id, json_fault, with_text},
};

/// One line of `ops.jsonl`: the operation, and what the reference did.
pub(super) struct Step<'a> {
    pub(super) line: &'a str,
    pub(super) number: u64,
    pub(super) op: String,
    /// The arguments as they stand.
    pub(super) args: &'a str,
    pub(super) call: Call,
}

#[derive(Deserialize)]
struct RawStep<'a> {
    i: u64,
    op: String,
    #[serde(borrow)]
    args: &'a RawValue,
    #[allow(dead_code, reason = "a line without a result is no recorded operation")]
    #[serde(borrow)]
    result: &'a RawValue,
}

/// An operation with its arguments.
pub(super) enum Call {
    GetToken(TokenId),
    AddToken(Box<TokenRec>),
    RemoveRivals(TokenArg),
    RemoveRegistration(TokenArg),
    DeleteToken(TokenId),
    GetSubscription(SubscriptionId),
    AddSubscription(Box<SubscriptionRec>),
    DeleteSubscription(SubscriptionId),
    StoreNtf(TokenId, Box<TokenNtf>),
}

/// The token object that an operation was called with.
pub(super) struct TokenArg {
    /// The store's own object, or one that was deleted or replaced before.
    pub(super) stored: bool,
    pub(super) rec: Box<TokenRec>,
}

impl<'a> Step<'a> {
    pub(super) fn parse(line: &'a str) -> Parsed<Self> {
        let raw: RawStep<'a> = serde_json::from_str(line).map_err(|error| json_fault(&error))?;
        let args: Value =
            serde_json::from_str(raw.args.get()).map_err(|error| json_fault(&error))?;
        let call = Call::parse(&raw.op, &args)?;
        Ok(Self { line, number: raw.i, call, op: raw.op, args: raw.args.get() })
    }
}

impl Call {
    fn parse(op: &str, args: &Value) -> Parsed<Self> {
        Ok(match op {
            "stmGetNtfTokenIO" => Self::GetToken(id(args, "tkn_id")?),
            "stmAddNtfToken" => {
                let rec = token(args)?;
                same("tkn_id", &rec.id, &id::<TokenId>(args, "tkn_id")?)?;
                Self::AddToken(rec)
            }
            "stmRemoveInactiveTokenRegistrations" => Self::RemoveRivals(token_arg(args)?),
            "stmRemoveTokenRegistration" => Self::RemoveRegistration(token_arg(args)?),
            "stmDeleteNtfToken" => Self::DeleteToken(id(args, "tkn_id")?),
            "stmGetNtfSubscriptionIO" => Self::GetSubscription(id(args, "sub_id")?),
            "stmAddNtfSubscription" => {
                let rec: SubscriptionRec = with_text(args, "sub", |form: &SubForm| &form.text)?;
                same("sub_id", &rec.id, &id::<SubscriptionId>(args, "sub_id")?)?;
                Self::AddSubscription(Box::new(rec))
            }
            "stmDeleteNtfSubscription" => Self::DeleteSubscription(id(args, "sub_id")?),
            "stmStoreTokenLastNtf" => notification(args)?,
            op => return Err(format!("{op} is no operation of the notification store")),
        })
    }
}

fn token(args: &Value) -> Parsed<Box<TokenRec>> {
    with_text(args, "tkn", |form: &TknForm| &form.text).map(Box::new)
}

fn token_arg(args: &Value) -> Parsed<TokenArg> {
    let stored = field(args, "stored")?.as_bool().ok_or("stored is not a truth value")?;
    Ok(TokenArg { stored, rec: token(args)? })
}

/// The notification, and its record, which must say the same.
fn notification(args: &Value) -> Parsed<Call> {
    let (token_id, ntf): (TokenId, TokenNtf) = (id(args, "tkn_id")?, id(args, "ntf")?);
    let record: TokenNtfRecord = id(args, "record")?;
    same("record", &record.token_id, &token_id)?;
    same("record", &record.ntf, &ntf)?;
    Ok(Call::StoreNtf(token_id, Box::new(ntf)))
}

fn same<T: PartialEq>(name: &str, one: &T, other: &T) -> Parsed<()> {
    if one == other {
        Ok(())
    } else {
        Err(format!("{name}: the arguments differ among themselves"))
    }
}
