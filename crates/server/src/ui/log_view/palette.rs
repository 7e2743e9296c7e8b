//! The 256 colours of terminals.
//!
//! Pages carry no inline styles, so each colour is a class: `f9` is bright red
//! text, `b9` a bright red background.

use std::fmt::Write as _;

/// Colours 0 to 15, readable on the dark ground of the log.
const NAMED: [u32; 16] = [
    0x78_8091, 0xf2_7b83, 0x8f_cf7a, 0xe0_b95f, 0x74_b3f5, 0xcf_92e8, 0x5f_c9cf, 0xcf_d4dd,
    0x8b_93a1, 0xff_9aa0, 0xb0_e89c, 0xf5_d483, 0x9c_cbff, 0xe4_b3f7, 0x8c_e3e8, 0xff_ffff,
];

/// Steps of the colour cube, colours 16 to 231.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The style sheet with a class for each colour, as text and as background.
pub fn css() -> String {
    let mut css = String::with_capacity(12 * 1024);
    for index in 0..=255 {
        let color = rgb(index);
        let _ = write!(
            css,
            ".f{index}{{color:#{color:06x}}}.b{index}{{background:#{color:06x}}}"
        );
    }
    css
}

fn rgb(index: u8) -> u32 {
    let join = |red: u8, green: u8, blue: u8| u32::from_be_bytes([0, red, green, blue]);
    match index {
        0..=15 => NAMED[usize::from(index)],
        16..=231 => {
            let at = usize::from(index - 16);
            join(CUBE[at / 36], CUBE[at / 6 % 6], CUBE[at % 6])
        }
        232..=255 => {
            let grey = 8 + (index - 232) * 10;
            join(grey, grey, grey)
        }
    }
}

/// The colour of the cube or of the greys that looks most like this one.
pub fn nearest(red: u8, green: u8, blue: u8) -> u8 {
    let distance = |index: u8| {
        let [_, r, g, b] = rgb(index).to_be_bytes();
        let square = |one: u8, other: u8| u32::from(one.abs_diff(other)).pow(2);
        square(r, red) + square(g, green) + square(b, blue)
    };
    let step = |value: u8| match value {
        0..48 => 0,
        48..115 => 1,
        _ => (value - 35) / 40,
    };
    let cube = 16 + 36 * step(red) + 6 * step(green) + step(blue);
    let mean = ((u16::from(red) + u16::from(green) + u16::from(blue)) / 3).saturating_sub(3) / 10;
    let grey = 232 + u8::try_from(mean).unwrap_or(u8::MAX).min(23);
    if distance(grey) < distance(cube) {
        grey
    } else {
        cube
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, 0, 0, 16)]
    #[case(255, 255, 255, 231)]
    #[case(255, 0, 0, 196)]
    #[case(95, 135, 175, 67)]
    #[case(130, 128, 129, 244)]
    fn a_true_colour_becomes_its_nearest(
        #[case] red: u8,
        #[case] green: u8,
        #[case] blue: u8,
        #[case] index: u8,
    ) {
        assert_eq!(nearest(red, green, blue), index);
    }

    #[test]
    fn every_colour_has_its_two_classes() {
        let css = css();
        assert!(css.contains(".f196{color:#ff0000}.b196{background:#ff0000}"));
        assert!(css.contains(".f255{color:#eeeeee}"));
        assert_eq!(css.matches('{').count(), 512);
    }
}
