//! Power and false alarms by simulation, with seeds. Larger numbers:
//! `cargo test --lib compare::tests::simulated -- --ignored --nocapture`.

use super::*;

/// Numbers that a seed determines (SplitMix64).
struct Dice(u64);

impl Dice {
    /// A number from 0 to 1, both excluded.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((mixed ^ (mixed >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// A number with this mean and variance: exact for few events, else by the normal distribution.
    fn near(&mut self, mean: f64, variance: f64) -> u64 {
        let angle = std::f64::consts::TAU * self.unit();
        let normal = (-2.0 * self.unit().ln()).sqrt() * angle.cos();
        (mean + variance.sqrt() * normal).round().max(0.0) as u64
    }

    /// Events of a Poisson process with this mean.
    fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 50.0 {
            return self.near(mean, mean);
        }
        let (mut count, mut product) = (0, self.unit());
        while product > (-mean).exp() {
            (count, product) = (count + 1, product * self.unit());
        }
        count
    }

    /// Requests that fail, of so many.
    fn failures(&mut self, requests: u64, rate: f64) -> u64 {
        let mean = requests as f64 * rate;
        match (rate, mean) {
            (1.0, _) => requests,
            (_, 50.0..) => self.near(mean, mean * (1.0 - rate)).min(requests),
            _ if requests < 500 => (0..requests).filter(|_| self.unit() < rate).count() as u64,
            _ => self.poisson(mean).min(requests),
        }
    }
}

/// A release: its traffic, and how often each color fails.
struct Release {
    /// Requests per second of both colors.
    rate: f64,
    /// Weights of blue and green.
    split: (u32, u32),
    /// Failure rates of blue and green.
    fails: [f64; 2],
    /// Minutes in which both fail 30 % in addition.
    outage: u64,
    /// Looks, one per minute.
    looks: u64,
}

impl Release {
    /// The minute of the first look that says that green is worse, and whether any says so of blue.
    fn found(&self, seed: u64) -> (Option<u64>, bool) {
        let mut dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let (mut minutes, mut blue) = (Vec::new(), false);
        for number in 0..self.looks {
            minutes.push(self.minute(&mut dice, number));
            match compare(&evidence(&minutes, self.split)).verdict {
                Verdict::Worse { color: Color::Green, .. } => return (Some(number + 1), blue),
                Verdict::Worse { .. } => blue = true,
                _ => {}
            }
        }
        (None, blue)
    }

    /// One minute.
    fn minute(&self, dice: &mut Dice, number: u64) -> Minute {
        let share = f64::from(self.split.1) / f64::from(self.split.0 + self.split.1);
        let outage = if (20..20 + self.outage).contains(&number) { 0.3 } else { 0.0 };
        let mut color = |share: f64, fails: f64| {
            let requests = dice.poisson(self.rate * 60.0 * share);
            counts(requests, dice.failures(requests, (fails + outage).min(1.0)))
        };
        minute(number, color(1.0 - share, self.fails[0]), color(share, self.fails[1]))
    }
}

/// Share of releases in which green is found, and the median minute of these.
fn power(release: &Release, seeds: u64) -> (f64, u64) {
    let mut found: Vec<u64> = (0..seeds).filter_map(|seed| release.found(seed).0).collect();
    found.sort_unstable();
    (found.len() as f64 / seeds as f64, found.get(found.len() / 2).copied().unwrap_or(u64::MAX))
}

/// A release with one failure in 1,000 on blue, 21 in 1,000 on green.
fn bad(rate: f64, split: (u32, u32), looks: u64) -> Release {
    Release { rate, split, fails: [0.001, 0.021], outage: 0, looks }
}

/// Power of each release of the contract: name, release, least share found, latest median minute.
fn powers() -> Vec<(&'static str, Release, f64, u64)> {
    let dead = Release { fails: [0.001, 1.0], ..bad(0.5, (80, 20), 30) };
    vec![
        ("100/s at blue-80, green fails 2.1 %", bad(100.0, (80, 20), 30), 1.0, 1),
        ("10/s at blue-80, green fails 2.1 %", bad(10.0, (80, 20), 30), 1.0, 3),
        ("10/s at 95/5, green fails 2.1 %", bad(10.0, (95, 5), 30), 0.98, 8),
        ("2/s at blue-80, green fails 2.1 %", bad(2.0, (80, 20), 30), 0.93, 16),
        ("0.5/s at blue-80, green fails always", dead, 1.0, 2),
    ]
}

/// False alarms of equal colors: name, release, largest share allowed.
fn equals() -> Vec<(&'static str, Release)> {
    let equal = |rate, split, fails, outage| Release { rate, split, fails: [fails; 2], outage, looks: 60 };
    vec![
        ("100/s at blue-80, both fail 0.1 %", equal(100.0, (80, 20), 0.001, 0)),
        ("10/s at blue-80, both fail 0.1 %", equal(10.0, (80, 20), 0.001, 0)),
        ("10/s at 95/5, both fail 1 %", equal(10.0, (95, 5), 0.01, 0)),
        ("10/s at split, both fail 1 %", equal(10.0, (50, 50), 0.01, 0)),
        ("2/s at blue-80, both fail 1 %", equal(2.0, (80, 20), 0.01, 0)),
        ("10/s at blue-80, both fail 30 % for three minutes", equal(10.0, (80, 20), 0.001, 3)),
    ]
}

/// Prints and checks all figures.
fn check(seeds: u64, alarm_seeds: u64) {
    for (name, release, least, latest) in powers() {
        let (share, median) = power(&release, seeds);
        println!("{name}: found in {:.1} % of {seeds}, median minute {median}", share * 100.0);
        assert!(share >= least && median <= latest, "{name}: {share}, minute {median}");
    }
    for (name, release) in equals() {
        let all: Vec<_> = (0..alarm_seeds).map(|seed| release.found(seed)).collect();
        let accused = |is: fn(&(Option<u64>, bool)) -> bool| all.iter().filter(|it| is(it)).count();
        let (green, blue) = (accused(|it| it.0.is_some()), accused(|it| it.1));
        let [green_share, blue_share] = [green, blue].map(|it| it as f64 / alarm_seeds as f64 * 100.0);
        println!(
            "{name}: false alarms over 60 looks in {alarm_seeds}: green {green_share:.3} %, blue {blue_share:.3} %"
        );
        // At most 1 in 1,000 for each direction, and chance: four standard deviations.
        let most = alarm_seeds as f64 / 1_000.0;
        let most = most + 4.0 * most.sqrt();
        assert!((green as f64) < most.max(2.0) && (blue as f64) < most.max(2.0), "{name}: {green}, {blue}");
    }
}

#[test]
fn power_and_false_alarms() {
    check(400, 60);
}

#[test]
#[ignore = "minutes: the figures of the documents"]
fn power_and_false_alarms_in_large_numbers() {
    check(2_000, 20_000);
}
