//! What runs of the built binary need, and which operations they call.

use std::collections::BTreeSet;

use testbed::Testbed;
use testbed::iam::{Need, first_use};

use crate::common::needs::{action, needs};

/// What some runs did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// What their calls need, each once.
    pub(crate) needs: BTreeSet<Need>,
    /// The IAM actions of the operations that they called.
    pub(crate) operations: BTreeSet<String>,
}

impl Record {
    /// What was called of a testbed so far. What sets the stage is not recorded there.
    pub(crate) fn of(bed: &Testbed) -> Self {
        let calls = bed.calls();
        Self { needs: calls.iter().flat_map(needs).collect(), operations: calls.iter().map(action).collect() }
    }

    /// The same, where AWS made its service-linked role for it.
    pub(crate) fn of_first_use(bed: &Testbed) -> Self {
        let mut record = Self::of(bed);
        record.needs.insert(first_use());
        record
    }

    /// Both together.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.needs.extend(other.needs.iter().cloned());
        self.operations.extend(other.operations.iter().cloned());
        self
    }

    /// The resources of an action.
    pub(crate) fn resources(&self, action: &str) -> Vec<&str> {
        self.needs.iter().filter(|need| need.action == action).map(|need| need.resource.as_str()).collect()
    }
}

/// One or more runs on a testbed of their own, which end as they should.
pub(crate) type Run = fn() -> Record;

/// What all these runs need, two at the same time.
pub(crate) fn record(runs: &[Run]) -> Record {
    let mut all = Record::default();
    for two in runs.chunks(2) {
        std::thread::scope(|scope| {
            let begun: Vec<_> = two.iter().map(|run| scope.spawn(run)).collect();
            for run in begun {
                all = std::mem::take(&mut all).and(&run.join().expect("the run ends as said"));
            }
        });
    }
    all
}
