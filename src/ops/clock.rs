//! The one place that asks what time it is.

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Tells the time; tests set it by the variable `ORCHESTRATE_NOW` (`2026-11-22T10:00:00Z`).
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    fixed: Option<Timestamp>,
}

impl Clock {
    /// Returns the clock of this process.
    pub fn from_environment() -> Result<Clock> {
        match std::env::var("ORCHESTRATE_NOW") {
            Ok(text) => {
                Ok(Clock {
                    fixed: Some(text.parse().context(
                        "`ORCHESTRATE_NOW` is not a time such as `2026-11-22T10:00:00Z`",
                    )?),
                })
            }
            Err(_) => Ok(Clock::default()),
        }
    }

    /// Returns the time, to the millisecond.
    pub fn now(self) -> Timestamp {
        let now = self.fixed.unwrap_or_else(Timestamp::now);
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Returns the date in UTC, `2026-11-22`, which is the same for all colleagues.
    pub fn date(self) -> String {
        self.now().to_zoned(TimeZone::UTC).date().to_string()
    }
}
