//! Percentiles and medians of what was timed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long each of many calls took.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Adds one.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// These and `others`.
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them together.
    pub fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    /// The least time that at least `percent` of them do not exceed; zero when there is none.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
    }

    /// Their spread in milliseconds.
    pub fn milliseconds(&self) -> Spread {
        self.spread(1e3)
    }

    /// Their spread in microseconds.
    pub fn microseconds(&self) -> Spread {
        self.spread(1e6)
    }

    fn spread(&self, per_second: f64) -> Spread {
        let at = |percent| rounded(self.percentile(percent).as_secs_f64() * per_second);
        Spread { p50: at(50), p95: at(95), p99: at(99) }
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<T: IntoIterator<Item = Duration>>(times: T) -> Self {
        Self(times.into_iter().collect())
    }
}

/// Percentiles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of the calls took no longer.
    pub p50: f64,
    /// 95 of 100 took no longer.
    pub p95: f64,
    /// 99 of 100 took no longer.
    pub p99: f64,
}

/// The middle of `values`; of an even number, between the two in the middle. Zero when there is none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(middle)) {
        (_, None) => 0.0,
        (1, Some(value)) => *value,
        (_, Some(value)) => f64::midpoint(sorted[middle - 1], *value),
    }
}

/// How many of `count` happen in a second, when they took `time`.
pub fn per_second(count: usize, time: Duration) -> f64 {
    let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if time.is_zero() { 0.0 } else { rounded(count / time.as_secs_f64()) }
}

/// `numerator / denominator`, or zero without a denominator.
pub fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator > 0.0 { rounded(numerator / denominator) } else { 0.0 }
}

/// With three decimals, which is more than any of these figures can bear.
pub fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Spread, Times, median, per_second, ratio};

    #[test]
    fn a_percentile_is_the_least_time_that_so_many_do_not_exceed() {
        let times: Times = (1..=200).rev().map(Duration::from_millis).collect();
        for (percent, milliseconds) in [(0, 1), (1, 2), (50, 100), (95, 190), (99, 198), (100, 200)] {
            assert_eq!(times.percentile(percent), Duration::from_millis(milliseconds), "{percent}");
        }
        assert_eq!(times.milliseconds(), Spread { p50: 100.0, p95: 190.0, p99: 198.0 });
    }

    #[test]
    fn few_times_have_percentiles_too() {
        assert_eq!(Times::default().percentile(95), Duration::ZERO);
        let one = Times::from_iter([Duration::from_micros(7)]);
        assert_eq!(one.microseconds(), Spread { p50: 7.0, p95: 7.0, p99: 7.0 });
        let three: Times = [3, 1, 2].map(Duration::from_micros).into_iter().collect();
        assert_eq!(three.microseconds(), Spread { p50: 2.0, p95: 3.0, p99: 3.0 });
    }

    #[test]
    fn a_median_is_the_middle_or_between_the_two_in_the_middle() {
        for (values, expected) in
            [(&[][..], 0.0), (&[4.0], 4.0), (&[9.0, 1.0, 5.0], 5.0), (&[8.0, 1.0, 2.0, 4.0], 3.0)]
        {
            assert!((median(values) - expected).abs() < f64::EPSILON, "{values:?}");
        }
    }

    #[test]
    fn rates_and_ratios_of_nothing_are_zero() {
        let of = |count, milliseconds| per_second(count, Duration::from_millis(milliseconds));
        let found = [of(50, 250), of(1, 0), ratio(3.0, 2.0), ratio(1.0, 0.0)];
        assert!(
            found.iter().zip([200.0, 0.0, 1.5, 0.0]).all(|(found, expected)| (found - expected).abs() < 1e-9)
        );
    }
}
