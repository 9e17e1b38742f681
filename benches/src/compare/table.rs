//! Results as a table.

use super::line::{Line, PeerLine};
use super::unit::three_digits;

/// The style of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Columns aligned with spaces.
    Text,
    /// Markdown.
    Markdown,
}

const HEADINGS: [&str; 7] =
    ["system", "work", "backend", "threads", "time", "of memset", "peers, and how many times as long"];

/// The lines as a table, ending with a line break.
pub fn table(lines: &[Line], style: Style) -> String {
    let mut rows: Vec<Vec<String>> = vec![HEADINGS.map(str::to_owned).to_vec()];
    rows.extend(lines.iter().map(cells));
    match style {
        Style::Markdown => {
            rows.insert(1, vec!["---".to_owned(); HEADINGS.len()]);
            rows.iter().map(|row| format!("| {} |\n", row.join(" | "))).collect()
        }
        Style::Text => {
            let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
            let row = |row: &Vec<String>| {
                let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
                format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
            };
            rows.iter().map(row).collect()
        }
    }
}

fn cells(line: &Line) -> Vec<String> {
    let backend = match line.device.as_str() {
        "cpu" => line.backend.to_owned(),
        device => format!("{} on {device}", line.backend),
    };
    let memset = line.memset_fraction.map(|fraction| format!("{:.0} %", 100.0 * fraction));
    vec![
        line.system.clone(),
        line.what.to_owned(),
        backend,
        line.threads.to_string(),
        line.figure.to_string(),
        memset.unwrap_or_default(),
        line.peers.iter().map(peer).collect::<Vec<_>>().join("; "),
    ]
}

fn peer(line: &PeerLine) -> String {
    match line {
        PeerLine::Measured { peer, figure, ratio, fastest: true, .. } => {
            format!("{peer} {} ({}×)", three_digits(figure.value), three_digits(*ratio))
        }
        PeerLine::Measured { peer, figure, .. } => format!("{peer} {}", three_digits(figure.value)),
        PeerLine::Failed { peer, error } => format!("{peer}: {}", error.replace(['|', '\n'], " ")),
    }
}
