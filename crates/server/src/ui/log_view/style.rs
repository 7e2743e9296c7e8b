//! How text looks after some `ESC[…m` (SGR) sequences.

use std::fmt::Write as _;

use super::palette;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Color {
    #[default]
    Default,
    Palette(u8),
    True(u8, u8, u8),
}

/// The state that SGR sequences change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    text: Color,
    ground: Color,
    bold: bool,
    faint: bool,
    italic: bool,
    underline: bool,
    strike: bool,
    inverse: bool,
}

impl Style {
    /// Applies the parameters of one sequence, `1;31`; unknown ones are ignored.
    pub fn apply(&mut self, parameters: &str) {
        let mut groups = parameters.split(';');
        while let Some(group) = groups.next() {
            if group.contains(':') {
                self.apply_grouped(group);
                continue;
            }
            match number(group) {
                Some(38) => self.text = color(&mut groups).unwrap_or(self.text),
                Some(48) => self.ground = color(&mut groups).unwrap_or(self.ground),
                Some(code) => self.apply_code(code),
                None => {}
            }
        }
    }

    fn apply_code(&mut self, code: u8) {
        match code {
            0 => *self = Self::default(),
            1 => self.bold = true,
            2 => self.faint = true,
            3 => self.italic = true,
            4 | 21 => self.underline = true,
            7 => self.inverse = true,
            9 => self.strike = true,
            22 => (self.bold, self.faint) = (false, false),
            23 => self.italic = false,
            24 => self.underline = false,
            27 => self.inverse = false,
            29 => self.strike = false,
            30..=37 => self.text = Color::Palette(code - 30),
            39 => self.text = Color::Default,
            40..=47 => self.ground = Color::Palette(code - 40),
            49 => self.ground = Color::Default,
            90..=97 => self.text = Color::Palette(code - 90 + 8),
            100..=107 => self.ground = Color::Palette(code - 100 + 8),
            _ => {}
        }
    }

    /// `38:5:9`, `38:2::255:0:0`, `4:3`: one attribute with its details.
    fn apply_grouped(&mut self, group: &str) {
        let parts: Vec<&str> = group.split(':').take(8).collect();
        match (number(parts[0]), parts.as_slice()) {
            (Some(4), [_, kind]) => self.underline = *kind != "0",
            (Some(code @ (38 | 48)), [_, mode, .., red, green, blue]) if *mode == "2" => {
                self.set_color(code, color(&mut ["2", *red, *green, *blue].into_iter()));
            }
            (Some(code @ (38 | 48)), [_, mode, index]) if *mode == "5" => {
                self.set_color(code, color(&mut ["5", *index].into_iter()));
            }
            _ => {}
        }
    }

    fn set_color(&mut self, code: u8, color: Option<Color>) {
        let place = if code == 38 {
            &mut self.text
        } else {
            &mut self.ground
        };
        *place = color.unwrap_or(*place);
    }

    /// Nothing but plain text.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Writes the attributes of a `<span>`: classes, and true colours for
    /// browsers that can read them from there.
    pub fn write_attributes(&self, html: &mut String) {
        let (text, ground) = if self.inverse {
            (self.ground, self.text)
        } else {
            (self.text, self.ground)
        };
        let mut classes: Vec<String> = Vec::new();
        let mut exact = String::new();
        for (color, class, swapped) in [(text, 'f', "fz"), (ground, 'b', "bz")] {
            match color {
                Color::Default if self.inverse => classes.push(swapped.to_owned()),
                Color::Default => {}
                Color::Palette(index) => classes.push(format!("{class}{index}")),
                Color::True(red, green, blue) => {
                    classes.push(format!("{class}{}", palette::nearest(red, green, blue)));
                    let _ = write!(exact, " data-{class}=\"#{red:02x}{green:02x}{blue:02x}\"");
                }
            }
        }
        let flags = [
            (self.bold, "sb"),
            (self.faint, "sf"),
            (self.italic, "si"),
            (self.underline, "su"),
            (self.strike, "ss"),
        ];
        classes.extend(
            flags
                .iter()
                .filter(|(on, _)| *on)
                .map(|(_, name)| (*name).to_owned()),
        );
        let _ = write!(html, " class=\"{}\"{exact}", classes.join(" "));
    }

    /// Parameters that lead from plain text to this style.
    pub fn parameters(&self) -> String {
        let flags = [
            (self.bold, "1"),
            (self.faint, "2"),
            (self.italic, "3"),
            (self.underline, "4"),
            (self.inverse, "7"),
            (self.strike, "9"),
        ];
        let mut codes: Vec<String> = flags
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, code)| (*code).to_owned())
            .collect();
        for (color, code) in [(self.text, 38), (self.ground, 48)] {
            match color {
                Color::Default => {}
                Color::Palette(index) => codes.push(format!("{code};5;{index}")),
                Color::True(red, green, blue) => {
                    codes.push(format!("{code};2;{red};{green};{blue}"));
                }
            }
        }
        codes.join(";")
    }
}

/// What follows 38 or 48: `5;n` or `2;r;g;b`.
fn color<'a>(codes: &mut impl Iterator<Item = &'a str>) -> Option<Color> {
    match number(codes.next()?)? {
        5 => Some(Color::Palette(number(codes.next()?)?)),
        2 => {
            let [red, green, blue] = [codes.next()?, codes.next()?, codes.next()?].map(number);
            Some(Color::True(red?, green?, blue?))
        }
        _ => None,
    }
}

/// An empty parameter counts as 0; more than 255 is no parameter at all.
fn number(text: &str) -> Option<u8> {
    if text.is_empty() {
        Some(0)
    } else {
        text.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("31", "f1")]
    #[case("1;31", "f1 sb")]
    #[case("91;44", "f9 b4")]
    #[case("38;5;208", "f208")]
    #[case("48;5;16;4", "b16 su")]
    #[case("38:5:208", "f208")]
    #[case("4:3", "su")]
    #[case("4;4:0;1", "sb")]
    #[case("7", "fz bz")]
    #[case("7;31", "fz b1")]
    #[case("1;22;2", "sf")]
    #[case("31;;1", "sb")]
    #[case("38;5", "")]
    #[case("38;9;1", "sb")]
    #[case("999;1", "sb")]
    fn parameters_become_classes(#[case] parameters: &str, #[case] classes: &str) {
        let mut style = Style::default();
        style.apply(parameters);
        let mut html = String::new();
        style.write_attributes(&mut html);
        assert_eq!(html, format!(" class=\"{classes}\""));
    }

    #[rstest]
    #[case("38;2;255;128;0")]
    #[case("38:2:255:128:0")]
    #[case("38:2::255:128:0")]
    fn true_colours_keep_their_value_beside_the_nearest(#[case] parameters: &str) {
        let mut style = Style::default();
        style.apply(parameters);
        let mut html = String::new();
        style.write_attributes(&mut html);
        assert_eq!(html, " class=\"f208\" data-f=\"#ff8000\"");
    }

    #[test]
    fn a_style_comes_back_from_its_own_parameters() {
        let mut style = Style::default();
        style.apply("1;3;4;7;9;38;2;1;2;3;105");
        let mut again = Style::default();
        again.apply(&style.parameters());
        assert_eq!(again, style);
        style.apply("0");
        assert!(style.is_plain());
        assert_eq!(style.parameters(), "");
    }
}
