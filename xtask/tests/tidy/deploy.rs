//! Rules about `deploy/`: what stands there fits the service, the documents and itself. Tests of
//! `widget-http` run nginx, the backups and the roles of PostgreSQL.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

use crate::{files, none, read};

/// How exposed a unit may be, of 100: systemd calls up to 20 "ok".
const EXPOSURE: &str = "--threshold=20";

fn text(path: &str) -> String {
    read(Path::new(path)).unwrap_or_else(|| panic!("{path} is missing"))
}

/// The units below `deploy/systemd`.
fn units() -> Vec<PathBuf> {
    let is_unit = |path: &PathBuf| path.starts_with("deploy/systemd");
    files().into_iter().filter(is_unit).collect()
}

fn systemd_analyze(arguments: &[&str], units: &[PathBuf]) -> Vec<String> {
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .args(units)
        .output()
        .expect(
            "`systemd-analyze` is missing: it checks the units.\n  \
             install it with: sudo apt-get install -y systemd",
        );
    let text = [output.stderr, output.stdout].concat();
    let mut lines: Vec<_> = String::from_utf8_lossy(&text)
        .lines()
        .map(str::to_owned)
        .collect();
    if output.status.success() && arguments[0] == "security" {
        lines.clear();
    }
    lines
}

/// systemd knows every setting of the units, and what they start is confined.
#[test]
#[cfg(target_os = "linux")]
fn units_are_valid_and_confined() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("units");
    fs::create_dir_all(&folder).expect("the folder of the units");
    let copies: Vec<_> = units()
        .iter()
        .map(|unit| {
            let text = read(unit).expect("a unit is text");
            // The programs are not installed here.
            let lines = text.lines().map(|line| match line.split_once('=') {
                Some(("ExecStart", command)) => {
                    let (_, arguments) = command.split_once(' ').expect("it has arguments");
                    format!("ExecStart=/bin/true {arguments}\n")
                }
                _ => format!("{line}\n"),
            });
            let copy = folder.join(unit.file_name().expect("it has a name"));
            fs::write(&copy, lines.collect::<String>()).expect("it can be written");
            copy
        })
        .collect();
    assert!(copies.len() > 5, "{copies:?}");
    none("units", &systemd_analyze(&["verify"], &copies));
    let services = copies.iter().filter(|unit| {
        let extension = unit.extension();
        extension.is_some_and(|extension| extension == "service")
    });
    for service in services {
        let arguments = ["security", "--offline=true", "--no-pager", EXPOSURE];
        let faults = systemd_analyze(&arguments, std::slice::from_ref(service));
        none("exposure", &faults);
    }
}

/// The unit for one node and the one for several are the same but for the port.
#[test]
fn both_units_of_the_service_are_the_same() {
    let lines = |path: &str| -> Vec<String> {
        let text = text(path);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.replace(" on port %i", "")).collect()
    };
    let one = lines("deploy/systemd/widget-http.service");
    let mut several = lines("deploy/systemd/widget-http@.service");
    let is_port = |line: &String| line.starts_with("Environment=WIDGET_LISTEN=");
    let port = several.iter().position(is_port).expect("it sets the port");
    several.remove(port);
    assert_eq!(one, several);
}

/// The value of a setting in a unit or in an environment file, as seconds.
fn seconds(path: &str, name: &str) -> u32 {
    let text = text(path);
    let line = text.lines().find_map(|line| {
        let (found, value) = line.trim().split_once(['=', ':'])?;
        (found == name).then(|| value.trim().trim_matches(['"', 's']).to_owned())
    });
    let value = line.unwrap_or_else(|| panic!("{path} has no {name}"));
    value.parse().unwrap_or_else(|_| panic!("{path}: {name}"))
}

/// A service that is being stopped may use all of its time.
#[test]
fn what_stops_the_service_waits_for_it() {
    let draining = 10;
    let (env, compose) = ("deploy/env/widget-http.env", "deploy/compose/compose.yaml");
    for (delay, stop) in [
        (
            seconds(env, "WIDGET_DRAIN_DELAY"),
            seconds("deploy/systemd/widget-http.service", "TimeoutStopSec"),
        ),
        (
            seconds(compose, "WIDGET_DRAIN_DELAY"),
            seconds(compose, "stop_grace_period"),
        ),
    ] {
        assert!(
            stop > delay + draining,
            "{stop} s are not {delay} s and {draining} s"
        );
    }
}

