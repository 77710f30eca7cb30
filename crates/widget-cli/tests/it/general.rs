//! Help, usage errors, colors, manual and completions.

use expect_test::expect;

use crate::{Folder, SHOP, outcome};

#[test]
fn help() {
    let folder = Folder::new();
    folder.check(&[], &expect![[r#"
        exit 2
        ---- stderr ----
        Looks at and changes web widgets: why is it not shown, what to paste, who changed it

        Usage: widget [OPTIONS] <COMMAND>

        Look at widgets:
          list           List widgets
          show           Show a widget
          explain        Explain why a widget is or is not shown on a page
          doctor         Find out what keeps a page from showing its widget
          history        Show who changed a widget, when, and what
          diff           Show the differences between two widgets or two configs
          stats          Show numbers about a widget
          refusals       Show the pages on which a widget was refused

        Change widgets:
          create         Create a widget
          set            Set values of a widget
          unset          Remove values from a widget's config
          edit           Change a widget in the editor
          domains        Show or change the list of sites that may show a widget
          publish        Let a widget be shown
          unpublish      Let a widget no longer be shown
          pin            Choose the version of the agent
          restore        Make a widget what it was in an earlier revision
          delete         Delete a widget
          undelete       Bring a deleted widget back

        Show to others:
          snippet        Print the line of HTML that shows a widget
          preview        Create a link that shows a draft of a widget
          open           Open a site that shows a widget in the browser

        Widgets as code:
          export         Write widgets into a folder of files
          plan           Show what `apply` would do
          apply          Make widgets what a folder of files says

        Conversations and agents:
          conversations  List, show, follow, export and erase conversations
          agents         List agents and their versions, and publish one

        Work on files:
          validate       Check widgets and configs for errors
          lint           Check widgets and configs for errors and for probable mistakes
          migrate        Update configs to the current version
          origins        Try lists of allowed sites without a widget
          schema         Print the JSON Schema of configs, widgets or the bodies of the API

        Services and keys:
          login          Keep the address of a service and a key
          logout         Forget a key
          whoami         Show whose key is used, what it may do, and the version of the service
          profiles       List the services and where their keys are

        This program:
          completions    Print the completions for a shell
          man            Print the manual, or write all its pages to a folder
          help           Print this message or the help of the given subcommand(s)

        Options:
              --output <FORMAT>    The format of the answer [default: human] [possible values: human, table,
                                   json, yaml]
              --color <WHEN>       When to use colors [default: auto] [possible values: auto, always, never]
          -q, --quiet              Write only errors to standard error: no summary, no assumptions, no
                                   progress
              --profile <NAME>     The profile to use, as `widget login` made it [env: WIDGET_PROFILE]
              --ca-file <FILE>     Also trust the certificates in this file (PEM) [env: WIDGET_CA_FILE]
              --timeout <SECONDS>  How long to wait for an answer, with everything that is repeated
                                   [default: 30] [env: WIDGET_TIMEOUT]
          -h, --help               Print help (see more with '--help')
          -V, --version            Print version

        Exit codes:
          0  yes: valid, shown, equal, written
          1  no, or an input is bad
          2  wrong usage, or the command could not do it (no connection, no permission, a file that cannot
          be read)
        `widget help COMMAND` shows examples.
    "#]]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "the help of one command is long")]
fn usage_errors() {
    let folder = Folder::new();
    folder.check(&["help", "explain"], &expect![[r#"
        exit 0
        ---- stdout ----
        Explain why a widget is or is not shown on a page

        Usage: widget explain [OPTIONS] <WIDGET>

        Arguments:
          <WIDGET>
                  A file with the widget as the API returns it, - for standard input, a widget's id or its
                  beginning (with @N, revision N), or the address of a page with it

        Options:
              --page <URL>
                  The address of the page, as in the visitor's address bar; the default is the page with the
                  widget

              --service <URL>
                  Of a file: the address of the widget service, to print the policy lines that the page
                  needs

              --id <ID>
                  The id of the widget, when the file contains a list

              --format <FORMAT>
                  The format of the input, instead of deciding by its name

                  [possible values: json, yaml]

              --suffix-list <FILE>
                  A newer public suffix list than the built-in one (<https://publicsuffix.org/list/>)

          -h, --help
                  Print help (see a summary with '-h')

        Assumptions:
              --agent-version <STATE>
                  The state of the pinned agent version, which the file does not contain

                  Possible values:
                  - published:     The version is published
                  - draft:         The version exists and is a draft
                  - missing:       The agent has no such version
                  - other-agent:   The version belongs to another agent
                  - agent-missing: The organization has no such agent

        Global options:
              --output <FORMAT>
                  The format of the answer

                  Possible values:
                  - human: Text for people
                  - table: Aligned columns with everything in full
                  - json:  JSON for programs, one object a line
                  - yaml:  YAML, one document for each object

                  [default: human]

              --color <WHEN>
                  When to use colors

                  Possible values:
                  - auto:   On a terminal, unless `NO_COLOR` is set
                  - always: Also in a file or a pipe
                  - never:  Not at all

                  [default: auto]

          -q, --quiet
                  Write only errors to standard error: no summary, no assumptions, no progress

        Service options:
              --profile <NAME>
                  The profile to use, as `widget login` made it

                  [env: WIDGET_PROFILE]

              --ca-file <FILE>
                  Also trust the certificates in this file (PEM)

                  [env: WIDGET_CA_FILE]

              --timeout <SECONDS>
                  How long to wait for an answer, with everything that is repeated [default: 30]

                  [env: WIDGET_TIMEOUT]

        Makes the decision that the service makes for this page and shows each step of it, ✓ or ✗. When the
        page is not on the list of domains, it shows the nearest entry, the difference, and the one change
        that helps.

        The service decides for a widget that is named by its id or a page. For a file and for a revision
        (@N) this program decides.

        Examples:
          widget explain 0197a8b2 --page https://shop.example/cart
          widget explain https://shop.example/cart
          widget explain widget.json --page https://shop.example/cart
          widget explain widget.json --page shop.example --service https://widgets.example
          widget explain widget.json --page https://shop.example --agent-version draft

        Of files, only the answer to a POST or PATCH says, in its `warnings`, that the pinned agent version
        is not published. Otherwise the command assumes that it is, and says so; use --agent-version to set
        what you know.
        Exit code: 0 when the widget is shown, 1 when it is not, 2 for wrong usage, or the command could not
        do it (no connection, no permission, a file that cannot be read).
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
fn colors_depend_on_the_output() {
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
    // The environment can ask for colors, too, and `NO_COLOR` is stronger.
    let with = |settings: &[(&str, &str)]| {
        let mut command = folder.command(&arguments);
        let settings = settings.iter().copied();
        command.envs(settings).output().expect("a run").stdout
    };
    assert!(with(&[("CLICOLOR_FORCE", "1")]).contains(&0x1b));
    assert_eq!(with(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]), plain);
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
        assert!(script.contains("WIDGET_COMPLETE"), "{shell}");
    }
}

#[test]
fn schemas_are_json() {
    let folder = Folder::new();
    for which in ["config", "widget", "new-widget", "widget-patch", "outputs"] {
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

/// A word that is not a command gets those that look like it.
#[test]
fn mistyped_commands() {
    let folder = Folder::new();
    for (typed, expected) in [
        (
            "lsit",
            expect![[r#"
                exit 2
                ---- stderr ----
                error: unrecognized subcommand 'lsit'

                  tip: a similar subcommand exists: 'list'

                Usage: widget [OPTIONS] <COMMAND>

                For more information, try '--help'.
            "#]],
        ),
        (
            "expalin",
            expect![[r#"
            exit 2
            ---- stderr ----
            error: unrecognized subcommand 'expalin'

              tip: a similar subcommand exists: 'explain'

            Usage: widget [OPTIONS] <COMMAND>

            For more information, try '--help'.
        "#]],
        ),
        (
            "conversation",
            expect![[r#"
                exit 2
                ---- stderr ----
                error: unrecognized subcommand 'conversation'

                  tip: a similar subcommand exists: 'conversations'

                Usage: widget [OPTIONS] <COMMAND>

                For more information, try '--help'.
            "#]],
        ),
    ] {
        folder.check(&[typed], &expected);
    }
}

/// A variable that is empty is not set, as scripts have it that pass on one of their own.
#[test]
fn empty_variables_are_not_set() {
    let folder = Folder::new().with("shop.json", SHOP);
    let shown = |arguments: &[&str], is_set: bool| {
        let mut command = folder.command(arguments);
        for name in ["WIDGET_PROFILE", "WIDGET_CA_FILE", "WIDGET_TIMEOUT"] {
            if is_set {
                command.env(name, "");
            }
        }
        outcome(&mut command)
    };
    for arguments in [
        &["validate", "shop.json"][..],
        &["completions", "bash"],
        &["list"],
        &["list", "--help"],
        &["list", "-h"],
        &["man"],
    ] {
        let expected = shown(arguments, false);
        assert_eq!(shown(arguments, true), expected, "{arguments:?}");
    }
    assert!(shown(&["list", "--help"], true).contains("[env: WIDGET_TIMEOUT]"));
    let wrong = shown(&["list", "--timeout", ""], true);
    assert!(wrong.starts_with("exit 2\n"), "{wrong}");
}
