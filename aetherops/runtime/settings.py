"""Every setting of the platform, read in this one place from ``AETHEROPS_*``."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from aetherops.archive.samples import MAX_BATCH_SAMPLES
from aetherops.errors import InvalidInputError
from aetherops.ratelimit import BucketLimit, Rate
from aetherops.ratelimit.shared.failure import FailurePolicy
from aetherops.resilience import BreakerPolicy
from aetherops.runtime.data_dir.private_files import default_data_dir

__all__ = ["BreakerSettings", "HttpSettings", "LimitSettings", "Settings"]

_MAX_INTEGER = 2**62  # what servers and logs can hold
_MAX_LIFETIME_S = 10 * 366 * 86_400
_MAX_WAIT_S = 86_400.0


class BreakerSettings(BaseModel):
    """When calls to a dependency are cut off, and how it is tried again."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    failure_threshold: int = Field(5, ge=1, description="Failures in a row that open it.")
    reset_timeout_s: float = Field(0.5, gt=0, description="From opening to the first probe.")
    max_reset_timeout_s: float = Field(15.0, gt=0, description="What doubling it ends at.")
    probe_count: int = Field(1, ge=1, description="Probes that must succeed before it closes.")

    def policy(self) -> BreakerPolicy:
        """The policy that these settings state."""
        return BreakerPolicy(
            failure_threshold=self.failure_threshold,
            reset_timeout_s=self.reset_timeout_s,
            backoff_factor=2.0,
            max_reset_timeout_s=self.max_reset_timeout_s,
            jitter=0.2,
            success_threshold=self.probe_count,
        )

    @model_validator(mode="after")
    def _makes_a_policy(self) -> Self:
        try:
            self.policy()
        except InvalidInputError as error:
            name = "probe_count" if error.field == "success_threshold" else error.field
            raise InvalidInputError(name, error.value, error.expected) from error
        return self


class LimitSettings(BaseModel):
    """How much may come in. A burst is what may come at once; a rate is what may be sustained."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    address_requests_per_s: int = Field(1_000, ge=1, description="Requests of one address.")
    address_burst: int = Field(5_000, ge=1)
    ingest_samples_per_s: int = Field(5_000_000, ge=1, description="Samples of one operator.")
    ingest_burst: int = Field(50_000_000, ge=MAX_BATCH_SAMPLES)
    query_cost_per_s: int = Field(
        5_000, ge=1, description="Of one operator; a request costs 1, 10,000 samples read 1 more."
    )
    query_burst: int = Field(100_000, ge=1)
    without_redis: FailurePolicy = Field(
        FailurePolicy.LOCAL, description="local: each replica enforces its share."
    )
    replicas: int = Field(1, ge=1, description="Processes that share the limits.")
    adapt: bool = Field(True, description="Scale ingest limits to the backlog.")

    def address_limit(self) -> BucketLimit:
        """Requests of one address."""
        return BucketLimit(self.address_burst, Rate.of(self.address_requests_per_s))

    def ingest_limit(self) -> BucketLimit:
        """Samples of one operator."""
        return BucketLimit(self.ingest_burst, Rate.of(self.ingest_samples_per_s))

    def query_limit(self) -> BucketLimit:
        """What one operator's queries cost."""
        return BucketLimit(self.query_burst, Rate.of(self.query_cost_per_s))

    @model_validator(mode="after")
    def _makes_limits(self) -> Self:
        for limit, burst, rate in (
            (self.address_limit, "address_burst", "address_requests_per_s"),
            (self.ingest_limit, "ingest_burst", "ingest_samples_per_s"),
            (self.query_limit, "query_burst", "query_cost_per_s"),
        ):
            try:
                limit()
            except InvalidInputError as error:
                name = rate if error.field.startswith("rate") else burst
                raise InvalidInputError(name, getattr(self, name), error.expected) from error
        return self