/// Names of variables with this beginning.
fn variables(text: &str, prefix: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    text.split(|letter| !is_part(letter))
        .filter(|word| word.starts_with(prefix) && word.len() > prefix.len())
        .map(str::to_owned)
        .collect()
}

/// Every setting of the service that an example or a document names exists.
#[test]
fn settings_exist() {
    let sources = files()
        .into_iter()
        .filter(|path| path.starts_with("crates/widget-http/src"));
    let known: String = sources
        .filter_map(|path| read(&path))
        .flat_map(|text| {
            let names: Vec<_> = text.split("env = \"").skip(1).map(str::to_owned).collect();
            names
        })
        .map(|rest| rest.split('"').next().unwrap_or_default().to_owned() + " ")
        .collect();
    let known = variables(&known, "WIDGET_");
    assert!(known.len() > 20, "{known:?}");
    let mut faults = Vec::new();
    for path in files() {
        let is_checked = path.starts_with("deploy")
            || path.starts_with("docs/operations.md")
            || path.starts_with("docs/proxies.md");
        let Some(text) = read(&path).filter(|_| is_checked) else {
            continue;
        };
        for name in variables(&text, "WIDGET_") {
            if !known.contains(&name) {
                faults.push(format!("{}: `{name}`", path.display()));
            }
        }
    }
    none("settings that the service does not have", &faults);
}

/// The documents show the files that are tested.
#[test]
fn documents_show_the_files() {
    let proxies = text("docs/proxies.md");
    for (language, path) in [
        ("nginx", "deploy/nginx/widgets.conf"),
        ("caddyfile", "deploy/caddy/Caddyfile"),
    ] {
        let shown = format!("```{language}\n{}```\n", text(path));
        assert!(
            proxies.contains(&shown),
            "docs/proxies.md does not show {path}"
        );
    }
}

/// Every file that `docs/operations.md` or `deploy/README.md` names is there, and every file is
/// named.
#[test]
fn files_are_named() {
    let documents = text("docs/operations.md") + &text("deploy/README.md");
    let own = files()
        .into_iter()
        .filter(|path| path.starts_with("deploy"));
    let mut faults: Vec<_> = own
        .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
        .filter(|name| name != "README.md" && !documents.contains(name.as_str()))
        .map(|name| format!("{name} is named nowhere"))
        .collect();
    let is_path = |letter: char| letter.is_ascii_alphanumeric() || "/@._-".contains(letter);
    let paths = documents.split(|letter| !is_path(letter));
    // What the operator writes is in no clone.
    let written = "deploy/compose/.env";
    for path in paths.filter(|path| path.starts_with("deploy/") && *path != written) {
        let path = path.trim_end_matches('.');
        if !crate::root().join(path).exists() {
            faults.push(format!("{path} is missing"));
        }
    }
    none("files of deploy/", &faults);
}

/// The value of a YAML document, aliases resolved.
fn yaml(text: &str) -> Value {
    enum Open {
        List(Vec<Value>),
        Mapping(Map<String, Value>, Option<String>),
    }
    let (mut open, mut root) = (Vec::<(Open, usize)>::new(), Value::Null);
    let mut anchors: BTreeMap<usize, Value> = BTreeMap::new();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.expect("YAML");
        let (value, anchor) = match event {
            Event::SequenceStart(anchor, _) => {
                open.push((Open::List(Vec::new()), anchor));
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push((Open::Mapping(Map::new(), None), anchor));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some((Open::List(items), anchor)) => (Value::Array(items), anchor),
                Some((Open::Mapping(members, _), anchor)) => (Value::Object(members), anchor),
                None => panic!("an end without a beginning"),
            },
            Event::Scalar(value, _, anchor, _) => (Value::String(value.into_owned()), anchor),
            Event::Alias(anchor) => (anchors[&anchor].clone(), 0),
            _ => continue,
        };
        if anchor > 0 {
            anchors.insert(anchor, value.clone());
        }
        match open.last_mut() {
            None => root = value,
            Some((Open::List(items), _)) => items.push(value),
            Some((Open::Mapping(members, key), _)) => match key.take() {
                None => *key = Some(value.as_str().expect("a key").to_owned()),
                Some(key) => {
                    let before = members.insert(key.clone(), value);
                    assert!(before.is_none(), "`{key}` stands there twice");
                }
            },
        }
    }
    root
}

