//! What the upkeep of a store did.

use evalhouse_model::{OptimizeReport, VacuumReport};

use crate::number;
use crate::{Answer, Block, Datum, Document, Line, Record, Tone, View};

impl Answer for OptimizeReport {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        let line = match self.merged {
            0 => Line::new(format!("Nothing to do: {}.", number::counted(self.files_after, "file")), Tone::Quiet),
            merged => Line::plain(format!(
                "{} merged: {} files before, {} after; {} became {}",
                number::counted(merged, "file"),
                number::count(self.files_before),
                number::count(self.files_after),
                number::bytes(self.bytes_before as f64),
                number::bytes(self.bytes_after as f64),
            )),
        };
        document.push(Block::Lines(vec![line]));
        if self.keyed > 0 {
            let keyed = number::counted(self.keyed, "experiment");
            document.push(Block::Lines(vec![Line::plain(format!("The saved comparison key of {keyed} is stored."))]));
        }
        if self.merged > 0 {
            let line = "The files that were merged stay until `evalhouse vacuum` removes them.";
            document.push(Block::Lines(vec![Line::new(line, Tone::Quiet)]));
        }
        document.push(Block::Warnings(self.warnings.clone()));
        document
    }

    fn records(&self) -> Vec<Record> {
        vec![
            [
                ("files_before", self.files_before),
                ("files_after", self.files_after),
                ("merged", self.merged),
                ("bytes_before", self.bytes_before),
                ("bytes_after", self.bytes_after),
                ("keyed", self.keyed),
            ]
            .map(|(name, count)| (name.to_string(), Datum::from(count)))
            .into(),
        ]
    }
}

impl Answer for VacuumReport {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        let what = format!("{}, {}", number::counted(self.files, "file"), number::bytes(self.bytes as f64));
        let line = if self.dry_run { format!("Would remove {what}.") } else { format!("Removed {what}.") };
        document.push(Block::Lines(vec![Line::plain(line)]));
        document
    }

    fn records(&self) -> Vec<Record> {
        vec![
            [
                ("files", Datum::from(self.files)),
                ("bytes", Datum::from(self.bytes)),
                ("dry_run", Datum::from(self.dry_run)),
            ]
            .map(|(name, datum)| (name.to_string(), datum))
            .into(),
        ]
    }
}
