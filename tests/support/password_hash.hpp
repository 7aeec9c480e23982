// Password hashes made at run time, with the cheapest cost that the kind allows.
#pragma once

#include <crypt.h>
#include <gtest/gtest.h>

#include <string>

namespace clawws::test {

// `prefix` as in crypt(5): "$2y$", "$5$", "$6$", "$y$". `cost` 0 is the kind's default.
inline std::string make_hash(const std::string& password, const char* prefix, unsigned long cost) {
  crypt_data state{};
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  if (::crypt_gensalt_rn(prefix, cost, nullptr, 0, setting, sizeof setting) == nullptr) {
    ADD_FAILURE() << "crypt_gensalt does not know " << prefix;
    return {};
  }
  const char* const hash = ::crypt_r(password.c_str(), setting, &state);
  return hash == nullptr ? std::string() : std::string(hash);
}

inline std::string bcrypt_hash(const std::string& password) {
  return make_hash(password, "$2y$", 4);
}

}  // namespace clawws::test
