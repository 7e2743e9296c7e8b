//! The closing table: jobs and times.

use anstyle::{AnsiColor, Style};
use serde_json::Value;

/// Prints jobs in the order in which they were made, and the run's status.
pub fn print(jobs: &Value, status: &str) {
    let mut jobs: Vec<&Value> = jobs.as_array().into_iter().flatten().collect();
    jobs.sort_by_key(|job| job["id"].as_i64());
    let width = |key: &str| {
        let widest = jobs
            .iter()
            .filter_map(|job| job[key].as_str())
            .map(|text| text.chars().count());
        widest.max().unwrap_or(0).max(key.len())
    };
    let (stage, name) = (width("stage"), width("name"));
    anstream::println!(
        "\n{:stage$}  {:name$}  {:10}  TIME",
        "STAGE",
        "JOB",
        "STATUS"
    );
    for job in &jobs {
        let word = job["status"].as_str().unwrap_or("?");
        let style = style(word);
        let time = match job["duration"].as_f64() {
            Some(seconds) => format!("{seconds:.2} s"),
            None => "-".to_owned(),
        };
        anstream::println!(
            "{:stage$}  {:name$}  {style}{word:10}{style:#}  {time}",
            job["stage"].as_str().unwrap_or_default(),
            job["name"].as_str().unwrap_or_default(),
        );
    }
    let style = style(status);
    anstream::println!("\nThe run ended with {style}{status}{style:#}.");
}

/// Green, red or yellow.
pub fn style(status: &str) -> Style {
    let color = match status {
        "success" => AnsiColor::Green,
        "failed" => AnsiColor::Red,
        _ => AnsiColor::Yellow,
    };
    color.on_default().bold()
}
