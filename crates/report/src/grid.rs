//! A table of text: measured, fitted to a width, written as aligned lines or as markdown.
//!
//! Columns of numbers keep their width. Columns of text give way, and a cut is marked with `…`. When
//! that is not enough, a [`Grid`] either goes on below itself ([`Overflow::Stack`]) or leaves columns
//! out and names them ([`Overflow::Hide`]): nothing vanishes unseen.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::Tone;

const GAP: usize = 2;
/// The narrowest that a column of text becomes.
const TEXT_WIDTH_MIN: usize = 12;
/// The widest that a column of text becomes where no width is given.
const TEXT_WIDTH_MAX: usize = 124;

/// A table of text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grid {
    /// The columns, left to right.
    pub columns: Vec<Column>,
    /// The rows; each has one cell a column.
    pub rows: Vec<Vec<Cell>>,
    /// What happens when the columns do not fit.
    pub overflow: Overflow,
}

/// One column of a [`Grid`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Column {
    /// The heading.
    pub title: String,
    /// Whether cells stand at the right edge, as numbers do.
    pub right: bool,
    /// Whether cells may be cut.
    pub flexible: bool,
}

/// One cell of a [`Grid`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// What it says, in one line.
    pub text: String,
    /// What it means.
    pub tone: Tone,
}

/// What a [`Grid`] does when its columns do not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overflow {
    /// Goes on below, with the first column repeated. For tables of few rows.
    #[default]
    Stack,
    /// Leaves out columns and names them. For tables of many rows.
    Hide,
}

impl Column {
    /// A column of names: never cut.
    pub fn name(title: impl Into<String>) -> Self {
        Self { title: title.into(), right: false, flexible: false }
    }

    /// A column of numbers: right-aligned, never cut.
    pub fn number(title: impl Into<String>) -> Self {
        Self { title: title.into(), right: true, flexible: false }
    }

    /// A column of text, which gives way when space is short.
    pub fn text(title: impl Into<String>) -> Self {
        Self { title: title.into(), right: false, flexible: true }
    }
}

impl Cell {
    /// A cell in a tone. Line breaks and control characters become visible marks.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: one_line(text.into()), tone }
    }

    /// A plain cell.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl Grid {
    /// An empty table.
    pub fn new(columns: Vec<Column>, overflow: Overflow) -> Self {
        Self { columns, rows: Vec::new(), overflow }
    }

    /// Leaves out the columns that `keep` does not want; `keep` gets the heading.
    pub fn retain_columns(&mut self, keep: impl Fn(&str) -> bool) {
        let kept: Vec<bool> = self.columns.iter().map(|column| keep(&column.title)).collect();
        retain_by(&mut self.columns, &kept);
        for row in &mut self.rows {
            retain_by(row, &kept);
        }
    }

    /// The table as aligned lines, at most `width` columns wide where a width is given.
    pub fn to_text(&self, width: Option<usize>) -> String {
        let mut out = String::new();
        match self.overflow {
            Overflow::Hide => {
                let layout = Layout::fit(&self.columns, &self.rows, width);
                layout.push_header(&self.columns, &mut out);
                layout.push_rows(&self.columns, &self.rows, &mut out);
                layout.push_hidden(&self.columns, &mut out);
            }
            Overflow::Stack => {
                for layout in Layout::stack(&self.columns, &self.rows, width) {
                    if !out.is_empty() {
                        out.push('\n');
                    }
                    layout.push_header(&self.columns, &mut out);
                    layout.push_rows(&self.columns, &self.rows, &mut out);
                }
            }
        }
        out
    }

    /// The table as markdown, uncut.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        push_markdown_header(&self.columns, &mut out);
        for row in &self.rows {
            push_markdown_row(row.iter().map(|cell| cell.text.as_str()), &mut out);
        }
        out
    }
}

fn retain_by<T>(items: &mut Vec<T>, kept: &[bool]) {
    let mut flags = kept.iter();
    items.retain(|_| flags.next().copied().unwrap_or(true));
}

/// Writes the heading of a markdown table.
pub(crate) fn push_markdown_header(columns: &[Column], out: &mut String) {
    push_markdown_row(columns.iter().map(|column| column.title.as_str()), out);
    push_markdown_row(columns.iter().map(|column| if column.right { "---:" } else { "---" }), out);
}

