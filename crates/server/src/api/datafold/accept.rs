//! Whether a caller would rather have problem details (RFC 7807) than plain JSON
//! (RFC 9110, 12.5.1).

use http::header::{GetAll, HeaderValue};

const PROBLEM: &str = "application/problem+json";

/// Whether `Accept` names problem details and puts nothing that is plain JSON before it.
pub fn prefers_problem(accept: GetAll<'_, HeaderValue>) -> bool {
    let texts = accept.iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<(String, f32)> = texts.flat_map(|text| text.split(',')).map(range).collect();
    let of = |name: &str| {
        let mut matching = ranges.iter().enumerate();
        matching.find(|(_, (range, _))| range == name)
    };
    let Some((problem_at, (_, problem))) = of(PROBLEM) else {
        return false;
    };
    if *problem <= 0.0 {
        return false;
    }
    match of("application/json") {
        Some((json_at, (_, json))) => problem > json || (problem == json && problem_at < json_at),
        None => {
            let wildcard = of("application/*").or_else(|| of("*/*"));
            wildcard.is_none_or(|(_, (_, json))| problem >= json)
        }
    }
}

/// A media range and its weight.
fn range(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts
        .filter_map(|part| part.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("q"))
        .and_then(|(_, weight)| weight.trim().parse().ok());
    (name, weight.unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::ACCEPT;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[], false)]
    #[case(&["*/*"], false)]
    #[case(&["application/json"], false)]
    #[case(&["application/problem+json"], true)]
    #[case(&["Application/Problem+JSON; charset=utf-8"], true)]
    #[case(&["application/json, application/problem+json"], false)]
    #[case(&["application/problem+json, application/json"], true)]
    #[case(&["application/problem+json", "application/json"], true)]
    #[case(&["application/json;q=0.5, application/problem+json"], true)]
    #[case(&["application/json, application/problem+json;q=0.9"], false)]
    #[case(&["application/problem+json;q=0"], false)]
    #[case(&["application/problem+json, */*;q=0.1"], true)]
    #[case(&["application/problem+json;q=0.1, */*"], false)]
    fn problem_details_are_for_who_prefers_them(#[case] accept: &[&str], #[case] expected: bool) {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(prefers_problem(headers.get_all(ACCEPT)), expected);
    }
}
