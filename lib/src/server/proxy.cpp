// The way of a request and of its answer. Nothing of the client's bytes reaches the upstream as it
// came: the gate has judged the head, Beast has parsed it, forwarded_request() builds it anew, and
// BodyRelay frames the body anew. So what this server reads and what the upstream reads is one
// request.
//
// g++ 12 lays out a coroutine's frame wrongly when co_await stands in the condition of a loop, so
// here every awaited result gets a name first.
#include "clawws/server/proxy.hpp"

#include <charconv>

#include "clawws/base/text.hpp"
#include "clawws/wire/http_gate.hpp"
#include "proxy_exchange.hpp"

namespace clawws::server {

namespace http = boost::beast::http;
using base::Errc;
using base::Result;
using boost::asio::awaitable;
using net::error_code;
using net::IoResult;
using net::IoStatus;

namespace {

constexpr std::uint32_t k_answer_head_bytes = 64 * 1024;
constexpr int k_most_interim = 16;
// A request that may not be sent twice takes no connection that the other side may be closing just
// now.
constexpr base::Millis k_surely_open{1'000};
constexpr base::Millis k_any_idle{3'600'000};
constexpr base::Millis k_tick{400};

std::string_view std_view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

bool is_idempotent(http::verb method) {  // RFC 9110, section 9.2.2
  return method == http::verb::get || method == http::verb::head || method == http::verb::options ||
         method == http::verb::put || method == http::verb::delete_ || method == http::verb::trace;
}

// "timeout=5, max=100": a second less than that, since it counts from the other side's moment.
std::optional<base::Millis> keep_alive_hint(const AnswerHead& answer) {
  for (const std::string_view item : wire::header_list(std_view(answer[http::field::keep_alive]))) {
    if (!base::iequals(item.substr(0, 8), "timeout=")) continue;
    std::uint32_t seconds = 0;
    const auto [end, failed] = std::from_chars(item.data() + 8, item.data() + item.size(), seconds);
    if (failed == std::errc())
      return base::Millis(seconds == 0 ? 0 : (std::int64_t{seconds} - 1) * 1000);
  }
  return std::nullopt;
}

bool is_event_stream(const AnswerHead& answer) {
  const std::string_view type = std_view(answer[http::field::content_type]);
  return base::iequals(base::trim(type.substr(0, type.find(';'))), "text/event-stream");
}

// A stop waits for requests that run.
struct Running {
  Counters& counters;
  explicit Running(Counters& c) : counters(c) {
    counters.requests_running.fetch_add(1, std::memory_order_relaxed);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { counters.requests_running.fetch_sub(1, std::memory_order_relaxed); }
};

}  // namespace

bool goes_upstream(Shard& shard, std::string_view input) {
  if (shard.upstream() == nullptr) return false;
  const std::size_t begin = input.find(' ') + 1;
  const std::string_view method = input.substr(0, begin);
  const std::string_view target = input.substr(begin, input.find(' ', begin) - begin);
  // The dashboard's address as people type it; see decide().
  const bool reads = method == "GET " || method == "HEAD ";
  if (reads && wire::split_target(target).path == "/clawws") return false;
  return wire::path_owner(target) == wire::PathOwner::other;
}

awaitable<ProxyResult> proxy_request(ProxyClient client, std::size_t head_bytes) {
  const auto exchange = std::make_shared<ProxyExchange>(client);
  ProxyResult result = co_await exchange->run(head_bytes);
  co_return result;
}

ProxyExchange::ProxyExchange(ProxyClient client)
    : shard_(client.shard),
      client_(client.stream),
      input_(client.input),
      peer_(client.peer),
      upload_ended_(client.shard.context()) {
  upload_ended_.expires_at(boost::asio::steady_timer::time_point::max());
}

// ---- the request --------------------------------------------------------------------------------

bool ProxyExchange::parse_head(std::size_t head_bytes) {
  request_.header_limit(static_cast<std::uint32_t>(head_bytes + 1));
  request_.body_limit(boost::none);
  error_code failed;
  input_.erase(0, request_.put(boost::asio::buffer(input_.data(), head_bytes), failed));
  if ((failed && failed != http::error::need_more) || !request_.is_header_done()) return false;

  const auto& head = request_.get();
  version_ = head.version();
  wanted_ = head.method() == http::verb::head ? BodyWanted::head_only : BodyWanted::yes;
  client_keeps_ = head.keep_alive();
  upgrades_ = asks_for_websocket(head) && request_.is_done();
  awaits_continue_ =
      version_ == 11 && base::iequals(std_view(head[http::field::expect]), "100-continue");
  bodiless_ = upload_whole_ = request_.is_done();
  return true;
}

ProxyResult ProxyExchange::refuse(unsigned status, std::string_view word, std::string message) {
  ProxyResult result;
  result.end = ProxyResult::End::refused;
  result.version = version_;
  result.wanted = wanted_;
  result.refusal = error_answer(status, word, message);
  // What follows an upgrade was meant for another protocol, and of a body nobody knows what was
  // read.
  if (!client_keeps_ || !request_.is_done() || upgrades_) result.refusal.after = After::close;
  return result;
}

awaitable<std::optional<ProxyResult>> ProxyExchange::obtain_link(UpstreamLink::Age least) {
  const bool repeatable = is_idempotent(request_.get().method()) && bodiless_;
  // An upgrade is not repeated, so it takes none that may be gone.
  if (least == UpstreamLink::Age::kept && !upgrades_)
    link_ = pool().take_kept(repeatable ? k_any_idle : k_surely_open);
  if (link_) co_return std::nullopt;
  Result<std::unique_ptr<UpstreamLink>> made = co_await pool().connect();
  if (made) {
    link_ = std::move(*made);
    co_return std::nullopt;
  }
  pool().upstream().is_away(made.error().message());
  if (made.error().code == Errc::timed_out) {
    co_return refuse(
        504, "gateway_timeout",
        "The application behind this server takes no connection; see whether it still runs");
  }
  co_return refuse(
      502, "bad_gateway",
      made.error().code == Errc::tls
          ? "The application behind this server cannot be trusted or speaks no TLS; the log says "
            "why"
          : "The application behind this server is not running; start it, or correct --upstream");
}

// A body went into the connection that was lost: without it, the next request would be read as the
// body that the head announces.
bool ProxyExchange::may_repeat() const noexcept {
  return link_->age == UpstreamLink::Age::kept && bodiless_ && !upgrades_ && !answered_ &&
         is_idempotent(request_.get().method());
}

// Sends the request, with as much of its body as has come, and reads the answer's head.
awaitable<ProxyExchange::Head> ProxyExchange::ask() {
  ForwardFacts facts;
  facts.peer = shard_.services().proxies.client_address(peer_.address(), std::nullopt);
  if (shard_.services().proxies.trusts(peer_.address())) facts.trust = ForwardFacts::Peer::trusted;
  facts.upstream_authority = pool().upstream().authority();
  facts.name = pool().upstream().via_name();
  RelayedRequest head = forwarded_request(request_.get(), facts);
  if (const auto length = request_.content_length()) {
    head.content_length(*length);
  } else if (request_.chunked()) {
    head.chunked(true);
  }
  const bool repeated = up_.has_value();
  up_.emplace(request_, std::move(head));
  std::string out;
  up_->put_head(out);
  if (!upload_whole_) {
    const auto step = up_->move(input_, out, scratch());
    if (step == BodyRelay<true>::Step::malformed) {
      cause_ = Cause::client_malformed;
      co_return Head::stopped;
    }
    upload_whole_ = step == BodyRelay<true>::Step::done;
  }
  const bool whole = upload_whole_;
  const bool sent = co_await write_all(link_->stream, out, upstream_out_, over_);
  if (over_) co_return Head::stopped;
  // An answer may have come all the same: one that refuses, before it was cut off.
  if (sent && !whole) start_upload();
  upstream_in_.restart();
  if (!repeated) looked_ = base::SteadyClock::now();
  Head got = co_await read_head();
  co_return got;
}

// Interim answers are passed on, to clients that know them.
awaitable<ProxyExchange::Head> ProxyExchange::read_head() {
  for (int interim = 0; interim <= k_most_interim; ++interim) {
    answer_.emplace();
    answer_->header_limit(k_answer_head_bytes);
    answer_->body_limit(boost::none);
    answer_->skip(wanted_ == BodyWanted::head_only);
    bool begun = false;
    while (!answer_->is_header_done()) {
      if (!link_->input.empty()) {
        begun = true;
        error_code failed;
        link_->input.erase(0, answer_->put(boost::asio::buffer(link_->input), failed));
        if (failed && failed != http::error::need_more) co_return Head::malformed;
        if (answer_->is_header_done()) break;
      }
      const IoResult got =
          co_await read_more(link_->stream, link_->input, scratch(), upstream_in_, over_);
      if (over_) co_return Head::stopped;
      if (got.status != IoStatus::done) co_return begun || interim > 0 ? Head::broken : Head::lost;
    }
    const auto& head = answer_->get();
    if (head.result_int() == 101 && upgrades_)
      co_return switches_to_websocket(head) ? Head::final : Head::malformed;
    if (head.result_int() == 101 || head.result_int() < 100) co_return Head::malformed;
    if (head.result_int() >= 200) co_return is_clearly_framed(head) ? Head::final : Head::malformed;
    const bool go_on = head.result_int() == 100;
    if (version_ < 11 || (go_on && !awaits_continue_)) continue;
    awaits_continue_ = awaits_continue_ && !go_on;
    client_in_.restart();
    const std::string text = interim_answer(head);
    const bool told = co_await write_all(client_, text, client_out_, over_);
    if (!told) stop(Cause::client_gone);
    if (over_) co_return Head::stopped;
  }
  co_return Head::malformed;
}

// Nothing was answered, and nothing will be by the upstream.
ProxyResult ProxyExchange::failure(Head head) {
  switch (cause_) {
    case Cause::client_malformed: {
      ProxyResult refused = refuse(400, "bad_request", "The body is not framed as its head says");
      refused.refusal.after = After::close;
      return refused;
    }
    case Cause::client_slow: {
      ProxyResult refused = refuse(408, "request_timeout",
                                   "The body comes too slowly; send it over a better connection");
      refused.refusal.after = After::close;
      return refused;
    }
    case Cause::upstream_slow:
      return refuse(504, "gateway_timeout",
                    "The application behind this server did not answer within " +
                        base::duration_flag_text(shard_.config().upstream_timeout) +
                        "; try again later");
    case Cause::client_gone:
    case Cause::finished:
      return {};
    case Cause::none:
      break;
  }
  if (head == Head::malformed) {
    shard_.log().warning("the upstream's answer was refused", {{"why", "not clear HTTP/1.x"}});
    return refuse(
        502, "bad_gateway",
        "The answer of the application behind this server is not valid HTTP; see its log");
  }
  pool().upstream().is_away(link_->stream.problem());
  return refuse(
      502, "bad_gateway",
      "The application behind this server ended the connection without an answer; see its log");
}

awaitable<ProxyResult> ProxyExchange::run(std::size_t head_bytes) {
  if (!parse_head(head_bytes)) {
    client_keeps_ = false;
    co_return refuse(400, "bad_request", "Not an HTTP request");
  }
  if (came_through(request_.get(), pool().upstream().via_name())) {
    pool().upstream().goes_round();
    co_return refuse(508, "loop_detected",
                     "This request has been here before: what --upstream names leads back to this "
                     "server; let it name the application itself");
  }
  std::optional<Running> running(std::in_place, shard_.counters());
  looked_ = base::SteadyClock::now();
  shard_.wheel().schedule(*this, looked_ + k_tick);

  Head head = Head::lost;
  for (UpstreamLink::Age age : {UpstreamLink::Age::kept, UpstreamLink::Age::fresh}) {
    std::optional<ProxyResult> away = co_await obtain_link(age);
    if (away) {
      cancel();
      co_return std::move(*away);
    }
    const Head got = co_await ask();
    head = got;
    if (head != Head::lost || !may_repeat()) break;
    link_.reset();
  }

  ProxyResult result;
  if (head != Head::final) {
    result = failure(head);
  } else if (answer_->get().result_int() == 101) {
    pool().upstream().is_back();
    running.reset();
    ProxyResult ended = co_await tunnel();
    result = std::move(ended);
  } else {
    pool().upstream().is_back();
    streams_events_ = is_event_stream(answer_->get());
    if (streams_events_) running.reset();
    ProxyResult ended = co_await return_answer();
    result = std::move(ended);
  }
  cancel();
  co_await join_upload();
  link_.reset();
  shard_.counters().requests.fetch_add(1, std::memory_order_relaxed);
  co_return result;
}

// ---- the answer ---------------------------------------------------------------------------------

awaitable<ProxyResult> ProxyExchange::return_answer() {
  const auto& from = answer_->get();
  const unsigned status = from.result_int();
  const bool bodiless = wanted_ == BodyWanted::head_only || status == 204 || status == 304;
  RelayedAnswer head = returned_answer(from, version_, shard_.config().hsts);
  bool ends_by_closing = false;
  if (const auto length = answer_->content_length(); length && status != 204) {
    head.content_length(*length);
  } else if (!bodiless && version_ == 11) {
    head.chunked(true);
  } else if (!bodiless) {
    ends_by_closing = true;
  }
  // A request whose body is still on its way may never end; and what followed an upgrade is none.
  const bool keeps = client_keeps_ && !ends_by_closing && upload_whole_ && !upgrades_ &&
                     !shard_.services().draining;
  head.keep_alive(keeps);

  BodyRelay<false> relay(*answer_, std::move(head));
  std::string out;
  relay.put_head(out);
  auto step = BodyRelay<false>::Step::done;
  if (!bodiless) step = relay.move(link_->input, out, scratch());
  if (step == BodyRelay<false>::Step::malformed) co_return failure(Head::malformed);
  answered_ = true;
  bool whole = true;
  if (bodiless) {
    const bool sent = co_await write_all(client_, out, client_out_, over_);
    whole = sent;
  } else {
    const bool returned = co_await return_body(relay, step, out);
    whole = returned;
  }
  ProxyResult result;
  if (!whole) co_return result;
  give_back_link();
  result.end = keeps && upload_whole_ ? ProxyResult::End::kept : ProxyResult::End::closes;
  co_return result;
}

// `step` is the one that filled `out`. False when the client has gone or the upstream's body ended
// early: then the client must see no end either.
awaitable<bool> ProxyExchange::return_body(BodyRelay<false>& relay, BodyRelay<false>::Step step,
                                           std::string& out) {
  using Step = BodyRelay<false>::Step;
  while (true) {
    if (!out.empty() && step != Step::malformed) {
      const std::uint64_t waits = client_out_.waits();
      const bool sent = co_await write_all(client_, out, client_out_, over_);
      if (!sent) co_return false;
      if (client_out_.waits() != waits) upstream_in_.restart();
      out.clear();
    }
    if (step == Step::done) co_return true;
    if (step == Step::malformed) co_return false;
    if (step == Step::more) {
      const std::uint64_t waits = upstream_in_.waits();
      const IoResult got =
          co_await read_more(link_->stream, link_->input, scratch(), upstream_in_, over_);
      if (upstream_in_.waits() != waits) client_out_.restart();
      if (got.status == IoStatus::closed) {
        step = relay.end_of_input(out);
        continue;
      }
      if (got.status != IoStatus::done) co_return false;
    }
    step = relay.move(link_->input, out, scratch());
  }
}

void ProxyExchange::give_back_link() {
  // What was announced and did not go up would be taken from the next request.
  if (!(bodiless_ || (upload_whole_ && up_->is_whole())) || upgrades_ || !answer_->is_done() ||
      !answer_->keep_alive() || !link_->input.empty())
    return;
  pool().put_back(std::move(link_), keep_alive_hint(answer_->get()));
}

}  // namespace clawws::server