/// Writes one row of a markdown table.
pub(crate) fn push_markdown_row<'a>(cells: impl Iterator<Item = &'a str>, out: &mut String) {
    out.push('|');
    for cell in cells {
        out.push(' ');
        out.push_str(&cell.replace('|', "\\|"));
        out.push_str(" |");
    }
    out.push('\n');
}

/// Which columns are shown, and how wide.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// Indexes of the shown columns with their widths.
    shown: Vec<(usize, usize)>,
    hidden: Vec<usize>,
}

impl Layout {
    /// Fits the columns to `width`, leaving out from the right what does not fit.
    pub(crate) fn fit(columns: &[Column], rows: &[Vec<Cell>], width: Option<usize>) -> Self {
        let natural = natural_widths(columns, rows);
        let all: Vec<usize> = (0..columns.len()).collect();
        let Some(width) = width else {
            return Self::of(all, &natural, columns, None, Vec::new());
        };
        let mut used = 0;
        let fits = |&index: &usize| {
            used += least(&columns[index], natural[index]) + GAP;
            used - GAP <= width || index == 0
        };
        let shown: Vec<usize> = all.iter().copied().take_while(fits).collect();
        let hidden = (shown.len()..columns.len()).collect();
        Self::of(shown, &natural, columns, Some(width), hidden)
    }

    /// Splits the columns into as many parts as it takes, each with the first column.
    fn stack(columns: &[Column], rows: &[Vec<Cell>], width: Option<usize>) -> Vec<Self> {
        let natural = natural_widths(columns, rows);
        let Some(limit) = width else {
            let all = (0..columns.len()).collect();
            return vec![Self::of(all, &natural, columns, None, Vec::new())];
        };
        let mut parts: Vec<Vec<usize>> = vec![Vec::new()];
        let mut used = 0;
        for index in 0..columns.len() {
            let least_width = least(&columns[index], natural[index]);
            let is_full = parts.last().is_some_and(|part| part.len() > 1) && used + GAP + least_width > limit;
            if is_full {
                parts.push(vec![0]);
                used = least(&columns[0], natural[0]);
            }
            used += if used == 0 { least_width } else { GAP + least_width };
            if let Some(part) = parts.last_mut() {
                part.push(index);
            }
        }
        parts.into_iter().map(|part| Self::of(part, &natural, columns, width, Vec::new())).collect()
    }

    fn of(
        shown: Vec<usize>,
        natural: &[usize],
        columns: &[Column],
        width: Option<usize>,
        hidden: Vec<usize>,
    ) -> Self {
        let mut widths: Vec<usize> = shown.iter().map(|&index| natural[index]).collect();
        let flexible: Vec<bool> = shown.iter().map(|&index| columns[index].flexible).collect();
        match width {
            Some(width) => shrink(&mut widths, &flexible, width),
            None => {
                for (width, _) in widths.iter_mut().zip(&flexible).filter(|(_, flexible)| **flexible) {
                    *width = (*width).min(TEXT_WIDTH_MAX);
                }
            }
        }
        Self { shown: shown.into_iter().zip(widths).collect(), hidden }
    }

    /// Writes the heading and the line below it.
    pub(crate) fn push_header(&self, columns: &[Column], out: &mut String) {
        let cells: Vec<Cell> =
            columns.iter().map(|column| Cell::new(column.title.as_str(), Tone::Strong)).collect();
        self.push_line(columns, &cells, out);
        let total: usize = self.shown.iter().map(|(_, width)| width + GAP).sum();
        out.push_str(&Tone::Quiet.paint(&"─".repeat(total.saturating_sub(GAP))));
        out.push('\n');
    }

    /// Writes rows, whose alignment `columns` of the header decided.
    pub(crate) fn push_rows(&self, columns: &[Column], rows: &[Vec<Cell>], out: &mut String) {
        for row in rows {
            self.push_line(columns, row, out);
        }
    }

    /// Names the columns that are left out.
    pub(crate) fn push_hidden(&self, columns: &[Column], out: &mut String) {
        if self.hidden.is_empty() {
            return;
        }
        let names: Vec<&str> = self.hidden.iter().map(|&index| columns[index].title.as_str()).collect();
        let noun = if names.len() == 1 { "column" } else { "columns" };
        let note = format!("… {} more {noun}: {}", names.len(), names.join(", "));
        out.push_str(&Tone::Quiet.paint(&note));
        out.push('\n');
    }

