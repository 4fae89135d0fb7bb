//! The output of `record`: facts first, then each call whose answers have another shape.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::facts::{Fact, READ, Verdict};
use super::walk::Record;
use super::writes::WRITTEN;
use super::{Shapes, shapes};

/// Prints the comparison; returns false if a fact differs or a field has another kind.
///
/// # Errors If standard output is closed.
pub(super) fn report(theirs: &Record<'_>, ours: &Record<'_>, written: bool) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} calls to {}, {} to the testbed",
        theirs.calls.len(),
        theirs.endpoint.region(),
        ours.calls.len()
    )?;
    writeln!(out, "\nFacts (AWS | testbed)")?;
    let mut differing = 0;
    for fact in READ.iter().chain(WRITTEN.iter().filter(|_| written)) {
        let [user, own] = [verdict(fact, theirs), verdict(fact, ours)];
        differing += usize::from(user.starts_with("DIFFERS"));
        writeln!(out, "  {}: {user} | {own}", fact.sentence)?;
    }
    writeln!(out, "\nAnswers (AWS | testbed)")?;
    let kinds = compare(&mut out, &shapes(theirs), &shapes(ours))?;
    writeln!(out, "\n{differing} facts differ, {kinds} fields are of another kind")?;
    Ok(differing == 0 && kinds == 0)
}

/// A verdict in words.
fn verdict(fact: &Fact, record: &Record<'_>) -> String {
    match (fact.check)(record) {
        Verdict::Holds => "holds".to_owned(),
        Verdict::Differs(answer) => format!("DIFFERS, {answer}"),
        Verdict::Unseen(needs) => format!("not seen, needs {needs}"),
    }
}

/// Prints the differences between the answers' shapes; returns the number of fields of another kind.
fn compare(out: &mut impl Write, theirs: &Shapes, ours: &Shapes) -> io::Result<usize> {
    let mut kinds = 0;
    for (call, shape) in theirs {
        let Some(own) = ours.get(call) else {
            writeln!(out, "  {call}: the testbed did not answer so")?;
            continue;
        };
        let difference = shape.difference(own);
        kinds += difference.kinds.len();
        for (what, fields) in [
            ("ANOTHER KIND", &difference.kinds),
            ("only in AWS", &difference.first),
            ("only in the testbed", &difference.second),
        ] {
            if !fields.is_empty() {
                writeln!(out, "  {call}: {what}: {}", fields.join(", "))?;
            }
        }
    }
    for call in ours.keys().filter(|call| !theirs.contains_key(*call)) {
        writeln!(out, "  {call}: AWS did not answer so")?;
    }
    Ok(kinds)
}

/// The shapes as JSON: names of fields and kinds, no values.
pub(super) fn fields(shapes: &Shapes) -> Value {
    let shape = |shape: &super::Shape| {
        shape.0.iter().map(|(path, kinds)| (path.clone(), kinds.iter().copied().collect())).collect()
    };
    Value::Object(
        shapes.iter().map(|(call, one)| (call.clone(), Value::Object(shape(one)))).collect::<Map<_, _>>(),
    )
}
