//! The arithmetic of evidence: decay and logarithm from basic operations alone.
//!
//! The platform's `exp2` and `ln` may differ in the last bit between machines, and one bit is
//! enough to turn a verdict in a replay. These use additions and multiplications only, which
//! IEEE 754 fixes exactly. They are as precise as evidence needs (about five digits), not more.

/// `value` after `elapsed_s`, when it loses half of itself each `half_life_s`.
pub(crate) fn decayed(value: f32, elapsed_s: u32, half_life_s: u32) -> f32 {
    if elapsed_s == 0 || value == 0.0 {
        return value;
    }
    value * two_to_minus(seconds(elapsed_s) / seconds(half_life_s.max(1)))
}

/// The natural logarithm; of zero and below, the least that evidence can be.
pub(crate) fn ln(x: f32) -> f32 {
    const LN_2: f32 = std::f32::consts::LN_2;
    if x < f32::MIN_POSITIVE {
        return -87.0;
    }
    let bits = x.to_bits();
    let exponent = f32::from(i16::try_from(bits >> 23).unwrap_or(127) - 127);
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let tail = 1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0 + square / 9.0));
    exponent * LN_2 + 2.0 * s * (1.0 + square * tail)
}

/// A count as a number to calculate with.
pub(crate) fn number(count: u32) -> f32 {
    // Exact up to 2^24, and rounded in a defined way above.
    count as f32
}

/// A number that was calculated as a count to show.
pub(crate) fn count(number: f32) -> u32 {
    // A cast from float to integer saturates and takes NaN as zero.
    (number + 0.5) as u32
}

fn seconds(s: u32) -> f32 {
    number(s)
}

fn two_to_minus(x: f32) -> f32 {
    if x >= 126.0 {
        return 0.0;
    }
    let whole = x as u32;
    let f = x - number(whole);
    let power = 1.0
        - f * (std::f32::consts::LN_2
            - f * (0.240_226_5
                - f * (0.055_504_1 - f * (0.009_618_1 - f * (0.001_333_4 - f * 0.000_141_0)))));
    power * f32::from_bits((127 - whole) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_platform_to_five_digits() {
        for step in 1..4_000_u32 {
            let x = number(step) / 200.0;
            assert!((ln(x) - x.ln()).abs() < 1e-5, "ln {x}");
            assert!((two_to_minus(x) - (-x).exp2()).abs() < 2e-5, "2^-{x}");
        }
        assert_eq!(ln(0.0), -87.0);
        assert_eq!(two_to_minus(500.0), 0.0);
    }

    #[test]
    fn half_is_lost_in_a_half_life_and_never_gained() {
        assert!((decayed(8.0, 3_600, 3_600) - 4.0).abs() < 1e-3);
        let mut before = 10.0;
        for elapsed_s in 0..20_000 {
            let now = decayed(10.0, elapsed_s, 3_600);
            assert!(now <= before + 1e-4, "{elapsed_s}");
            before = now;
        }
    }
}
