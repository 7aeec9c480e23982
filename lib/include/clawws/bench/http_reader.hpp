// Reads HTTP responses one after the other from bytes as they come: the answer to an upgrade, and
// those to a publisher's requests. Beast's parser behind a few calls, so that its templates are
// compiled once. One thread; no I/O.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace clawws::bench {

class HttpReader {
 public:
  enum class Step : std::uint8_t { need_more, done, broken };

  HttpReader();
  ~HttpReader();

  // For another connection.
  void reset();
  void feed(std::string_view bytes);
  // Goes on with what was fed. After `done` the answer can be asked until the next call.
  Step next();
  int status() const;
  std::string field(std::string_view name) const;
  std::string body() const;
  // What was fed and belongs to no answer: the first frames behind an upgrade.
  const std::string& rest() const noexcept { return bytes_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::string bytes_;
};

}  // namespace clawws::bench