/// The containers: two nodes, only the proxy and media are reachable from outside, every variable
/// is in the example, and no image is whatever is newest.
#[test]
fn containers_fit_together() {
    let text_of_compose = text("deploy/compose/compose.yaml");
    let compose = yaml(&text_of_compose);
    let services = compose["services"].as_object().expect("services");
    let nodes = services
        .iter()
        .filter(|(name, service)| name.starts_with("widget-") && service["image"] == "web-widgets");
    assert_eq!(nodes.count(), 2);
    let published = services
        .iter()
        .filter(|(_, service)| service["ports"].is_array());
    let published: Vec<_> = published.map(|(name, _)| name.as_str()).collect();
    assert_eq!(published, ["livekit", "caddy"]);

    let mut faults = Vec::new();
    for (name, service) in services {
        let image = service["image"].as_str().expect("an image");
        if !is_pinned(image) && service["build"].is_null() {
            faults.push(format!("{name}: {image}"));
        }
        let built = service["build"]["dockerfile"].as_str();
        if let Some(file) = built.filter(|file| read(Path::new(file)).is_none()) {
            faults.push(format!("{name}: {file} is missing"));
        }
    }
    for path in [
        "deploy/container/Containerfile",
        "deploy/container/agent.Containerfile",
    ] {
        let text = text(path);
        let images = text.lines().filter_map(|line| line.strip_prefix("FROM "));
        let images = images.filter_map(|line| line.split(' ').next());
        faults.extend(images.filter(|image| !is_pinned(image)).map(str::to_owned));
        let user = text.lines().find_map(|line| line.strip_prefix("USER "));
        assert_eq!(user, Some("65532:65532"), "{path}");
    }
    none("images without a version", &faults);

    let example = text("deploy/compose/example.env");
    let lines = example.lines().filter(|line| !line.starts_with('#'));
    let named: BTreeSet<_> = lines
        .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
        .collect();
    let used: BTreeSet<_> = text_of_compose
        .split("${")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(':')?.0.to_owned()))
        .collect();
    assert_eq!(used, named);
}

/// Whether an image has a tag that begins with a number.
fn is_pinned(image: &str) -> bool {
    let tag = image
        .rsplit_once(':')
        .map(|(_, tag)| tag.trim_start_matches('v'));
    tag.is_some_and(|tag| tag.starts_with(|letter: char| letter.is_ascii_digit()))
}

/// LiveKit's two configurations sign their webhooks with a key that the service has.
#[test]
fn livekit_signs_with_the_key_of_the_service() {
    let env = text("deploy/env/widget-http.env");
    let key = env
        .lines()
        .find_map(|line| line.strip_prefix("LIVEKIT_API_KEY="));
    let key = key.expect("it names the key");
    for path in ["deploy/livekit/livekit.yaml", "deploy/compose/livekit.yaml"] {
        let settings = yaml(&text(path));
        assert_eq!(settings["webhook"]["api_key"], key, "{path}");
        assert_eq!(settings["room"]["auto_create"], "true", "{path}");
        let urls = settings["webhook"]["urls"].as_array().expect("addresses");
        for url in urls {
            let url = url.as_str().expect("an address");
            assert!(url.ends_with("/core/livekit/webhook"), "{path}: {url}");
        }
    }
    let compose = text("deploy/compose/compose.yaml");
    assert!(compose.contains(&format!("LIVEKIT_API_KEY: {key}\n")));
    assert!(compose.contains(&format!("LIVEKIT_KEYS: \"{key}: ")));
}

/// The container is built with the compiler of the workspace.
#[test]
fn the_container_has_the_compiler_of_the_workspace() {
    let manifest = text("Cargo.toml");
    let release = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let release = release.expect("the workspace has one").trim_matches('"');
    let container = text("deploy/container/Containerfile");
    assert!(
        container.contains(&format!("rust:{release}-bookworm")),
        "not {release}"
    );
}
