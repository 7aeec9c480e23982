#include "clawws/server/server.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <thread>

#include "clawws/base/flags.hpp"
#include "clawws/base/posix.hpp"
#include "clawws/net/resolve.hpp"
#include "clawws/net/server_record.hpp"
#include "clawws/server/heap_trim.hpp"
#include "clawws/server/identity_files.hpp"
#include "clawws/server/listeners.hpp"
#include "clawws/server/make_store.hpp"
#include "clawws/server/services.hpp"
#include "clawws/server/shard.hpp"
#include "clawws/server/stdin_source.hpp"
#include "clawws/server/upstream_login.hpp"

namespace clawws::server {

using base::Errc;
using base::Error;
using base::Result;

namespace {

constexpr base::Millis k_tend_interval{400};        // of changed files, and of memory to give back
constexpr base::Millis k_poll_interval{5};          // while a stop waits
constexpr std::size_t k_returns_per_second = 2'000; // how fast clients may come back after a restart

// Who can reach the server: programs of this host, or others.
enum class Exposure : std::uint8_t { loopback, network };

// Of the addresses that --listen names, before anything is bound.
Result<Exposure> exposure_of(const std::vector<net::HostPort>& places) {
  for (const net::HostPort& place : places) {
    const net::Resolved found = net::resolve_blocking(place.host, place.port);
    if (found.endpoints.empty()) return Error(Errc::config, "cannot listen on " + place.host + ": " + found.problem);
    if (!found.endpoints.front().address().is_loopback()) return Exposure::network;
  }
  return Exposure::loopback;
}

UserSourceConfig user_sources(const ServerConfig& config, const std::filesystem::path& state_dir, Exposure exposure) {
  UserSourceConfig sources;
  sources.users_file = config.users_file;
  sources.env_file = config.env_file;
  sources.environment_user = base::environment("DASHBOARD_USERNAME");
  sources.environment_password = base::environment("DASHBOARD_PASSWORD");
  sources.publishers = config.publishers;
  if (!config.auth_upstream.empty()) sources.upstream = UserSourceConfig::Upstream::asked;
  if (exposure == Exposure::loopback) sources.generated_in = state_dir;
  return sources;
}

// Beyond loopback nothing is made up: users and certificate must have been given.
Result<void> fit_for_exposure(const ServerConfig& config, const UserSourceConfig& sources, Exposure exposure) {
  if (!sources.names_a_file() && !sources.asks_upstream() && !sources.uses_environment() && !sources.uses_generated()) {
    return Error(Errc::config,
                 "a listener outside loopback needs users: give --users FILE (made by htpasswd -B), --env-file FILE, or "
                 "DASHBOARD_USERNAME and DASHBOARD_PASSWORD in the environment");
  }
  if (exposure == Exposure::network && config.cert_file.empty()) {
    return Error(Errc::config,
                 "a listener outside loopback needs a certificate that clients can verify: give --cert FILE and --key FILE");
  }
  return {};
}

std::size_t thread_count(const ServerConfig& config) {
  if (config.threads != 0) return config.threads;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8);
}

// What tells one version of a file from the next; all zero when it cannot be looked at.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec changed{};

  static FileStamp of(const std::string& path) {
    struct stat facts {};
    if (path.empty() || ::stat(path.c_str(), &facts) != 0) return {};
    return {facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim};
  }
  bool operator==(const FileStamp& other) const {
    return device == other.device && inode == other.inode && size == other.size &&
           changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
  }
};

}  // namespace

class Server::Implementation {
 public:
  Implementation(ServerConfig given, base::Logger& log_lines)
      : config(std::move(given)),
        log(log_lines),
        state_dir(state_directory_of(config)),
        control_work(net::asio::make_work_guard(control)),
        tending(control),
        listeners(control, config, log) {}

  Result<void> start();
  void stop();
  Result<void> write_curl();
  void reload_users();
  void reload_certificate();
  void tend();
  Result<void> open_identity();
  net::HostPort local_place() const;
  std::string public_host() const;
  net::ServerRecord record() const;

