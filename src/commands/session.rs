//! What every command works with: AWS, the clock, the signals, and who tells the user.

use std::cell::RefCell;
use std::time::Duration;

use super::outside::{Interrupted, Outside, unless};
use super::state::{Found, NAME, Phase, State};
use crate::action::context::Context;
use crate::action::env::Environment;
use crate::action::files;
use crate::action::settings::Settings;
use crate::aws::{Aws, Names};
use crate::clock;
use crate::event::Event;
use crate::plan::look::Look;
use crate::plan::overview::{Overview, overview};
use crate::plan::own_targets::ForeignTargets;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Wait;
use crate::plan::time::Time;
use crate::plan::trouble::{Read, Trouble};
use crate::reporter::Reporter;
use crate::signals::Signals;

/// One run's surroundings.
pub(crate) struct Session<'a> {
    /// The environment.
    pub(crate) env: &'a Environment,
    /// The inputs.
    pub(crate) settings: &'a Settings,
    /// What GitHub says about the run.
    pub(crate) context: &'a Context,
    /// AWS and the test listeners.
    pub(crate) outside: Outside,
    /// What to look at.
    pub(crate) names: Names,
    /// Tells the user.
    pub(crate) reporter: &'a Reporter<'a>,
    /// The signals.
    pub(crate) signals: Signals,
    /// How long AWS is asked again before anything is decided: until the time-out; a post step waits for less.
    pub(crate) patience: Duration,
    /// What was told of reads that AWS does not answer.
    pub(crate) told: RefCell<Told>,
    /// Targets that looks showed in a color's group without a task of its service.
    pub(crate) foreign: RefCell<ForeignTargets>,
    /// The state as it was saved last, and the id of the deployment in it.
    pub(crate) saved: RefCell<(Option<String>, Option<String>)>,
}

/// The runner kills a cancelled step 10 s after the signal: a run is out of AWS before that, with time to report.
pub(crate) const LAST_MOMENT: Duration = Duration::from_millis(5_500);

/// A line at least this often, so that nobody thinks the run hangs.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(30);

/// What was told of a trouble that goes on: once, and then as a heartbeat.
#[derive(Debug, Default)]
pub(crate) struct Told(Option<(Trouble, Time)>);

impl Told {
    /// How to tell it now, where it is to be told: for the first time (false), or as a heartbeat.
    pub(crate) fn again(&mut self, trouble: &Trouble, now: Time) -> Option<bool> {
        let same = self.0.as_ref().filter(|(told, _)| alike(told, trouble));
        let heartbeat = same.is_some();
        if same.is_some_and(|(_, at)| now.since(*at) < HEARTBEAT) {
            return None;
        }
        self.0 = Some((trouble.clone(), now));
        Some(heartbeat)
    }
}

/// Whether two troubles read the same: messages of the same failure can differ from call to call.
pub(crate) fn alike(one: &Trouble, other: &Trouble) -> bool {
    (one.kind, one.action, &one.code) == (other.kind, other.action, &other.code)
}

