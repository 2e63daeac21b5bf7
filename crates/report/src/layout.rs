//! Where the columns of a [`Grid`](crate::Grid) stand: which are shown, and how wide.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{Cell, Column, Tone};

/// Spaces between columns.
const GAP: usize = 2;
/// The narrowest that the names of columns left out are cut to.
const NOTE_WIDTH_MIN: usize = 40;
/// The narrowest that a column of text becomes.
const TEXT_WIDTH_MIN: usize = 12;
/// The widest that a column of text becomes where no width is given.
const TEXT_WIDTH_MAX: usize = 60;

/// Which columns are shown, and how wide.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// Indexes of the shown columns with their widths.
    shown: Vec<(usize, usize)>,
    hidden: Vec<usize>,
    /// Columns of the terminal.
    limit: Option<usize>,
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
    pub(crate) fn stack(columns: &[Column], rows: &[Vec<Cell>], width: Option<usize>) -> Vec<Self> {
        let natural = natural_widths(columns, rows);
        let Some(limit) = width else {
            let all = (0..columns.len()).collect();
            return vec![Self::of(all, &natural, columns, None, Vec::new())];
        };
        let size = |index: usize| least(&columns[index], natural[index]) + GAP;
        let mut parts: Vec<Vec<usize>> = vec![Vec::new()];
        let mut used = 0;
        for group in groups(columns, limit, size) {
            let group_size: usize = group.iter().map(|&index| size(index)).sum();
            let has_columns = parts.last().is_some_and(|part| part.len() > 1);
            if has_columns && used + group_size > limit + GAP {
                parts.push(vec![0]);
                used = size(0);
            }
            used += group_size;
            if let Some(part) = parts.last_mut() {
                part.extend(group);
            }
        }
        parts.into_iter().map(|part| Self::of(part, &natural, columns, width, Vec::new())).collect()
    }

    fn of(shown: Vec<usize>, natural: &[usize], columns: &[Column], width: Option<usize>, hidden: Vec<usize>) -> Self {
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
        Self { shown: shown.into_iter().zip(widths).collect(), hidden, limit: width }
    }

    /// Writes the heading and the line below it.
    pub(crate) fn push_header(&self, columns: &[Column], out: &mut String) {
        let cells: Vec<Cell> = columns.iter().map(|column| Cell::new(column.title.as_str(), Tone::Strong)).collect();
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

    /// Names the columns that are left out, as many as fit a line.
    pub(crate) fn push_hidden(&self, columns: &[Column], out: &mut String) {
        if self.hidden.is_empty() {
            return;
        }
        let names: Vec<&str> = self.hidden.iter().map(|&index| columns[index].title.as_str()).collect();
        let noun = if names.len() == 1 { "column" } else { "columns" };
        let note = format!("… {} more {noun}: {}", names.len(), names.join(", "));
        let note = self.limit.map_or_else(|| note.clone(), |limit| cut(&note, limit.max(NOTE_WIDTH_MIN)));
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
        out.truncate(out.trim_end_matches(' ').len());
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

/// The columns in the groups in which they stay together: single ones where a group is too wide.
fn groups(columns: &[Column], limit: usize, size: impl Fn(usize) -> usize) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if !column.begins_group => group.push(index),
            _ => groups.push(vec![index]),
        }
    }
    let fits = |group: &[usize]| size(0) + group.iter().map(|&index| size(index)).sum::<usize>() <= limit + GAP;
    let split = |group: Vec<usize>| {
        if fits(&group) { vec![group] } else { group.into_iter().map(|one| vec![one]).collect() }
    };
    groups.into_iter().flat_map(split).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_double() {
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