    fn push_line(&self, columns: &[Column], cells: &[Cell], out: &mut String) {
        let last = self.shown.len().saturating_sub(1);
        for (position, &(index, width)) in self.shown.iter().enumerate() {
            let Some(cell) = cells.get(index) else { continue };
            let column = &columns[index];
            // Rows after the measured ones may hold longer numbers: out of line beats cut.
            let text = if column.flexible { cut(&cell.text, width) } else { cell.text.clone() };
            let padding = " ".repeat(width.saturating_sub(text.width()));
            let painted = cell.tone.paint(&text);
            match (column.right, position == last) {
                (true, _) => out.extend([padding.as_str(), painted.as_str()]),
                (false, false) => out.extend([painted.as_str(), padding.as_str()]),
                (false, true) => out.push_str(&painted),
            }
            if position != last {
                out.push_str(&" ".repeat(GAP));
            }
        }
        out.push('\n');
    }
}

fn natural_widths(columns: &[Column], rows: &[Vec<Cell>]) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|column| column.title.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.width());
        }
    }
    widths
}

fn least(column: &Column, natural: usize) -> usize {
    if column.flexible { natural.min(TEXT_WIDTH_MIN) } else { natural }
}

/// Narrows the widest of the flexible columns until the line fits or none can give more.
fn shrink(widths: &mut [usize], flexible: &[bool], limit: usize) {
    loop {
        let total: usize = widths.iter().map(|width| width + GAP).sum::<usize>().saturating_sub(GAP);
        if total <= limit {
            return;
        }
        let widest = (0..widths.len())
            .filter(|&index| flexible[index] && widths[index] > TEXT_WIDTH_MIN)
            .max_by_key(|&index| widths[index]);
        let Some(widest) = widest else { return };
        let second = (0..widths.len())
            .filter(|&index| index != widest && flexible[index])
            .map(|index| widths[index])
            .max()
            .unwrap_or(0);
        let spare = widths[widest] - TEXT_WIDTH_MIN;
        let step = (widths[widest] - second.min(widths[widest])).max(1);
        widths[widest] -= step.min(spare).min(total - limit);
    }
}

/// Cuts `text` to `width` columns, with `…` at the end of what was cut.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let size = c.width().unwrap_or(0);
        if used + size + 1 > width {
            break;
        }
        used += size;
        out.push(c);
    }
    out.push('…');
    out
}

/// Makes line breaks visible and control characters harmless: text of a model may hold escape codes.
pub(crate) fn one_line(text: String) -> String {
    if !text.contains(|c: char| c.is_control()) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' => out.push('↵'),
            '\t' => out.push(' '),
            c if c.is_control() => out.push('·'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(overflow: Overflow) -> Grid {
        let columns = vec![Column::name("id"), Column::text("output"), Column::number("score")];
        let mut grid = Grid::new(columns, overflow);
        for (id, output, score) in [("a", "a short answer", "1.00"), ("bb", "one\nthat is a good deal longer", "0.50")] {
            grid.rows.push(vec![Cell::plain(id), Cell::plain(output), Cell::plain(score)]);
        }
        grid
    }

    fn plain(text: String) -> String {
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            out.push_str(before);
            rest = after.split_once('m').map_or("", |(_, tail)| tail);
        }
        out + rest
    }

    #[test]
    fn numbers_stand_right_and_text_gives_way() {
        let text = plain(grid(Overflow::Hide).to_text(Some(30)));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "id  output               score");
        assert_eq!(lines[2], "a   a short answer        1.00");
        assert_eq!(lines[3], "bb  one↵that is a good…   0.50");
        assert!(lines.iter().all(|line| line.width() <= 30));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let text = plain(grid(Overflow::Hide).to_text(Some(18)));
        assert!(text.ends_with("… 1 more column: score\n"), "{text}");
    }

    #[test]
    fn a_stacked_table_repeats_its_first_column() {
        let text = plain(grid(Overflow::Stack).to_text(Some(18)));
        let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("id")).collect();
        assert_eq!(heads, ["id  output", "id  score"]);
    }

    #[test]
    fn markdown_is_uncut_and_escaped() {
        let mut grid = Grid::new(vec![Column::name("a|b"), Column::number("n")], Overflow::Stack);
        grid.rows.push(vec![Cell::plain("x"), Cell::plain("1")]);
        assert_eq!(grid.to_markdown(), "| a\\|b | n |\n| --- | ---: |\n| x | 1 |\n");
    }

    #[test]
    fn control_characters_are_harmless() {
        assert_eq!(one_line("a\r\nb\u{1b}[31mc".into()), "a↵b·[31mc");
    }

    #[test]
    fn wide_characters_count_double() {
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
