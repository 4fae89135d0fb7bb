//! Metric math: `+ - * /`, parentheses, `MAX`, `MIN`, `SUM` and `AVG` over several metrics, `METRICS()`, `FILL`.

use std::iter::Peekable;
use std::str::Chars;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// A constant.
    Number(f64),
    /// Another query, by its id.
    Id(String),
    /// Arithmetic; missing if either side is missing.
    Arithmetic(Box<Expression>, char, Box<Expression>),
    /// A function over several series, which ignores missing values.
    Reduce(Reduction, Vec<Expression>),
    /// `METRICS()`, or only the metrics with this text in their id.
    Metrics(String),
    /// `FILL(series, number)`.
    Fill(Box<Expression>, f64),
}

/// The reduction of several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reduction {
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The sum.
    Sum,
    /// The mean.
    Avg,
}

impl Reduction {
    /// The function's name.
    fn parse(name: &str) -> Option<Self> {
        match name {
            "MAX" => Some(Self::Max),
            "MIN" => Some(Self::Min),
            "SUM" => Some(Self::Sum),
            "AVG" => Some(Self::Avg),
            _ => None,
        }
    }

    /// The result for the existing values; none without values.
    fn apply(self, values: &[f64]) -> Option<f64> {
        let count = u32::try_from(values.len()).ok().filter(|count| *count > 0)?;
        match self {
            Self::Max => values.iter().copied().reduce(f64::max),
            Self::Min => values.iter().copied().reduce(f64::min),
            Self::Sum => Some(values.iter().sum()),
            Self::Avg => Some(values.iter().sum::<f64>() / f64::from(count)),
        }
    }
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors The mistake, for a person.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text.chars().peekable() };
        let parsed = parser.sum()?;
        match parser.next() {
            None => Ok(parsed),
            Some(letter) => Err(format!("unexpected '{letter}'")),
        }
    }

    /// The named ids, with repetitions.
    pub(super) fn ids(&self) -> Vec<&str> {
        match self {
            Self::Number(_) | Self::Metrics(_) => Vec::new(),
            Self::Id(id) => vec![id],
            Self::Arithmetic(left, _, right) => [left.ids(), right.ids()].concat(),
            Self::Reduce(_, parts) => parts.iter().flat_map(Self::ids).collect(),
            Self::Fill(inner, _) => inner.ids(),
        }
    }

    /// The value for one period. `of` gives another query's value, `metrics` the ids and values of all metrics.
    pub(super) fn value(
        &self,
        of: &dyn Fn(&str) -> Option<f64>,
        metrics: &[(&str, Option<f64>)],
    ) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Id(id) => of(id),
            Self::Fill(inner, number) => inner.value(of, metrics).or(Some(*number)),
            Self::Metrics(_) => None,
            Self::Arithmetic(left, operator, right) => {
                let (left, right) = (left.value(of, metrics)?, right.value(of, metrics)?);
                match operator {
                    '+' => Some(left + right),
                    '-' => Some(left - right),
                    '*' => Some(left * right),
                    // A division by zero gives no datapoint.
                    _ => Some(left / right).filter(|value| value.is_finite()),
                }
            }
            Self::Reduce(reduction, parts) => {
                let mut values = Vec::new();
                for part in parts {
                    match part {
                        Self::Metrics(filter) => {
                            let named = metrics.iter().filter(|(id, _)| id.contains(filter.as_str()));
                            values.extend(named.filter_map(|(_, value)| *value));
                        }
                        part => values.extend(part.value(of, metrics)),
                    }
                }
                reduction.apply(&values)
            }
        }
    }
}

/// Reads an expression from left to right.
struct Parser<'a> {
    /// The text still to read.
    rest: Peekable<Chars<'a>>,
}

