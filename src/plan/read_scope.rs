//! The scope of the next read: the pure core asks, the adapters read.

use super::color::ServiceColor;

/// The parts of AWS that the next snapshot must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadScope {
    /// The one service to read in detail. None: all configured services.
    pub(crate) only: Option<ServiceColor>,
    /// Reads develop, too. No decision about users needs develop.
    pub(crate) develop: bool,
    /// Target groups with attributes, load balancers, listeners and rules.
    pub(crate) wiring: bool,
    /// Health of the registered targets, and the tasks that are not stopped.
    pub(crate) health: bool,
    /// The content of each service's current task definition.
    pub(crate) definitions: bool,
    /// Stopped tasks.
    pub(crate) stopped: bool,
    /// Stopped tasks and service deployments: the causes of a failure.
    pub(crate) causes: bool,
    /// Scalable targets.
    pub(crate) scaling: bool,
    /// Scaling policies, and alarms with names of this action.
    pub(crate) scalers: bool,
    /// The alarms that the user named.
    pub(crate) alarms: bool,
}

impl ReadScope {
    /// All parts for a decision to write.
    pub(crate) const WHOLE: ReadScope = ReadScope {
        only: None,
        develop: true,
        wiring: true,
        health: true,
        definitions: true,
        stopped: false,
        causes: false,
        scaling: false,
        scalers: false,
        alarms: false,
    };

    /// All parts for a decision about traffic.
    pub(crate) const TRAFFIC: ReadScope =
        ReadScope { develop: false, scaling: true, alarms: true, ..ReadScope::WHOLE };

    /// The parts to follow one service's deployment. Includes the rules, since users may reach the color at any time.
    /// Develop never has users. Stopped tasks show at once that a version fails.
    pub(crate) fn following(color: ServiceColor) -> ReadScope {
        let develop = color == ServiceColor::Develop;
        let only = Some(color);
        ReadScope { only, develop, wiring: !develop, stopped: true, definitions: false, ..ReadScope::WHOLE }
    }

    /// The look without the parts of a service that is not read in detail.
    pub(crate) fn of(self, color: ServiceColor) -> ReadScope {
        if self.only.is_none_or(|only| only == color) {
            return self;
        }
        ReadScope { health: false, definitions: false, stopped: false, causes: false, scalers: false, ..self }
    }

    /// True if this service is described. Reading the rules as blue and green requires both services.
    pub(crate) fn describes(self, color: ServiceColor) -> bool {
        let asked = self.only.is_none_or(|only| only == color) || self.wiring;
        asked && (self.develop || color != ServiceColor::Develop)
    }

    /// The look to follow a deployment, and the causes.
    pub(crate) fn why(color: ServiceColor) -> ReadScope {
        ReadScope { causes: true, ..ReadScope::following(color) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts that a look reads in addition to the services.
    fn parts(look: ReadScope) -> Vec<&'static str> {
        let all = [
            (look.develop, "develop"),
            (look.wiring, "wiring"),
            (look.health, "health"),
            (look.definitions, "definitions"),
            (look.stopped, "stopped"),
            (look.causes, "causes"),
            (look.scaling, "scaling"),
            (look.scalers, "scalers"),
            (look.alarms, "alarms"),
        ];
        all.into_iter().filter_map(|(read, part)| read.then_some(part)).collect()
    }

    #[test]
    fn a_look_reads_what_its_decision_needs_and_repeated_ones_no_more() {
        for (look, read) in [
            (ReadScope::WHOLE, "develop wiring health definitions"),
            (ReadScope { causes: true, ..ReadScope::WHOLE }, "develop wiring health definitions causes"),
            (ReadScope::TRAFFIC, "wiring health definitions scaling alarms"),
            (ReadScope::following(ServiceColor::Green), "wiring health stopped"),
            (ReadScope::following(ServiceColor::Develop), "develop health stopped"),
            (ReadScope::why(ServiceColor::Green), "wiring health stopped causes"),
            (ReadScope::following(ServiceColor::Green).of(ServiceColor::Blue), "wiring"),
        ] {
            assert_eq!(parts(look).join(" "), read, "{look:?}");
        }
        assert_eq!(ReadScope::following(ServiceColor::Green).only, Some(ServiceColor::Green));
    }
}
