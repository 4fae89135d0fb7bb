//! GitHub's expressions, as far as workflows here use them: names, texts, `.*`, `==`, `!=`, `!`, `&&`, `||`, parentheses,
//! and the functions `contains` and `format`. <https://docs.github.com/en/actions/reference/evaluate-expressions>

use serde_json::{Value, json};

/// A text with every `${{ … }}` replaced by its value.
pub(crate) fn filled(text: &str, contexts: &Value) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (inner, after) = after.split_once("}}").unwrap_or_else(|| panic!("no end of ${{{{ in {text}"));
        out.push_str(before);
        out.push_str(&shown(&evaluated(inner, contexts)));
        rest = after;
    }
    out + rest
}

/// The value of an expression.
pub(crate) fn evaluated(expression: &str, contexts: &Value) -> Value {
    let mut parser = Parser { tokens: tokens(expression), at: 0, contexts };
    let value = parser.any();
    assert_eq!(parser.at, parser.tokens.len(), "`{expression}` goes on");
    value
}

/// Whether GitHub takes a value for true.
pub(crate) fn is_true(value: &Value) -> bool {
    !(value.is_null() || *value == json!(false) || *value == json!("") || value.as_f64() == Some(0.0))
}

/// A value as text.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A name, such as `github`.
    Name(String),
    /// A text in single quotes.
    Text(String),
    /// An operator.
    Sign(&'static str),
}

/// The operators, longer ones first.
const SIGNS: [&str; 10] = ["==", "!=", "&&", "||", "!", "(", ")", ",", ".", "*"];

/// The parts of an expression.
fn tokens(expression: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = expression.trim();
    while !rest.is_empty() {
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let length = rest.find(|c| !name(c)).unwrap_or(rest.len());
        if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            found.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if let Some(text) = rest.strip_prefix('\'') {
            let (text, after) = text.split_once('\'').expect("the end of a text");
            assert!(!after.starts_with('\''), "a quote in a text is not known here: {expression}");
            found.push(Token::Text(text.to_owned()));
            rest = after;
        } else {
            assert!(length > 0, "`{rest}` in `{expression}`");
            found.push(Token::Name(rest[..length].to_owned()));
            rest = &rest[length..];
        }
        rest = rest.trim_start();
    }
    found
}

/// Reads an expression from left to right.
struct Parser<'a> {
    /// Its parts.
    tokens: Vec<Token>,
    /// The next of them.
    at: usize,
    /// `github`, `inputs`, `needs`, …
    contexts: &'a Value,
}

impl Parser<'_> {
    /// Takes an operator where it comes next.
    fn takes(&mut self, sign: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Sign(next)) if *next == sign);
        self.at += usize::from(is);
        is
    }

    /// `a || b`: the first that is true, else the last.
    fn any(&mut self) -> Value {
        let mut value = self.all();
        while self.takes("||") {
            let next = self.all();
            value = if is_true(&value) { value } else { next };
        }
        value
    }

    /// `a && b`: the first that is not true, else the last.
    fn all(&mut self) -> Value {
        let mut value = self.compared();
        while self.takes("&&") {
            let next = self.compared();
            value = if is_true(&value) { next } else { value };
        }
        value
    }

    /// `a == b` and `a != b`.
    fn compared(&mut self) -> Value {
        let value = self.single();
        if self.takes("==") {
            json!(same(&value, &self.single()))
        } else if self.takes("!=") {
            json!(!same(&value, &self.single()))
        } else {
            value
        }
    }

    /// A text, a name with what is behind its dots, a call, or what stands in parentheses.
    fn single(&mut self) -> Value {
        if self.takes("!") {
            return json!(!is_true(&self.single()));
        }
        if self.takes("(") {
            let value = self.any();
            assert!(self.takes(")"), "a `)`");
            return value;
        }
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        match token {
            Some(Token::Text(text)) => json!(text),
            Some(Token::Name(name)) if self.takes("(") => self.call(&name),
            Some(Token::Name(name)) => self.named(&name),
            other => panic!("{other:?} at {} in {:?}", self.at, self.tokens),
        }
    }

    /// `github.event.number`; nothing where there is no such thing. The context itself has to exist.
    fn named(&mut self, name: &str) -> Value {
        match name {
            "true" => return json!(true),
            "false" => return json!(false),
            _ => {}
        }
        let mut value = self.contexts.get(name).cloned().unwrap_or_else(|| panic!("no context `{name}`"));
        while self.takes(".") {
            if self.takes("*") {
                assert!(self.takes("."), "a name behind `.*.`");
                let Some(Token::Name(key)) = self.tokens.get(self.at) else { panic!("a name behind `.*.`") };
                value = value.as_array().into_iter().flatten().map(|item| item[key].clone()).collect();
            } else {
                let Some(Token::Name(key)) = self.tokens.get(self.at) else { panic!("a name behind `.`") };
                value = value.get(key).cloned().unwrap_or_default();
            }
            self.at += 1;
        }
        value
    }

    /// A function's value.
    fn call(&mut self, name: &str) -> Value {
        let mut given = vec![self.any()];
        while self.takes(",") {
            given.push(self.any());
        }
        assert!(self.takes(")"), "a `)`");
        match (name, given.as_slice()) {
            ("contains", [Value::Array(all), item]) => json!(all.iter().any(|one| same(one, item))),
            ("format", [form, rest @ ..]) => {
                let fill = |text: String, (at, value): (usize, &Value)| {
                    text.replace(&format!("{{{at}}}"), &shown(value))
                };
                json!(rest.iter().enumerate().fold(shown(form), fill))
            }
            other => panic!("the function {other:?} is not known here"),
        }
    }
}

/// Whether GitHub takes two values for equal: texts whatever their case, others as numbers where their kinds differ.
fn same(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Null => Some(0.0),
        Value::Bool(is) => Some(f64::from(u8::from(*is))),
        Value::String(text) if text.is_empty() => Some(0.0),
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    };
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
        _ => number(a).is_some_and(|a| number(b) == Some(a)),
    }
}
