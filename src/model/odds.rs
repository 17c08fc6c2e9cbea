//! How often a pattern worked: a posterior with its interval, computed from the evidence each time.

use super::pattern::{Evidence, Odds, Result, Standing};

impl Odds {
    /// Returns the odds after the runs in `evidence`: a Beta posterior over the success rate, from Jeffreys' prior.
    pub fn of(evidence: &[Evidence]) -> Odds {
        let runs = evidence.len() as u32;
        let successes = evidence
            .iter()
            .filter(|record| record.result == Result::Success)
            .count() as u32;
        Odds::from_counts(successes, runs)
    }

    /// Returns the odds after `successes` in `runs` runs.
    pub fn from_counts(successes: u32, runs: u32) -> Odds {
        let (a, b) = (
            f64::from(successes) + 0.5,
            f64::from(runs - successes) + 0.5,
        );
        // At the ends the interval reaches the end itself, as is usual with Jeffreys' prior.
        let low = if successes == 0 {
            0.0
        } else {
            quantile(0.025, a, b)
        };
        let high = if successes == runs {
            1.0
        } else {
            quantile(0.975, a, b)
        };
        let standing = match (runs, f64::from(successes) / f64::from(runs.max(1))) {
            (0, _) => Standing::Untried,
            (20.., share) if share >= 0.9 => Standing::Learned,
            (5.., share) if share >= 0.8 => Standing::Validated,
            (5.., share) if share < 0.6 => Standing::Deprecated,
            _ => Standing::Discovered,
        };
        Odds {
            successes,
            runs,
            rate: a / (a + b),
            low,
            high,
            standing,
        }
    }

    /// Returns the odds in words: `no evidence yet`, or `2 of 2 runs succeeded (95 % interval 31-100 %)`.
    pub fn words(&self) -> String {
        match self.runs {
            0 => "no evidence yet".to_string(),
            1 => format!(
                "{} of 1 run succeeded (95 % interval {})",
                self.successes,
                self.interval()
            ),
            runs => format!(
                "{} of {runs} runs succeeded (95 % interval {})",
                self.successes,
                self.interval()
            ),
        }
    }

    fn interval(&self) -> String {
        format!("{:.0}-{:.0} %", self.low * 100.0, self.high * 100.0)
    }
}

impl Standing {
    /// Returns the standing as a word.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Untried => "untried",
            Standing::Discovered => "discovered",
            Standing::Validated => "validated",
            Standing::Learned => "learned",
            Standing::Deprecated => "deprecated",
        }
    }
}

/// Returns the `p` quantile of the Beta distribution by bisection; `beta_below` grows with `x`.
fn quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        match puruspe::betai(a, b, middle) < p {
            true => low = middle,
            false => high = middle,
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        // Quantiles of Beta(k + 1/2, n - k + 1/2), integrated numerically.
        for (successes, runs, low, high) in [
            (5, 10, 0.224, 0.776),
            (9, 10, 0.619, 0.989),
            (44, 48, 0.814, 0.971),
        ] {
            let odds = Odds::from_counts(successes, runs);
            assert!(
                (odds.low - low).abs() < 0.001 && (odds.high - high).abs() < 0.001,
                "{odds:?}"
            );
        }
        assert_eq!(Odds::from_counts(0, 0).words(), "no evidence yet");
        assert_eq!(
            Odds::from_counts(1, 1).words(),
            "1 of 1 run succeeded (95 % interval 15-100 %)"
        );
    }

    #[test]
    fn standing_follows_runs_and_share() {
        let cases = [
            (0, 0, Standing::Untried),
            (4, 4, Standing::Discovered),
            (5, 5, Standing::Validated),
            (7, 10, Standing::Discovered),
            (5, 10, Standing::Deprecated),
            (19, 20, Standing::Learned),
            (17, 20, Standing::Validated),
        ];
        for (successes, runs, expected) in cases {
            assert_eq!(
                Odds::from_counts(successes, runs).standing,
                expected,
                "{successes} of {runs}"
            );
        }
    }
}
