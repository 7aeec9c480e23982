#include "clawws/server/identity_files.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "clawws/base/posix.hpp"
#include "clawws/base/time.hpp"
#include "clawws/net/certificate.hpp"
#include "support/temp_dir.hpp"

namespace clawws::server {
namespace {

using base::Errc;
using base::Result;
using test::TempDir;

std::string content_of(const std::filesystem::path& file) {
  const Result<std::string> content = base::read_file(file);
  EXPECT_TRUE(content.has_value()) << file;
  return content ? *content : std::string();
}

struct IdentityTest {
  Result<LoadedCertificate> load(SelfSigned mode = SelfSigned::make) const {
    return load_certificate(config, dir.path(), mode);
  }
  // A pair in files of its own, named by the config.
  void configure(const std::string& certificate, const std::string& key) {
    config.cert_file = dir.write("own.crt", certificate).string();
    config.key_file = dir.write("own.key", key).string();
  }
  std::string text(const char* name) const { return content_of(dir.path() / name); }
  unsigned mode_of(const char* name) const {
    struct stat facts {};
    EXPECT_EQ(::stat((dir.path() / name).c_str(), &facts), 0);
    return facts.st_mode & 0777U;
  }
  void expect_refused(const std::vector<std::string>& says) const {
    const auto loaded = load();
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().code, Errc::tls);
    for (const std::string& word : says) {
      EXPECT_NE(loaded.error().message().find(word), std::string::npos) << loaded.error().message();
    }
  }