  ServerConfig config;
  base::Logger& log;
  const std::filesystem::path state_dir;
  Counters counters;
  OriginRules origins;
  ProxyRules proxies;
  base::UniqueFd lock;
  LoadedCertificate certificate;
  FileStamp certificate_stamp, key_stamp;
  bool generated_user = false;

  // Order matters at the end: the control thread and the shards go first, what they use goes last.
  net::asio::io_context control{1};
  net::asio::executor_work_guard<net::Executor> control_work;
  net::asio::steady_timer tending;
  Listeners listeners;
  std::shared_ptr<Upstream> upstream;
  std::unique_ptr<Authenticator> authenticator;
  std::unique_ptr<Admission> admission;
  std::unique_ptr<hub::Hub> hub;
  std::unique_ptr<Services> services;
  std::vector<std::unique_ptr<Shard>> shards;
  std::unique_ptr<StdinSource> stdin_source;
  HeapTrim heap;
  std::thread control_thread;
  std::atomic<bool> hurry{false};
  bool started = false;
};

// ---- start --------------------------------------------------------------------------------------

Result<void> Server::Implementation::open_identity() {
  const Exposure exposure = listeners.all_loopback() ? Exposure::loopback : Exposure::network;
  const UserSourceConfig sources = user_sources(config, state_dir, exposure);
  generated_user = sources.uses_generated();
  if (const Result<void> fit = fit_for_exposure(config, sources, exposure); !fit) return fit.error();
  AskUpstream ask;
  if (config.upstream) {
    Result<std::shared_ptr<Upstream>> made = Upstream::from(config, log);
    if (!made) return made.error();
    upstream = std::move(*made);
    if (sources.asks_upstream()) {
      ask = [login = std::make_shared<UpstreamLogin>(control.get_executor(), upstream, config.auth_upstream, log)](
                auto user, auto password, auto address, auto answer) {
        login->ask(std::move(user), std::move(password), std::move(address), std::move(answer));
      };
    }
  }
  authenticator = std::make_unique<Authenticator>(sources, log, base::SteadyClock::now, std::move(ask));
  if (const Result<std::string> loaded = authenticator->reload(); !loaded) return loaded.error();
  const Result<UserTable> users = load_users(sources, Generate::never);
  if (!users) return users.error();
  if (const Result<void> known = check_publishers(sources, *users); !known) return known.error();

  Result<LoadedCertificate> loaded = load_certificate(config, state_dir, SelfSigned::make);
  if (!loaded) return loaded.error();
  certificate = std::move(*loaded);
  if (!certificate.replaced.empty()) {
    log.warning("a new certificate and key were made; clients that pinned the old one refuse it",
                {{"why", certificate.replaced}, {"pin", certificate.pin}});
  }
  certificate_stamp = FileStamp::of(config.cert_file);
  key_stamp = FileStamp::of(config.key_file);
  return {};
}

// Where this host reaches it: every address (0.0.0.0, ::) is none that one can connect to.
net::HostPort Server::Implementation::local_place() const {
  net::HostPort place = listeners.bound().front();
  if (place.host == "0.0.0.0") place.host = "127.0.0.1";
  if (place.host == "::") place.host = "::1";
  return place;
}

// A name that clients can verify: the certificate's first, else the address.
std::string Server::Implementation::public_host() const {
  if (config.cert_file.empty()) return "localhost";
  const auto usable = [](const std::string& name) { return name.find('*') == std::string::npos; };
  const auto name = std::find_if(certificate.names.begin(), certificate.names.end(), usable);
  return name == certificate.names.end() ? local_place().host : *name;
}

