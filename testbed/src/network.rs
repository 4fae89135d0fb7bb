//! A network whose calls take uneven times, and which loses some answers. A seed determines every call, so that two runs at
//! once meet in an order that can be repeated.

use std::time::Duration;

/// Most calls take a moment, some take long.
#[derive(Debug, Clone)]
pub struct Network {
    /// State of the random numbers.
    state: u64,
    /// Longest time of a usual call, each way.
    usual: Duration,
    /// Lost calls of each thousand.
    losses: u64,
}

/// One call's way through the network.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    /// Time until the call arrives.
    pub(crate) before: Duration,
    /// Time until its answer arrives.
    pub(crate) after: Duration,
    /// The connection closes: before (`Some(false)`) or after (`Some(true)`) the effect.
    pub(crate) lost: Option<bool>,
}

impl Network {
    /// A network of this seed. `losses`: lost calls of each thousand.
    pub fn of_seed(seed: u64, usual: Duration, losses: u64) -> Self {
        Self { state: seed, usual, losses }
    }

    /// A number below `most` (SplitMix64).
    pub fn below(&mut self, most: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % most.max(1)
    }

    /// The next call's way.
    pub(crate) fn pass(&mut self) -> Passage {
        let (before, after) = (self.way(), self.way());
        let lost = self.below(1000) < self.losses;
        Passage { before, after, lost: lost.then(|| self.below(2) == 0) }
    }

    /// Time of one way: one in ten takes up to five times as long as usual.
    fn way(&mut self) -> Duration {
        let most = if self.below(10) == 0 { 5 * self.usual } else { self.usual };
        Duration::from_millis(self.below(u64::try_from(most.as_millis()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_each_way() {
        let ways = |seed| {
            let mut network = Network::of_seed(seed, Duration::from_millis(100), 100);
            (0..100).map(|_| network.pass()).collect::<Vec<_>>()
        };
        assert_eq!(ways(1), ways(1));
        assert_ne!(ways(1), ways(2));
        let lost = ways(1).iter().filter(|way| way.lost.is_some()).count();
        assert!((2..=30).contains(&lost), "{lost} of 100 are lost");
        let long = ways(1).iter().filter(|way| way.before > Duration::from_millis(100)).count();
        assert!((1..=25).contains(&long), "{long} of 100 take long");
    }
}
