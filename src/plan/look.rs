//! What to look at next: the pure core asks, the adapters look.

use super::color::Color;

/// Which parts of AWS the next snapshot has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// The one service whose own parts are looked at; none for all that are configured.
    pub(crate) only: Option<Color>,
    /// Develop too: no decision about users needs it.
    pub(crate) develop: bool,
    /// Target groups with attributes, load balancers, listeners and rules.
    pub(crate) wiring: bool,
    /// Health of the registered targets, and the tasks that are not stopped.
    pub(crate) health: bool,
    /// The content of the task definition that each service wants.
    pub(crate) definitions: bool,
    /// Stopped tasks.
    pub(crate) stopped: bool,
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
        stopped: false,
        causes: false,
        scaling: false,
        scalers: false,
        alarms: false,
    };

    /// All that a decision about traffic needs.
    pub(crate) const TRAFFIC: Look = Look { develop: false, scaling: true, alarms: true, ..Look::WHOLE };

    /// The same, and what tells why.
    pub(crate) const CLOSER: Look = Look { causes: true, ..Look::WHOLE };

    /// What following one service's deployment needs: the rules too, since users may come to the color at any time.
    /// Develop never gets any. Stopped tasks tell at once that a version fails.
    pub(crate) fn following(color: Color) -> Look {
        let develop = color == Color::Develop;
        let only = Some(color);
        Look { only, develop, wiring: !develop, stopped: true, definitions: false, ..Look::WHOLE }
    }

    /// The same without the parts of a service that is not looked at by itself.
    pub(crate) fn of(self, color: Color) -> Look {
        if self.only.is_none_or(|only| only == color) {
            return self;
        }
        Look { health: false, definitions: false, stopped: false, causes: false, scalers: false, ..self }
    }

    /// Whether this service is described. The rules are read as blue and green, so they need both.
    pub(crate) fn describes(self, color: Color) -> bool {
        let asked = self.only.is_none_or(|only| only == color) || self.wiring;
        asked && (self.develop || color != Color::Develop)
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
            (Look::WHOLE, "develop wiring health definitions"),
            (Look::CLOSER, "develop wiring health definitions causes"),
            (Look::TRAFFIC, "wiring health definitions scaling alarms"),
            (Look::following(Color::Green), "wiring health stopped"),
            (Look::following(Color::Develop), "develop health stopped"),
            (Look::why(Color::Green), "wiring health stopped causes"),
            (Look::following(Color::Green).of(Color::Blue), "wiring"),
        ] {
            assert_eq!(parts(look).join(" "), read, "{look:?}");
        }
        assert_eq!(Look::following(Color::Green).only, Some(Color::Green));
    }
}
