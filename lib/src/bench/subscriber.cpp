#include "clawws/bench/subscriber.hpp"

#include "clawws/base/text.hpp"
#include "clawws/base/time.hpp"
#include "clawws/net/crypto.hpp"

namespace clawws::bench {
namespace {

constexpr std::uint8_t k_close = 8, k_pong = 10;
constexpr std::uint16_t k_no_code = 1005;  // RFC 6455, section 7.1.5: a close without a code

}  // namespace

Subscriber::Subscriber(Loop& loop, std::shared_ptr<const Target> target, SubscriberEvents& events)
    : loop_(loop), events_(events), target_(std::move(target)) {}

void Subscriber::dial(std::size_t source_index, int receive_buffer_bytes, std::string query) {
  state_ = State::connecting;
  query_ = std::move(query);
  upgrade_.reset();
  scanner_ = {};
  times_ = {};
  link_.emplace(loop_, target_, *this);
  link_->dial(source_index, receive_buffer_bytes);
}

void Subscriber::check_deadline(Nanos now, Nanos limit) {
  if (state_ != State::connecting || now - link_->dialled_at() < limit) return;
  const net::Phase phase = upgrade_ ? net::Phase::upgrade : link_->phase();
  link_->fail(net::passing(phase,
                           "no answer within " + base::format_duration(limit) + " (" +
                               std::string(net::phase_name(phase)) + ")",
                           base::Errc::timed_out));
}

void Subscriber::leave() {
  if (state_ != State::live) {
    give_up();
    return;
  }
  state_ = State::leaving;
  link_->send(client_frame(k_close, "\x03\xe8"));
}

void Subscriber::give_up() {
  if (link_) link_->close();
  state_ = State::ended;
}

void Subscriber::drop() {
  if (state_ == State::live)
    link_->drop(net::passing(net::Phase::live, "dropped by the load generator"));
}

void Subscriber::on_secure() {
  times_.tcp = link_->tcp_time();
  times_.tls = link_->tls_time();
  upgrade_ = std::make_unique<HttpReader>();
  std::string request = target_->upgrade_request_with(query_);
  link_->send(request);
  net::wipe(request);
}

void Subscriber::on_bytes(std::string_view bytes, Nanos received_at) {
  if (!upgrade_) {
    scan(bytes, received_at);
    return;
  }
  upgrade_->feed(bytes);
  switch (upgrade_->next()) {
    case HttpReader::Step::need_more:
      return;
    case HttpReader::Step::broken:
      link_->fail(net::final_ending(net::Phase::upgrade, base::Errc::protocol,
                                    "the server's answer is not HTTP"));
      return;
    case HttpReader::Step::done:
      upgraded(received_at);
  }
}

void Subscriber::upgraded(Nanos received_at) {
  const std::unique_ptr<HttpReader> answer = std::move(upgrade_);
  if (answer->status() != 101) {
    const std::string retry_after = answer->field("Retry-After"),
                      location = answer->field("Location"), body = answer->body();
    link_->fail(
        net::http_ending({answer->status(), retry_after, location, body, base::unix_millis()}));
    return;
  }
  // One key for all: it proves that a WebSocket server answered, and is no secret.
  if (answer->field("Sec-WebSocket-Accept") != target_->expected_accept) {
    link_->fail(net::final_ending(net::Phase::upgrade, base::Errc::protocol,
                                  "the upgrade's Sec-WebSocket-Accept does not fit its key"));
    return;
  }
  times_.upgrade = received_at - link_->dialled_at() - times_.tcp - times_.tls;
  if (!answer->rest().empty()) scan(answer->rest(), received_at);
}

void Subscriber::scan(std::string_view bytes, Nanos received_at) {
  for (;;) {
    const FrameScanner::Step step = scanner_.next(bytes);
    switch (step.what) {
      case FrameScanner::What::need_more:
        return;
      case FrameScanner::What::text:
        if (state_ == State::connecting) {
          state_ = State::live;
          times_.total = received_at - link_->dialled_at();
          times_.first_frame = times_.total - times_.tcp - times_.tls - times_.upgrade;
          events_.on_live(*this);
        }
        events_.on_message(*this, step.data, received_at);
        break;
      case FrameScanner::What::binary:
        events_.on_binary(*this);
        break;
      case FrameScanner::What::ping:
        link_->send(client_frame(k_pong, step.data.substr(0, 125)));
        break;
      case FrameScanner::What::pong:
        break;
      case FrameScanner::What::close:
        on_close(step.data);
        return;
      case FrameScanner::What::violation:
        link_->fail(net::final_ending(
            net::Phase::live, base::Errc::protocol,
            "the server broke the WebSocket protocol: " + std::string(step.data)));
        return;
    }
    if (!link_->is_open()) return;
  }
}

void Subscriber::on_close(std::string_view payload) {
  std::uint16_t code = k_no_code;
  if (payload.size() >= 2) {
    code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                      static_cast<unsigned char>(payload[1]));
    payload.remove_prefix(2);
  }
  if (state_ != State::leaving) link_->send(client_frame(k_close, "\x03\xe8"));
  link_->finish();
  link_->fail(net::close_ending(code, base::escape_terminal(payload)));
}

void Subscriber::on_end(const net::Ending& ending) {
  upgrade_.reset();
  events_.on_ended(*this, ending);
  state_ = State::ended;
}

}  // namespace clawws::bench
