//! The kinds of value in inputs and the config file. Each function reads a value, or returns a sentence with the
//! problem and the allowed values.

use std::time::Duration;

use crate::plan::arn::Arn;
use crate::plan::suggestion::nearest_word;
use crate::plan::wanted::{ListenerChoice, Protocol};

/// A user's value in a message: one line, at most 80 characters, in backticks.
pub(crate) fn quote_value(value: &str) -> String {
    let mut plain: String =
        value.chars().map(|c| if c.is_control() || c == '`' { ' ' } else { c }).take(80).collect();
    if value.chars().count() > 80 {
        plain.push('…');
    }
    format!("`{plain}`")
}

/// Most words in the list of a message.
const MOST_LISTED: usize = 50;

/// The words, each in backticks, with commas; the first 50 of many.
pub(crate) fn list_values<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words = words.into_iter();
    let first: Vec<String> = words.by_ref().take(MOST_LISTED).map(|word| format!("`{word}`")).collect();
    let more = words.count();
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    first.join(", ") + &more
}

/// Message for a word that is not allowed.
pub(crate) fn not_one_of(value: &str, allowed: &[&str]) -> String {
    let suggestion = nearest_word(value, allowed.iter().copied());
    let suggestion = suggestion.map_or(String::new(), |suggestion| format!("; did you mean `{suggestion}`?"));
    format!("{} is not one of {}{suggestion}", quote_value(value), list_values(allowed.iter().copied()))
}

/// The meaning of a word from a list.
pub(crate) fn one_of<T: Copy>(value: &str, allowed: &[(&str, T)]) -> Result<T, String> {
    let found = allowed.iter().find(|(word, _)| *word == value);
    found
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| not_one_of(value, &allowed.iter().map(|(word, _)| *word).collect::<Vec<_>>()))
}

/// A boolean by the rules of GitHub's own toolkit (YAML 1.2's core schema).
pub(crate) fn parse_boolean(value: &str) -> Result<bool, String> {
    match value {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        other => Err(format!("{} is not a boolean: write `true` or `false`", quote_value(other))),
    }
}

/// The name of a workflow's file in `.github/workflows`, fit for a command line.
pub(crate) fn workflow_file(value: &str) -> Result<String, String> {
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let named = [".yml", ".yaml"].iter().any(|end| value.len() > end.len() && value.ends_with(end));
    if plain && named && !value.starts_with('-') {
        return Ok(value.to_owned());
    }
    Err(format!(
        "{} is not the name of a workflow's file, such as `redirect-traffic.yml`",
        quote_value(value)
    ))
}

/// The units of a duration, largest first, in milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A duration: whole numbers with `h`, `m`, `s` or `ms`, largest unit first, each unit once.
pub(crate) fn parse_duration(value: &str) -> Result<Duration, String> {
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "{0} has no unit: write `{1}s` for seconds or `{1}m` for minutes",
            quote_value(value),
            value
        ));
    }
    parse_milliseconds(value).map(Duration::from_millis).ok_or_else(|| {
        format!("{} is not a duration: write it like `300ms`, `90s`, `5m` or `1h30m`", quote_value(value))
    })
}

/// The sum of a duration's parts.
fn parse_milliseconds(value: &str) -> Option<u64> {
    let mut rest = value;
    let mut units = UNITS.as_slice();
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let at = units.iter().position(|(name, _)| *name == unit)?;
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(units[at].1)?)?;
        units = &units[at + 1..];
        rest = tail;
    }
    (!value.is_empty()).then_some(sum)
}

