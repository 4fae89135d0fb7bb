//! The surroundings of every command: AWS, the clock, the signals, and the reporter.

use std::cell::RefCell;
use std::time::Duration;

use super::outside::{Interrupted, Outside, run_unless};
use super::state::{Found, NAME, Phase, State};
use crate::action::context::Context;
use crate::action::env::Environment;
use crate::action::files;
use crate::action::settings::Settings;
use crate::aws::{Aws, Names};
use crate::clock;
use crate::event::Event;
use crate::plan::aws_error::{AwsError, AwsResult};
use crate::plan::earlier_rules::EarlierRules;
use crate::plan::overview::{Overview, build_overview, needs_history};
use crate::plan::own_targets::ForeignTargets;
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Wait;
use crate::plan::time::Time;
use crate::reporter::Reporter;
use crate::signals::Signals;

/// One run's surroundings.
pub(crate) struct Session<'a> {
    /// The environment.
    pub(crate) env: &'a Environment,
    /// The inputs.
    pub(crate) settings: &'a Settings,
    /// GitHub's facts about the run.
    pub(crate) context: &'a Context,
    /// AWS and the test listeners.
    pub(crate) outside: Outside,
    /// The names to read.
    pub(crate) names: Names,
    /// ARN of the role or user behind the credentials; none for another caller.
    pub(crate) principal: Option<String>,
    /// Writes to the log.
    pub(crate) reporter: &'a Reporter<'a>,
    /// The signals.
    pub(crate) signals: Signals,
    /// Longest time to repeat reads before any decision: until the time-out; a post step waits less.
    pub(crate) patience: Duration,
    /// The last report about reads that AWS does not answer.
    pub(crate) told: RefCell<Told>,
    /// Targets that looks found in a color's group without a task of its service.
    pub(crate) foreign: RefCell<ForeignTargets>,
    /// The production rules of all looks.
    pub(crate) rules: RefCell<EarlierRules>,
    /// The last saved state, and the id of its deployment.
    pub(crate) saved: RefCell<(Option<String>, Option<String>)>,
}

/// The runner kills a cancelled step 10 s after the signal: a run leaves AWS before that, with time to report.
pub(crate) const LAST_MOMENT: Duration = Duration::from_millis(5_500);

/// Longest time between two log lines, so that the run never seems to hang.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(30);

/// The report about an ongoing error: once, and then as a heartbeat.
#[derive(Debug, Default)]
pub(crate) struct Told(Option<(AwsError, Time)>);

impl Told {
    /// The kind of report that is due, if any: the first (false), or a heartbeat (true).
    pub(crate) fn again(&mut self, trouble: &AwsError, now: Time) -> Option<bool> {
        let same = self.0.as_ref().filter(|(told, _)| is_same_error(told, trouble));
        let heartbeat = same.is_some();
        if same.is_some_and(|(_, at)| now.since(*at) < HEARTBEAT) {
            return None;
        }
        self.0 = Some((trouble.clone(), now));
        Some(heartbeat)
    }
}

/// True if two errors read the same: messages of the same failure can differ from call to call.
pub(crate) fn is_same_error(one: &AwsError, other: &AwsError) -> bool {
    (one.kind, one.action, &one.code) == (other.kind, other.action, &other.code)
}

