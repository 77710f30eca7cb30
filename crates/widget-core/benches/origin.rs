//! What a decision costs, with the number of entries and of widgets, against the naive way in the
//! same run: parsing every entry and comparing texts at each request.
//!
//! `cargo xtask bench` prints it; nothing here is asserted, because machines differ.

use divan::{AllocProfiler, Bencher, black_box};
use widget_core::origin::{AllowedOrigins, Entry, Origin, OriginHeaderError, SuffixList};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    let _ = SuffixList::builtin();
    divan::main();
}

const SIZES: [usize; 3] = [1, 10, 100];

/// Half exact entries, half patterns; the last entry is exact.
fn entries(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| {
            if (count - number) % 2 == 1 {
                format!("https://shop{number}.customer{number}.example")
            } else {
                format!("https://*.customer{number}.example")
            }
        })
        .collect()
}

fn list(count: usize) -> AllowedOrigins {
    AllowedOrigins::parse(&entries(count), SuffixList::builtin()).expect("good entries")
}

fn origin(value: &str) -> Origin {
    value.parse().expect("canonical text")
}

/// The page of the last entry: the worst place for whoever looks through the list.
fn last(count: usize) -> String {
    format!("https://shop{0}.customer{0}.example", count - 1)
}

#[divan::bench_group]
mod decide {
    use super::{Bencher, SIZES, black_box, entries, last, list, origin};

    #[divan::bench(args = SIZES)]
    fn exact(bencher: Bencher<'_, '_>, count: usize) {
        let (list, page) = (list(count), origin(&last(count)));
        bencher.bench(|| black_box(&list).admit(black_box(&page)).is_some());
    }

    #[divan::bench(args = [10, 100])]
    fn pattern(bencher: Bencher<'_, '_>, count: usize) {
        let (list, page) = (list(count), origin("https://a.b.customer0.example"));
        assert!(list.admit(&page).is_some());
        bencher.bench(|| black_box(&list).admit(black_box(&page)).is_some());
    }

    #[divan::bench(args = SIZES)]
    fn not_listed(bencher: Bencher<'_, '_>, count: usize) {
        let (list, page) = (list(count), origin("https://www.unlisted.example"));
        bencher.bench(|| black_box(&list).admit(black_box(&page)).is_none());
    }

    /// A different widget at each request, so that nothing is warm but what must be.
    #[divan::bench]
    fn among_10_000_widgets(bencher: Bencher<'_, '_>) {
        let lists: Vec<_> = (0..10_000).map(|_| list(10)).collect();
        let page = origin(&last(10));
        let mut next = 0;
        bencher.bench_local(|| {
            next = (next + 7_919) % lists.len();
            black_box(&lists[next]).admit(black_box(&page)).is_some()
        });
    }

    #[divan::bench(args = SIZES)]
    fn naive(bencher: Bencher<'_, '_>, count: usize) {
        let (entries, page) = (entries(count), last(count));
        bencher.bench(|| {
            black_box(&entries)
                .iter()
                .any(|entry| naively_admits(entry, black_box(&page)))
        });
    }

    /// What one would write at first: correct on these entries only.
    fn naively_admits(entry: &str, page: &str) -> bool {
        let Ok(url) = url::Url::parse(entry) else {
            return false;
        };
        let origin = url.origin().ascii_serialization();
        match origin.split_once("*.") {
            Some((scheme, base)) => page
                .strip_prefix(scheme)
                .is_some_and(|host| host.ends_with(&format!(".{base}"))),
            None => origin == page,
        }
    }
}

#[divan::bench_group]
mod read {
    use super::{
        AllowedOrigins, Bencher, Entry, Origin, OriginHeaderError, SIZES, SuffixList, black_box,
        entries,
    };

    #[divan::bench(args = ["https://shop.example", "http://localhost:3000", "https://a.b.xn--bcher-kva.example"])]
    fn header(value: &str) -> Result<Origin, OriginHeaderError> {
        Origin::from_header([black_box(value)])
    }

    #[divan::bench(args = ["shop.example", "https://*.shop.example:8443/path", "https://bücher.example"])]
    fn entry(entry: &str) -> bool {
        Entry::parse(black_box(entry), SuffixList::builtin()).is_ok()
    }

    #[divan::bench(args = SIZES)]
    fn stored_list(bencher: Bencher<'_, '_>, count: usize) {
        let entries = entries(count);
        bencher.bench(|| AllowedOrigins::load(black_box(&entries), SuffixList::builtin()));
    }

    #[divan::bench(sample_count = 10, sample_size = 1)]
    fn suffix_list() -> bool {
        SuffixList::parse(black_box(include_str!("../data/public_suffix_list.dat"))).is_ok()
    }
}