/// A duration in the format of [`parse_duration`], to the millisecond.
pub(crate) fn show_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut text = String::new();
    for (name, size) in UNITS {
        let count = rest / u128::from(size);
        rest %= u128::from(size);
        if count > 0 {
            text.push_str(&format!("{count}{name}"));
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A duration within bounds, both included.
pub(crate) fn duration_within(value: &str, low: Duration, high: Duration) -> Result<Duration, String> {
    let found = parse_duration(value)?;
    if (low..=high).contains(&found) {
        return Ok(found);
    }
    Err(format!("{} is out of range: {} to {}", quote_value(value), show_duration(low), show_duration(high)))
}

/// Whole minutes, 1 to 60: ECS's metrics have a value per minute.
pub(crate) fn parse_minutes(value: &str) -> Result<Duration, String> {
    let found = duration_within(value, Duration::from_secs(60), Duration::from_secs(3600))?;
    if found.as_millis() % 60_000 == 0 {
        return Ok(found);
    }
    Err(format!("{} is not a number of whole minutes, such as `15m`", quote_value(value)))
}

/// The numbers of AWS accounts, separated by commas or white space; none twice.
pub(crate) fn account_ids(value: &str) -> Result<Vec<String>, String> {
    let mut ids: Vec<String> = Vec::new();
    for id in value.split([',', ' ', '\t', '\r', '\n']).filter(|id| !id.is_empty()) {
        if id.len() != 12 || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!(
                "{} is not an account id: write 12 digits, several with commas",
                quote_value(id)
            ));
        }
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }
    if ids.is_empty() {
        Err("holds no account id: write 12 digits, several with commas".to_owned())
    } else {
        Ok(ids)
    }
}

/// A region by its shape: `eu-west-1`, `us-gov-east-1`. Only AWS knows the existing regions.
pub(crate) fn parse_region(value: &str) -> Result<String, String> {
    if is_region(value) {
        return Ok(value.to_owned());
    }
    match value.strip_suffix(|c: char| c.is_ascii_lowercase()) {
        Some(region) if is_region(region) => {
            Err(format!("{} is an availability zone: its region is `{region}`", quote_value(value)))
        }
        Some(_) | None => Err(format!("{} is not a region: write it like `eu-west-1`", quote_value(value))),
    }
}

/// True for letters, then words of letters, then a number.
fn is_region(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let [first, words @ .., number] = parts.as_slice() else { return false };
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let counted = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    first.len() == 2 && letters(first) && !words.is_empty() && words.iter().all(letters) && counted
}

/// A host name, in small letters: up to 253 characters in labels of letters, digits and hyphens. The last label begins
/// with a letter, so the name is no IP address (RFC 1123, section 2.1).
pub(crate) fn parse_host(value: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (1..=63).contains(&label.len()) && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = value.rsplit('.').next().unwrap_or_default();
    let is_name = value.len() <= 253 && value.split('.').all(is_label);
    if is_name && last.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(value.to_ascii_lowercase());
    }
    Err(format!(
        "{} is not a host name: write the name alone, such as `green.example.com`, without scheme, port, path or `*`",
        quote_value(value)
    ))
}

/// The name or ARN of an ECS cluster.
pub(crate) fn parse_cluster(value: &str) -> Result<String, String> {
    name_or_arn(value, "cluster")
}

/// The name or ARN of an ECS service.
pub(crate) fn parse_service(value: &str) -> Result<String, String> {
    name_or_arn(value, "service")
}

