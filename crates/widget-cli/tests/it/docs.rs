//! The examples in `docs/cli.md` show what the command prints: each is run on the files of the
//! page. `UPDATE_EXPECT=1` writes them again.

use expect_test::expect_file;

use crate::Folder;

#[test]
fn examples_are_real() {
    let page = include_str!("../../../../docs/cli.md");
    let mut folder = Folder::new();
    let mut written = String::new();
    let mut blocks = page.split("```");
    while let Some(text) = blocks.next() {
        written += text;
        let Some(block) = blocks.next() else { break };
        let (language, body) = block.split_once('\n').expect("a block has lines");
        let body = if language == "console" {
            let command = body.lines().next().expect("a command");
            format!("{command}\n{}", run(&folder, command))
        } else {
            if let Some((_, path)) = language.split_once(' ') {
                folder = folder.with(path, body);
            }
            body.to_owned()
        };
        written.extend(["```", language, "\n", &body, "```"]);
    }
    expect_file!["../../../../docs/cli.md"].assert_eq(&written);
}

/// What a person who enters the command sees.
fn run(folder: &Folder, command: &str) -> String {
    let command = command.strip_prefix("$ widget ").expect("a command");
    let arguments: Vec<_> = command
        .split(' ')
        .map(|argument| argument.trim_matches('\''))
        .collect();
    let output = folder.command(&arguments).output().expect("a run");
    let mut shown = String::from_utf8(output.stdout).expect("UTF-8");
    shown += &String::from_utf8(output.stderr).expect("UTF-8");
    shown
}