net::ServerRecord Server::Implementation::record() const {
  const net::HostPort place = local_place();
  net::ServerRecord out;
  const bool v6 = place.host.find(':') != std::string::npos;
  const std::string host = config.cert_file.empty() ? "localhost" : v6 ? "[" + place.host + "]" : place.host;
  out.url = "wss://" + host + ":" + std::to_string(place.port) + "/ws";
  out.host = place.host;
  out.port = place.port;
  out.pin = certificate.pin;
  if (generated_user) {
    out.user = std::string(k_generated_user);
    out.password_file = server::generated_password_file(state_dir);
  }
  out.pid = ::getpid();
  out.version = base::version();
  return out;
}

Result<void> Server::Implementation::start() {
  const std::size_t files = base::raise_file_limit();
  if (files < config.max_clients) {
    log.warning("too few open files for --max-clients; later clients will wait",
                {{"files", files}, {"max_clients", config.max_clients}, {"hint", "raise it with ulimit -n or LimitNOFILE="}});
  }
  if (const Result<void> made = base::make_private_directory(state_dir); !made) return made.error();
  Result<base::UniqueFd> held = base::lock_file(state_dir / "lock");
  if (!held && held.error().code == Errc::locked) {
    return Error(Errc::locked, "another clawws serve uses this state directory (" + held.error().context +
                                   "); stop it, or choose another with --state-dir DIR");
  }
  if (!held) return held.error();
  lock = std::move(*held);

  Result<OriginRules> allowed = OriginRules::from(config.origins);
  if (!allowed) return allowed.error();
  origins = std::move(*allowed);
  Result<ProxyRules> trusted = ProxyRules::from(config.trusted_proxies);
  if (!trusted) return trusted.error();
  proxies = std::move(*trusted);

  if (const Result<void> opened = listeners.open(); !opened) return opened.error();
  if (const Result<void> opened = open_identity(); !opened) return opened.error();

  admission = std::make_unique<Admission>(config);
  hub = std::make_unique<hub::Hub>(hub::HubConfig{config.log_memory_bytes, 64u << 20, config.replay_rate},
                                   make_store(config, state_dir, log));
  services = std::unique_ptr<Services>(
      new Services{config, log, *hub, *authenticator, origins, proxies, *admission, counters, {}, {}, {}, {}, {}, {}});
  services->upstream = upstream;
  services->certificate.set(certificate.context);
  services->server_name = "clawws/" + std::string(base::version());
  for (std::size_t i = 0; i < thread_count(config); ++i) {
    shards.push_back(std::make_unique<Shard>(*services));
    hub->add_listener([shard = shards.back().get()] { shard->log_has_grown(); });
  }
  if (const Result<void> begun = hub->start(); !begun) return begun.error();
  services->epoch = hub->store().facts().epoch;
  started = true;

  for (const auto& shard : shards) shard->start();
  listeners.accept_into(shards);
  tend();
  control_thread = std::thread([this] { control.run(); });
  if (config.stdin_use == ServerConfig::Stdin::events) {
    stdin_source = std::make_unique<StdinSource>(STDIN_FILENO, config.event_rules, *hub, counters, log);
    stdin_source->start();
  }
  if (const Result<void> wrote = net::write_server_record(state_dir, record()); !wrote) return wrote.error();
  if (const Result<void> wrote = write_curl(); !wrote) return wrote.error();
  services->ready = true;
  return {};
}

// curl.conf as the generated password is now; nothing to do when users are configured.
Result<void> Server::Implementation::write_curl() {
  if (!generated_user) return {};
  const auto password = base::read_file(server::generated_password_file(state_dir), 4096);
  if (!password) return password.error();
  const std::string line = password->substr(0, password->find('\n'));
  const auto wrote = write_curl_config(state_dir, certificate.file, std::string(k_generated_user), line);
  if (!wrote) return wrote.error();
  return {};
}

// ---- reload -------------------------------------------------------------------------------------

