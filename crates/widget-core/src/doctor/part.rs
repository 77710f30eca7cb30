//! What came of asking for the scripts and frames of a page.

use url::Url;

use super::fetch::is_dead_end;
use super::visit::{Hop, PageFrame, PageScript, Visit};

/// What came of asking for a script or a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The script.
    Script(PageScript),
    /// The frame.
    Frame(PageFrame),
    /// Browsers do not get the script either.
    Failed,
    /// It could not be read here, and browsers may get it.
    Unread,
}

impl Part {
    /// What the answers in `hops` come to; `read` are the bytes of the last one, and whether it
    /// has more.
    #[must_use]
    pub fn new(
        url: Url,
        is_frame: bool,
        mut hops: Vec<Hop>,
        read: Option<(Vec<u8>, bool)>,
    ) -> Self {
        let is_dead_end = is_dead_end(&hops);
        let Some(((bytes, is_cut), hop)) = read.zip(hops.pop()) else {
            return if is_dead_end && !is_frame {
                Self::Failed
            } else {
                Self::Unread
            };
        };
        if is_cut && bytes.is_empty() {
            return Self::Unread;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if is_frame {
            return Self::Frame(PageFrame {
                url,
                hop,
                html: text,
            });
        }
        Self::Script(PageScript {
            url,
            status: hop.status,
            headers: hop.headers,
            text,
            is_cut,
        })
    }
}

impl Visit {
    /// Adds what came of asking for scripts and frames, each with its place in the page.
    pub fn add_parts(&mut self, mut parts: Vec<(usize, Part)>) {
        parts.sort_by_key(|(at, _)| *at);
        for (_, part) in parts {
            let is_known = matches!(part, Part::Script(_) | Part::Failed);
            self.unread_scripts = self.unread_scripts.saturating_sub(usize::from(is_known));
            match part {
                Part::Script(script) => self.scripts.push(script),
                Part::Frame(frame) => self.frames.push(frame),
                Part::Failed | Part::Unread => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_may_get_counts_as_unread() {
        let url = |text: &str| -> Url { text.parse().expect("a URL") };
        let hop = |status, location: &str| Hop {
            url: url("https://shop.example/a.js"),
            status,
            headers: vec![("location".to_owned(), location.to_owned())],
        };
        let part = |hops: Vec<Hop>, read: Option<(&[u8], bool)>| {
            let read = read.map(|(bytes, is_cut)| (bytes.to_vec(), is_cut));
            Part::new(url("https://shop.example/a.js"), false, hops, read)
        };
        // No connection, too many redirects, an unknown encoding, no room.
        assert_eq!(part(Vec::new(), None), Part::Unread);
        assert_eq!(part(vec![hop(302, "/b.js"); 4], None), Part::Unread);
        assert_eq!(part(vec![hop(200, "")], None), Part::Unread);
        assert_eq!(part(vec![hop(200, "")], Some((b"", true))), Part::Unread);
        assert_eq!(part(vec![hop(302, "app:a")], None), Part::Failed);
        let script = part(vec![hop(200, "")], Some((b"x", false)));
        let frame = Part::new(
            url("https://shop.example/a"),
            true,
            vec![hop(200, "")],
            Some((b"<p>".to_vec(), false)),
        );
        let mut second = script.clone();
        if let Part::Script(script) = &mut second {
            script.text = "y".to_owned();
        }
        let mut visit = Visit {
            unread_scripts: 10,
            ..Visit::default()
        };
        visit.add_parts(vec![
            (4, second),
            (3, Part::Failed),
            (2, Part::Unread),
            (1, script),
            (0, frame),
        ]);
        let texts: Vec<_> = visit.scripts.iter().map(|script| &script.text).collect();
        assert_eq!(texts, ["x", "y"]);
        assert_eq!((visit.unread_scripts, visit.frames.len()), (7, 1));
    }
}
