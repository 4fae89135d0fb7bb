//! Faults in words, and who may call what, read line by line by `serve`.

use crate::faults::{Effect, Fault};
use crate::hold::Hold;
use crate::iam;
use crate::image::duration;
use crate::testbed::Testbed;
use std::path::Path;

/// The valid lines.
pub const LINES: &str = "delay OPERATION TIME [COUNT] | stall OPERATION TIME [COUNT] | hold OPERATION | \
                         hold-answer OPERATION | pass OPERATION | release OPERATION | throttle OPERATION [COUNT] | \
                         deny OPERATION [COUNT] | error OPERATION STATUS [COUNT] | drop OPERATION [COUNT] | \
                         lose OPERATION [COUNT] | clear | ended | policies [DIR] | trust ROLE_ARN SUBJECT... | \
                         run REPOSITORY CONTEXT";

/// The gates that lines closed.
#[derive(Debug, Default)]
pub struct Script {
    /// Gates, each with its operation.
    holds: Vec<(String, Hold)>,
}

impl Script {
    /// Carries out one line. An operation is one of AWS's, such as `UpdateService`; a time is written `300ms` or `2s`;
    /// a count is the number of affected calls, by default all.
    ///
    /// # Errors A sentence for an invalid line.
    pub fn line(&mut self, bed: &Testbed, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["clear"] => {
                bed.clear_faults();
                self.release(|_| true);
            }
            ["ended"] => bed.world(|world| world.check_ended()),
            ["policies" | "trust" | "run", ..] => permission(bed, &words)?,
            ["hold", operation] => bed.fault(Fault::on(operation, Effect::Hold(self.hold(operation)))),
            ["hold-answer", operation] => {
                bed.fault(Fault::on(operation, Effect::HoldAnswer(self.hold(operation))));
            }
            ["pass", operation] => {
                self.holds.iter().filter(|(held, _)| held == operation).for_each(|(_, hold)| hold.pass());
            }
            ["release", operation] => self.release(|held| held == *operation),
            other => bed.fault(fault(other).ok_or_else(|| format!("not understood: {line}; write {LINES}"))?),
        }
        Ok(())
    }

    /// A new gate for an operation.
    fn hold(&mut self, operation: &str) -> Hold {
        let hold = Hold::new();
        self.holds.push((operation.to_owned(), hold.clone()));
        hold
    }

    /// Opens gates for good, and forgets these gates.
    fn release(&mut self, which: impl Fn(&str) -> bool) {
        self.holds.retain(|(operation, hold)| {
            let opened = which(operation);
            if opened {
                hold.release();
            }
            !opened
        });
    }
}

/// Carries out a line about permissions: the policies that limit all callers from now on (without a folder, none do),
/// the subjects that a role trusts, or the run that requests id tokens, such as `run octo-org/shop environment:production`.
fn permission(bed: &Testbed, words: &[&str]) -> Result<(), String> {
    match words {
        ["policies"] => bed.world(|world| world.iam.allow_everything()),
        ["policies", folder] => {
            let statements = iam::load(Path::new(folder)).map_err(|error| error.to_string())?;
            bed.world(|world| world.iam.enforce(statements));
        }
        ["trust", role, subjects @ ..] => {
            bed.world(|world| world.sts.role(role, "sts.amazonaws.com", subjects, 3600));
        }
        ["run", repository, context] => bed.world(|world| {
            world.oidc.run_of(repository, context);
        }),
        _ => return Err(format!("not understood: {}; write {LINES}", words.join(" "))),
    }
    Ok(())
}

/// The fault of a line: its effect and operation, with value and count.
fn fault(words: &[&str]) -> Option<Fault> {
    let (effect, operation, rest) = match words {
        ["delay", operation, time, rest @ ..] => (Effect::Delay(duration(time)?), operation, rest),
        ["stall", operation, time, rest @ ..] => (Effect::Stall(duration(time)?), operation, rest),
        ["error", operation, status, rest @ ..] => {
            let status = status.parse().ok().filter(|status| (500..600).contains(status))?;
            (Effect::ServerError(status), operation, rest)
        }
        ["throttle", operation, rest @ ..] => (Effect::Throttle, operation, rest),
        ["deny", operation, rest @ ..] => (Effect::Deny, operation, rest),
        ["drop", operation, rest @ ..] => (Effect::DropBefore, operation, rest),
        ["lose", operation, rest @ ..] => (Effect::DropAfter, operation, rest),
        _ => return None,
    };
    let fault = Fault::on(operation, effect);
    match rest {
        [] => Some(fault),
        [count] => Some(fault.times(count.parse().ok()?)),
        _ => None,
    }
}
