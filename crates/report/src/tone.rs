//! What a piece of text means, and the colour that goes with it.

use anstyle::{AnsiColor, Style};

/// The meaning of a piece of text. Colour follows meaning; a sign or a word always says the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    #[default]
    Plain,
    /// Headings and names.
    Strong,
    /// What may be skipped: units, unchanged values, differences that noise explains.
    Quiet,
    /// A real improvement.
    Good,
    /// A real regression, an error.
    Bad,
    /// What the reader should know before trusting a number.
    Caution,
}

impl Tone {
    /// Wraps `text` in the escape codes of this tone.
    pub fn paint(self, text: &str) -> String {
        if self == Self::Plain || text.is_empty() {
            return text.to_string();
        }
        let style = self.style();
        format!("{}{text}{}", style.render(), style.render_reset())
    }

    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Quiet => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Caution => AnsiColor::Yellow.on_default(),
        }
    }
}
