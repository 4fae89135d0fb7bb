//! Policies and alarms that AWS stores in another form than they were written.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::plan::operation::TrafficOperation;

/// Changes the content of every policy and alarm as AWS stores it.
type Form = fn(&mut Value);

/// How often each policy and alarm is written on the way to half of the users at each color, and how the run ends.
fn written(form: Form) -> (BTreeMap<String, u32>, Next) {
    let goal = wish(managed(goal(50, 50)), |wish| wish.settle = Duration::ZERO);
    let (mut seen, mut times) = (unarmed(), BTreeMap::new());
    let mut moving = TrafficOperation { goal: &goal, run: Run::begin(at(0)) };
    for second in 0..600 {
        let (read, now) = (Ok(seen.clone()), at(second));
        match moving.decide(&read, now) {
            Next::Step(step) => {
                moving.before(&step, &seen);
                moving.run.answered(&step, &Ok(Answer::Changed), moving.goal, now);
                crate::plan::traffic::predict::predict_step(&mut seen, &step);
                if let Step::Policy(put) | Step::Alarm(put) = &step {
                    *times.entry(armed(std::slice::from_ref(&put.name)).remove(0)).or_default() += 1;
                    let scalers = service(&mut seen, put.color).scalers.as_mut().unwrap().as_mut().unwrap();
                    scalers.policies.iter_mut().for_each(|policy| form(&mut policy.content));
                    scalers.alarms.iter_mut().for_each(|alarm| form(&mut alarm.content));
                }
            }
            Next::Wait(_) | Next::Read(_) => {}
            end => return (times, end),
        }
    }
    panic!("no end: {times:?}")
}

#[test]
fn invariant_40_another_form_that_aws_keeps_is_taken_after_one_write() {
    let forms: [Form; 3] = [
        |content| content["EvaluateLowSampleCountPercentile"] = json!("evaluate"),
        |content| drop(content.as_object_mut().unwrap().remove("MinAdjustmentMagnitude")),
        |content| {
            let missing = content.get_mut("TreatMissingData");
            missing.into_iter().for_each(|word| *word = json!("NOTBREACHING"));
        },
    ];
    for form in forms {
        let (times, end) = written(form);
        assert!(matches!(end, Next::Done(End::Good { changed: true, .. })), "{end:?}");
        assert_eq!(times.len(), 10, "two policies and three alarms of each color: {times:?}");
        assert!(times.values().all(|times| *times == 1), "{times:?}");
    }
}

#[test]
fn invariant_40_another_content_is_written_five_times_and_never_taken() {
    let forms: [Form; 5] = [
        |content| content["ActionsEnabled"] = json!(false),
        |content| content["AlarmActions"] = json!([]),
        |content| content["Threshold"] = json!(99),
        |content| drop(content.as_object_mut().unwrap().remove("TreatMissingData")),
        |content| content["OKActions"] = json!(["arn:aws:sns:eu-west-1:123456789012:page"]),
    ];
    for form in forms {
        let (times, end) = written(form);
        let Next::Restore(RunFailure::Repeated(unkept), _) = end else { panic!("{end:?}") };
        assert_eq!((unkept.times, times.values().max()), (5, Some(&5)), "{times:?}");
    }
}