impl Session<'_> {
    /// Leaves what the post step needs, where that changed. A file that can't be written is told, and stops nothing.
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

    /// Whether a state was saved, so that it has to be kept up to date.
    pub(crate) fn has_state(&self) -> bool {
        self.saved.borrow().0.is_some()
    }

    /// Leaves nothing to the post step: the run is over, and has been reported.
    pub(crate) fn close_state(&self) {
        if let Err(error) = files::save_state(self.env, NAME, "") {
            self.reporter.file_trouble("the step's state", &error);
        }
    }

    /// Closes the state of a run that ended by itself, once its end is reported.
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

    /// One look at AWS, which a signal ends.
    pub(crate) async fn look(&self, look: Look) -> Interrupted<Read<Snapshot>> {
        self.noted(self.outside.read(async |aws| aws.observe(&self.names, look).await).await)
    }

    /// Notes the targets that a look shows.
    fn noted(&self, seen: Interrupted<Read<Snapshot>>) -> Interrupted<Read<Snapshot>> {
        if let Interrupted::No(Ok(snapshot)) = &seen {
            self.foreign.borrow_mut().saw(snapshot, clock::now());
        }
        seen
    }

    /// What a look shows, for people and for `status-json`.
    pub(crate) fn overview(&self, snapshot: &Snapshot) -> Overview {
        let place = &self.settings.place;
        overview(snapshot, place.listener.as_ref(), &place.hosts).with_foreign(&self.foreign.borrow())
    }

    /// One look at AWS of a run that has noted a signal and puts back what it changed.
    pub(crate) async fn last_look(&self, look: Look) -> Interrupted<Read<Snapshot>> {
        let look = async |aws: &Aws| aws.observe(&self.names, look).await;
        self.noted(self.outside.finish(LAST_MOMENT, look).await)
    }

    /// Waits for the poll interval; after a signal was noted, for a shorter time.
    pub(crate) async fn pause(&self, noted: bool) {
        let wait = poll_interval(self.settings);
        if noted {
            clock::sleep(wait.min(Duration::from_millis(500))).await;
        } else {
            let _ = unless(self.signals.wait(), clock::sleep(wait)).await;
        }
    }

    /// A look before anything is decided: see [`Session::patiently`].
    pub(crate) async fn first_look(&self, look: Look) -> Result<Snapshot, Stop> {
        let seen = self.patiently(async |aws| aws.observe(&self.names, look).await).await;
        seen.inspect(|snapshot| self.foreign.borrow_mut().saw(snapshot, clock::now()))
    }

    /// A read before anything is decided: a trouble that may pass is tried again until the time-out.
    pub(crate) async fn patiently<T>(&self, read: impl AsyncFn(&Aws) -> Read<T>) -> Result<T, Stop> {
        let began = clock::now();
        loop {
            let answer = match self.outside.read(&read).await {
                Interrupted::Yes => return Err(Stop::Signal),
                Interrupted::No(answer) => answer,
            };
            match answer {
                Ok(value) => return Ok(value),
                Err(trouble) if trouble.kind.passes() => self.hold(trouble, began).await?,
                Err(trouble) => return Err(Stop::Trouble(trouble)),
            }
        }
    }

    /// A trouble that may pass: told and waited out, until a signal or the time-out.
    pub(crate) async fn hold(&self, trouble: Trouble, began: Time) -> Result<(), Stop> {
        let elapsed = clock::now().since(began);
        if elapsed >= self.patience {
            return Err(Stop::Trouble(trouble));
        }
        self.wait_out(&trouble, elapsed).await;
        if self.signals.came().is_some() { Err(Stop::Signal) } else { Ok(()) }
    }

    /// Tells that AWS did not answer, and pauses.
    async fn wait_out(&self, trouble: &Trouble, elapsed: Duration) {
        let told = self.told.borrow_mut().again(trouble, clock::now());
        if let Some(heartbeat) = told {
            let wait = Wait::Trouble(trouble.clone());
            self.reporter.emit(&Event::Waiting { wait, elapsed, heartbeat });
        }
        self.pause(false).await;
    }
}

/// The poll interval, a little more or less, so that many runs do not ask in step.
pub(crate) fn poll_interval(settings: &Settings) -> Duration {
    let interval = settings.poll_interval;
    let tenth = u64::try_from(interval.as_millis() / 10).unwrap_or_default();
    let jitter = if tenth == 0 { 0 } else { clock::now().0 % (tenth + 1) };
    interval.saturating_sub(Duration::from_millis(tenth / 2)) + Duration::from_millis(jitter)
}

/// Why a read before the first decision brought nothing.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// A signal came.
    Signal,
    /// AWS refuses, or did not answer until the time-out.
    Trouble(Trouble),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample::trouble;
    use crate::plan::trouble::TroubleKind;

    #[test]
    fn a_trouble_that_goes_on_is_told_once_and_then_as_a_heartbeat() {
        let (mut told, throttled) = (Told::default(), trouble(TroubleKind::Throttled));
        let again =
            |told: &mut Told, trouble: &Trouble, second: u64| told.again(trouble, Time(second * 1000));
        assert_eq!(again(&mut told, &throttled, 0), Some(false));
        let other_words = Trouble { message: "Rate exceeded, again".to_owned(), ..throttled.clone() };
        assert_eq!(again(&mut told, &other_words, 29), None);
        assert_eq!(again(&mut told, &throttled, 30), Some(true));
        assert_eq!(again(&mut told, &throttled, 45), None);
        assert_eq!(again(&mut told, &trouble(TroubleKind::TimedOut), 46), Some(false), "another one is news");
    }
}
