//! A run's state for its post step: enough to restore every change after the run was killed.

mod deploy;
mod traffic;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) use self::deploy::DeployState;
pub(crate) use self::traffic::TrafficState;
use crate::event::Report;
use crate::failure::{Outcome, Reason};
use crate::plan::operation::{CurrentPhase, Operation};
use crate::plan::step::{Left, Step};
use crate::plan::time::Time;

/// Name of the state value.
pub(crate) const NAME: &str = "run";

/// The content of a saved value: nothing, a run's state, or text that this version can't read.
#[derive(Clone, Debug)]
pub(crate) enum Found<T> {
    /// No run changed anything, or the run ended and reported its end.
    Nothing,
    /// The main step's last saved state.
    Run(Box<T>),
    /// Written by another version, or damaged.
    Unknown,
}

impl<T: DeserializeOwned> Found<T> {
    /// Reads the saved value.
    pub(crate) fn of(text: Option<&str>) -> Found<T> {
        match text.filter(|text| !text.is_empty()).map(serde_json::from_str) {
            None => Found::Nothing,
            Some(Ok(left)) => Found::Run(Box::new(left)),
            Some(Err(_)) => Found::Unknown,
        }
    }
}

/// A run in flight.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub(crate) enum State {
    /// A deploy.
    Deploy(Box<DeployState>),
    /// A change of traffic.
    Traffic(Box<TrafficState>),
}

impl State {
    /// The state of a run right before a write; `sending` are the next writes.
    pub(crate) fn of(operation: &Operation<'_>, phase: Phase, sending: (&[Step], Time)) -> Option<State> {
        match operation.current() {
            CurrentPhase::Deploy(deploying) => {
                let first = sending.0.first().map(|step| (step, sending.1));
                let state = DeployState::of(deploying, operation.left(), (phase, first))?;
                Some(State::Deploy(Box::new(state)))
            }
            CurrentPhase::Traffic(moving) => {
                Some(State::Traffic(Box::new(TrafficState::of(moving, phase, sending)?)))
            }
        }
    }

    /// The run's progress.
    pub(crate) fn phase(&self) -> Phase {
        match self {
            State::Deploy(state) => state.phase,
            State::Traffic(state) => state.phase,
        }
    }

    /// True if the run was restoring: something failed, or a cancelled run restores.
    pub(crate) fn is_turned(&self) -> bool {
        match self {
            State::Deploy(state) => state.turned,
            State::Traffic(state) => state.turned,
        }
    }

    /// The deployment's id, once known.
    pub(crate) fn deployment(&self) -> Option<&String> {
        match self {
            State::Deploy(state) => state.deployment.as_ref(),
            State::Traffic(_) => None,
        }
    }
}

/// The progress of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// The service is about to be updated, or was updated.
    Deploying,
    /// A restore was requested.
    Restoring,
    /// The run ended by itself; its last look or report may be missing.
    Ended(SavedEnd),
    /// The run ended by itself and reported its end.
    Done,
}

/// The end of a run for the post step's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedEnd {
    /// The outcome.
    pub(crate) outcome: Outcome,
    /// Reason for not succeeding.
    pub(crate) reason: Option<Reason>,
    /// The state left in AWS.
    pub(crate) left: Left,
}

impl SavedEnd {
    /// The end in a report.
    pub(crate) fn of(report: &Report) -> SavedEnd {
        SavedEnd { outcome: report.outcome, reason: report.reason, left: report.left }
    }

