//! What to look at next: the pure core asks, the adapters look.

use super::color::Color;

/// Which parts of AWS the next snapshot has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// The one service to look at; none for all that are configured.
    pub(crate) only: Option<Color>,
    /// Develop too: no decision about users needs it.
    pub(crate) develop: bool,
    /// Target groups with attributes, load balancers, listeners and rules.
    pub(crate) wiring: bool,
    /// Health of the registered targets, and the tasks that are not stopped.
    pub(crate) health: bool,
    /// The content of the task definition that each service wants.
    pub(crate) definitions: bool,
    /// Stopped tasks and service deployments: what tells why.
    pub(crate) causes: bool,
    /// Scalable targets.
    pub(crate) scaling: bool,
    /// Scaling policies, and the alarms that bear names of ours.
    pub(crate) scalers: bool,
    /// The alarms that were named.
    pub(crate) alarms: bool,
}

impl Look {
    /// All that a decision to write needs.
    pub(crate) const WHOLE: Look = Look {
        only: None,
        develop: true,
        wiring: true,
        health: true,
        definitions: true,
        causes: false,
        scaling: false,
        scalers: false,
        alarms: false,
    };

    /// All that a decision about traffic needs.
    pub(crate) const TRAFFIC: Look = Look { develop: false, scaling: true, alarms: true, ..Look::WHOLE };

    /// The same, and what tells why.
    pub(crate) const CLOSER: Look = Look { causes: true, ..Look::WHOLE };

    /// What following one service's deployment needs.
    pub(crate) fn following(color: Color) -> Look {
        Look { only: Some(color), wiring: false, definitions: false, ..Look::WHOLE }
    }

    /// Following, and what tells why.
    pub(crate) fn why(color: Color) -> Look {
        Look { causes: true, ..Look::following(color) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a look reads beside the services.
    fn parts(look: Look) -> Vec<&'static str> {
        let all = [
            (look.develop, "develop"),
            (look.wiring, "wiring"),
            (look.health, "health"),
            (look.definitions, "definitions"),
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
            (Look::WHOLE, "develop wiring health definitions"),
            (Look::CLOSER, "develop wiring health definitions causes"),
            (Look::TRAFFIC, "wiring health definitions scaling alarms"),
            (Look::following(Color::Green), "develop health"),
            (Look::why(Color::Green), "develop health causes"),
        ] {
            assert_eq!(parts(look).join(" "), read, "{look:?}");
        }
        assert_eq!(Look::following(Color::Green).only, Some(Color::Green));
    }
}
