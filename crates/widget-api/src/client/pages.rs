//! Lists, page by page.

use std::marker::PhantomData;

use reqwest::{Method, header};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use super::{Client, Error, request::read};

/// A list of the service, read page by page.
#[derive(Debug)]
pub struct Pages<'c, T> {
    client: &'c Client,
    operation: &'static str,
    /// The next page; `None` after the last.
    next: Option<Url>,
    items: PhantomData<fn() -> T>,
}

impl Client {
    pub(super) fn pages<T>(
        &self,
        operation: &'static str,
        segments: &[&str],
        query: &impl Serialize,
    ) -> Pages<'_, T> {
        let first = self.call(operation, Method::GET, segments).query(query);
        Pages {
            client: self,
            operation,
            next: Some(first.url().clone()),
            items: PhantomData,
        }
    }
}

impl<T: DeserializeOwned> Pages<'_, T> {
    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// Those of the operation. The same page can be asked for again afterwards.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, Error> {
        let Some(url) = self.next.clone() else {
            return Ok(None);
        };
        let call = self.client.call(self.operation, Method::GET, &[]);
        let answer = call.set_url(url.clone()).send().await?;
        let service = self.client.service().origin().to_string();
        let items = read(&answer, service, self.operation)?;
        self.next = answer
            .headers
            .get(header::LINK)
            .and_then(|link| find_next(link.to_str().ok()?, &url));
        Ok(Some(items))
    }

    /// Items of all pages, at most `limit` if there is one.
    ///
    /// # Errors
    /// Those of the operation.
    pub async fn collect(mut self, limit: Option<usize>) -> Result<Vec<T>, Error> {
        let limit = limit.unwrap_or(usize::MAX);
        let mut items = Vec::new();
        while items.len() < limit
            && let Some(page) = self.next().await?
        {
            items.extend(page);
        }
        items.truncate(limit);
        Ok(items)
    }
}

/// The address of the next page. Only its query is used: the key stays with this service, also
/// behind a proxy that writes other addresses.
fn find_next(link: &str, current: &Url) -> Option<Url> {
    let next = link
        .split(',')
        .find(|entry| entry.contains("rel=\"next\""))?;
    let (_, rest) = next.split_once('<')?;
    let (target, _) = rest.split_once('>')?;
    let mut url = current.clone();
    url.set_query(current.join(target).ok()?.query());
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_of_the_same_service() {
        let current: Url = "https://widgets.example/base/core/agents?limit=1"
            .parse()
            .expect("an address");
        let next = |link| find_next(link, &current).map(String::from);
        let expected = "https://widgets.example/base/core/agents?limit=1&cursor=x";
        for link in [
            "</core/agents?limit=1&cursor=x>; rel=\"next\"",
            "<https://other.example/?limit=1&cursor=x>; rel=\"next\"",
            "<https://a.example/>; rel=\"first\", <?limit=1&cursor=x>; rel=\"next\"",
        ] {
            assert_eq!(next(link).as_deref(), Some(expected), "{link}");
        }
        assert_eq!(next("</core/agents>; rel=\"first\""), None);
    }
}
