//! What users read, for every case.

mod causes;
mod doctor;
mod failures;
mod promote;
mod refusals;
mod sign_in;
mod steps;
mod traffic;

use crate::failure::Failure;

/// A failure as it is read: reason, what, hint.
fn read(failure: &Failure) -> String {
    format!("[{}] {}\n{}\n", failure.reason, failure.what, failure.hint)
}
