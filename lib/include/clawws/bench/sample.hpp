// The event that the load generator publishes and finds again on every connection:
//
//   {"type":"bench.sample","payload":{"run":"3f9c2a1e","publisher":0,"number":17,
//    "intended":81273645,"actual":81300012,"pad":"…","check":"9f3c…"}}
//
// (without the line break). Times are the steady clock's nanoseconds. `check` is a hash over the
// payload before it, so that a byte that changed on the way is seen. A server that keeps the order
// of members and adds its own outside the payload does not disturb it. Pure; immutable once made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clawws/base/export.hpp"
#include "clawws/bench/histogram.hpp"

namespace clawws::bench {

struct Sample {
  std::uint32_t publisher = 0;
  std::uint64_t number = 0;
  Nanos intended{0};  // when it was to be sent
  Nanos actual{0};    // when it was handed to the connection
};

class CLAWWS_API SampleCodec {
 public:
  // `run`: 8 hexadecimal digits that no other run has. An event is `size_bytes` long, or as long as
  // it must be; `seed` gives the padding.
  SampleCodec(std::string run, std::size_t size_bytes, std::uint64_t seed);

  void append(std::string& out, const Sample& sample) const;

  // other: no bench.sample; foreign: another run's; corrupt: ours, but not as it was sent.
  enum class Found : std::uint8_t { other, foreign, corrupt, sample };
  Found parse(std::string_view text, Sample& out) const;

 private:
  std::string run_;
  std::size_t size_bytes_;
  std::string padding_;
};

}  // namespace clawws::bench
