//! Where an account wants its events.

use super::Webhooks;
use crate::model::ids::WebhookId;
use crate::model::job::JobKind;
use crate::model::listing::Page;
use crate::model::webhook::{Delivery, Endpoint};
use crate::platform::outbound;
use crate::services::accounts::Account;
use crate::storage::db::{self, InternalError};

const NAME_CHARS_MAX: usize = 100;

/// What a client wants of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointParams {
    pub name: Option<String>,
    pub url: String,
    /// None leaves it as it is.
    pub test: Option<bool>,
}

impl EndpointParams {
    /// Checks that there can be such an endpoint.
    ///
    /// # Errors
    /// Names the field, and says in one line what is wrong with it: the name is too long, or the
    /// URL none that can be posted to.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let chars = self.name.as_deref().map_or(0, |name| name.chars().count());
        if chars > NAME_CHARS_MAX {
            let line = format!("{chars} characters, {NAME_CHARS_MAX} are taken");
            return Err(("name", line));
        }
        outbound::check_url(&self.url).map_err(|line| ("url", line))
    }

    /// As a key can have it: a test key has test endpoints only.
    ///
    /// # Errors
    /// If it asks for another, in one line.
    pub fn restrict_to_key(self, is_test_key: bool) -> Result<Self, &'static str> {
        match (is_test_key, self.test) {
            (true, Some(false)) => Err("a test key has test webhooks only"),
            (true, _) => Ok(Self {
                test: Some(true),
                ..self
            }),
            (false, _) => Ok(self),
        }
    }
}

impl Webhooks {
    /// Returns one line on why nothing is ever sent to `url`: only loopback and private addresses are
    /// called. `None` if events are sent there.
    pub async fn refusal(&self, url: &str) -> Option<String> {
        self.outbound.refusal(url).await
    }

    /// A new endpoint, with a secret of its own.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn register(
        &self,
        account: &Account,
        wish: EndpointParams,
    ) -> Result<Endpoint, InternalError> {
        self.create_or_replace(account, wish, false, None).await
    }

    /// A new endpoint with that secret.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn register_with(
        &self,
        account: &Account,
        wish: EndpointParams,
        secret: String,
    ) -> Result<Endpoint, InternalError> {
        self.create_or_replace(account, wish, false, Some(secret))
            .await
    }

    /// Sets the endpoint that the legacy route knows. Where there is one it stays, with its id,
    /// its secret and what is on its way to it, and is changed in all that the wish says.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn set_legacy(
        &self,
        account: &Account,
        wish: EndpointParams,
    ) -> Result<Endpoint, InternalError> {
        self.create_or_replace(account, wish, true, None).await
    }

    async fn create_or_replace(
        &self,
        account: &Account,
        wish: EndpointParams,
        legacy: bool,
        secret: Option<String>,
    ) -> Result<Endpoint, InternalError> {
        let mut tx = self.db.begin().await?;
        if legacy && let Some(mut endpoint) = db::endpoints::legacy(&mut tx, account.id).await? {
            endpoint.url = wish.url;
            endpoint.test = wish.test.unwrap_or_default();
            endpoint.updated_at = account.now();
            db::endpoints::update(&mut tx, &endpoint).await?;
            tx.commit().await?;
            return Ok(endpoint);
        }
        let mut endpoint = self.new_endpoint(account, wish, legacy);
        if let Some(secret) = secret {
            endpoint.secret = secret;
        }
        endpoint.id = db::endpoints::insert(&mut tx, &endpoint).await?;
        tx.commit().await?;
        Ok(endpoint)
    }

    /// Returns an endpoint whose id is still to be given.
    fn new_endpoint(&self, account: &Account, wish: EndpointParams, legacy: bool) -> Endpoint {
        let now = account.now();
        let snowflake = account.next_snowflake(now);
        let mut secret = [0_u8; 24];
        self.entropy
            .rng(&account.key, "webhook secret", snowflake)
            .fill(&mut secret);
        Endpoint {
            id: WebhookId(0),
            account: account.id,
            snowflake,
            name: wish.name,
            url: wish.url,
            secret: format!("whsec_{}", hex::encode(secret)),
            test: wish.test.unwrap_or_default(),
            active: true,
            legacy,
            last_sent_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The account's endpoint of that id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn endpoint(
        &self,
        account: &Account,
        id: WebhookId,
    ) -> Result<Option<Endpoint>, InternalError> {
        db::endpoints::find(&mut self.db.read().await?, account.id, id).await
    }

    /// The account's endpoint that the legacy route knows.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn legacy(&self, account: &Account) -> Result<Option<Endpoint>, InternalError> {
        db::endpoints::legacy(&mut self.db.read().await?, account.id).await
    }

    /// The account's endpoints whose name or URL has the keyword in it, the newest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn endpoints(
        &self,
        account: &Account,
        keyword: &str,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Endpoint>, InternalError> {
        db::endpoints::page(
            &mut self.db.read().await?,
            account.id,
            keyword,
            limit,
            offset,
        )
        .await
    }

    /// Changes an endpoint; a name not given stays. None: the account has none of that id.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn update(
        &self,
        account: &Account,
        id: WebhookId,
        wish: EndpointParams,
    ) -> Result<Option<Endpoint>, InternalError> {
        let mut tx = self.db.begin().await?;
        let Some(mut endpoint) = db::endpoints::find(&mut tx, account.id, id).await? else {
            return Ok(None);
        };
        endpoint.name = wish.name.or(endpoint.name);
        endpoint.url = wish.url;
        endpoint.test = wish.test.unwrap_or(endpoint.test);
        endpoint.updated_at = account.now();
        db::endpoints::update(&mut tx, &endpoint).await?;
        tx.commit().await?;
        Ok(Some(endpoint))
    }

    /// Removes an endpoint; what was on its way to it is not sent any more. False: the account
    /// has none of that id.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn unregister(
        &self,
        account: &Account,
        id: WebhookId,
    ) -> Result<bool, InternalError> {
        let mut tx = self.db.begin().await?;
        let was = db::endpoints::delete(&mut tx, account.id, id).await?;
        if was {
            db::jobs::remove(&mut tx, JobKind::Deliver, &id.to_string()).await?;
        }
        tx.commit().await?;
        Ok(was)
    }

    /// What has been sent to an endpoint, or is on its way, the newest first.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn deliveries(
        &self,
        endpoint: &Endpoint,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Delivery>, InternalError> {
        db::webhooks::deliveries(&mut self.db.read().await?, endpoint.id, limit, offset).await
    }
}