void Server::Implementation::reload_users() {
  const Result<std::string> changed = authenticator->reload();
  if (!changed) {
    log.error("users not reloaded, the old ones stay", {{"why", changed.error().message()}});
    return;
  }
  log.info("users reloaded", {{"what", *changed}});
  if (const Result<void> wrote = write_curl(); !wrote) {
    log.error("cannot write curl.conf", {{"why", wrote.error().message()}});
  }
  for (const auto& shard : shards) shard->recheck_credentials();
}

void Server::Implementation::reload_certificate() {
  certificate_stamp = FileStamp::of(config.cert_file);
  key_stamp = FileStamp::of(config.key_file);
  Result<LoadedCertificate> loaded = load_certificate(config, state_dir, SelfSigned::renew);
  if (!loaded) {
    log.error("certificate not reloaded, the old one stays", {{"why", loaded.error().message()}});
    return;
  }
  const bool same = loaded->pin == certificate.pin && loaded->not_after == certificate.not_after;
  certificate = std::move(*loaded);
  services->certificate.set(certificate.context);
  log.info(same ? "certificate read again, unchanged" : "certificate reloaded",
           {{"file", certificate.file.string()},
            {"until", base::format_rfc3339(certificate.not_after * 1000)},
            {"pin", certificate.pin}});
  if (const Result<void> wrote = net::write_server_record(state_dir, record()); !wrote) {
    log.error("cannot write the server record", {{"why", wrote.error().message()}});
  }
}

// What nobody calls for: files that changed, memory that is free.
void Server::Implementation::tend() {
  tending.expires_after(k_tend_interval);
  tending.async_wait([this](const net::error_code& stopped) {
    if (stopped) return;
    if (authenticator->changed_on_disk()) reload_users();
    services->tickets.forget_expired(base::SteadyClock::now());
    authenticator->recheck_upstream([this] {
      for (const auto& shard : shards) shard->recheck_credentials();
    });
    const bool moved = !(FileStamp::of(config.cert_file) == certificate_stamp) ||
                       !(FileStamp::of(config.key_file) == key_stamp);
    if (moved) reload_certificate();
    if (heap.due(counters.connections_open + counters.sessions_open)) HeapTrim::trim();
    tend();
  });
}

// ---- stop ---------------------------------------------------------------------------------------

void Server::Implementation::stop() {
  if (!started) return;
  started = false;
  const base::SteadyTime deadline = base::SteadyClock::now() + config.drain;
  const auto wait_until = [&](auto done) {
    while (!done() && !hurry && base::SteadyClock::now() < deadline) {
      std::this_thread::sleep_for(k_poll_interval);
    }
  };
  services->ready = false;
  services->draining = true;
  log.info("stopping", {{"clients", counters.sessions_open.load()}});
  net::asio::post(control, [this] {
    tending.cancel();
    listeners.close();
  });
  if (stdin_source) stdin_source->stop();
  wait_until([&] { return counters.requests_running == 0; });
  hub->stop();

  // Clients come back all at once: told to spread over as many seconds as the server needs for them.
  const base::Millis spread(static_cast<std::int64_t>(counters.sessions_open * 1000 / k_returns_per_second));
  for (const auto& shard : shards) shard->drain(spread);
  wait_until([&] {
    return std::all_of(shards.begin(), shards.end(), [](const auto& shard) { return shard->session_count() == 0; });
  });
  const std::uint64_t left = counters.sessions_open;

  authenticator->stop();
  for (const auto& shard : shards) shard->stop();
  control_work.reset();
  control.stop();
  if (control_thread.joinable()) control_thread.join();
  // What still waits to accept holds sockets of the shards' loops: it ends while those are there.
  listeners.close();
  control.restart();
  control.poll();
  net::remove_server_record(state_dir, ::getpid());
  log.info("stopped", {{"dropped", left}, {"events", counters.events_published.load()}});
}

Server::Server(ServerConfig config, base::Logger& log)
    : self_(std::make_unique<Implementation>(std::move(config), log)) {}

Server::~Server() { self_->stop(); }

Result<void> Server::start() {
  Result<void> begun = self_->start();
  if (!begun) {
    self_->hurry = true;
    self_->stop();
  }
  return begun;
}

