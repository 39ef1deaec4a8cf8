//! How long statements take, and how often they fail.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::db::{DbError, Sql};
use crate::sync::Mutex;

/// Which statements' times are kept. Failures are counted in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueryTracking {
    /// None.
    #[default]
    Off,
    /// Those that took longer than this.
    SlowerThan(Duration),
    /// All.
    All,
}

/// What is known of the runs of one statement. Its JSON has the reference's names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryStats {
    /// How many runs that succeeded were kept.
    pub count: u64,
    /// The longest of them, in microseconds.
    pub time_max: u64,
    /// Their average in microseconds, rounded down with each run.
    pub time_avg: u64,
    /// How often it failed, by the error's text.
    pub errs: BTreeMap<String, u64>,
}

impl QueryStats {
    fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let sum = u128::from(self.time_avg) * u128::from(self.count) + u128::from(micros);
        self.count += 1;
        self.time_max = self.time_max.max(micros);
        self.time_avg = u64::try_from(sum / u128::from(self.count)).unwrap_or(u64::MAX);
    }
}

/// The statistics of a database's statements, by their text.
pub(super) struct QueryLog {
    tracking: QueryTracking,
    stats: Mutex<BTreeMap<&'static str, QueryStats>>,
}

impl QueryLog {
    pub(super) fn new(tracking: QueryTracking) -> Self {
        Self { tracking, stats: Mutex::default() }
    }

    /// Runs a statement and keeps what there is to keep of it.
    pub(super) fn watch<T>(
        &self,
        sql: &Sql,
        run: impl FnOnce() -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let started = (self.tracking != QueryTracking::Off).then(Instant::now);
        let result = run();
        match (&result, started.map(|started| started.elapsed())) {
            (Err(error), _) => self.change(sql, |stats| {
                *stats.errs.entry(error.to_string()).or_default() += 1;
            }),
            (Ok(_), Some(took)) if self.keeps(took) => self.change(sql, |stats| stats.add(took)),
            (Ok(_), _) => {}
        }
        result
    }

    fn keeps(&self, took: Duration) -> bool {
        match self.tracking {
            QueryTracking::Off => false,
            QueryTracking::SlowerThan(limit) => took > limit,
            QueryTracking::All => true,
        }
    }

    fn change(&self, sql: &Sql, change: impl FnOnce(&mut QueryStats)) {
        change(self.stats.lock().entry(sql.sqlite()).or_default());
    }

    pub(super) fn stats(&self) -> BTreeMap<String, QueryStats> {
        let stats = self.stats.lock();
        stats.iter().map(|(text, stats)| ((*text).to_owned(), stats.clone())).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_of_all_runs_and_rounded_down() {
        let mut stats = QueryStats::default();
        for micros in [10, 5, 30] {
            stats.add(Duration::from_micros(micros));
        }
        assert_eq!(stats, QueryStats { count: 3, time_max: 30, time_avg: 14, ..stats.clone() });
        stats.add(Duration::MAX);
        assert_eq!(stats.time_max, u64::MAX);
    }

    #[test]
    fn only_what_is_slower_than_the_limit_is_kept() {
        let limit = Duration::from_micros(10);
        let log = |tracking| QueryLog::new(tracking);
        assert!(!log(QueryTracking::SlowerThan(limit)).keeps(limit));
        assert!(log(QueryTracking::SlowerThan(limit)).keeps(limit + Duration::from_nanos(1)));
        assert!(log(QueryTracking::All).keeps(Duration::ZERO));
        assert!(!log(QueryTracking::Off).keeps(Duration::MAX));
    }

    #[test]
    fn statistics_have_the_reference_s_names_in_json() {
        let errs = BTreeMap::from([("busy".to_owned(), 2)]);
        let stats = QueryStats { count: 1, time_max: 2, time_avg: 3, errs };
        let json = r#"{"count":1,"timeMax":2,"timeAvg":3,"errs":{"busy":2}}"#;
        assert_eq!(serde_json::to_string(&stats).unwrap(), json);
        assert_eq!(serde_json::from_str::<QueryStats>(json).unwrap(), stats);
    }
}
