//! A table of text: measured, fitted to a width, written as aligned lines or as markdown.
//!
//! Columns of numbers keep their width. Columns of text give way, and a cut is marked with `…`. When
//! that is not enough, a [`Grid`] either goes on below itself ([`Overflow::Stack`]) or leaves columns
//! out and names them ([`Overflow::Hide`]): nothing vanishes unseen.

use crate::Tone;
use crate::layout::Layout;

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
    /// Whether this column begins a group that stays together where a table goes on below itself.
    pub begins_group: bool,
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
        Self { title: title.into(), ..Self::default() }
    }

    /// A column of numbers: right-aligned, never cut.
    pub fn number(title: impl Into<String>) -> Self {
        Self { title: title.into(), right: true, ..Self::default() }
    }

    /// A column of text, which gives way when space is short.
    pub fn text(title: impl Into<String>) -> Self {
        Self { title: title.into(), flexible: true, ..Self::default() }
    }

    /// The column as the first of a group.
    #[must_use]
    pub fn beginning_group(mut self) -> Self {
        self.begins_group = true;
        self
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
        for (id, output, score) in [("a", "a short answer", "1.00"), ("bb", "one\nthat is a good deal longer", "0.50")]
        {
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
        assert!(lines.iter().all(|line| line.chars().count() <= 30));
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
    fn groups_stay_together() {
        let mut grid = grid(Overflow::Stack);
        grid.columns[1].begins_group = true;
        let heads = |width| {
            let text = plain(grid.to_text(Some(width)));
            text.lines()
                .filter(|line| line.starts_with("id"))
                .map(|line| line.trim_end().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(heads(40), ["id  output                         score"]);
        assert_eq!(heads(18), ["id  output", "id  score"]);
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
}
