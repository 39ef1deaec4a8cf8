//! How much memory this process holds.

use std::fs;

/// The size of a page of memory, in bytes, as on every common Linux machine but a few of ARM's.
const PAGE: u64 = 4096;

/// Resident memory in bytes; `None` where the system does not say (anything but Linux).
pub(crate) fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok();
    status.as_deref().and_then(from_status).or_else(from_statm)
}

/// The status file says it in kilobytes, whatever the page size.
fn from_status(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

fn from_statm() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(PAGE)
}