void Server::stop() { self_->stop(); }
void Server::stop_now() { self_->hurry = true; }

void Server::reload() {
  net::asio::post(self_->control, [self = self_.get()] {
    if (self->services->draining) return;  // nothing is served any more
    self->reload_users();
    self->reload_certificate();
  });
}

std::vector<net::HostPort> Server::bound() const { return self_->listeners.bound(); }
std::string Server::url() const { return self_->record().url; }

Server::Reach Server::reach() const {
  const net::HostPort place = self_->local_place();
  const std::string name = self_->public_host();
  const std::string port = std::to_string(place.port);
  Reach out;
  out.origin = (name.find(':') == std::string::npos ? name : "[" + name + "]") + ":" + port;
  const bool address = name == place.host || name == "localhost";
  if (self_->listeners.all_loopback() && !address) out.resolve = name + ":" + port + ":" + place.host;
  if (self_->certificate.self_signed) out.trust = std::filesystem::absolute(self_->certificate.file).string();
  return out;
}
const std::filesystem::path& Server::state_directory() const noexcept { return self_->state_dir; }
std::string Server::certificate_file() const { return self_->certificate.file.string(); }

std::string Server::generated_password_file() const {
  return self_->generated_user ? server::generated_password_file(self_->state_dir).string() : std::string();
}

const Counters& Server::counters() const noexcept { return self_->counters; }
hub::Hub& Server::hub() noexcept { return *self_->hub; }

void Server::log_summary() {
  const Counters& c = self_->counters;
  const hub::StoreFacts facts = self_->hub->facts();
  self_->log.info("summary", {{"clients", c.sessions_open.load()},
                              {"connections", c.connections_open.load()},
                              {"position", facts.epoch + ":" + std::to_string(facts.newest)},
                              {"published", c.events_published.load()},
                              {"delivered", c.deliveries.load()},
                              {"bytes", c.bytes_sent.load()},
                              {"slow", c.sessions_slow.load()},
                              {"refused", c.logins_refused.load() + c.connections_refused.load()}});
}

Result<std::string> check(const ServerConfig& config) {
  const std::filesystem::path state_dir = state_directory_of(config);
  if (const Result<void> valid = validate(config); !valid) return valid.error();
  if (const auto origins = OriginRules::from(config.origins); !origins) return origins.error();
  if (const auto proxies = ProxyRules::from(config.trusted_proxies); !proxies) return proxies.error();
  if (const Result<void> upstream = Upstream::check(config); !upstream) return upstream.error();
  const Result<Exposure> exposure = exposure_of(config.listen);
  if (!exposure) return exposure.error();
  const UserSourceConfig sources = user_sources(config, state_dir, *exposure);
  if (const Result<void> fit = fit_for_exposure(config, sources, *exposure); !fit) return fit.error();
  const auto users = load_users(sources, Generate::never);
  if (!users) return users.error();
  const bool made_later = users->records().empty() && !sources.asks_upstream();
  if (made_later) {
    for (const std::string& name : sources.publishers) {
      if (name != k_generated_user)
        return Error(Errc::config, "--publisher: there is no user \"" + name + "\"; the one that will be made is " + std::string(k_generated_user));
    }
  } else if (const Result<void> known = check_publishers(sources, *users); !known) {
    return known.error();
  }
  const auto certificate = load_certificate(config, state_dir, SelfSigned::read_only);
  if (!certificate) return certificate.error();
  std::string told = "users        " + std::to_string(users->records().size());
  if (made_later) told += " (one will be made at the first start)";
  if (sources.asks_upstream()) told += ", and those of the upstream";
  told += "\ncertificate  ";
  told += certificate->context ? certificate->file.string() + ", until " +
                                     base::format_rfc3339(certificate->not_after * 1000).substr(0, 10)
                               : "will be made at the first start";
  return told + "\nok\n";
}

}  // namespace clawws::server
