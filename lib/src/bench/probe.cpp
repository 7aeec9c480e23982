#include "clawws/bench/probe.hpp"

namespace clawws::bench {

Probe::Probe(Loop& loop, std::shared_ptr<const Target> target,
             std::shared_ptr<const SampleCodec> codec, std::uint32_t publishers)
    : loop_(loop),
      codec_(std::move(codec)),
      publishers_(publishers),
      subscriber_(loop, std::move(target), *this) {}

void Probe::connect(Nanos limit) {
  loop_.post([this, limit] {
    subscriber_.dial(0);
    loop_.at(steady_now() + limit,
             [this, limit] { subscriber_.check_deadline(steady_now(), limit); });
  });
}

net::Ending Probe::ending() {
  net::Ending copy;
  loop_.call([&] { copy = ending_; });
  return copy;
}

std::string Probe::tls_text() {
  std::string copy;
  loop_.call([&] { copy = tls_text_; });
  return copy;
}

void Probe::leave() {
  loop_.call([this] { subscriber_.leave(); });
}

void Probe::on_live(Subscriber& subscriber) {
  tls_text_ = subscriber.tls_text();
  state_.store(State::live, std::memory_order_release);
}

void Probe::on_message(Subscriber&, std::string_view text, Nanos) {
  Sample sample;
  if (codec_->parse(text, sample) == SampleCodec::Found::sample && sample.publisher == publishers_)
    state_.store(State::came_back, std::memory_order_release);
}

void Probe::on_ended(Subscriber&, const net::Ending& ending) {
  if (state_.load(std::memory_order_relaxed) == State::came_back) return;
  ending_ = ending;
  state_.store(State::failed, std::memory_order_release);
}

}  // namespace clawws::bench