/// True for up to 255 letters, digits, hyphens and underscores: ECS's rule for clusters, services, families and
/// containers.
pub(crate) fn is_ecs_name(value: &str) -> bool {
    (1..=255).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// An ECS name, or an ECS ARN of this kind of resource.
fn name_or_arn(value: &str, kind: &str) -> Result<String, String> {
    if is_ecs_name(value) {
        return Ok(value.to_owned());
    }
    if !Arn::looks_like(value) {
        return Err(format!(
            "{} is neither a {kind} name (letters, digits, `-`, `_`) nor an ARN",
            quote_value(value)
        ));
    }
    match Arn::parse(value) {
        Some(arn) if arn.service == "ecs" && arn.kind() == kind => match names_of(arn.resource) {
            Some(_) => Ok(value.to_owned()),
            None => Err(format!("{} is not a complete ARN", quote_value(value))),
        },
        Some(arn) => {
            Err(format!("{} names {} `{}`, not an ECS {kind}", quote_value(value), arn.service, arn.kind()))
        }
        None => Err(format!("{} is not a complete ARN", quote_value(value))),
    }
}

/// The names in `cluster/NAME`, `service/CLUSTER/NAME` or the old form `service/NAME`.
fn names_of(resource: &str) -> Option<Vec<&str>> {
    let (kind, names) = resource.split_once('/')?;
    let names: Vec<&str> = names.split('/').collect();
    let fits = names.len() == 1 || (names.len() == 2 && kind == "service");
    (fits && names.iter().all(|name| is_ecs_name(name))).then_some(names)
}

/// The name or ARN of a CloudWatch alarm, metric or composite. A name has 1 to 255 characters, spaces too, and no ASCII
/// control characters (PutMetricAlarm).
pub(crate) fn parse_alarm(value: &str) -> Result<String, String> {
    let name = if Arn::looks_like(value) {
        alarm_name(value)
            .ok_or_else(|| format!("{} is not the ARN of a CloudWatch alarm", quote_value(value)))?
    } else {
        value
    };
    if (1..=255).contains(&name.chars().count()) && !name.contains(|c: char| c.is_ascii_control()) {
        return Ok(value.to_owned());
    }
    Err(format!(
        "{} is not the name of an alarm: it has 1 to 255 characters, none of them a control character",
        quote_value(value)
    ))
}

/// The name in `arn:…:cloudwatch:REGION:ACCOUNT:alarm:NAME`.
pub(crate) fn alarm_name(arn: &str) -> Option<&str> {
    let name = arn.splitn(7, ':').nth(6)?;
    let head = Arn::parse(arn.strip_suffix(name)?)?;
    (head.service == "cloudwatch" && head.resource == "alarm:").then_some(name)
}

/// A listener: an ARN, a port, or a protocol and a port.
pub(crate) fn parse_listener(value: &str) -> Result<ListenerChoice, String> {
    if Arn::looks_like(value) {
        return listener_arn(value);
    }
    let (protocol, port) = match value.split_once(':') {
        None => (None, value),
        Some((word, port)) => (Some(parse_protocol(word)?), port),
    };
    match port.parse::<u16>() {
        Ok(number) if number > 0 && port.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(ListenerChoice::Port { protocol, port: number })
        }
        Ok(_) | Err(_) => {
            Err(format!("{} is not a listener: write an ARN, `443` or `HTTPS:443`", quote_value(value)))
        }
    }
}

/// The ARN of an Application Load Balancer's listener.
fn listener_arn(value: &str) -> Result<ListenerChoice, String> {
    match Arn::parse(value) {
        Some(arn) if arn.service == "elasticloadbalancing" && arn.resource.starts_with("listener/app/") => {
            Ok(ListenerChoice::Arn(value.to_owned()))
        }
        Some(arn) if arn.kind() == "listener-rule" => {
            Err(format!("{} is the ARN of a rule: give that of its listener", quote_value(value)))
        }
        Some(arn) if arn.kind() == "listener" => {
            Err(format!("{} is not a listener of an Application Load Balancer", quote_value(value)))
        }
        Some(arn) => {
            Err(format!("{} names {} `{}`, not a listener", quote_value(value), arn.service, arn.kind()))
        }
        None => Err(format!("{} is not a complete ARN", quote_value(value))),
    }
}

/// The protocol of a listener, in any case.
fn parse_protocol(word: &str) -> Result<Protocol, String> {
    let known = [Protocol::Http, Protocol::Https];
    known.into_iter().find(|protocol| protocol.word().eq_ignore_ascii_case(word)).ok_or_else(|| {
        format!(
            "{} is not a protocol of an Application Load Balancer's listener: write `HTTP` or `HTTPS`",
            quote_value(word)
        )
    })
}

#[cfg(test)]
#[path = "kinds_tests.rs"]
mod tests;
