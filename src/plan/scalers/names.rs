//! Names of the action's policies and alarms. The names derive from the service alone, so every run finds them again.

use crate::plan::sum::fnv_hash;

/// Most characters of an alarm's name (API_PutMetricAlarm); a policy's name may be one character longer.
const MOST: usize = 255;

/// The names of a service's policies and alarms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScalingNames {
    /// The policy that scales out.
    pub(crate) out: String,
    /// The policy that scales in.
    pub(crate) back: String,
    /// The alarm on CPU above its threshold.
    pub(crate) cpu_high: String,
    /// The alarm on memory above its threshold.
    pub(crate) memory_high: String,
    /// The alarm on CPU and memory below the scale-in threshold.
    pub(crate) low: String,
}

impl ScalingNames {
    /// The names for a cluster's service.
    pub(crate) fn of(cluster: &str, service: &str) -> ScalingNames {
        let name = |what: &str| scaler_name(cluster, service, what);
        ScalingNames {
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

    /// True if a policy has one of these names.
    pub(crate) fn has_policy(&self, name: &str) -> bool {
        name == self.out || name == self.back
    }
}

/// `ecs-blue-green/CLUSTER/SERVICE/WHAT`. ECS allows 255 characters each for cluster and service. If the name is too
/// long, the middle is cut, and a hash of both keeps the result unique.
fn scaler_name(cluster: &str, service: &str, what: &str) -> String {
    let whole = format!("{cluster}/{service}");
    let name = format!("ecs-blue-green/{whole}/{what}");
    if name.chars().count() <= MOST {
        return name;
    }
    let sum = format!("{:016x}", fnv_hash(&whole));
    let room = MOST - "ecs-blue-green/".len() - what.len() - sum.len() - 2;
    let cut: String = whole.chars().take(room).collect();
    format!("ecs-blue-green/{cut}~{sum}/{what}")
}
