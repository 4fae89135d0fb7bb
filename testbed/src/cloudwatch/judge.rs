//! The meaning of an alarm's datapoints: M out of N, and missing data ("Configuring how CloudWatch alarms treat missing
//! data", Amazon CloudWatch User Guide).

use super::alarm::State;

/// `TreatMissingData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingData {
    /// `missing`.
    Missing,
    /// `ignore`.
    Ignore,
    /// `breaching`.
    Breaching,
    /// `notBreaching`.
    NotBreaching,
}

impl MissingData {
    /// AWS's names.
    pub(super) const NAMES: [&str; 4] = ["missing", "ignore", "breaching", "notBreaching"];

    /// Reads AWS's name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let all = [Self::Missing, Self::Ignore, Self::Breaching, Self::NotBreaching];
        all.into_iter().zip(Self::NAMES).find(|(_, known)| *known == name).map(|(one, _)| one)
    }
}

/// Number of datapoints read in addition to `EvaluationPeriods`: as in AWS's examples, which leave the number open.
pub(super) const MORE: usize = 2;

/// The next state; none: the state stays. `points` are newest first, true if a datapoint breaches; `n` is
/// `EvaluationPeriods`, `m` is `DatapointsToAlarm`.
pub(super) fn judge(points: &[Option<bool>], m: usize, n: usize, missing: MissingData) -> Option<State> {
    let real: Vec<bool> = points.iter().copied().flatten().take(n).collect();
    let breaching = real.iter().filter(|breaches| **breaches).count();
    let filled = n.saturating_sub(real.len());
    let by_count = |breaching: usize| Some(if breaching >= m { State::Alarm } else { State::Ok });
    if filled == 0 {
        return by_count(breaching);
    }
    match missing {
        MissingData::Breaching => by_count(breaching + filled),
        MissingData::NotBreaching => by_count(breaching),
        _ if breaching >= m => Some(State::Alarm),
        MissingData::Missing if real.is_empty() => Some(State::InsufficientData),
        MissingData::Missing if breaching == real.len() => {
            // The oldest breaching datapoint is old enough, and nothing contradicts.
            let oldest = points.iter().rposition(Option::is_some).unwrap_or(0);
            Some(if oldest + 1 >= m { State::Alarm } else { State::Ok })
        }
        MissingData::Ignore if breaching == real.len() => None,
        MissingData::Missing | MissingData::Ignore => Some(State::Ok),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states for missing, ignore, breaching and notBreaching; `text` is newest last, as AWS writes it.
    fn row(text: &str, m: usize) -> [Option<State>; 4] {
        let points: Vec<Option<bool>> =
            text.split(' ').rev().map(|point| (point != "-").then_some(point == "X")).collect();
        MissingData::NAMES.map(|name| judge(&points, m, 3, MissingData::parse(name).unwrap()))
    }

    #[test]
    fn the_tables_of_the_user_guide() {
        let (ok, alarm) = (Some(State::Ok), Some(State::Alarm));
        assert_eq!(row("0 - X - X", 3), [ok; 4]);
        assert_eq!(row("0 - - - -", 3), [ok; 4]);
        assert_eq!(row("- - - - -", 3), [Some(State::InsufficientData), None, alarm, ok]);
        assert_eq!(row("0 X X - X", 3), [alarm; 4]);
        assert_eq!(row("- - X - -", 3), [alarm, None, alarm, ok]);
        assert_eq!(row("0 - X - X", 2), [alarm; 4]);
        assert_eq!(row("0 0 X 0 X", 2), [alarm; 4]);
        assert_eq!(row("0 - X - -", 2), [ok, ok, alarm, ok]);
        assert_eq!(row("- - - - 0", 2), [ok, ok, alarm, ok]);
        assert_eq!(row("- - - X -", 2), [alarm, None, alarm, ok]);
    }

    #[test]
    fn a_single_young_datapoint_is_no_alarm_yet() {
        for text in ["- - - - X", "- - - X -"] {
            assert_eq!(row(text, 3)[0], Some(State::Ok), "{text}");
        }
    }
}
