//! An answer laid out for reading, before it is text or markdown.

use unicode_width::UnicodeWidthStr;

use crate::grid::one_line;
use crate::{Grid, Tone};

/// An answer as a sequence of blocks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The blocks, top to bottom.
    pub blocks: Vec<Block>,
}

/// One block of a [`Document`].
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// The title of the whole answer.
    Title(String),
    /// A heading.
    Heading(String),
    /// Names and values, one a line.
    Fields(Vec<(String, Line)>),
    /// Sentences, one a line.
    Lines(Vec<Line>),
    /// A table.
    Grid(Grid),
    /// Lines whose spacing matters.
    Drawing(Vec<Line>),
    /// What a table means, right below it.
    Note(Vec<String>),
    /// What the reader should know before trusting the numbers.
    Warnings(Vec<String>),
}

/// One line made of pieces.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    pieces: Vec<(String, Tone)>,
}

impl Line {
    /// A line of one piece.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self::default().and(text, tone)
    }

    /// A plain line.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Tone::Plain)
    }

    /// The line with one more piece. Control characters become visible marks.
    #[must_use]
    pub fn and(mut self, text: impl Into<String>, tone: Tone) -> Self {
        self.push(text, tone);
        self
    }

    /// Adds a piece.
    pub fn push(&mut self, text: impl Into<String>, tone: Tone) {
        self.pieces.push((one_line(text.into()), tone));
    }

    /// The text without its tones.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|(text, _)| text.as_str()).collect()
    }

    fn painted(&self) -> String {
        self.pieces.iter().map(|(text, tone)| tone.paint(text)).collect()
    }
}

impl Document {
    /// Adds a block, unless it is empty.
    pub fn push(&mut self, block: Block) {
        let is_empty = match &block {
            Block::Title(_) | Block::Heading(_) => false,
            Block::Fields(fields) => fields.is_empty(),
            Block::Lines(lines) | Block::Drawing(lines) => lines.is_empty(),
            Block::Grid(grid) => grid.columns.is_empty(),
            Block::Note(lines) | Block::Warnings(lines) => lines.is_empty(),
        };
        if !is_empty {
            self.blocks.push(block);
        }
    }

    /// The document as text with colours, at most `width` columns wide where that can be.
    pub fn to_text(&self, width: Option<usize>) -> String {
        let mut out = String::new();
        for (index, block) in self.blocks.iter().enumerate() {
            let follows_heading = index > 0 && matches!(self.blocks[index - 1], Block::Heading(_));
            let belongs_to_last = follows_heading || matches!(block, Block::Note(_));
            if index > 0 && !belongs_to_last {
                out.push('\n');
            }
            push_text(block, width, &mut out);
        }
        out
    }

    /// The document as markdown.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        for (index, block) in self.blocks.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            push_markdown(block, &mut out);
        }
        out
    }
}

fn push_text(block: &Block, width: Option<usize>, out: &mut String) {
    match block {
        Block::Title(text) | Block::Heading(text) => push_line(&Tone::Strong.paint(text), out),
        Block::Fields(fields) => push_fields(fields, out),
        Block::Lines(lines) | Block::Drawing(lines) => {
            lines.iter().for_each(|line| push_line(&line.painted(), out));
        }
        Block::Grid(grid) => out.push_str(&grid.to_text(width)),
        Block::Note(lines) => lines.iter().for_each(|line| push_line(&Tone::Quiet.paint(line), out)),
        Block::Warnings(warnings) => {
            for warning in warnings {
                push_line(&format!("{} {warning}", Tone::Caution.paint("warning:")), out);
            }
        }
    }
}

fn push_fields(fields: &[(String, Line)], out: &mut String) {
    let width = fields.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    for (name, value) in fields {
        let padding = " ".repeat(width - name.width() + 2);
        push_line(&format!("{}{padding}{}", Tone::Quiet.paint(name), value.painted()), out);
    }
}

fn push_markdown(block: &Block, out: &mut String) {
    match block {
        Block::Title(text) => push_line(&format!("# {text}"), out),
        Block::Heading(text) => push_line(&format!("## {text}"), out),
        Block::Fields(fields) => {
            fields.iter().for_each(|(name, value)| push_line(&format!("- **{name}**: {}", value.text()), out));
        }
        Block::Lines(lines) => lines.iter().for_each(|line| push_line(&format!("- {}", line.text()), out)),
        Block::Drawing(lines) => {
            push_line("```text", out);
            lines.iter().for_each(|line| push_line(&line.text(), out));
            push_line("```", out);
        }
        Block::Grid(grid) => out.push_str(&grid.to_markdown()),
        Block::Note(lines) => push_line(&lines.join(" "), out),
        Block::Warnings(warnings) => {
            warnings.iter().for_each(|warning| push_line(&format!("> **Warning:** {warning}"), out));
        }
    }
}

fn push_line(line: &str, out: &mut String) {
    out.push_str(line.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_apart_and_headings_hold_on() {
        let mut document = Document::default();
        document.push(Block::Title("t".into()));
        document.push(Block::Heading("h".into()));
        document.push(Block::Lines(vec![Line::plain("x")]));
        document.push(Block::Warnings(Vec::new()));
        assert_eq!(document.to_markdown(), "# t\n\n## h\n\n- x\n");
        assert!(document.to_text(None).ends_with("\u{1b}[0m\nx\n"));
    }
}
