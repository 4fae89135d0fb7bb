//! The names of what is ours. They derive from the service alone, so that every run finds them again.

use crate::plan::sum::fnv;

/// Most characters of an alarm's name (API_PutMetricAlarm); a policy's may have one more.
const MOST: usize = 255;

/// The names of a service's policies and alarms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// The policy that scales out.
    pub(crate) out: String,
    /// The policy that scales in.
    pub(crate) back: String,
    /// The alarm on CPU above its threshold.
    pub(crate) cpu_high: String,
    /// The alarm on memory above its threshold.
    pub(crate) memory_high: String,
    /// The alarm on both below theirs.
    pub(crate) low: String,
}

impl Names {
    /// The names for a service of a cluster.
    pub(crate) fn of(cluster: &str, service: &str) -> Names {
        let name = |what: &str| fitting(cluster, service, what);
        Names {
            out: name("out"),
            back: name("in"),
            cpu_high: name("cpu-high"),
            memory_high: name("memory-high"),
            low: name("low"),
        }
    }

    /// The names of the alarms.
    pub(crate) fn alarms(&self) -> [&str; 3] {
        [&self.cpu_high, &self.memory_high, &self.low]
    }

    /// Whether a policy bears a name of ours.
    pub(crate) fn has_policy(&self, name: &str) -> bool {
        name == self.out || name == self.back
    }
}

/// `ecs-blue-green/CLUSTER/SERVICE/WHAT`. ECS allows 255 characters for each of the two: where that is too long, the
/// middle is cut, and a sum of the whole keeps it apart from others.
fn fitting(cluster: &str, service: &str, what: &str) -> String {
    let whole = format!("{cluster}/{service}");
    let name = format!("ecs-blue-green/{whole}/{what}");
    if name.chars().count() <= MOST {
        return name;
    }
    let sum = format!("{:016x}", fnv(&whole));
    let room = MOST - "ecs-blue-green/".len() - what.len() - sum.len() - 2;
    let cut: String = whole.chars().take(room).collect();
    format!("ecs-blue-green/{cut}~{sum}/{what}")
}
