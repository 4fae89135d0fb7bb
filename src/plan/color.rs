//! The colors, and the traffic split between two of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A color of production: users are split between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Color {
    /// The service and target group called blue.
    Blue,
    /// The service and target group called green.
    Green,
}

impl Color {
    /// Both colors, in the order of every table.
    pub(crate) const BOTH: [Color; 2] = [Color::Blue, Color::Green];

    /// The color that has the rest of the users.
    pub(crate) fn other(self) -> Color {
        match self {
            Color::Blue => Color::Green,
            Color::Green => Color::Blue,
        }
    }

    /// The word that users read and write.
    pub(crate) fn word(self) -> &'static str {
        ServiceColor::from(self).word()
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One of the services that the action knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServiceColor {
    /// The service of the color blue.
    Blue,
    /// The service of the color green.
    Green,
    /// The optional third service, which never has users of production.
    Develop,
}

impl ServiceColor {
    /// The color of production. None for develop.
    pub(crate) fn production(self) -> Option<Color> {
        match self {
            ServiceColor::Blue => Some(Color::Blue),
            ServiceColor::Green => Some(Color::Green),
            ServiceColor::Develop => None,
        }
    }

    /// The word that users read and write.
    pub(crate) fn word(self) -> &'static str {
        match self {
            ServiceColor::Blue => "blue",
            ServiceColor::Green => "green",
            ServiceColor::Develop => "develop",
        }
    }
}

impl From<Color> for ServiceColor {
    fn from(color: Color) -> Self {
        match color {
            Color::Blue => ServiceColor::Blue,
            Color::Green => ServiceColor::Green,
        }
    }
}

impl PartialEq<Color> for ServiceColor {
    fn eq(&self, other: &Color) -> bool {
        *self == ServiceColor::from(*other)
    }
}

impl fmt::Display for ServiceColor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Raw weights of the two colors in one production rule, 0–999 each, as the load balancer holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Split {
    /// Weight of blue's target group.
    pub(crate) blue: u32,
    /// Weight of green's target group.
    pub(crate) green: u32,
}

impl Split {
    /// The weight of a color.
    pub(crate) fn weight(self, color: Color) -> u32 {
        match color {
            Color::Blue => self.blue,
            Color::Green => self.green,
        }
    }

    /// All users on one color.
    pub(crate) fn all_on(color: Color) -> Split {
        match color {
            Color::Blue => Split { blue: 100, green: 0 },
            Color::Green => Split { blue: 0, green: 100 },
        }
    }

    /// A color's share of the users, by [`Split::percent`].
    pub(crate) fn share(self, color: Color) -> u32 {
        let (blue, green) = self.percent();
        match color {
            Color::Blue => blue,
            Color::Green => green,
        }
    }

    /// True if the color has any weight.
    pub(crate) fn is_live(self, color: Color) -> bool {
        self.weight(color) > 0
    }

    /// The color that has all users. None for a split between both, and without any weight.
    pub(crate) fn color_of_all(self) -> Option<Color> {
        Color::BOTH.into_iter().find(|color| self.is_live(*color) && !self.is_live(color.other()))
    }

    /// The same ratio as two numbers that sum to 100. A live color never rounds to 0. An idle color is 0.
    pub(crate) fn percent(self) -> (u32, u32) {
        let sum = self.blue + self.green;
        if sum == 0 {
            return (0, 0);
        }
        let mut blue = (self.blue * 100 + sum / 2) / sum;
        if self.blue > 0 && self.green > 0 {
            blue = blue.clamp(1, 99);
        }
        (blue, 100 - blue)
    }

    /// True if the percentages are exact, which is false for weights 1 and 2.
    pub(crate) fn is_exact(self) -> bool {
        let (blue, green) = self.percent();
        self.same_ratio(Split { blue, green })
    }

    /// True if two splits send the same share to each color.
    pub(crate) fn same_ratio(self, other: Split) -> bool {
        let live = |s: Split| s.blue + s.green > 0;
        live(self) && live(other) && self.blue * other.green == other.blue * self.green
    }