class HttpSettings(BaseModel):
    """What a connection may hold, and for how long."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_head_bytes: int = Field(
        32 * 2**10, ge=2**10, le=2**20, description="Of a request line and its headers."
    )
    head_timeout_s: float = Field(
        10.0, gt=0, description="From the opening, or a request's first byte, to its headers' end."
    )
    idle_timeout_s: float = Field(30.0, gt=0, description="From an answer to the next request.")
    send_timeout_s: float = Field(
        30.0, gt=0, description="In which a client takes 64 KiB of its answer, or the rest of it."
    )
    max_connections: int | None = Field(
        None, ge=1, description="4,096, or what the descriptor limit leaves, if unset."
    )


class Settings(BaseSettings):
    """Settings of one instance. An environment variable is ``AETHEROPS_`` and the name."""

    model_config = SettingsConfigDict(
        env_prefix="AETHEROPS_",
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        # One variable of a group leaves the others of this group at their own defaults.
        nested_model_default_partial_update=True,
    )

    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Where embedded servers, keys and the instance file live.",
    )
    host: str = Field("127.0.0.1", description="Address that the HTTP application listens on.")
    port: int = Field(8080, ge=0, le=65535, description="Its port; 0 takes a free one.")

    http: HttpSettings = HttpSettings()
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="Networks whose word on a client's address is taken, with commas."
    )
    proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        "x-forwarded-for", description="The header that these proxies, all of them, set."
    )

    postgres_dsn: SecretStr | None = Field(None, description="Your PostgreSQL; embedded if unset.")
    postgres_owner_dsn: SecretStr | None = Field(
        None, description="It, as the role that owns the tables; for `aetherops migrate` alone."
    )
    redis_url: SecretStr | None = Field(None, description="Your Redis or Valkey.")
    nats_url: SecretStr | None = Field(None, description="Your NATS with JetStream.")

    postgres_pool_size: int = Field(8, ge=1, le=200)
    connect_timeout_s: float = Field(10.0, gt=0, le=_MAX_WAIT_S)
    command_timeout_s: float = Field(
        20.0, gt=0, le=_MAX_WAIT_S, description="Limit on one command to a server."
    )
    request_timeout_s: float = Field(
        25.0, gt=0, le=_MAX_WAIT_S, description="From a request's last byte to its answer's first."
    )

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: console on a terminal, JSON elsewhere."
    )

    postgres_breaker: BreakerSettings = BreakerSettings()
    nats_breaker: BreakerSettings = BreakerSettings()
    # A limiter stands in every request's way, and has an answer without Redis: give up at once.
    redis_breaker: BreakerSettings = BreakerSettings(
        failure_threshold=1, reset_timeout_s=0.25, max_reset_timeout_s=5.0
    )

    jwks_breaker: BreakerSettings = BreakerSettings()

    jwks_url: str | None = Field(
        None, description="Key set of your identity provider; its tokens are accepted too."
    )
    jwks_refresh_s: float = Field(300.0, ge=10, description="Between two readings of it.")
    jwks_max_age_s: float = Field(
        14_400.0, ge=60, description="How long its keys are trusted while it cannot be read."
    )
    token_issuer: str | None = Field(
        None, validate_default=True, description="What the provider's tokens must state."
    )
    token_audience: str = Field("aetherops-api", min_length=1)

    rate_limits: Literal["enforce", "watch", "off"] = Field(
        "enforce", description="watch: decide and count, and refuse nothing."
    )
    limits: LimitSettings = LimitSettings()

    ingest_workers: int = Field(2, ge=0, le=64, description="Workers in this process; 0 for none.")
    ingest_fetch_batches: int = Field(
        256, ge=1, le=1_000, description="The most batches in one transaction, of 32 MiB in all."
    )
    nats_replicas: int | None = Field(
        None, ge=1, le=5, description="Of streams that are made; 3 in a cluster, else 1, if unset."
    )
    ingest_tries: int = Field(
        5, ge=1, le=1_000, description="Deliveries of a batch that cannot be written, in all."
    )
    ingest_backlog_bytes: int | None = Field(
        None,
        ge=2**20,
        le=_MAX_INTEGER,
        description="JetStream bytes kept before ingest is refused with 503; what there is room "
        "for if unset, up to 4 GiB.",
    )
    workflow_stream_bytes: int = Field(
        64 * 2**20,
        ge=2**20,
        le=_MAX_INTEGER,
        description="What the stream WORKFLOWS keeps for consumers; its oldest events go first.",
    )
    workflow_check_period_s: float = Field(
        60.0, gt=0, le=86_400, description="Between two samples of workflows that are replayed."
    )
    workflow_registry: str | None = Field(
        None, description="module:name of what this process can execute; no runner if unset."
    )
    workflow_lease_s: float = Field(
        10.0, ge=0.1, le=3_600, description="A runner silent for so long is taken for dead."
    )
    workflows_at_once: int = Field(
        64, ge=1, le=10_000, description="Workflows that this process executes at once."
    )
    disk_reserve_bytes: int | None = Field(
        None,
        ge=0,
        le=_MAX_INTEGER,
        description="Of embedded servers' disk: below it ingest is refused. A twentieth of the "
        "disk if unset, from 64 to 512 MiB.",
    )
    max_request_bytes: int = Field(8 * 2**20, ge=2**10, le=2**26)
    max_query_samples: int = Field(
        20_000_000,
        ge=1,
        le=_MAX_INTEGER,
        description="Samples that one query may read from the store.",
    )
    max_samples_in_memory: int = Field(
        4_000_000,
        ge=1,
        le=_MAX_INTEGER,
        description="Samples in memory for all queries together; further ones wait their turn.",
    )
    max_answer_points: int = Field(
        100_000, ge=1, le=_MAX_INTEGER, description="Points in one answer."
    )
    drain_timeout_s: float = Field(
        20.0, gt=0, le=_MAX_WAIT_S, description="Grace on SIGTERM before tasks end."
    )
    token_lifetime_s: int = Field(
        30 * 86_400, gt=0, le=_MAX_LIFETIME_S, description="Of the token that `up` prints."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What a program gives goes before the environment; nothing else is read."""
        return init_settings, _Environment(settings_cls)

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
        except ValueError as error:
            raise PydanticCustomError(
                "no_network", "networks with commas, as in 10.0.0.0/8"
            ) from error

    @field_validator("data_dir")
    @classmethod
    def _of_this_user(cls, data_dir: Path) -> Path:
        try:
            return data_dir.expanduser()
        except RuntimeError:
            raise PydanticCustomError("no_home", "a directory of a user that exists") from None

    @field_validator("token_issuer")
    @classmethod
    def _needed_with_a_key_set(cls, issuer: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("jwks_url") and not issuer:
            raise PydanticCustomError("no_issuer", "the issuer whose keys AETHEROPS_JWKS_URL names")
        return issuer


class _Environment(EnvSettingsSource):
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """A group's JSON; a text that is none is refused with the values, not on its own way."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value
