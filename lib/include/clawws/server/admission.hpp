// How many connections there may be, in all and from one address. Thread-safe. A Permit counts one
// connection from accept to its end, through the HTTP stage and the session.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "clawws/server/config.hpp"

namespace clawws::server {

class Admission {
 public:
  class Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept : admission_(std::exchange(other.admission_, nullptr)), address_(std::move(other.address_)) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(admission_, other.admission_);
      std::swap(address_, other.address_);
      return *this;
    }
    ~Permit() {
      if (admission_ != nullptr) admission_->release(address_);
    }
    explicit operator bool() const noexcept { return admission_ != nullptr; }

   private:
    friend class Admission;
    Permit(Admission* admission, std::string address) : admission_(admission), address_(std::move(address)) {}
    Admission* admission_ = nullptr;
    std::string address_;
  };

  explicit Admission(const ServerConfig& config) : config_(config) {}
  // False in a boolean context when the address or the server has too many already.
  Permit admit(const boost::asio::ip::address& address);

 private:
  void release(const std::string& address);

  const ServerConfig& config_;
  std::mutex mutex_;
  std::size_t total_ = 0;
  std::unordered_map<std::string, std::size_t> by_address_;
};

}  // namespace clawws::server
