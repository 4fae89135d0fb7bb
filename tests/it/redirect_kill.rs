//! Invariant 7: a change of traffic that was killed at any call and run again ends as one that was not disturbed, and at
//! no moment in between is an invariant broken.

use crate::common::Action;
use crate::common::here::stack;
use crate::common::kills::{Kill, at_every_call, killed};
use crate::common::look::steady;
use crate::common::traffic::{
    counts, moves, path_rule, redirect_with, scaled, second_listener, splits, suspended,
};
use testbed::sample::{self, Sample};
use testbed::{Call, Testbed};

/// A change of traffic.
struct Story {
    /// What it is called in messages.
    name: &'static str,
    /// Where users go.
    traffic: &'static str,
    /// Further inputs.
    inputs: &'static [(&'static str, &'static str)],
    /// Whether both colors scale automatically.
    autoscaled: bool,
    /// The writes of an undisturbed run.
    writes: &'static [&'static str],
}

/// Three rules, and a color that has to be scaled up first.
const RULES: Story = Story {
    name: "three rules",
    traffic: "green-80",
    inputs: &[],
    autoscaled: false,
    writes: &["web-green desired=4", "rule 20/80", "production 20/80", "HTTPS 20/80"],
};

/// Scale-in is suspended, users pass through a step, and the winner scales in again.
const SCALED: Story = Story {
    name: "steps of colors that scale automatically",
    traffic: "green",
    inputs: &[("steps", "20"), ("bake-time", "100ms"), ("settle", "100ms")],
    autoscaled: true,
    writes: &[
        "web-blue scale-in off",
        "web-green scale-in off",
        "rule 80/20",
        "production 80/20",
        "HTTPS 80/20",
        // Five tasks of blue carry 80 %: six and a quarter carry all.
        "web-green desired=7",
        "rule 0/100",
        "production 0/100",
        "HTTPS 0/100",
        "web-green scale-in on",
    ],
};

/// What invariant 7 compares: weights, counts, suspended scale-in.
type End = (Vec<String>, (u32, u32), Option<(bool, bool)>);

impl Story {
    /// A testbed of its own for one case: three production rules, five tasks of blue, two of green.
    fn stage(&self) -> (Testbed, Sample) {
        let (bed, sample) = stack();
        second_listener(&bed, &sample, 100, 0);
        path_rule(&bed, &sample, 100, 0);
        if self.autoscaled {
            sample::autoscaled(&bed, 1, 10).expect("it scales");
        }
        scaled(&bed, "web-blue", 5);
        (bed, sample)
    }

    /// The run.
    fn action(&self, bed: &Testbed) -> Action {
        redirect_with(bed, self.traffic, self.inputs)
    }

    /// What stands at the end.
    fn end(&self, bed: &Testbed, sample: &Sample) -> End {
        steady(bed, "web-green");
        (splits(bed, sample), counts(bed), self.autoscaled.then(|| suspended(bed)))
    }

    /// One undisturbed run: what it leaves, and its calls.
    fn undisturbed(&self) -> (End, Vec<Call>) {
        let (bed, sample) = self.stage();
        self.action(&bed).run().expect(0, "succeeded", "", "changed");
        assert_eq!(moves(&bed, &sample), self.writes, "{}", self.name);
        assert_eq!(bed.violations(), []);
        let calls = bed.calls();
        (self.end(&bed, &sample), calls)
    }

    /// Kills one run, runs again, and compares. False: the run ended before.
    fn case(&self, kill: &Kill, expected: &End) -> bool {
        let (bed, sample) = self.stage();
        if killed(&bed, self.action(&bed), kill).is_none() {
            return false;
        }
        let what = format!("{}, {kill:?}", self.name);
        assert_eq!(bed.violations(), [], "{what}");
        let again = self.action(&bed).run();
        assert!(
            ["succeeded", "unchanged"].contains(&again.output("result")) && again.code == 0,
            "{what}:\n{}",
            again.log
        );
        assert_eq!(self.end(&bed, &sample), *expected, "{what}:\n{}", again.log);
        assert_eq!(bed.violations(), [], "{what}");
        true
    }

    /// Kills before and after every call.
    fn at_every_call(&self) {
        let (expected, calls) = self.undisturbed();
        at_every_call(self.name, &calls, |kill| self.case(kill, &expected));
    }
}

#[test]
fn invariant_07_three_rules_killed_at_any_call_converge() {
    RULES.at_every_call();
}

#[test]
fn invariant_07_steps_of_scaled_colors_killed_at_any_call_converge() {
    SCALED.at_every_call();
}
