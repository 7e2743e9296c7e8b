//! Tables without lines: columns as wide as their widest cell, so that they can
//! be read, cut and pasted.

use std::fmt::Write;

use anstyle::Style;
use jiff::Timestamp;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::column::Column;
use super::paint;

/// A heading and one line for each row.
pub fn rows(rows: &[Value], columns: &[Column]) -> String {
    let now = Timestamp::now();
    let heading = columns
        .iter()
        .map(|column| (column.title.to_uppercase(), paint::TITLE))
        .collect();
    let cells = rows
        .iter()
        .map(|row| columns.iter().map(|column| column.cell(row, now)).collect());
    lines(&std::iter::once(heading).chain(cells).collect::<Vec<_>>())
}

/// One line for each column: title and value.
pub fn record(value: &Value, columns: &[Column]) -> String {
    let now = Timestamp::now();
    let cells = columns.iter().map(|column| {
        let title = (format!("{}:", column.title), paint::TITLE);
        vec![title, column.cell(value, now)]
    });
    lines(&cells.collect::<Vec<_>>())
}

fn lines(table: &[Vec<(String, Style)>]) -> String {
    let count = table.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..count)
        .map(|at| table.iter().map(|row| row[at].0.width()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in table {
        for (at, (cell, style)) in row.iter().enumerate() {
            let _ = write!(text, "{style}{cell}{style:#}");
            if at + 1 < row.len() {
                let gap = widths[at] - cell.width() + 2;
                text.extend(std::iter::repeat_n(' ', gap));
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_stand_under_each_other_whatever_their_letters() {
        let columns = [Column::text("name", "/n"), Column::text("id", "/id")];
        let text = rows(
            &[json!({"n": "漢字", "id": 1}), json!({"n": "abc", "id": 22})],
            &columns,
        );
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain, "NAME  ID\n漢字  1\nabc   22\n");
    }

    #[test]
    fn a_record_has_a_line_for_each_field() {
        let columns = [Column::text("path", "/p"), Column::text("id", "/id")];
        let text = record(&json!({"p": "a/b", "id": 7}), &columns);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain, "path:  a/b\nid:    7\n");
    }
}
