//! Rules of composite alarms: `ALARM("x") AND NOT (OK(y) OR INSUFFICIENT_DATA(z))`, `TRUE`, `FALSE`.

use super::alarm::State;

/// A parsed rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rule {
    /// True if the alarm with this name, or ARN, is in this state.
    Is(State, String),
    /// Both.
    And(Box<Rule>, Box<Rule>),
    /// Either.
    Or(Box<Rule>, Box<Rule>),
    /// The opposite.
    Not(Box<Rule>),
    /// `TRUE` or `FALSE`.
    Constant(bool),
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors The mistake, for a person.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text };
        let rule = parser.or()?;
        match parser.rest.trim() {
            "" => Ok(rule),
            rest => Err(format!("unexpected {rest}")),
        }
    }

    /// True if the rule holds; `is` answers if an alarm is in a state.
    pub(super) fn holds(&self, is: &dyn Fn(&str, State) -> bool) -> bool {
        match self {
            Self::Is(state, alarm) => is(alarm, *state),
            Self::And(left, right) => left.holds(is) && right.holds(is),
            Self::Or(left, right) => left.holds(is) || right.holds(is),
            Self::Not(inner) => !inner.holds(is),
            Self::Constant(value) => *value,
        }
    }

    /// The alarms in the rule.
    pub(super) fn alarms(&self) -> Vec<&str> {
        match self {
            Self::Is(_, alarm) => vec![alarm],
            Self::And(left, right) | Self::Or(left, right) => [left.alarms(), right.alarms()].concat(),
            Self::Not(inner) => inner.alarms(),
            Self::Constant(_) => Vec::new(),
        }
    }
}

/// The name in an ARN of an alarm, or the name itself.
pub(super) fn name_of(alarm: &str) -> &str {
    alarm.split_once(":alarm:").map_or(alarm, |(_, name)| name)
}

/// Reads a rule from left to right.
struct Parser<'a> {
    /// The text still to read.
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// Takes a word or a sign, if next. A word ends at the first other character.
    fn takes(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.trim_start().strip_prefix(word) else { return false };
        let in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        if word.ends_with(in_word) && rest.starts_with(in_word) {
            return false;
        }
        self.rest = rest;
        true
    }

    /// Takes a sign, which must be next.
    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(format!("expected {sign} before '{}'", self.rest.trim())) }
    }

    /// `… OR …`.
    fn or(&mut self) -> Result<Rule, String> {
        let mut left = self.and()?;
        while self.takes("OR") {
            left = Rule::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    /// `… AND …`, which binds closer than OR.
    fn and(&mut self) -> Result<Rule, String> {
        let mut left = self.single()?;
        while self.takes("AND") {
            left = Rule::And(Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    /// A state, a constant, a negation, or something in parentheses.
    fn single(&mut self) -> Result<Rule, String> {
        if self.takes("NOT") {
            return Ok(Rule::Not(Box::new(self.single()?)));
        }
        if self.takes("(") {
            let inner = self.or()?;
            self.expect(")")?;
            return Ok(inner);
        }
        for (word, value) in [("TRUE", true), ("FALSE", false)] {
            if self.takes(word) {
                return Ok(Rule::Constant(value));
            }
        }
        for state in State::ALL {
            if self.takes(state.name()) {
                self.expect("(")?;
                let alarm = self.alarm()?;
                self.expect(")")?;
                return Ok(Rule::Is(state, alarm));
            }
        }
        Err(format!("unexpected '{}'", self.rest.trim()))
    }

    /// A name or an ARN, in quotes or, if possible, without.
    fn alarm(&mut self) -> Result<String, String> {
        let rest: &'a str = self.rest.trim_start();
        let (name, rest) = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                rest[1..].split_once(quote).ok_or_else(|| "a name's quote does not end".to_owned())?
            }
            _ => rest.split_at(rest.find([')', ' ']).unwrap_or(rest.len())),
        };
        self.rest = rest;
        if name.is_empty() { Err("an alarm has no name".to_owned()) } else { Ok(name.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a rule holds when `a` is in ALARM, `b` is OK, `c x` has no data.
    fn holds(text: &str) -> bool {
        let states = [("a", State::Alarm), ("b", State::Ok), ("c x", State::InsufficientData)];
        Rule::parse(text).unwrap().holds(&|alarm, state| states.contains(&(name_of(alarm), state)))
    }

    #[test]
    fn rules_are_worked_out() {
        for text in [
            "ALARM(a)",
            "ALARM(\"a\") AND OK('b')",
            "NOT ALARM(b) AND INSUFFICIENT_DATA(\"c x\")",
            "FALSE OR (ALARM(arn:aws:cloudwatch:eu-west-1:1:alarm:a) AND NOT FALSE)",
            "ALARM(b) AND ALARM(b) OR TRUE",
        ] {
            assert!(holds(text), "{text}");
        }
        assert!(!holds("ALARM(b) OR NOT (ALARM(a) OR OK(a))"));
        assert_eq!(Rule::parse("ALARM(a) OR NOT OK(\"b\")").unwrap().alarms(), ["a", "b"]);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "ALARM", "ALARM()", "ALARM(a", "ALARM(\"a)", "ALARM(a) XOR OK(b)", "ALARMS(a)", "(ALARM(a)"]
        {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
    }
}
