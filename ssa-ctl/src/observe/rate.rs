//! A rate in; a word for it that is never wide, out.

/// What is not known.
pub const UNKNOWN: &str = "-";

/// A rate in words of four digits or fewer; [`UNKNOWN`] where there is none.
pub fn rate(rate: Option<f64>) -> String {
    let Some(rate) = rate else { return UNKNOWN.into() };
    match rate {
        _ if rate <= 0.0 => "0".into(),
        _ if rate < 0.05 => "<0.1".into(),
        _ if rate < 9.95 => format!("{rate:.1}"),
        _ if rate < 9999.5 => format!("{rate:.0}"),
        _ if rate < 999_950.0 => format!("{:.1}k", rate / 1e3),
        _ if rate < 999_995_000.0 => format!("{:.2}M", rate / 1e6),
        _ => format!("{:.2}G", rate / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn rates_have_four_digits() {
        let rates = [0.0, 0.01, 0.5, 9.94, 9.96, 1234.4, 9999.6, 54_321.0, 999_949.0, 999_951.0, 2.5e6, 4e9];
        let said = rates.map(|each| rate(Some(each)));
        let expected = ["0", "<0.1", "0.5", "9.9", "10", "1234", "10.0k", "54.3k", "999.9k", "1.00M", "2.50M", "4.00G"];
        assert_eq!(said, expected);
        assert_eq!(rate(None), "-");
    }
}
