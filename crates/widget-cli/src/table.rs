//! Tables for people: aligned columns that fit a terminal.

use comfy_table::{ColumnConstraint, Row, Table, Width, presets::NOTHING};

use crate::printer::printable_lines;

/// The narrowest that a column is cut to.
const MIN_CUT: usize = 16;

/// The space between two columns.
const GAP: usize = 2;

/// A column, and what may happen to it where there is no room for all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    can_be_cut: bool,
    /// The greater, the sooner it is left out; `None` for what stays.
    left_out: Option<u8>,
    /// Whether it is left out where no row has anything in it.
    if_any: bool,
}

impl Column {
    /// A column whose values are cut where there is no room.
    pub(crate) const fn cut(name: &'static str) -> Self {
        Self {
            name,
            can_be_cut: true,
            left_out: None,
            if_any: false,
        }
    }

    /// A column whose values are whole.
    pub(crate) const fn whole(name: &'static str) -> Self {
        Self {
            name,
            can_be_cut: false,
            left_out: None,
            if_any: false,
        }
    }

    /// The same, and left out where there is no room: the one with the greatest number first.
    pub(crate) const fn or_left_out(self, order: u8) -> Self {
        Self {
            left_out: Some(order),
            ..self
        }
    }

    /// The same, and left out where no row has anything in it.
    pub(crate) const fn if_any(self) -> Self {
        Self {
            if_any: true,
            ..self
        }
    }
}

/// The lines of a table; with a width, at most as wide where that is possible.
pub(crate) fn lines<const N: usize>(
    columns: [Column; N],
    rows: impl IntoIterator<Item = [String; N]>,
    width: Option<usize>,
) -> Vec<String> {
    // A cell is one line, whatever somebody has written into it.
    let rows: Vec<[String; N]> = rows
        .into_iter()
        .map(|row| row.map(|cell| printable_lines(&cell).replace('\n', " ")))
        .collect();
    let all: Vec<usize> = (0..N).collect();
    let natural: Vec<usize> = build(&columns, &rows, &all, None)
        .column_max_content_widths()
        .into_iter()
        .map(usize::from)
        .collect();
    let is_empty = |column: usize| rows.iter().all(|row| row[column].is_empty());
    let mut kept = all;
    kept.retain(|column| !(columns[*column].if_any && is_empty(*column)));
    let Some(width) = width else {
        return finish(&build(&columns, &rows, &kept, None));
    };
    loop {
        let widths = cut(&columns, &natural, &kept, width);
        let least_useful = kept
            .iter()
            .copied()
            .filter(|column| columns[*column].left_out.is_some())
            .max_by_key(|column| columns[*column].left_out);
        match least_useful {
            Some(column) if total(&widths) > width => kept.retain(|other| *other != column),
            _ => return finish(&build(&columns, &rows, &kept, Some(&widths))),
        }
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// The widths of the columns that are kept: the widest that can be cut is cut first.
fn cut(columns: &[Column], natural: &[usize], kept: &[usize], width: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = kept.iter().map(|column| natural[*column]).collect();
    while total(&widths) > width {
        let widest = (0..kept.len())
            .filter(|place| columns[kept[*place]].can_be_cut && widths[*place] > MIN_CUT)
            .max_by_key(|place| widths[*place]);
        let Some(place) = widest else { break };
        widths[place] -= 1;
    }
    widths
}

fn build<const N: usize>(
    columns: &[Column; N],
    rows: &[[String; N]],
    kept: &[usize],
    widths: Option<&[usize]>,
) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_truncation_indicator("…");
    table.set_header(kept.iter().map(|column| columns[*column].name));
    for row in rows {
        let mut line = Row::from(kept.iter().map(|column| row[*column].as_str()));
        line.max_height(1);
        table.add_row(line);
    }
    for (place, width) in widths.into_iter().flatten().enumerate() {
        if let Some(column) = table.column_mut(place) {
            let padded = u16::try_from(width + GAP).unwrap_or(u16::MAX);
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(padded)));
            // Values are cut where the room ends, not where a word does.
            column.set_delimiter('\0');
        }
    }
    table
}

/// Without the space before the first column.
fn finish(table: &Table) -> Vec<String> {
    let text = table.trim_fmt();
    text.lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
        .collect()
}

#[cfg(test)]
#[expect(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its snapshots so"
)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(width: Option<usize>, expected: &Expect) {
        let columns = [
            Column::whole("ID"),
            Column::cut("NOTE").if_any(),
            Column::cut("TITLE"),
            Column::cut("DOMAINS").or_left_out(2),
            Column::whole("UPDATED").or_left_out(1),
        ];
        let rows = [
            [
                "0197a8b2",
                "",
                "Ask the shop",
                "https://www.shop.example and 3 more",
                "2026-11-24",
            ],
            [
                "0197a8b2-6c1e",
                "",
                "日本語のタイトルはここにあります",
                "https://a.example",
                "2026-11-24",
            ],
        ];
        let rows = rows.map(|row| row.map(str::to_owned));
        let lines = lines(columns, rows, width);
        // What names a row is shown also where there is no room.
        if let Some(width) = width.filter(|width| *width >= 40) {
            assert!(
                lines.iter().all(|line| line.chars().count() <= width),
                "{lines:#?}"
            );
        }
        expected.assert_eq(&(lines.join("\n") + "\n"));
    }

    #[test]
    fn tables_fit() {
        check(
            None,
            &expect![[r#"
            ID             TITLE                             DOMAINS                              UPDATED
            0197a8b2       Ask the shop                      https://www.shop.example and 3 more  2026-11-24
            0197a8b2-6c1e  日本語のタイトルはここにあります  https://a.example                    2026-11-24
        "#]],
        );
        check(
            Some(100),
            &expect![[r#"
            ID             TITLE                             DOMAINS                              UPDATED
            0197a8b2       Ask the shop                      https://www.shop.example and 3 more  2026-11-24
            0197a8b2-6c1e  日本語のタイトルはここにあります  https://a.example                    2026-11-24
        "#]],
        );
        check(
            Some(60),
            &expect![[r#"
                ID             TITLE                             UPDATED
                0197a8b2       Ask the shop                      2026-11-24
                0197a8b2-6c1e  日本語のタイトルはここにあります  2026-11-24
            "#]],
        );
        check(
            Some(40),
            &expect![[r#"
                ID             TITLE
                0197a8b2       Ask the shop
                0197a8b2-6c1e  日本語のタイトルはここに…
            "#]],
        );
        check(
            Some(10),
            &expect![[r#"
                ID             TITLE
                0197a8b2       Ask the shop
                0197a8b2-6c1e  日本語のタイト…
            "#]],
        );
    }
}
