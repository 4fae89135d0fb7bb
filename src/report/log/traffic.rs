//! The plan of a change of traffic: changes, needs and steps.

use crate::plan::traffic::TrafficPlan;
use crate::report::line::{Level, Line};
use crate::report::words;

/// The lines of the plan.
pub(super) fn plan_lines(traffic_plan: &TrafficPlan) -> Vec<Line> {
    let mut lines: Vec<Line> = traffic_plan
        .rules
        .iter()
        .flat_map(|rule| Line::foreign(Level::Plain, &words::render_rule(rule, traffic_plan)))
        .collect();
    lines.extend(Line::foreign(Level::Plain, &words::render_versions(traffic_plan)));
    lines.extend(Line::foreign(Level::Plain, &words::render_load(traffic_plan.load)));
    for capacity in &traffic_plan.capacity {
        let needs = traffic_plan.need(capacity.color).unwrap_or(capacity.needed);
        let level = if capacity.healthy < needs { Level::Warn } else { Level::Plain };
        lines.push(Line::own(level, format!("  {}", words::render_capacity(capacity, needs))));
    }
    for text in
        [words::scaled_first(traffic_plan), words::render_bake_steps(traffic_plan)].into_iter().flatten()
    {
        lines.extend(Line::foreign(Level::Plain, &text));
    }
    lines.extend(Line::foreign(
        Level::Warn,
        &words::render_silent_alarms(&traffic_plan.no_data).unwrap_or_default(),
    ));
    lines.extend(Line::foreign(Level::Plain, &words::render_stickiness(traffic_plan).unwrap_or_default()));
    lines.extend(step_lines(traffic_plan));
    lines.push(Line::own(Level::Plain, words::job_time(traffic_plan.longest)));
    lines
}

/// The steps, numbered.
fn step_lines(traffic_plan: &TrafficPlan) -> Vec<Line> {
    if traffic_plan.steps.is_empty() {
        return vec![Line::own(Level::Plain, words::no_steps(traffic_plan))];
    }
    let one = |(at, step)| Line::foreign(Level::Plain, &format!("{}. {}", at + 1, words::render_step(step)));
    let hidden = words::hidden_steps(traffic_plan.steps.len());
    let numbered = || traffic_plan.steps.iter().enumerate();
    let mut lines: Vec<Line> = numbered().take(hidden.start).flat_map(one).collect();
    if !hidden.is_empty() {
        lines.push(Line::own(Level::Dim, words::more_steps(&hidden)));
    }
    lines.extend(numbered().skip(hidden.end).flat_map(one));
    lines
}
