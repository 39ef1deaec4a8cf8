//! Row locks that a test takes out, to show what they are for.

#[cfg(feature = "testing")]
std::thread_local! {
    static UNLOCKED: std::cell::RefCell<Vec<&'static str>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Runs `work` on this thread with the statements of these [names](super::Sql::name) locking no rows, which only
/// matters on PostgreSQL.
#[cfg(feature = "testing")]
pub fn without_locks<T>(statements: &[&'static str], work: impl FnOnce() -> T) -> T {
    struct Back(Vec<&'static str>);
    impl Drop for Back {
        fn drop(&mut self) {
            UNLOCKED.set(std::mem::take(&mut self.0));
        }
    }
    let _back = Back(UNLOCKED.replace(statements.to_vec()));
    work()
}

#[cfg(feature = "testing")]
pub(super) fn is_unlocked(name: &str) -> bool {
    UNLOCKED.with_borrow(|names| names.contains(&name))
}

#[cfg(not(feature = "testing"))]
pub(super) fn is_unlocked(_: &str) -> bool {
    false
}
