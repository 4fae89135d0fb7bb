//! Dates in the two forms that load balancers write.

use std::time::{SystemTime, UNIX_EPOCH};

/// Year, month, day, and the second of the day, in UTC.
struct Moment {
    /// Such as 2026.
    year: i64,
    /// 1 to 12.
    month: i64,
    /// 1 to 31.
    day: i64,
    /// 0 to 6, Sunday first.
    weekday: usize,
    /// 0 to 86399.
    second: i64,
    /// 0 to 999.
    millisecond: u32,
}

/// Splits a time into the fields of a date (Howard Hinnant's days-from-civil, turned around).
fn moment(time: SystemTime) -> Moment {
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
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year,
        at.month,
        at.day,
        at.second / 3600,
        at.second / 60 % 60,
        at.second % 60,
        at.millisecond
    )
}

/// `Sat, 21 Nov 2026 08:44:55 GMT`.
pub(super) fn http_date(time: SystemTime) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at = moment(time);
    let month = usize::try_from(at.month - 1).unwrap_or(0);
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        DAYS[at.weekday],
        at.day,
        MONTHS[month],
        at.year,
        at.second / 3600,
        at.second / 60 % 60,
        at.second % 60
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
