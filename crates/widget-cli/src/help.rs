//! The long help texts: examples first, in the words of those who ask.

use clap::builder::styling::{AnsiColor, Styles};

pub(crate) const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightGreen.on_default().bold())
    .usage(AnsiColor::BrightGreen.on_default().bold())
    .literal(AnsiColor::BrightCyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

pub(crate) const EXIT_CODES: &str = "\
Exit codes: 0 yes, 1 no or bad input, 2 wrong usage or something unexpected.
`widget help COMMAND` shows examples.";

pub(crate) const OVERVIEW: &str = "\
Examples:
  Why is the widget not shown on our shop?
    curl -H \"Authorization: Bearer $KEY\" https://widgets.example/core/web-widgets/$ID | \\
      widget explain - --page https://shop.example/cart --service https://widgets.example

  Are all our configs right? (in a build, too)
    widget validate configs/

  What do I paste into the page?
    widget snippet $ID --service https://widgets.example

What is read:
  A widget as the API returns it, a list of them, or a config alone (`{}` or `{\"v1\": …}`), as JSON or YAML.
  Which of these it is, is told by the keys; `--kind` and `--format` overrule that.

What is written:
  The answer goes to standard output; summaries, assumptions and errors go to standard error.
  With `--output json` the answer is one JSON object a line, of a shape that only ever gains fields.

Exit codes:
  0  yes: valid, shown, equal, written
  1  no, or an input is bad
  2  the command was used wrongly, or a file could not be read or written";

pub(crate) const VALIDATE: &str = "\
Every error of every file is shown, with the line and the value that it is about. Warnings are only counted; `widget \
lint` shows them.

Examples:
  widget validate widget.json
  widget validate configs/ 'shops/*.yaml'
  curl … | widget validate -
  widget validate configs/ --output json --quiet      for a build: one JSON object for each widget or config

A folder stands for every .json, .yaml and .yml file below it; hidden files and node_modules are left out.
Exit code: 0 when all is valid, 1 when anything is not, 2 when a file could not be read.";

pub(crate) const LINT: &str = "\
Errors are what the service would refuse. Warnings are what it takes, and what is seldom meant: a key with a typing \
error, a list that admits every site or none, a text too pale to read.

Examples:
  widget lint widget.json
  widget lint configs/ --deny-warnings      exit 1 for warnings, too

Exit code: 0 when there is no error, 1 when there is one (or a warning, with --deny-warnings), 2 when a file could not \
be read.";

pub(crate) const MIGRATE: &str = "\
Without --check and --write the result of one file is printed. What is not touched stays as it was written: comments, \
order, spaces, unknown keys. A config that is current already is left alone, byte for byte.

Examples:
  widget migrate old.json                   print the result
  widget migrate configs/ --check           which files are not current?
  widget migrate configs/ --write           replace them
  cat old.yaml | widget migrate - > new.yaml

With --write a file is replaced in one step: it is either the old one or the new one, also after a crash. If any file \
is not valid, it is left as it is, and the others are still written.
Exit code: 0 when all is (or with --check: was) current, 1 when something is not, 2 when a file could not be read or \
written.";

pub(crate) const EXPLAIN: &str = "\
Takes the decision that the service takes for this page and shows each step of it, ✓ or ✗. When the page is not on the \
list of domains, the entry that comes nearest is named, with what differs, and the one change that helps.

The file holds the widget as the API returns it:
  curl -H \"Authorization: Bearer $KEY\" https://widgets.example/core/web-widgets/$ID > widget.json

Examples:
  widget explain widget.json --page https://shop.example/cart
  widget explain widget.json --page shop.example --service https://widgets.example
  widget explain widget.json --page https://shop.example --agent-version draft

Whether the pinned agent version is published is not in the file. It is taken to be, and that is said; with \
--agent-version you say what you know.
Exit code: 0 when the widget is shown, 1 when it is not, 2 for wrong usage.";

pub(crate) const DIFF: &str = "\
Compares by meaning, not by text: order of keys, notation (JSON or YAML) and spaces do not matter.

Examples:
  widget diff before.json after.json
  curl … | widget diff approved.yaml -

Exit code: 0 when there is no difference, 1 when there is one, 2 when a file could not be read.";

pub(crate) const SNIPPET: &str = "\
Paste the line anywhere in the page, best just before `</body>`.

Examples:
  widget snippet widget.json --service https://widgets.example
  widget snippet 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b --service https://widgets.example
  widget snippet widget.json --service https://widgets.example --file-name 3f2a9c.js --integrity sha384-…

With --integrity the browser runs the script only if it has that hash. The service tells name and hash (`GET \
/core/web-widgets/{id}/snippet`); after an update of the service the page has to be changed to get the newer script.
Exit code: 0, 1 when the file holds no widget with an id, 2 for wrong usage.";

pub(crate) const SCHEMA: &str = "\
JSON Schema 2020-12, for completion and checks in an editor.

Examples:
  widget schema > widget-config.schema.json
  widget schema widget

In VS Code, for JSON: `\"json.schemas\": [{\"fileMatch\": [\"configs/*.json\"], \"url\": \"./widget-config.schema.json\"}]`
In a YAML file, as its first line: `# yaml-language-server: $schema=widget-config.schema.json`";

pub(crate) const ORIGINS: &str = "\
Examples:
  widget origins test --allow shop.example '*.shop.example' --page https://www.shop.example/cart
  widget origins normalize Shop.Example https://shop.example:443/cart";

pub(crate) const ORIGINS_TEST: &str = "\
Examples:
  widget origins test --allow shop.example --page https://www.shop.example/cart
  widget origins test --allow 'https://*.shop.example' --page https://a.shop.example --page https://shop.example

Quote entries with a `*`, or the shell may replace them by file names.
Exit code: 0 when every page is admitted, 1 when one is not or an entry is refused.";

pub(crate) const ORIGINS_NORMALIZE: &str = "\
Shows each entry in the form in which it is stored and compared, or why it is refused.

Examples:
  widget origins normalize Shop.Example https://shop.example:443/cart 'https://*.shop.example'
  widget origins normalize < sites.txt

Exit code: 0 when every entry is taken, 1 when one is refused.";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  widget completions bash > ~/.local/share/bash-completion/completions/widget
  widget completions zsh > ~/.zfunc/_widget
  widget completions fish > ~/.config/fish/completions/widget.fish";

pub(crate) const MAN: &str = "\
Examples:
  widget man | man -l -
  widget man --dir ~/.local/share/man/man1";
