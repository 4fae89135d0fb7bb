//! Dates in AWS's formats.

use std::time::{SystemTime, UNIX_EPOCH};

/// Months in full; HTTP writes the first three letters.
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Days in full, Sunday first.
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Year, month, day, and the second of the day, in UTC.
pub(crate) struct Moment {
    /// Such as 2026.
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: i64,
    /// 1 to 31.
    pub(crate) day: i64,
    /// 0 to 6, Sunday first.
    weekday: usize,
    /// 0 to 86399.
    second: i64,
    /// 0 to 999.
    millisecond: u32,
}

impl Moment {
    /// Hour, minute and second.
    pub(crate) fn clock(&self) -> (i64, i64, i64) {
        (self.second / 3600, self.second / 60 % 60, self.second % 60)
    }
}

/// The month's name.
pub(crate) fn month_name(at: &Moment) -> &'static str {
    usize::try_from(at.month - 1).ok().and_then(|month| MONTHS.get(month)).copied().unwrap_or_default()
}

/// The day of the week.
pub(crate) fn long_weekday(at: &Moment) -> &'static str {
    DAYS.get(at.weekday).copied().unwrap_or_default()
}

/// Splits a time into the fields of a date (Howard Hinnant's days-from-civil, reversed).
pub(crate) fn moment(time: SystemTime) -> Moment {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(0);
    let days = seconds / 86_400;
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    Moment {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: of_year - (153 * march + 2) / 5 + 1,
        weekday: usize::try_from((days + 4) % 7).unwrap_or(0),
        second: seconds % 86_400,
        millisecond: since.subsec_millis(),
    }
}

/// `2026-11-21T08:44:55.120Z`.
pub(crate) fn iso8601(time: SystemTime) -> String {
    let at = moment(time);
    let (hour, minute, second) = at.clock();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year, at.month, at.day, hour, minute, second, at.millisecond
    )
}

/// `Sat, 21 Nov 2026 08:44:55 GMT`.
pub(crate) fn http_date(time: SystemTime) -> String {
    let at = moment(time);
    let (hour, minute, second) = at.clock();
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        &long_weekday(&at)[..3],
        at.day,
        &month_name(&at)[..3],
        at.year,
        hour,
        minute,
        second
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_written_as_on_the_wire() {
        let time = UNIX_EPOCH + Duration::from_millis(1_582_979_696_120);
        assert_eq!(iso8601(time), "2020-02-29T12:34:56.120Z");
        assert_eq!(http_date(time), "Sat, 29 Feb 2020 12:34:56 GMT");
        assert_eq!(http_date(UNIX_EPOCH), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