impl Session<'_> {
    /// Saves a changed state for the post step. An unwritable file is reported, and stops nothing.
    pub(crate) fn save_state(&self, state: &State) {
        let (text, id) = (serde_json::to_string(state), state.deployment());
        let written = text.map_err(std::io::Error::from).and_then(|text| {
            let mut saved = self.saved.borrow_mut();
            if saved.0.as_ref() != Some(&text) {
                files::save_state(self.env, NAME, &text)?;
                saved.0 = Some(text);
            }
            if let Some(id) = id.filter(|id| saved.1.as_ref() != Some(id)) {
                files::set_output(self.env, "ecs-deployment-id", id)?;
                saved.1 = Some(id.clone());
            }
            Ok(())
        });
        if let Err(error) = written {
            self.reporter.file_trouble("the step's state", &error);
        }
    }

    /// True if a state was saved, so that later changes have to be saved too.
    pub(crate) fn has_state(&self) -> bool {
        self.saved.borrow().0.is_some()
    }

    /// Clears the state for the post step: the run is over and reported.
    pub(crate) fn close_state(&self) {
        if let Err(error) = files::save_state(self.env, NAME, "") {
            self.reporter.file_trouble("the step's state", &error);
        }
    }

    /// Clears the state of a run that ended by itself, once its end is reported.
    pub(crate) fn close_ended(&self) {
        let ended =
            self.saved.borrow().0.as_deref().is_some_and(|text| match Found::<State>::of(Some(text)) {
                Found::Run(state) => matches!(state.phase(), Phase::Ended(_)),
                Found::Nothing | Found::Unknown => false,
            });
        if ended {
            self.close_state();
        }
    }

    /// One look at AWS, which a signal interrupts.
    pub(crate) async fn look(&self, look: ReadScope) -> Interrupted<AwsResult<Snapshot>> {
        self.noted(self.outside.read(async |aws| aws.observe(&self.names, look).await).await)
    }

    /// Notes a look.
    fn noted(&self, seen: Interrupted<AwsResult<Snapshot>>) -> Interrupted<AwsResult<Snapshot>> {
        match seen {
            Interrupted::No(Ok(snapshot)) => Interrupted::No(Ok(self.remembered(snapshot))),
            Interrupted::No(Err(_)) | Interrupted::Yes => seen,
        }
    }

    /// Adds to a look the parts that only several looks show.
    fn remembered(&self, mut snapshot: Snapshot) -> Snapshot {
        let now = clock::now();
        self.foreign.borrow_mut().saw(&snapshot, now);
        self.rules.borrow_mut().note(&mut snapshot, self.settings.place.listener.as_ref(), now);
        snapshot
    }

    /// The overview of a look, for people and for `status-json`.
    pub(crate) fn overview(&self, snapshot: &Snapshot) -> Overview {
        let place = &self.settings.place;
        let compared = self.compared(snapshot, None);
        let seen = build_overview(snapshot, place.listener.as_ref(), &place.hosts);
        Overview { compared, ..seen.with_foreign(&self.foreign.borrow()) }
    }

    /// One look at AWS after a noted signal, while the run restores its changes.
    pub(crate) async fn last_look(&self, look: ReadScope) -> Interrupted<AwsResult<Snapshot>> {
        let look = async |aws: &Aws| aws.observe(&self.names, look).await;
        self.noted(self.outside.finish(LAST_MOMENT, look).await)
    }

    /// Waits for the poll interval; after a signal was noted, for a shorter time.
    pub(crate) async fn pause(&self, noted: bool) {
        let wait = poll_interval(self.settings);
        if noted {
            clock::sleep(wait.min(Duration::from_millis(500))).await;
        } else {
            let _ = run_unless(self.signals.wait(), clock::sleep(wait)).await;
        }
    }

    /// A look before any decision: see [`Session::patiently`]. A second look if the first shows a target without a task,
    /// which may have started between two reads.
    pub(crate) async fn first_look(&self, look: ReadScope) -> Result<Snapshot, Stop> {
        let seen = self.known_look(look).await?;
        if !self.foreign.borrow().is_unsure() {
            return Ok(seen);
        }
        self.pause(false).await;
        if self.signals.came().is_some() { Err(Stop::Signal) } else { self.known_look(look).await }
    }

    /// One such look. Includes the service deployments if only they can tell a deployment from a changed count.
    async fn known_look(&self, look: ReadScope) -> Result<Snapshot, Stop> {
        let observe = async |look| self.patiently(async |aws| aws.observe(&self.names, look).await).await;
        let mut seen = observe(look).await?;
        if needs_history(&seen) {
            seen = observe(ReadScope { causes: true, ..look }).await?;
        }
        Ok(self.remembered(seen))
    }

    /// A read before any decision: a transient error is retried until the time-out.
    pub(crate) async fn patiently<T>(&self, read: impl AsyncFn(&Aws) -> AwsResult<T>) -> Result<T, Stop> {
        let began = clock::now();
        loop {
            let answer = match self.outside.read(&read).await {
                Interrupted::Yes => return Err(Stop::Signal),
                Interrupted::No(answer) => answer,
            };
            match answer {
                Ok(value) => return Ok(value),
                Err(trouble) if trouble.kind.is_transient() => self.hold(trouble, began).await?,
                Err(trouble) => return Err(Stop::AwsError(trouble)),
            }
        }
    }

    /// Reports a transient error and waits, until a signal or the time-out.
    pub(crate) async fn hold(&self, trouble: AwsError, began: Time) -> Result<(), Stop> {
        let elapsed = clock::now().since(began);
        if elapsed >= self.patience {
            return Err(Stop::AwsError(trouble));
        }
        self.wait_out(&trouble, elapsed).await;
        if self.signals.came().is_some() { Err(Stop::Signal) } else { Ok(()) }
    }

    /// Reports that AWS did not answer, and pauses.
    async fn wait_out(&self, trouble: &AwsError, elapsed: Duration) {
        let told = self.told.borrow_mut().again(trouble, clock::now());
        if let Some(heartbeat) = told {
            let wait = Wait::AwsError(trouble.clone());
            self.reporter.emit(&Event::Waiting { wait, elapsed, heartbeat });
        }
        self.pause(false).await;
    }
}

/// The poll interval with a small random offset, so that many runs do not ask in step.
pub(crate) fn poll_interval(settings: &Settings) -> Duration {
    let interval = settings.poll_interval;
    let tenth = u64::try_from(interval.as_millis() / 10).unwrap_or_default();
    let jitter = if tenth == 0 { 0 } else { clock::now().0 % (tenth + 1) };
    interval.saturating_sub(Duration::from_millis(tenth / 2)) + Duration::from_millis(jitter)
}

/// Reason why a read before the first decision failed.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// A signal came.
    Signal,
    /// AWS refused, or did not answer until the time-out.
    AwsError(AwsError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::aws_error::AwsErrorKind;
    use crate::plan::sample::trouble;

    #[test]
    fn a_trouble_that_goes_on_is_told_once_and_then_as_a_heartbeat() {
        let (mut told, throttled) = (Told::default(), trouble(AwsErrorKind::Throttled));
        let again =
            |told: &mut Told, trouble: &AwsError, second: u64| told.again(trouble, Time(second * 1000));
        assert_eq!(again(&mut told, &throttled, 0), Some(false));
        let other_words = AwsError { message: "Rate exceeded, again".to_owned(), ..throttled.clone() };
        assert_eq!(again(&mut told, &other_words, 29), None);
        assert_eq!(again(&mut told, &throttled, 30), Some(true));
        assert_eq!(again(&mut told, &throttled, 45), None);
        assert_eq!(
            again(&mut told, &trouble(AwsErrorKind::TimedOut), 46),
            Some(false),
            "another one is news"
        );
    }
}
