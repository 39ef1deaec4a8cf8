//! Progress on stderr, only when it is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use simplex_stores::store_log::{Phase, Progress, StoreLogConfig};

/// A bar that counts bytes of a log; hidden where stderr is not a terminal.
pub(crate) fn log_bar() -> ProgressBar {
    styled("{msg:10} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}")
}

/// A bar that counts things.
pub(crate) fn count_bar(total: u64) -> ProgressBar {
    let bar = styled("{msg:10} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}");
    bar.set_length(total);
    bar
}

/// A line with a running count, for work without a known end.
pub(crate) fn spinner() -> ProgressBar {
    styled("{spinner} {elapsed} {human_pos} operations, {per_sec} {msg}")
}

fn styled(template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Shows the progress of replaying and compacting on `bar`.
pub(crate) fn shown_on(config: StoreLogConfig, bar: &ProgressBar) -> StoreLogConfig {
    config.progress(on_bar(bar))
}

/// Shows what it is called with on `bar`.
pub(crate) fn on_bar(bar: &ProgressBar) -> impl Fn(Progress) + Send + Sync + 'static {
    let bar = bar.clone();
    move |progress: Progress| {
        let message = match progress.phase {
            Phase::Verifying => "comparing",
            Phase::Replaying => "replaying",
            Phase::Compacting => "compacting",
            _ => "working",
        };
        bar.set_message(message);
        if progress.total_bytes > 0 {
            bar.set_length(progress.total_bytes);
        }
        bar.set_position(progress.bytes);
    }
}

/// Shows how far a transfer is on `bar`.
#[cfg(feature = "postgres")]
pub(crate) fn transfer_on_bar(
    bar: &ProgressBar,
) -> impl Fn(simplex_stores::queue_store::postgres::transfer::TransferProgress) + Send + Sync + 'static
{
    use simplex_stores::queue_store::postgres::transfer::{TransferPhase, TransferProgress};

    let bar = bar.clone();
    move |progress: TransferProgress| {
        bar.set_message(match progress.phase {
            TransferPhase::AddingUp => "adding up",
            TransferPhase::Copying => "copying",
            _ => "working",
        });
        bar.set_length(progress.total);
        bar.set_position(progress.queues);
    }
}
