// Text that must not be shown: wiped when it goes, never printable by accident (no conversion, no
// stream operator). Movable, not copyable; one owner.
#pragma once

#include <string.h>

#include <string>
#include <string_view>
#include <utility>

namespace clawws::client {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      text_ = std::move(other.text_);
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  // For the one place that needs the text; the view is gone with this object.
  std::string_view reveal() const noexcept { return text_; }
  Secret copy() const { return Secret(text_); }
  bool empty() const noexcept { return text_.empty(); }

 private:
  void wipe() noexcept {
    // Up to the capacity: a moved-from short string still has its bytes inside the object.
    text_.resize(text_.capacity());
    ::explicit_bzero(text_.data(), text_.size());
    text_.clear();
  }

  std::string text_;
};

}  // namespace clawws::client
