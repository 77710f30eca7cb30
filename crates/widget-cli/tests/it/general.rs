//! Help, usage errors, colors, manual and completions.

use expect_test::expect;

use crate::{Folder, SHOP};

#[test]
fn help() {
    let folder = Folder::new();
    folder.check(&[], &expect![[r#"
        exit 2
        ---- stderr ----
        Answers questions about web widgets from files: is it valid, why is it not shown, what to paste

        Usage: widget [OPTIONS] <COMMAND>

        Commands:
          validate     Check widgets and configs for errors
          lint         Check widgets and configs for errors and for what is seldom meant
          migrate      Bring configs to the current version
          explain      Say why a widget is or is not shown on a page
          diff         Show what differs between two widgets or two configs
          snippet      Print the line of HTML that shows a widget
          schema       Print the JSON Schema of configs, widgets or the bodies of the API
          origins      Try lists of allowed sites without a widget
          completions  Print the completions of a shell
          man          Print the manual, or write all its pages to a folder
          help         Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help (see more with '--help')
          -V, --version  Print version

        Global options:
              --output <FORMAT>  How the answer is written [default: human] [possible values: human, json]
              --color <WHEN>     When colors are used [default: auto] [possible values: auto, always, never]
          -q, --quiet            Say nothing on standard error but errors: no summary, no assumptions, no
                                 progress

        Exit codes: 0 yes, 1 no or bad input, 2 wrong usage or something unexpected.
        `widget help COMMAND` shows examples.
    "#]]);
}

#[test]
fn usage_errors() {
    let folder = Folder::new();
    folder.check(&["help", "explain"], &expect![[r#"
        exit 0
        ---- stdout ----
        Say why a widget is or is not shown on a page

        Usage: widget explain [OPTIONS] --page <URL> <FILE>

        Arguments:
          <FILE>
                  A file with the widget as the API returns it, or - for standard input

        Options:
              --page <URL>
                  The address of the page, as in the visitor's address bar

              --service <URL>
                  The address of the widget service; shows the policy lines that the page needs

              --id <ID>
                  Which widget of a list, by its id

              --format <FORMAT>
                  Read the input as this, instead of telling by its name

                  [possible values: json, yaml]

              --suffix-list <FILE>
                  A newer public suffix list than the one compiled in (<https://publicsuffix.org/list/>)

          -h, --help
                  Print help (see a summary with '-h')

        Assumptions:
              --agent-version <STATE>
                  The state of the pinned agent version, which is not in the file

                  Possible values:
                  - published:     The version is published
                  - draft:         The version exists and is a draft
                  - missing:       The agent has no such version
                  - other-agent:   The version is one of another agent
                  - agent-missing: The organization has no such agent

        Global options:
              --output <FORMAT>
                  How the answer is written

                  Possible values:
                  - human: Text for people
                  - json:  JSON for programs, one object a line

                  [default: human]

              --color <WHEN>
                  When colors are used

                  Possible values:
                  - auto:   On a terminal, unless `NO_COLOR` is set
                  - always: Even into a file or a pipe
                  - never:  Nowhere

                  [default: auto]

          -q, --quiet
                  Say nothing on standard error but errors: no summary, no assumptions, no progress

        Takes the decision that the service takes for this page and shows each step of it, ✓ or ✗. When the
        page is not on the list of domains, the entry that comes nearest is named, with what differs, and
        the one change that helps.

        The file holds the widget as the API returns it:
          curl -H "Authorization: Bearer $KEY" https://widgets.example/core/web-widgets/$ID > widget.json

        Examples:
          widget explain widget.json --page https://shop.example/cart
          widget explain widget.json --page shop.example --service https://widgets.example
          widget explain widget.json --page https://shop.example --agent-version draft

        Whether the pinned agent version is published is not in the file. It is taken to be, and that is
        said; with --agent-version you say what you know.
        Exit code: 0 when the widget is shown, 1 when it is not, 2 for wrong usage.
    "#]]);
    folder.check(
        &["explian"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: unrecognized subcommand 'explian'

          tip: a similar subcommand exists: 'explain'

        Usage: widget [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]],
    );
    folder.check(
        &["validate"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: the following required arguments were not provided:
          <PATH>...

        Usage: widget validate <PATH>...

        For more information, try '--help'.
    "#]],
    );
    folder.check(
        &["--version"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        widget 0.1.0
    "#]],
    );
}

#[test]
fn colors_follow_who_is_reading() {
    let folder = Folder::new().with("shop.json", SHOP);
    let arguments = ["explain", "shop.json", "--page", "https://www.shop.example"];
    let plain = folder.command(&arguments).output().expect("a run").stdout;
    assert!(!plain.contains(&0x1b), "no color into a pipe");
    let forced = [&arguments[..], &["--color", "always"]].concat();
    let colored = folder.command(&forced).output().expect("a run").stdout;
    assert!(colored.contains(&0x1b), "color when asked for");
    let never = [&arguments[..], &["--color", "never"]].concat();
    let mut command = folder.command(&never);
    let never = command.env("CLICOLOR_FORCE", "1").output().expect("a run");
    assert_eq!(never.stdout, plain);
    let mut command = folder.command(&arguments);
    command.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "0");
    assert_eq!(command.output().expect("a run").stdout, plain);
}

#[test]
fn every_command_has_examples() {
    let folder = Folder::new();
    for command in [
        "validate",
        "lint",
        "migrate",
        "explain",
        "diff",
        "snippet",
        "schema",
        "origins",
        "completions",
        "man",
    ] {
        let output = folder.command(&["help", command]).output().expect("a run");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("Examples:"), "{command}");
        for line in text.lines() {
            assert!(line.chars().count() <= 120, "{command}: {line}");
        }
    }
}

#[test]
fn manual_and_completions_are_written() {
    let folder = Folder::new();
    folder.command(&["man", "--dir", "man1"]).assert().success();
    for page in ["widget", "widget-explain", "widget-origins-test"] {
        let text = folder.read(&format!("man1/{page}.1"));
        assert!(
            text.starts_with(".ie") && text.contains(".SH NAME"),
            "{page}"
        );
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = folder
            .command(&["completions", shell])
            .output()
            .expect("a run");
        let script = String::from_utf8_lossy(&output.stdout);
        assert!(script.contains("explain"), "{shell}");
    }
}

#[test]
fn schemas_are_json() {
    let folder = Folder::new();
    for which in ["config", "widget", "new-widget", "widget-patch"] {
        let read = |arguments: &[&str]| -> serde_json::Value {
            let output = folder.command(arguments).output().expect("a run");
            serde_json::from_slice(&output.stdout).expect("JSON")
        };
        let schema = read(&["schema", which]);
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{which}"
        );
        assert_eq!(read(&["schema", which, "--output", "json"]), schema);
    }
}