impl Parser<'_> {
    /// The next character that is not a space, without taking it.
    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|letter| letter.is_whitespace()).is_some() {}
        self.rest.peek().copied()
    }

    /// Takes the next character that is not a space.
    fn next(&mut self) -> Option<char> {
        self.peek()?;
        self.rest.next()
    }

    /// Takes this character, which must be next.
    fn expect(&mut self, wanted: char) -> Result<(), String> {
        match self.next() {
            Some(letter) if letter == wanted => Ok(()),
            Some(letter) => Err(format!("expected '{wanted}', found '{letter}'")),
            None => Err(format!("expected '{wanted}' at the end")),
        }
    }

    /// Products, added and subtracted.
    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.product()?;
        while let Some(operator @ ('+' | '-')) = self.peek() {
            self.next();
            left = Expression::Arithmetic(Box::new(left), operator, Box::new(self.product()?));
        }
        Ok(left)
    }

    /// Single parts, multiplied and divided.
    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.single()?;
        while let Some(operator @ ('*' | '/')) = self.peek() {
            self.next();
            left = Expression::Arithmetic(Box::new(left), operator, Box::new(self.single()?));
        }
        Ok(left)
    }

    /// A number, an id, a function, or something in parentheses.
    fn single(&mut self) -> Result<Expression, String> {
        match self.peek() {
            Some('(') => {
                self.next();
                let inner = self.sum()?;
                self.expect(')')?;
                Ok(inner)
            }
            Some('-') => {
                self.next();
                let inner = self.single()?;
                Ok(Expression::Arithmetic(Box::new(Expression::Number(-1.0)), '*', Box::new(inner)))
            }
            Some(digit) if digit.is_ascii_digit() => {
                let text = self.word(|letter| letter.is_ascii_digit() || letter == '.');
                text.parse().map(Expression::Number).map_err(|_| format!("'{text}' is not a number"))
            }
            Some(letter) if letter.is_ascii_alphabetic() => {
                let word = self.word(|letter| letter.is_ascii_alphanumeric() || letter == '_');
                if self.peek() == Some('(') { self.function(&word) } else { Ok(Expression::Id(word)) }
            }
            Some(letter) => Err(format!("unexpected '{letter}'")),
            None => Err("it ends too early".to_owned()),
        }
    }

    /// The longest run of fitting characters.
    fn word(&mut self, fits: impl Fn(char) -> bool) -> String {
        let mut word = String::new();
        while let Some(letter) = self.rest.next_if(|letter| fits(*letter)) {
            word.push(letter);
        }
        word
    }

    /// A function's arguments, with the parentheses.
    fn function(&mut self, name: &str) -> Result<Expression, String> {
        self.expect('(')?;
        let parsed = match (Reduction::parse(name), name) {
            (Some(reduction), _) => Expression::Reduce(reduction, self.series()?),
            (None, "METRICS") => Expression::Metrics(self.filter()?),
            (None, "FILL") => {
                let inner = self.sum()?;
                self.expect(',')?;
                match self.sum()? {
                    Expression::Number(number) => Expression::Fill(Box::new(inner), number),
                    _ => return Err("FILL takes a number".to_owned()),
                }
            }
            (None, _) => return Err(format!("the function {name} is not supported")),
        };
        self.expect(')')?;
        Ok(parsed)
    }

    /// `METRICS()` or `[m1, m2]`. A function of one series has a value over all time, which is not imitated.
    fn series(&mut self) -> Result<Vec<Expression>, String> {
        if self.peek() != Some('[') {
            return match self.sum()? {
                Expression::Metrics(filter) => Ok(vec![Expression::Metrics(filter)]),
                _ => Err("a function of a single series is not supported".to_owned()),
            };
        }
        self.next();
        let mut parts = vec![self.sum()?];
        while self.peek() == Some(',') {
            self.next();
            parts.push(self.sum()?);
        }
        self.expect(']')?;
        Ok(parts)
    }

    /// The text that ids must contain; empty if there is none.
    fn filter(&mut self) -> Result<String, String> {
        let Some(quote @ ('"' | '\'')) = self.peek() else { return Ok(String::new()) };
        self.next();
        let text = self.word(|letter| letter != quote);
        self.expect(quote)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value with m1 = 4, m2 = 10, m3 missing.
    fn value(text: &str) -> Option<f64> {
        let metrics = [("m1", Some(4.0)), ("m2", Some(10.0)), ("m3", None)];
        let of = |id: &str| metrics.iter().find(|(known, _)| *known == id).and_then(|(_, value)| *value);
        Expression::parse(text).unwrap().value(&of, &metrics)
    }

    #[test]
    fn expressions_are_worked_out() {
        for (text, wanted) in [
            ("m1 + m2 * 2", Some(24.0)),
            ("(m1+m2)/2", Some(7.0)),
            ("-m1 - 1", Some(-5.0)),
            ("m1 + m3", None),
            ("m1 / 0", None),
            ("MAX(METRICS())", Some(10.0)),
            ("MIN(METRICS(\"m1\"))", Some(4.0)),
            ("SUM([m1, m3, m2*2])", Some(24.0)),
            ("AVG([m1,m2])", Some(7.0)),
            ("MAX([m3])", None),
            ("FILL(m3, 0) + FILL(m1,0)", Some(4.0)),
        ] {
            assert_eq!(value(text), wanted, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "m1 +", "m1 m2", "MAX(m1)", "RATE(m1)", "FILL(m1, m2)", "MAX([m1", "(m1", "1.2.3", "m1 & m2"]
        {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
        assert_eq!(Expression::parse("MAX([m1,m2])-e1").unwrap().ids(), ["m1", "m2", "e1"]);
    }
}
