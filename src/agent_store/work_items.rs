//! Handing out work so that a bad row doesn't block it (AS-34, AS-82).

use std::fmt;

use super::error::{StoreError, TxError};

/// An error that can tell a worker to stop. Applications use the pattern with stores, and errors, of
/// their own (F-220).
pub trait WorkError: fmt::Display + Sized {
    /// The error that stops a worker, with its text.
    fn work_item(text: String) -> Self;

    /// The same error as an answer, after which what was written is committed: the mark on a bad item is.
    #[must_use]
    fn into_answer(self) -> Self {
        self
    }
}

impl WorkError for TxError {
    fn work_item(text: String) -> Self {
        StoreError::WorkItem(text).into()
    }

    fn into_answer(self) -> Self {
        TxError::into_answer(self).into()
    }
}

/// The next item of a kind of work, if there is one (F-220, AS-34): `find` gives the id of the next one
/// that isn't marked as failed, `load` the item, and `mark_failed` marks it when it can't be loaded. Then
/// the error of `load` is returned as an answer, so that the mark is committed, and the next call gets
/// another item.
///
/// All three get `tx`, whatever the caller's transaction is.
///
/// # Errors
///
/// What `load` failed with; [`WorkError::work_item`], on which a worker has to stop, when `find` or
/// `mark_failed` failed (AS-97).
pub fn get_work_item<X, I, T, E: WorkError>(
    tx: &mut X,
    kind: &str,
    find: impl FnOnce(&mut X) -> Result<Option<I>, E>,
    load: impl FnOnce(&mut X, &I) -> Result<T, E>,
    mark_failed: impl FnOnce(&mut X, &I) -> Result<(), E>,
) -> Result<Option<T>, E>
where
    I: fmt::Debug,
{
    let found = find(tx).map_err(|error| not_found(kind, &error))?;
    found.map(|id| load_or_mark(tx, kind, &id, load, mark_failed)).transpose()
}

/// The next items of a kind of work, each on its own (F-221, AS-82): one that can't be loaded is marked,
/// and appears as an error in its place, which stops the worker only when it could not be marked.
///
/// # Errors
///
/// [`WorkError::work_item`] when `find` failed.
pub fn get_work_items<X, I, T, E: WorkError>(
    tx: &mut X,
    kind: &str,
    find: impl FnOnce(&mut X) -> Result<Vec<I>, E>,
    mut load: impl FnMut(&mut X, &I) -> Result<T, E>,
    mut mark_failed: impl FnMut(&mut X, &I) -> Result<(), E>,
) -> Result<Vec<Result<T, E>>, E>
where
    I: fmt::Debug,
{
    let found = find(tx).map_err(|error| not_found(kind, &error))?;
    let load = |id: I| load_or_mark(tx, kind, &id, &mut load, &mut mark_failed);
    Ok(found.into_iter().map(load).collect())
}

fn load_or_mark<X, I: fmt::Debug, T, E: WorkError>(
    tx: &mut X,
    kind: &str,
    id: &I,
    load: impl FnOnce(&mut X, &I) -> Result<T, E>,
    mark_failed: impl FnOnce(&mut X, &I) -> Result<(), E>,
) -> Result<T, E> {
    load(tx, id).map_err(|error| match mark_failed(tx, id) {
        Ok(()) => error.into_answer(),
        Err(failure) => E::work_item(format!("{kind}: marking {id:?} as failed: {failure}")),
    })
}

fn not_found<E: WorkError>(kind: &str, error: &E) -> E {
    E::work_item(format!("{kind}: finding the next item: {error}"))
}