    /// True if the goal was reached.
    pub(crate) fn is_good(&self) -> bool {
        matches!(self.outcome, Outcome::Succeeded | Outcome::Unchanged)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::plan::step::Purpose;
    use crate::plan::verdict::Kind;

    /// Linux's limit for an environment variable, with its name and the zero at its end (`MAX_ARG_STRLEN`), in bytes.
    const LONGEST_VARIABLE: usize = 128 * 1024;

    /// The state of a deploy that was killed right before, or right after, it sent its update.
    fn killed_in_update(force: bool) -> DeployState {
        let state = json!({
            "of": "deploy", "phase": "deploying", "color": "green", "service": "web-green",
            "found_task_definition": "web-green:1", "found_desired": 2, "was_live": false,
            "task_definition": "web-green:2", "desired": 2, "deployment": null, "started": 5_000,
            "rolls": true, "before": ["ecs-svc/1"],
            "sending": { "at": 5_000, "change": { "version": {
                "color": "green", "task_definition": (!force).then_some("web-green:2"), "desired": null, "force": force,
            } } },
        });
        let Ok(State::Deploy(state)) = serde_json::from_value(state) else { panic!("a deploy") };
        *state
    }

    #[test]
    fn invariant_35_an_update_that_a_kill_left_without_an_answer_is_looked_for_in_both_directions() {
        for force in [false, true] {
            let state = killed_in_update(force);
            let forward = state.forward(Time(60_000));
            let awaited = forward.awaited().cloned().unwrap();
            assert_eq!((awaited.kind, awaited.id.as_deref(), awaited.seen), (Kind::Rollout, None, false));
            assert_eq!(
                (awaited.before, forward.memory.unanswered),
                (vec!["ecs-svc/1".to_owned()], Vec::new())
            );
            let back = state.run(Time(60_000));
            assert_eq!((back.memory.changed, back.awaited().is_none()), (false, true));
            assert_eq!(back.own_change().map(|own| own.task_definition.as_str()), Some("web-green:2"));
            let (_, update) = back.unanswered_update().unwrap();
            assert_eq!((update.force, update.purpose), (force, Purpose::Deploy));
        }
    }

    #[test]
    fn a_deployment_whose_answer_did_not_name_it_stays_one_of_its_own() {
        let mut state = killed_in_update(false);
        state.sending = None;
        let awaited = state.forward(Time(60_000)).awaited().cloned().unwrap();
        assert_eq!((awaited.kind, awaited.id, awaited.before.len()), (Kind::Rollout, None, 1));
    }

    /// The state that an older version left after it had written so many rules: plain maps by rule ARN.
    fn older(rules: u64) -> Value {
        let arn = |number: u64| {
            format!(
                "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/a-name-of-thirty-two-characters/{:016x}/{:016x}/{:016x}",
                number / 100,
                number / 50,
                number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            )
        };
        let split = |blue: u32, green: u32| json!({ "blue": blue, "green": green });
        let written = |number: u64| json!({ "split": split(0, 100), "before": split(100, 0), "at": 1_796_000_000_000 + 37 * number, "shown": true });
        let splits: BTreeMap<String, Value> = (0..rules).map(|number| (arn(number), split(100, 0))).collect();
        let all: BTreeMap<String, Value> = (0..rules).map(|number| (arn(number), written(number))).collect();
        json!({
            "of": "traffic", "phase": "deploying", "to": split(0, 100),
            "found": { "split": split(100, 0), "splits": splits, "counts": {}, "suspended": {} },
            "written": all, "counts": {}, "scaled": {}, "began": 1_796_000_000_000_u64,
        })
    }

    #[test]
    fn invariant_42_a_saved_value_is_nothing_a_run_or_not_understood() {
        let whole = older(1).to_string();
        let newer = whole.replace("\"deploying\"", "\"waiting-for-a-human\"");
        for text in [None, Some("")] {
            assert!(matches!(Found::<State>::of(text), Found::Nothing), "{text:?}");
        }
        assert!(matches!(Found::<State>::of(Some(&whole)), Found::Run(_)));
        for text in [&newer, &whole[..whole.len() / 2], "null", "{}", "{\"of\":\"status\"}", "deploying"] {
            assert!(matches!(Found::<State>::of(Some(text)), Found::Unknown), "{text}");
        }
    }

    #[test]
    fn invariant_42_the_end_of_a_run_is_read_as_it_was_saved() {
        let end =
            SavedEnd { outcome: Outcome::Failed, reason: Some(Reason::CircuitBreaker), left: Left::Restored };
        let mut ended = older(1);
        ended["phase"] = serde_json::to_value(Phase::Ended(end)).unwrap();
        assert_eq!(
            ended["phase"],
            json!({ "ended": { "outcome": "failed", "reason": "circuit-breaker", "left": "restored" } })
        );
        let state: State = serde_json::from_value(ended).unwrap();
        assert_eq!(state.phase(), Phase::Ended(end));
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), json!(reason.word()));
        }
    }

    #[test]
    fn invariant_42_the_state_of_a_thousand_rules_reaches_the_post_step() {
        let plain = older(1_000).to_string();
        assert!(plain.len() > 2 * LONGEST_VARIABLE, "{} bytes", plain.len());
        let state: State = serde_json::from_str(&plain).unwrap();
        let text = serde_json::to_string(&state).unwrap();
        assert!(format!("STATE_{NAME}={text}\0").len() < LONGEST_VARIABLE, "{} bytes", text.len());
        let again: State = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
        let State::Traffic(state) = again else { panic!("{text}") };
        assert_eq!(serde_json::to_value(&state.written).unwrap(), older(1_000)["written"]);
        assert_eq!(serde_json::to_value(&state.found.splits).unwrap(), older(1_000)["found"]["splits"]);
    }
}
