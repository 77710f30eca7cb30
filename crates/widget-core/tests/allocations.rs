//! A decision allocates nothing, independent of the number of entries.
//!
//! A binary of its own: counting replaces the allocator.

use widget_core::origin::{AllowedOrigins, Origin, SuffixList};

#[test]
fn a_decision_allocates_nothing() {
    for count in [1, 10, 100] {
        let entries: Vec<_> = (0..count)
            .map(|number| match number % 2 {
                0 => format!("https://shop{number}.example"),
                _ => format!("https://*.customer{number}.example"),
            })
            .collect();
        let list = AllowedOrigins::parse(&entries, SuffixList::builtin()).expect("good entries");
        for page in [
            "https://shop0.example",
            "https://a.b.customer1.example",
            "https://unlisted.example",
            "http://[::1]:3000",
        ] {
            let page: Origin = page.parse().expect("canonical text");
            let counted = allocation_counter::measure(|| {
                let _ = list.admit(&page);
            });
            assert_eq!(counted.count_total, 0, "{count} entries, {page}");
        }
    }
}
