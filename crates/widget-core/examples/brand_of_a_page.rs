//! Reads a site's name, icon and color from its HTML into a config.

use widget_core::{brand::Brand, config::Config, url::Url};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Fetching the page is the caller's work.
    let html = r##"<html><head>
        <meta property="og:site_name" content="The Shop">
        <meta name="theme-color" content="#0050b3">
        <link rel="icon" href="/icon.png">
    </head></html>"##;
    let brand = Brand::from_html(html, &Url::parse("https://shop.example/")?);
    assert_eq!(brand.name.as_deref(), Some("The Shop"));

    // What the owner has set elsewhere stays.
    let config = Config::parse(r#"{"v1": {"trigger": {"size": 64}}}"#)?;
    let branded = brand.apply_to(&config)?;
    let current = branded.current();
    assert_eq!(current.trigger.size, 64);
    assert_eq!(current.chat.title, "The Shop");
    let icon = current.trigger.icon_url.as_ref().map(ToString::to_string);
    assert_eq!(icon.as_deref(), Some("https://shop.example/icon.png"));
    Ok(())
}
