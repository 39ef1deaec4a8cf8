//! What a test does to the transactions of a thread: takes row locks out, to show what they are for, stops at
//! each statement, and looks at each.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use super::{Params, Sql};

#[cfg(feature = "testing")]
mod thread {
    use std::cell::RefCell;
    use std::rc::Rc;

    type Watch<T> = Option<Rc<T>>;

    /// What is shown a statement and its values.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    type See = dyn Fn(&crate::db::Sql, crate::db::Params<'_>);

    #[derive(Clone, Default)]
    pub(super) struct Faults {
        pub(super) unlocked: Vec<&'static str>,
        pub(super) step: Watch<dyn Fn(&str)>,
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        pub(super) see: Watch<See>,
    }

    std::thread_local! {
        pub(super) static FAULTS: RefCell<Faults> = RefCell::default();
    }

    /// Runs `work` with faults made of those that are there.
    pub(super) fn with<T>(change: impl FnOnce(&mut Faults), work: impl FnOnce() -> T) -> T {
        struct Back(Faults);
        impl Drop for Back {
            fn drop(&mut self) {
                FAULTS.set(std::mem::take(&mut self.0));
            }
        }
        let before = FAULTS.with_borrow(Clone::clone);
        let mut faults = before.clone();
        let _back = Back(before);
        change(&mut faults);
        FAULTS.set(faults);
        work()
    }
}

/// Runs `work` on this thread with the statements of these [names](super::Sql::name) locking no rows, which only
/// matters on PostgreSQL.
#[cfg(feature = "testing")]
pub fn without_locks<T>(statements: &[&'static str], work: impl FnOnce() -> T) -> T {
    thread::with(|faults| faults.unlocked = statements.to_vec(), work)
}

/// Runs `work` on this thread, and `step` before each statement of its transactions, with the statement's name, and
/// before each of their commits, with `commit`.
#[cfg(feature = "testing")]
pub fn at_each_statement<T>(step: impl Fn(&str) + 'static, work: impl FnOnce() -> T) -> T {
    thread::with(|faults| faults.step = Some(std::rc::Rc::new(step)), work)
}

/// Runs `work` on this thread, and shows `see` each statement of its transactions before it is sent, and the values
/// that go with it: what an operation sends is then known from the operation itself. Statements that `see` sends
/// are not shown.
#[cfg(all(feature = "testing", any(feature = "postgres", feature = "sqlite")))]
pub fn seeing_each_statement<T>(
    see: impl Fn(&Sql, Params<'_>) + 'static,
    work: impl FnOnce() -> T,
) -> T {
    thread::with(|faults| faults.see = Some(std::rc::Rc::new(see)), work)
}

#[cfg(feature = "testing")]
pub(super) fn is_unlocked(name: &str) -> bool {
    thread::FAULTS.with_borrow(|faults| faults.unlocked.contains(&name))
}

#[cfg(not(feature = "testing"))]
pub(super) fn is_unlocked(_: &str) -> bool {
    false
}

/// A statement is about to be sent.
#[cfg(all(feature = "testing", any(feature = "postgres", feature = "sqlite")))]
pub(super) fn statement(sql: &Sql, params: Params<'_>) {
    if let Some(see) = thread::FAULTS.with_borrow(|faults| faults.see.clone()) {
        thread::with(|faults| faults.see = None, || see(sql, params));
    }
    step(sql.name());
}

#[cfg(all(not(feature = "testing"), any(feature = "postgres", feature = "sqlite")))]
pub(super) fn statement(_: &Sql, _: Params<'_>) {}

/// A statement or a commit is about to be sent.
#[cfg(all(feature = "testing", any(feature = "postgres", feature = "sqlite")))]
pub(super) fn step(name: &str) {
    if let Some(step) = thread::FAULTS.with_borrow(|faults| faults.step.clone()) {
        step(name);
    }
}

#[cfg(all(not(feature = "testing"), any(feature = "postgres", feature = "sqlite")))]
pub(super) fn step(_: &str) {}