  TempDir dir;
  ServerConfig config;
};

net::PemPair made(int days = 90, const std::vector<std::string>& names = {"localhost"}) {
  return *net::make_self_signed(names, days);
}

TEST(ServerCertificate, IsMadeOnceAndKept) {
  const IdentityTest test;
  const auto first = test.load();
  ASSERT_TRUE(first.has_value()) << first.error().message();
  EXPECT_TRUE(first->context);
  EXPECT_EQ(first->file, test.dir.path() / "cert.pem");
  EXPECT_EQ(test.mode_of("key.pem"), 0600U);
  const auto facts = *net::read_certificate(test.text("cert.pem"));
  EXPECT_EQ(facts.names.size(), 3U);
  EXPECT_EQ(facts.pin, first->pin);
  // 397 days are what browsers accept at most.
  const std::int64_t days_left = (first->not_after - base::unix_millis() / 1000) / 86400;
  EXPECT_GE(days_left, 395);
  EXPECT_LE(days_left, 397);
  const auto second = test.load();
  EXPECT_EQ(second->pin, first->pin);
  EXPECT_EQ(test.load(SelfSigned::read_only)->pin, first->pin);
}

TEST(ServerCertificate, LookingAloneWritesNothing) {
  const IdentityTest test;
  const auto none = test.load(SelfSigned::read_only);
  ASSERT_TRUE(none.has_value());
  EXPECT_FALSE(none->context);
  EXPECT_TRUE(std::filesystem::is_empty(test.dir.path()));
}

TEST(ServerCertificate, IsRenewedAMonthBeforeItsEnd) {
  const IdentityTest test;
  const auto put = [&](const net::PemPair& pair) {
    test.dir.write("cert.pem", pair.certificate);
    test.dir.write("key.pem", pair.key);
    return net::read_certificate(pair.certificate)->pin;
  };
  const std::string enough = put(made(31));
  EXPECT_EQ(test.load()->pin, enough);
  const std::string ending = put(made(29));
  EXPECT_EQ(test.load(SelfSigned::read_only)->pin, ending);
  const auto renewed = test.load(SelfSigned::renew);
  EXPECT_NE(renewed->pin, ending);
  EXPECT_EQ(net::read_certificate(test.text("cert.pem"))->pin, renewed->pin);
}

TEST(ServerCertificate, ABrokenPairOfItsOwnIsMadeAnew) {
  const IdentityTest test;
  ASSERT_TRUE(test.load().has_value());
  test.dir.write("cert.pem", "-----BEGIN CERTIFICATE-----\nhalf of");
  ASSERT_FALSE(test.load(SelfSigned::read_only).has_value());
  // A reload keeps what is served instead.
  ASSERT_FALSE(test.load(SelfSigned::renew).has_value());
  const auto replaced = test.load();
  ASSERT_TRUE(replaced.has_value());
  EXPECT_NE(replaced->replaced.find("cert.pem"), std::string::npos) << replaced->replaced;
  EXPECT_EQ(test.load()->replaced, "");
  // A crash between the two files leaves a key that fits another certificate.
  test.dir.write("key.pem", made().key);
  EXPECT_TRUE(test.load().has_value());
  std::filesystem::remove(test.dir.path() / "key.pem");
  EXPECT_FALSE(test.load(SelfSigned::renew).has_value());
  EXPECT_TRUE(test.load().has_value());
}

TEST(ServerCertificate, ConfiguredFilesAreReadAndNeverWritten) {
  IdentityTest test;
  const net::PemPair pair = made(5, {"panel.example"});  // near its end, but not ours to renew
  test.configure(pair.certificate, pair.key);
  const auto loaded = test.load();
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
  EXPECT_EQ(loaded->pin, net::read_certificate(pair.certificate)->pin);
  EXPECT_EQ(loaded->file, test.config.cert_file);
  EXPECT_EQ(test.text("own.crt"), pair.certificate);
  EXPECT_FALSE(std::filesystem::exists(test.dir.path() / "cert.pem"));
}

TEST(ServerCertificate, GarbageIsRefusedWithTheFilesName) {
  IdentityTest test;
  const net::PemPair pair = made();
  test.configure("not a certificate", pair.key);
  test.expect_refused({"own.crt", "not a PEM certificate"});
  test.configure(pair.certificate, "not a key");
  test.expect_refused({"own.key", "not an unencrypted PEM private key"});
  test.configure(pair.certificate, made().key);
  test.expect_refused({"own.key", "does not belong to the certificate"});
  const net::PemPair expired = made(-1);
  test.configure(expired.certificate, expired.key);
  test.expect_refused({"own.crt", "expired on 2"});
}

TEST(ServerCertificate, MissingFilesAreNamedWithTheirFlag) {
  IdentityTest test;
  const net::PemPair pair = made();
  test.configure(pair.certificate, pair.key);
  test.config.key_file = (test.dir.path() / "gone.key").string();
  test.expect_refused({"--key", "gone.key", "No such file"});
  test.config.cert_file = (test.dir.path() / "gone.crt").string();
  test.expect_refused({"--cert", "gone.crt"});
}

TEST(ServerCertificate, AnEncryptedKeyIsRefusedWithoutAsking) {
  IdentityTest test;
  const net::PemPair pair = made();
  BIO* const in = BIO_new_mem_buf(pair.key.data(), static_cast<int>(pair.key.size()));
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO* const out = BIO_new(BIO_s_mem());
  const std::string secret = "a secret";
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), secret.data(),
                                          static_cast<int>(secret.size()), nullptr, nullptr),
            1);
  char bytes[4096];
  const int size = BIO_read(out, bytes, sizeof bytes);
  ASSERT_GT(size, 0);
  BIO_free(in);
  EVP_PKEY_free(key);
  BIO_free(out);
  test.configure(pair.certificate, std::string(bytes, static_cast<std::size_t>(size)));
  test.expect_refused({"own.key", "not an unencrypted PEM private key"});
}

TEST(ServerIdentityFiles, TheStateDirectoryIsAbsolute) {
  ServerConfig config;
  config.state_dir = "some/where";
  EXPECT_EQ(state_directory_of(config), std::filesystem::current_path() / "some/where");
}

TEST(ServerIdentityFiles, TheCurlConfigIsPrivate) {
  const TempDir dir;
  const auto file = write_curl_config(dir.path(), dir.path() / "cert.pem", "admin", "pass-word_1");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(*file, dir.path() / "curl.conf");
  struct stat facts {};
  ASSERT_EQ(::stat(file->c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  const std::string text = content_of(*file);
  EXPECT_NE(text.find("user = \"admin:pass-word_1\"\n"), std::string::npos);
  EXPECT_NE(text.find("cacert = \"" + (dir.path() / "cert.pem").string() + "\"\n"),
            std::string::npos);
}

// curl reads \\ and \" between quotes.
TEST(ServerIdentityFiles, TheCurlConfigsPathsMayHoldQuotes) {
  const TempDir dir;
  const auto file = write_curl_config(dir.path(), R"(/a "b"/c\d.pem)", "admin", "word");
  ASSERT_TRUE(file.has_value());
  EXPECT_NE(content_of(*file).find(R"(cacert = "/a \"b\"/c\\d.pem")"), std::string::npos);
}

}  // namespace
}  // namespace clawws::server