    /// The preset with this ratio, if there is one.
    pub(crate) fn preset(self) -> Option<&'static str> {
        PRESETS.iter().find(|(_, split)| split.same_ratio(self)).map(|(name, _)| *name)
    }
}

/// `blue-80`, or `95/5` if no preset has this ratio.
impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.preset() {
            return f.write_str(name);
        }
        let (blue, green) = self.percent();
        write!(f, "{blue}/{green}")
    }
}

/// The five presets, by name.
pub(crate) const PRESETS: [(&str, Split); 5] = [
    ("blue", Split { blue: 100, green: 0 }),
    ("blue-80", Split { blue: 80, green: 20 }),
    ("split", Split { blue: 50, green: 50 }),
    ("green-80", Split { blue: 20, green: 80 }),
    ("green", Split { blue: 0, green: 100 }),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_color_keeps_its_word_and_develop_is_none_of_production() {
        let words = |colors: &[ServiceColor]| serde_json::to_string(colors).unwrap();
        let all = [ServiceColor::Blue, ServiceColor::Green, ServiceColor::Develop];
        assert_eq!(words(&all), r#"["blue","green","develop"]"#);
        assert_eq!(serde_json::from_str::<[Color; 2]>(r#"["blue","green"]"#).unwrap(), Color::BOTH);
        assert_eq!(all.map(ServiceColor::production), [Some(Color::Blue), Some(Color::Green), None]);
        assert_eq!(Color::BOTH.map(Color::other), [Color::Green, Color::Blue]);
    }

    #[test]
    fn a_split_reads_as_its_preset_whatever_its_weights_sum_to() {
        assert_eq!(Split { blue: 4, green: 1 }.to_string(), "blue-80");
        assert_eq!(Split { blue: 999, green: 0 }.to_string(), "blue");
        assert_eq!(Split { blue: 95, green: 5 }.to_string(), "95/5");
        assert_eq!(Split { blue: 0, green: 0 }.to_string(), "0/0");
    }

    #[test]
    fn a_live_color_never_reads_as_zero_percent() {
        assert_eq!(Split { blue: 999, green: 1 }.percent(), (99, 1));
        assert_eq!(Split { blue: 1, green: 999 }.percent(), (1, 99));
        assert_eq!(Split { blue: 999, green: 0 }.percent(), (100, 0));
        assert_eq!(Split { blue: 0, green: 1 }.percent(), (0, 100));
        assert_eq!(Split { blue: 0, green: 0 }.percent(), (0, 0));
    }

    #[test]
    fn shares_round_to_the_nearest_percent() {
        assert_eq!(Split { blue: 1, green: 2 }.percent(), (33, 67));
        assert_eq!(Split { blue: 2, green: 1 }.percent(), (67, 33));
        assert_eq!(Split { blue: 199, green: 1 }.percent(), (99, 1));
    }

    #[test]
    fn thirds_are_not_said_in_percent() {
        assert!(Split { blue: 4, green: 1 }.is_exact() && Split { blue: 0, green: 7 }.is_exact());
        assert!(!Split { blue: 1, green: 2 }.is_exact() && !Split { blue: 999, green: 1 }.is_exact());
    }

    #[test]
    fn the_same_ratio_is_the_same_whatever_the_weights_sum_to() {
        let same = |a: (u32, u32), b: (u32, u32)| {
            Split { blue: a.0, green: a.1 }.same_ratio(Split { blue: b.0, green: b.1 })
        };
        assert!(same((80, 20), (4, 1)) && same((1, 0), (999, 0)) && same((0, 7), (0, 1)));
        assert!(!same((80, 20), (20, 80)) && !same((1, 0), (0, 1)) && !same((1, 0), (1, 1)));
        assert!(
            !same((0, 0), (0, 0)) && !same((0, 0), (1, 1)) && !same((1, 1), (0, 0)),
            "no weight is no ratio"
        );
    }
}
